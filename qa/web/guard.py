"""Who may talk to the service. Host, Origin and token are checked before any route is reached, Gradio's too."""

import ipaddress
import json
import re
import secrets
import socket
from contextlib import suppress
from html import escape
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.types import BadInput
from qa.service import User

COOKIE = "copydesk"
SCRIPTED = ("/", "/api/docs")  # pages with inline scripts
QUEUE = "/gradio_api/queue/join"  # where the page sends what it is asked
QUEUE_BYTES = 1_000_000
FORM_BYTES = 8192  # of what is sent to /login by anybody; no more is read
# What a browser sends as Host: urlsplit would find a good name in user@name, name/other and [::1].other, too.
NAME = re.compile(r"(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
# What exists: our own routes, and of Gradio's those that its page uses. Its files, uploads, proxy and the rest do not.
OPEN = re.compile(
    r"/|/login|/healthz|/mcp|/metrics|/(?:api|v1|source|page)/.*|/(?:assets|static|svelte)/.*|/(?:theme\.css|config|favicon\.ico|manifest\.json)"
    r"|/gradio_api/(?:info|startup-events|heartbeat/\w+|queue/(?:join|data)|cancel|reset|theme\.css)"
)
# Only scripts that stand in such a page as it is sent get its nonce: markup that slips into an answer runs nothing.
# (Gradio's HTML component makes functions of strings of its own, hence unsafe-eval.)
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'nonce-%s'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)
LOGIN = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Copydesk</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<body style="font:16px/1.6 system-ui;max-width:24rem;margin:20vh auto;padding:1rem"><h1>Copydesk</h1>
<form method="post" action="/login"><label>Access token<br><input name="token" type="password" autofocus
style="font:inherit;width:100%"></label> <button style="font:inherit;margin-top:.6rem">Open</button></form>{said}"""


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    return host == "localhost" or bool((address := _address(host)) and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    return None


def check_host(host: str, token: str | None) -> None:
    """Raise BadInput where others could come in unasked, or nobody: any address but loopback needs a token."""
    if not is_loopback(host) and not token:
        needs = "give an --auth-token (or COPYDESK_TOKEN) that they must know"
        raise BadInput(f"--host {host} lets other machines in: {needs}")
    if token and not (token.isascii() and token.isprintable() and token == token.strip()):
        raise BadInput("the token cannot be sent as it is: use ASCII letters, digits and signs, no space at its ends")


class Guard:
    """ASGI middleware. Refuses a foreign Host or Origin (403), a request without the token (401), a closed path (404).

    A page of another site, or one whose name was made to point here (DNS rebinding), is thereby kept out. `host` is the
    address that the service listens on; with `token`, every request needs it, as a bearer or as the cookie that the
    form at /login sets.
    """

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", token: str | None = None) -> None:
        self._app, self._host, self._token = app, host.casefold(), token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        respond = self._refusal(scope)
        if respond is None and self._token and not self._known(scope):
            respond = await self._login(Request(scope, receive))
        elif respond is None and scope["path"] == "/login":  # Gradio has one of its own
            respond = RedirectResponse("/", 303)
        if respond is None and scope["path"] == QUEUE:
            body = await _start(Request(scope, receive), QUEUE_BYTES)
            respond, receive = _payload_refusal(body), _again(body, receive)
        scripted = scope["type"] == "http" and scope["path"] in SCRIPTED
        # Gradio would take its own address from the first; a compressed page could not be given its nonce.
        dropped = (b"x-forwarded-host", b"accept-encoding" if scripted else b"")
        state = scope.get("state", {}) | {"user": User()}
        scope = {**scope, "state": state, "headers": [pair for pair in scope["headers"] if pair[0] not in dropped]}
        await (respond or self._app)(scope, receive, _secured(send, scripted))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._serves(host):
            return _error(403, f"this service does not answer to the name {host!r}: open it at its own address")
        navigates = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not navigates
        if foreign or origin not in (None, f"http://{host}", f"https://{host}"):
            return _error(403, f"a page of {origin or 'another site'} may not use this service")
        if scope["type"] == "websocket" or not OPEN.fullmatch(scope["path"]):
            return _error(404, f"nothing is at {scope['path']}: /api/docs lists what there is")
        return None

    def _serves(self, header: str) -> bool:
        """Tell whether a Host header names this service: loopback, what it listens on, or, on every address, a number.

        No foreign name can be made to be a number, nor the machine's own name.
        """
        found = NAME.fullmatch(header)
        if not found:
            return False
        name = (found[1] or found[2]).casefold()
        everywhere = self._host in ("0.0.0.0", "::") and (_address(name) or name == socket.gethostname().casefold())  # noqa: S104
        return is_loopback(name) or name == self._host or bool(everywhere)

    def _known(self, scope: Scope) -> bool:
        request = Request(scope)
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = bearer if kind.casefold() == "bearer" else request.cookies.get(COOKIE, "")
        return secrets.compare_digest(given.encode(), (self._token or "").encode())

    async def _login(self, request: Request) -> Response:
        said = ""
        if request.url.path == "/login" and request.method == "POST":
            token = parse_qs((await _start(request, FORM_BYTES)).decode("latin-1")).get("token", [""])[0]
            if secrets.compare_digest(token.encode(), (self._token or "").encode()):
                opened = RedirectResponse("/", 303)
                opened.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
                return opened
            said = "That is not the token."
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(LOGIN.format(said=escape(said)), 401)
        return _error(401, "this service needs its token: send it as Authorization: Bearer TOKEN (COPYDESK_TOKEN)")


async def _start(request: Request, most: int) -> bytes:
    """Return the beginning of a body, which may be of any length and never end."""
    body = b""
    with suppress(ClientDisconnect):
        async for part in request.stream():
            body += part
            if len(body) > most:
                break
    return body[:most]


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read once more."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return parts.pop() if parts else await receive()

    return again


def _payload_refusal(body: bytes) -> Response | None:
    """Refuse what names a file, whatever input it stands in: Gradio would fetch the address of one."""
    files: list[object] = []
    try:
        json.loads(body, object_hook=lambda held: files.append(held) if "meta" in held else None)
    except (ValueError, RecursionError):
        return _error(400, "the page sends JSON of at most a million bytes")
    return _error(403, "the page takes texts: no file is an input of it") if files else None


def _secured(send: Send, scripted: bool) -> Send:
    """Add the headers that keep a response within its own page; the scripts of a `scripted` page get a nonce."""
    nonce = secrets.token_urlsafe(16)
    held: list[Message] = []  # of a scripted page, until its new length is known

    async def secured(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", POLICY % nonce)
            headers.update({"x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN"})
            headers["referrer-policy"] = "same-origin"
        if scripted and message["type"] in ("http.response.start", "http.response.body"):
            held.append(message)
            if message["type"] == "http.response.start" or message.get("more_body"):
                return
            page = b"".join(part.get("body", b"") for part in held)
            page = page.replace(b"<script", f'<script nonce="{nonce}"'.encode())
            MutableHeaders(scope=held[0])["content-length"] = str(len(page))
            await send(held[0])
            message = {"type": "http.response.body", "body": page}
        await send(message)

    return secured


def _error(status: int, said: str) -> JSONResponse:
    return JSONResponse({"error": said}, status)

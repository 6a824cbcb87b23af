"""Who may talk to the service. Host, Origin and token are checked before any route is reached, Gradio's too."""

import ipaddress
import json
import re
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.types import BadInput
from qa.service import User
from qa.web.problems import Problem
from qa.web.signin import SignIn, start
from qa.web.users import accounts

SCRIPTED = ("/", "/api/docs")  # pages with inline scripts
HEAD = (
    b'<head><script src="/page/words.js"></script>'  # Gradio adds the head that it is given after it chose a language
)
QUEUE = "/gradio_api/queue/join"  # where the page sends what it is asked
QUEUE_BYTES = 1_000_000
# What a browser sends as Host: urlsplit would find a good name in user@name, name/other and [::1].other, too.
NAME = re.compile(r"(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
# What exists: our own routes, and of Gradio's those that its page uses. Its files, uploads, proxy and the rest do not.
OPEN = re.compile(
    r"/|/login|/logout|/healthz|/livez|/readyz|/mcp|/metrics|/(?:api|v1|source|page)/.*|/(?:assets|static|svelte)/.*|/(?:theme\.css|config|favicon\.ico|manifest\.json)"
    r"|/gradio_api/(?:info|startup-events|heartbeat/\w+|queue/(?:join|data)|cancel|reset|theme\.css)"
)
# Only scripts that stand in such a page as it is sent get its nonce: markup that slips into an answer runs nothing.
POLICY = (
    "default-src 'self'; script-src 'self'%s; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
# Gradio's HTML component makes functions of strings of its own: without it, each shows an EvalError. Nothing else does.
EVAL = " 'unsafe-eval'"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    return host == "localhost" or bool((address := _address(host)) and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    return None


def check_host(host: str, token: str | None, users: Path | None = None, names: Sequence[str] = ()) -> None:
    """Raise BadInput where others could come in unasked, or nobody.

    Any address but loopback needs a token or users, and so do names, by which a proxy lets others in.
    """
    if odd := [name for name in names if not re.fullmatch(r"[\w.-]+", name, re.ASCII)]:
        raise BadInput(f"--allow-host {odd[0]} is no name: give what stands in the address, such as news.example")
    if (names or not is_loopback(host)) and not token and not users:
        needs = "give an --auth-token (or COPYDESK_TOKEN) that they must know, or --users FILE (copydesk users add)"
        opens = f"--host {host}" if not is_loopback(host) else f"--allow-host {names[0]}"
        raise BadInput(f"{opens} lets other machines in: {needs}")
    if token and not (token.isascii() and token.isprintable() and token == token.strip()):
        raise BadInput("the token cannot be sent as it is: use ASCII letters, digits and signs, no space at its ends")
    if users and not accounts(users):
        raise BadInput(f"{users} holds no users: copydesk users add NAME adds one")


class Guard:
    """ASGI middleware. Refuses a foreign Host or Origin (403), who is not known (401), a closed path (404).

    A page of another site, or one whose name was made to point here (DNS rebinding), is thereby kept out. `host` is the
    address that the service listens on, `names` are others that lead to it; who is known is said by `SignIn`, and is
    `request.state.user` then.
    """

    def __init__(
        self, app: ASGIApp, host: str, token: str | None, users: Path | None, names: Sequence[str] = ()
    ) -> None:
        self._app, self._host, self._sign_in = app, host.casefold(), SignIn(users, token)
        self._names = {self._host, *map(str.casefold, names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        user, respond = User(), None
        try:
            self._check(scope)
            user, respond = await self._sign_in.admit(Request(scope, receive))
            if respond is None and scope["path"] == QUEUE:
                body = await start(Request(scope, receive), QUEUE_BYTES)
                _check_payload(body)
                receive = _again(body, receive)
        except (HTTPException, BadInput) as error:
            damaged = "nobody can come in: copydesk users list says what is wrong with the file of users"
            refused = error if isinstance(error, HTTPException) else HTTPException(503, damaged)
            respond = Problem(refused.status_code, refused.detail, refused.headers)
        nonce = secrets.token_urlsafe(16) if scope["type"] == "http" and scope["path"] in SCRIPTED else ""
        policy = POLICY % (f" 'nonce-{nonce}'{EVAL if scope['path'] == '/' else ''}" if nonce else "")
        head = HEAD if respond is None and scope["path"] == "/" else b"<head>"
        # Gradio would take its own address from the first; a compressed page could not be given its nonce.
        dropped = (b"x-forwarded-host", b"accept-encoding" if nonce else b"")
        state = scope.get("state", {}) | {"user": user}
        scope = {**scope, "state": state, "headers": [pair for pair in scope["headers"] if pair[0] not in dropped]}
        await (respond or self._app)(scope, receive, _secured(send, policy, nonce, head))

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._serves(host):
            mend = "open it at its own address, or start it with --allow-host"
            raise HTTPException(403, f"this service does not answer to the name {host!r}: {mend}")
        navigates = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not navigates
        if foreign or origin not in (None, f"http://{host}", f"https://{host}"):
            raise HTTPException(403, f"a page of {origin or 'another site'} may not use this service")
        if scope["type"] == "websocket" or not OPEN.fullmatch(scope["path"]):
            raise HTTPException(404, f"nothing is at {scope['path']}: /api/docs lists what there is")

    def _serves(self, header: str) -> bool:
        """Tell whether a Host header names this service: loopback, what it listens on, another name of which it was
        told, or, on every address, a number.

        No foreign name can be made to be a number, nor the machine's own name.
        """
        found = NAME.fullmatch(header)
        if not found:
            return False
        name = (found[1] or found[2]).casefold()
        everywhere = self._host in ("0.0.0.0", "::") and (_address(name) or name == socket.gethostname().casefold())  # noqa: S104
        return is_loopback(name) or name in self._names or bool(everywhere)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read once more."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return parts.pop() if parts else await receive()

    return again


def _check_payload(body: bytes) -> None:
    """Refuse what names a file, whatever input it stands in: Gradio would fetch the address of one."""
    files: list[object] = []
    try:
        json.loads(body, object_hook=lambda held: files.append(held) if "meta" in held else None)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the page sends JSON of at most a million bytes") from error
    if files:
        raise HTTPException(403, "the page takes texts: no file is an input of it")


def _secured(send: Send, policy: str, nonce: str, head: bytes) -> Send:
    """Add the headers that keep a response within its own page; the scripts of a page get its nonce, if it has one."""
    held: list[Message] = []  # of a scripted page, until its new length is known

    async def secured(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            headers.setdefault("content-security-policy", policy)
            headers.update({"x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN"})
            headers.update({"x-service": "copydesk"})  # by which the command line knows whom it gives its token
            headers.update({"referrer-policy": "same-origin", "cross-origin-resource-policy": "same-origin"})
        if nonce and message["type"] in ("http.response.start", "http.response.body"):
            held.append(message)
            if message["type"] == "http.response.start" or message.get("more_body"):
                return
            page = b"".join(part.get("body", b"") for part in held)
            page = page.replace(b"<head>", head, 1).replace(b"<script", f'<script nonce="{nonce}"'.encode())
            MutableHeaders(scope=held[0])["content-length"] = str(len(page))
            await send(held[0])
            message = {"type": "http.response.body", "body": page}
        await send(message)

    return secured

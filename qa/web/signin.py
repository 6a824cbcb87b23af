"""Who asks: a browser's session, or the token or the name and password that a program sends."""

import asyncio
import hashlib
import math
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Network
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from qa.locale import COOKIE as COOKIE_OF_LANGUAGE
from qa.locale import LANGUAGES, chosen
from qa.page.render import pages
from qa.service import User
from qa.web.users import HASHER, Account, accounts, proves

COOKIE = "copydesk"
SESSION_SECONDS = 12 * 3600  # without a request
UNASKED = ("/livez", "/readyz")  # balancers have no token, and are told nothing that needs one
FORM_BYTES = 8192  # of what is sent to /login by anybody; no more is read
MOST = 10_000  # sessions, attempts and proofs that are remembered, of each kind: strangers fill no memory
# So many wrong attempts in a row are free, of a name from an address and of all names from it; then comes a pause.
FREE, PAUSE_SECONDS = (8, 40), 300
LOCAL = re.compile(r"/(?![/\\])[!-~]*")  # an address of this service
BASIC = "this service has users: send name and password by HTTP Basic, or NAME:PASSWORD as the token (COPYDESK_TOKEN)"
BEARER = "this service needs its token: send it as Authorization: Bearer TOKEN (COPYDESK_TOKEN)"


class SignIn:
    """Knows who sends a request, by `users` of a file, the `token`, or both; where there are none all are editors."""

    def __init__(self, users: Path | None, token: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._users, self._clock = users, clock
        self._token = Account("editor", HASHER.hash(token)) if token else None
        self._nobody = Account("reader", HASHER.hash(secrets.token_hex())) if users else None
        self._sessions: dict[str, tuple[str, str, float]] = {}  # by cookie: name, hash at that time, last request
        self._failed: dict[object, tuple[int, float]] = {}  # how many, and the last
        self._proved: dict[bytes, None] = {}  # what argon2 has found right, by a keyed hash
        self._key = secrets.token_bytes()
        self._lock = asyncio.Lock()  # for one proof at a time: each takes 64 MiB

    async def admit(self, request: Request) -> tuple[User, Response | None]:
        """Return who sends a request, and what to answer before any route does. Raises HTTPException, BadInput."""
        path, posted = request.scope["path"], request.method == "POST"
        door = path in ("/login", "/logout")
        if path in UNASKED:
            return User(role="reader"), None
        if not self._users and not self._token:
            return User(), RedirectResponse("/", 303) if door else None  # Gradio has both, too
        if path == "/login" and posted:
            return User(), await self._sign_in(request)
        if path == "/logout" and posted:
            self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        if user := await self._who(request):
            return user, self._page(request, 200, user=user) if door else None
        if "text/html" in request.headers.get("accept", ""):
            url = request.scope["raw_path"] + b"?" + request.scope["query_string"]
            # A link of another site brings no cookie, which is SameSite: the page asks once more, of itself.
            again = request.headers.get("sec-fetch-site") == "cross-site"
            return User(), self._page(request, 401, to="" if door else url.decode("latin-1"), again=again)
        # A browser that is told of HTTP Basic opens a window of its own.
        asked = 'Basic realm="Copydesk"' if self._users and "sec-fetch-site" not in request.headers else "Bearer"
        raise HTTPException(401, BASIC if self._users else BEARER, {"www-authenticate": asked})

    async def _who(self, request: Request) -> User | None:
        name, (kind, _, given) = "", request.headers.get("authorization", "").partition(" ")
        with suppress(ValueError):
            sent, basic = given.encode("latin-1"), kind.casefold() == "basic"
            given = (b64decode(sent) if basic else sent).decode()
            user, _, password = given.partition(":")
            if password and (basic or self._account(user)):  # many clients can send a token alone
                name, given = user, password
        if kind:
            account = await self._enter(request, name, given)
        else:
            cookie, now = request.cookies.get(COOKIE, ""), self._clock()
            name, hashed, last = self._sessions.get(cookie, ("", "", now))
            account = self._account(name)
            if not account or account.hash != hashed or now > last + SESSION_SECONDS:
                return None
            self._sessions[cookie] = name, hashed, now
        return User(name, account.role) if account else None

    async def _sign_in(self, request: Request) -> Response:
        form = parse_qs((await start(request, FORM_BYTES)).decode("latin-1"))
        name, password, to = (form.get(key, [""])[0] for key in ("name", "password" if self._users else "token", "to"))
        try:
            account = await self._enter(request, name, password)
        except HTTPException as slowed:
            return self._page(request, slowed.status_code, to=to, name=name, told=slowed.detail)
        if not account:
            wrong = "That is not a user’s name and password." if self._users else "That is not the token."
            return self._page(request, 401, to=to, name=name, told=wrong)
        cookie = secrets.token_urlsafe(32)
        self._sessions[cookie] = name, account.hash, self._clock()
        opened = RedirectResponse(to if LOCAL.fullmatch(to) else "/", 303)
        opened.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return opened

    async def _enter(self, request: Request, name: str, password: str) -> Account | None:
        """Return the account of a name, or of who has the token where that is "", if this is the password."""
        for kept in (self._sessions, self._failed, self._proved):
            while len(kept) > MOST:
                del kept[next(iter(kept))]  # type: ignore[arg-type]
        account = self._account(name)
        if not password or not (shown := account or self._nobody):
            return None
        host = request.client.host if request.client else ""
        with suppress(ValueError):  # a provider gives half of such an address to one customer
            host = str(IPv6Network(f"{host}/64", strict=False))
        keys = (hash(name), host), host
        self._check_wait(keys)
        proof = hashlib.blake2b(f"{shown.hash}\0{password}".encode(), key=self._key).digest()
        if proof not in self._proved:
            async with self._lock:
                self._check_wait(keys)  # others may have failed meanwhile
                if proof not in self._proved and not await asyncio.to_thread(proves, password, shown.hash):
                    for key in keys:
                        tries, last = self._failed.get(key, (0, 0.0))
                        now = self._clock()
                        self._failed[key] = tries + 1 if now < last + PAUSE_SECONDS else 1, now
                    return None
        self._proved[proof] = None
        self._failed.pop(keys[0], None)
        return account

    def _check_wait(self, keys: tuple[object, ...]) -> None:
        for key, free in zip(keys, FREE, strict=True):
            tries, last = self._failed.get(key, (0, 0.0))
            wait = math.ceil(last + PAUSE_SECONDS - self._clock())
            if tries >= free and wait > 0:
                raise HTTPException(429, f"too many wrong attempts: try again in {wait} s", {"retry-after": str(wait)})

    def _account(self, name: str) -> Account | None:
        return accounts(self._users).get(name) if name and self._users else None if name else self._token

    def _page(self, request: Request, status: int, **shown: object) -> Response:
        words, rest = chosen(request), [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
        ahead = f"{urlencode(rest)}&" if rest else ""
        page = (
            pages(words)
            .get_template("login.html")
            .render(shown, named=self._users is not None, languages=LANGUAGES, ahead=ahead)
        )
        answer = HTMLResponse(page, status, {"cache-control": "no-store"})
        if request.query_params.get("lang") == words.code:
            answer.set_cookie(COOKIE_OF_LANGUAGE, words.code, max_age=365 * 86400, samesite="lax")
        return answer


async def start(request: Request, most: int) -> bytes:
    """Return the beginning of a body, which may be of any length and never end."""
    body = b""
    with suppress(ClientDisconnect):
        async for part in request.stream():
            body += part
            if len(body) > most:
                break
    return body[:most]

"""Fetches what an address says, politely, and lets nobody in through it.

Every host is resolved here, every address that it has is checked, and the connection goes to the checked address: a
name that changes between check and use, or at a redirect, is checked like the first.
"""

import re
import socket
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from netrc import NetrcParseError, netrc
from typing import Any, NamedTuple

import httpcore
import httpx
from protego import Protego
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_before_delay

from index.types import BadInput, shown

NAME = "copydesk"  # as robots.txt has it
AGENT = f"{NAME}/{version('copydesk')} (+a news archive; reads what its user asks for)"
WHOLE, STEP = 60.0, 20.0  # seconds for an address with its redirects and retries; for a connection, or silence
MOST_BYTES = 50_000_000  # unpacked
REDIRECTS, ATTEMPTS = 10, 3
LONGEST_PAUSE = 30.0  # seconds between two requests to a host, of those that its robots.txt asks for
ROBOTS_BYTES = 500_000  # RFC 9309 asks for as many at least
GLOBAL, NAT64 = ip_network("2000::/3"), ip_network("64:ff9b::/96")
SPECIAL = [
    *map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))
]  # which ipaddress does not know everywhere
# Where clouds tell a machine its own keys: AWS and most others, AWS by IPv6, Azure, Alibaba, Oracle.
METADATA = {"169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "192.0.0.192"}
REFUSED = {
    401: "it asks for a name and password: give https://NAME:PASSWORD@… or a line in ~/.netrc",
    403: "it does not let programs read it (403): save the page and ingest the file",
    404: "there is no such page (404): look at the address",
    410: "the page is gone (410)",
}
Resolve = Callable[[str, int], list[str]]


class Later(BadInput):
    """An address that could not be read now, and may be later: in so many seconds, where its host says so, else 0."""

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class Fetched(NamedTuple):
    """What an address led to: its last address, without secrets; the content, unpacked; and what tells it again."""

    url: str
    kind: str  # the content type, such as text/html
    charset: str  # "" where none is declared
    data: bytes
    etag: str
    modified: str
    seconds: float = 0.0  # for which its host says that it stays as it is


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that the system knows of a host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Later(f"the address of {host} cannot be found out now: is there a network?") from error
        raise BadInput(f"there is no host {host}: look at the address") from error
    except (UnicodeError, OSError) as error:
        raise BadInput(f"{host} is no name of a host: look at the address") from error
    return list(dict.fromkeys(str(at[4][0]) for at in found))


def admitted(address: str, private: bool = False) -> bool:
    """Tell whether an address is one of the public internet, in whatever form IPv6 gives it.

    With `private`, those of private networks and of this machine are too, but not where clouds keep a machine's keys.
    """
    at = ip_address(address)
    if isinstance(at, IPv6Address):
        at = at.ipv4_mapped or (IPv4Address(int(at) & 0xFFFFFFFF) if at in NAT64 else at)
    if at.is_multicast or str(at) in METADATA:
        return False
    if private:
        return not at.is_link_local
    if isinstance(at, IPv6Address) and (at not in GLOBAL or at.sixtofour or at.teredo or at.scope_id):
        return False
    return at.is_global and not any(at in network for network in SPECIAL)


class _Stream(httpcore.NetworkStream):
    """A connection that ends when its request must, however little at a time comes."""

    def __init__(self, inner: httpcore.NetworkStream, ends: float) -> None:
        self._inner, self._ends = inner, ends

    def _left(self, timeout: float | None) -> float:
        if (left := self._ends - time.monotonic()) <= 0:
            raise httpcore.ReadTimeout("over the time for a whole request")
        return min(left, timeout or left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._left(timeout)), self._ends)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Guard(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to no name. The time for connecting is that of the whole request."""

    def __init__(self, resolve: Resolve, private: bool, network: httpcore.NetworkBackend) -> None:
        self._resolve, self._private, self._network = resolve, private, network

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        ends = time.monotonic() + (timeout or WHOLE)
        addresses = self._resolve(host, port)
        if refused := [at for at in addresses if not admitted(at, self._private)]:
            raise BadInput(
                f"{host} ({refused[0]}) is not on the public internet: --allow-private lets private hosts in"
            )
        failed: Exception = httpcore.ConnectError("it has no address")
        for at in addresses:
            if (left := ends - time.monotonic()) <= 0:
                break
            try:
                return _Stream(self._network.connect_tcp(at, port, min(left, STEP)), ends)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class Client:
    """Reads addresses for one thread: their robots.txt and a pause of so many seconds between two of a host are kept.

    `allow_private` opens private networks, `whole` is how many seconds an address may take, with redirects and retries.
    `resolve` tells the addresses of a host, `network` connects to one. Every error is a BadInput of one line without
    secrets; `Later` where another time may be better.
    """

    def __init__(
        self, allow_private: bool = False, pause: float = 1.0, whole: float = WHOLE, resolve: Resolve = resolve,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:  # fmt: skip
        guard = _Guard(resolve, allow_private, network or httpcore.SyncBackend())
        context = httpx.create_ssl_context(trust_env=False)
        # No connection is kept, so that each request is checked.
        self._pool = httpcore.ConnectionPool(context, network_backend=guard, max_keepalive_connections=0)
        self._pause, self._whole, self._due = pause, whole, dict[str, float]()
        self._rules: dict[str, Protego | Later] = {}
        self._logins: dict[str, str] = {}

    def login(self, address: str) -> None:
        """Keep what an address that the user gave, or ~/.netrc, says of who may read there: for that origin alone."""
        parsed(address)
        url = httpx.URL(address)
        name, password = url.username, url.password
        with suppress(OSError, NetrcParseError):
            if not name and (held := netrc().hosts.get(url.host)):
                name, _, password = held
        if name:
            pair = b64encode(f"{name}:{password}".encode("utf-8", "surrogateescape")).decode()
            self._logins[_origin(url)] = f"Basic {pair}"

    def get(self, address: str, etag: str = "", modified: str = "") -> Fetched | None:
        """Return what an address says, or None where that is still what has this etag or was modified then."""
        url = parsed(address)
        time.sleep(max(0.0, self._due.get(url.host, 0.0) - time.monotonic()))
        asked = {"if-none-match": etag, "if-modified-since": modified}
        ends = time.monotonic() + self._whole
        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self._whole), wait=self._backoff,
            retry=retry_if_exception_type(Later), reraise=True,
        )  # fmt: skip
        try:
            return attempts(self._follow, url, asked, ends)
        finally:
            rules = self._rules.get(_origin(url))
            delay = rules.crawl_delay(NAME) if isinstance(rules, Protego) else None
            self._due[url.host] = time.monotonic() + max(self._pause, min(delay or 0.0, LONGEST_PAUSE))

    def _backoff(self, attempt: RetryCallState) -> float:
        error = attempt.outcome and attempt.outcome.exception()
        asked = error.seconds if isinstance(error, Later) else 0.0
        return max(asked, self._pause * 2.0 ** (attempt.attempt_number - 1))

    def _follow(self, url: httpx.URL, asked: Mapping[str, str], ends: float, ruled: bool = True) -> Fetched | None:
        for _ in range(REDIRECTS + 1):
            if ruled:
                self._check_rules(url, ends)
            headers = {"host": url.netloc.decode("ascii"), "user-agent": AGENT, "accept-encoding": "gzip",
                       "accept": "*/*", "authorization": self._logins.get(_origin(url), ""), **asked}  # fmt: skip
            left = max(ends - time.monotonic(), 0.001)
            times = {"connect": left, "read": STEP, "write": STEP, "pool": left}
            target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
            try:
                with self._pool.stream(
                    "GET", target, headers={k: v for k, v in headers.items() if v}, extensions={"timeout": times}
                ) as response:
                    said = httpx.Headers(response.headers)
                    if not (response.status in (301, 302, 303, 307, 308) and said.get("location")):
                        return _received(response, url, said)
            except httpcore.TimeoutException as error:
                raise Later(f"{url.host} does not answer in time: try again later") from error
            except (httpcore.NetworkError, httpcore.ProtocolError) as error:
                raise Later(f"{url.host} cannot be reached ({shown(str(error))}): try again later") from error
            url = parsed(said["location"], url)
        raise BadInput(f"it leads from address to address over {REDIRECTS} times: look at the address")

    def _check_rules(self, url: httpx.URL, ends: float) -> None:
        """Raise BadInput where a robots.txt forbids an address: none is leave, one that fails is not (RFC 9309)."""
        origin = _origin(url)
        if origin not in self._rules:
            try:
                found = self._follow(parsed("/robots.txt", url), {}, ends, ruled=False)
                text = found.data[:ROBOTS_BYTES].decode("utf-8", "replace") if found else ""
                self._rules[origin] = Protego.parse(text)
            except Later as error:
                self._rules[origin] = Later(f"its robots.txt cannot be read now: {error}", error.seconds)
            except BadInput:
                self._rules[origin] = Protego.parse("")
        rules = self._rules[origin]
        if isinstance(rules, Later):
            raise rules
        if not rules.can_fetch(str(url), NAME):
            raise BadInput("its robots.txt does not let programs read it: save the page and ingest the file")


def parsed(address: str, base: httpx.URL | None = None) -> httpx.URL:
    """Return an address without name and password. Raises BadInput where it is none of http or https."""
    try:
        url = base.join(address) if base else httpx.URL(address)
        url = url.copy_with(userinfo=b"")
    except (httpx.InvalidURL, ValueError) as error:
        raise BadInput(f"it is no address ({shown(str(error))}): look for mistakes") from error
    if url.scheme not in ("http", "https") or not url.host or not 0 < (80 if url.port is None else url.port) < 65_536:
        raise BadInput("only addresses that begin with http:// or https:// and a host are read")
    return url


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _received(response: httpcore.Response, url: httpx.URL, said: Mapping[str, str]) -> Fetched | None:
    """Return what was answered, with its content, None where it is what is known. Raises BadInput for a refusal."""
    if response.status == 304:
        return None
    if response.status == 429 or response.status >= 500:
        seconds = _seconds(said.get("retry-after", ""))
        when = f"in {seconds:,.0f} seconds" if seconds else "later"
        raise Later(f"{url.host} cannot answer now ({response.status}): try again {when}", seconds)
    if response.status != 200:
        told = f"it was answered with status {response.status}: look at it with a browser"
        raise BadInput(REFUSED.get(response.status, told))
    kind, _, others = said.get("content-type", "").partition(";")
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", others, re.I)
    data = _content(response, said.get("content-encoding", "").lower())
    where = shown(str(url.copy_with(fragment=None)))
    again = (said.get("etag", ""), said.get("last-modified", ""))
    stays = re.search(r"max-age\s*=\s*\"?(\d{1,9})", said.get("cache-control", ""), re.I)
    seconds = float(stays[1]) if stays else 0.0
    return Fetched(where, kind.strip().lower(), charset[1] if charset else "", data, *again, seconds)


def _content(response: httpcore.Response, packed: str) -> bytes:
    """Return the content, unpacked as it comes and never beyond what is the most."""
    if packed not in ("", "identity", "gzip", "x-gzip"):  # brotli makes gigabytes of a piece of 64 KB
        raise BadInput(f"it comes packed as {packed[:20]}, which was not asked for: save the page and ingest the file")
    data = bytearray()
    try:
        for part in gunzipped(response.iter_stream()) if "gzip" in packed else response.iter_stream():
            data += part
            if len(data) > MOST_BYTES:
                raise BadInput(f"it has over {MOST_BYTES / 1e6:,.0f} MB: save it and ingest the file")
    except zlib.error as error:
        raise Later(f"what came is damaged ({error}): try again later") from error
    return bytes(data)


def gunzipped(parts: Iterable[bytes], most: int = MOST_BYTES) -> Iterable[bytes]:
    """Yield what gzipped pieces unpack to, at most a byte more than `most`. Raises zlib.error for what is damaged."""
    unpacker = zlib.decompressobj(31)
    for part in parts:
        unpacked = unpacker.decompress(part, most + 1)
        most -= len(unpacked)
        yield unpacked
        if most < 0:
            return
        if unpacker.unused_data:
            raise zlib.error("more follows behind its end")
    if not unpacker.eof:
        raise zlib.error("it breaks off")


def _seconds(after: str) -> float:
    """Return how long a Retry-After asks to wait, in seconds or until a time."""
    if after.isdecimal():
        return float(after[:9])
    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
    return 0.0

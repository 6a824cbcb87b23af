"""No one in through addresses: what is not the public internet gets no connection, by whatever name or redirect."""

import gzip
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import brotli
import httpcore
import pytest
from web import Web, web

from index.sources import fetch
from index.sources.fetch import Client, Later, admitted
from index.types import BadInput

PRIVATE = "is not on the public internet"
PUBLIC = "93.184.215.14"  # which `Wires` answers for

# As they stand in an address, each once alone and once behind a redirect.
HOSTS = [
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "0x7f.1",
    "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "0", "0.0.0.0", "0.1.2.3", "127。0。0。1", "10.0.0.1",
    "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "0xc0a80001", "3232235521",
    "169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.170.2",
    "168.63.129.16", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]",
    "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001:0:53aa:64c:0:fbff:80ff:fffe]", "[fe80::1]",
    "[fe80::1%25lo]", "[fe80::1%25eth0]", "[febf::1]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[fdff::1]",
    "[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]", "[4000::1]",
]  # fmt: skip
NO_ADDRESSES = [
    "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/_x", "dict://127.0.0.1:11211/", "data:text/html,x",
    "javascript:alert(1)", "unix:///var/run/docker.sock", "http://", "http:///path", "http://[::1", "http://a\x01b/",
    "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:x/", "ws://127.0.0.1/", "http://①②⑦.0.0.1/",
    "http+unix://%2Fvar%2Frun/", "jar:http://127.0.0.1!/",
]  # fmt: skip


class Names:
    """A resolver: what each name has, in turn, the last of it for good; any other is looked up."""

    def __init__(self, **known: list[list[str]]) -> None:
        self.known = known

    def __call__(self, host: str, port: int) -> list[str]:
        turns = self.known.get(host.partition(".")[0], [[]])
        return turns.pop(0) if len(turns) > 1 else turns[0] or fetch.resolve(host, port)


class Wires(httpcore.SyncBackend):
    """A network whose public address is that of a local server; it notes what is connected to."""

    def __init__(self, served: Web) -> None:
        self.port, self.made = served.port, list[str]()

    def connect_tcp(self, host: str, port: int, *others: Any, **more: Any) -> httpcore.NetworkStream:
        self.made.append(host)
        return super().connect_tcp("127.0.0.1" if host == PUBLIC else host, self.port, 5.0)


@pytest.fixture
def served() -> Iterator[Web]:
    with web() as opened:
        yield opened


def refused(address: str, client: Client | None = None) -> str:
    with pytest.raises(BadInput) as told:
        (client or Client(pause=0)).get(address)
    assert "\n" not in str(told.value)
    return str(told.value)


def text(client: Client, address: str) -> bytes:
    found = client.get(address)
    assert found is not None
    return found.data


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_not_the_public_internet_gets_no_connection(host: str, served: Web) -> None:
    wires = Wires(served)
    said = refused(f"http://{host}:{served.port}/", Client(pause=0, network=wires))
    assert PRIVATE in said or "no host" in said or "is no address" in said or "no name of a host" in said
    assert (wires.made, served.connections) == ([], 0)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_gets_none_either(address: str, served: Web) -> None:
    wires = Wires(served)
    assert "address" in refused(address, Client(pause=0, network=wires))
    assert wires.made == []


def test_each_is_refused_behind_a_redirect_too(served: Web) -> None:
    for host in [*HOSTS, *NO_ADDRESSES]:
        there = host if host in NO_ADDRESSES else f"http://{host}:{served.port}/secret"
        served.pages["/"] = (302, {"Location": there.encode().decode("latin-1")}, b"")
        wires = Wires(served)
        refused("http://outside.example/", Client(pause=0, resolve=Names(outside=[[PUBLIC]]), network=wires))
        assert {*wires.made} == {PUBLIC}, host
    assert {*served.paths()} == {"/", "/path"}  # "http:///path" is a path of the same host


def test_a_public_address_is_connected_to_in_whatever_form(served: Web) -> None:
    """The guard lets in what it should, or the tests above could not fail."""
    served.pages["/"] = b"Hello"
    for host in (PUBLIC, "1572394766", "0x5db8d70e", "93.12113678"):
        wires = Wires(served)
        assert text(Client(pause=0, network=wires), f"http://{host}/") == b"Hello"
        assert {*wires.made} == {PUBLIC}
    for address in ("2606:2800:21f::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e", "2001:4860:4860::8888"):
        assert admitted(address)


def test_a_name_that_changes_between_two_look_ups_is_checked_at_each(served: Web) -> None:
    served.pages["/"] = b"Hello"
    wires, names = Wires(served), Names(changing=[[PUBLIC], [PUBLIC], ["127.0.0.1"]])
    client = Client(pause=0, resolve=names, network=wires)
    assert text(client, "http://changing.example/") == b"Hello"  # robots.txt, and the page
    assert wires.made == [PUBLIC] * 2
    assert PRIVATE in refused("http://changing.example/", client)
    assert wires.made == [PUBLIC] * 2


def test_one_private_address_of_several_is_enough(served: Web) -> None:
    wires = Wires(served)
    for second in ("10.0.0.1", "::1", "169.254.169.254"):
        for order in ([PUBLIC, second], [second, PUBLIC]):
            client = Client(pause=0, resolve=Names(mixed=[order]), network=wires)
            assert f"mixed.example ({second}) {PRIVATE}" in refused("http://mixed.example/", client)
    assert wires.made == []


def test_private_networks_are_opened_on_demand_and_clouds_keys_never(served: Web) -> None:
    served.pages["/"] = b"Hello"
    for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
        assert text(Client(True, pause=0), served.url("/", host)) == b"Hello"
    for host in ("169.254.169.254", "[fd00:ec2::254]", "[::ffff:a9fe:a9fe]", "168.63.129.16", "100.100.100.200"):
        assert PRIVATE in refused(f"http://{host}/", Client(True, pause=0))
    assert all(admitted(at, True) for at in ("10.0.0.1", "192.168.1.9", "100.64.0.1", "::1", "fd12::1", PUBLIC))


def test_no_proxy_of_the_environment_is_asked(served: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    with web() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        served.pages["/"] = b"Hello"
        assert text(Client(True, pause=0), served.url("/")) == b"Hello"
        refused("http://10.0.0.1/")
        assert proxy.connections == 0


# Who may read, and what is told of it


def test_a_name_and_password_go_to_their_own_origin_alone(served: Web, tmp_path: Path) -> None:
    with web() as other:
        there = other.url("/there").replace("//", "//eve:evil@")
        served.pages |= {"/": (302, {"Location": "/here"}, b""), "/here": (307, {"Location": there}, b"")}
        other.pages["/there"] = b"Hello"
        client = Client(True, pause=0)
        client.login(address := f"http://anna:s3cr%40t@127.0.0.1:{served.port}/")
        found = client.get(address)
        assert found
        assert found.url == other.url("/there")
    assert {headers.get("authorization") for _, headers in served.asked} == {"Basic YW5uYTpzM2NyQHQ="}
    assert [headers.get("authorization") for _, headers in other.asked] == [None, None]
    assert not any("cookie" in headers for _, headers in [*served.asked, *other.asked])


def test_netrc_says_who_may_read_an_address_that_the_user_gave(
    served: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login anna password s3cret\ndefault login x password y\n")
    (tmp_path / ".netrc").chmod(0o600)
    served.pages["/"] = b"Hello"
    client = Client(True, pause=0)
    client.get(served.url("/"))
    client.login(served.url("/"))
    client.get(served.url("/"))
    client.login(served.url("/", "localhost"))
    client.get(served.url("/", "localhost"))
    assert [headers.get("authorization") for path, headers in served.asked if path == "/"] == [
        None, "Basic YW5uYTpzM2NyZXQ=", None,
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["{}/a?token=s3cret", "{}/a?x=1&api_key=s3cret", "{}/a?Signature=s3cret&y=2"])
def test_no_secret_is_told_or_kept(address: str, served: Web) -> None:
    address = address.format(served.url("").replace("//", "//anna:s3cret@"))
    said = [refused(address, Client(True, pause=0)), refused(address), refused(address.replace("http", "ftp"))]
    served.pages[address.partition(str(served.port))[2]] = b"Hello"
    found = Client(True, pause=0).get(address)
    assert found
    assert "s3cret" not in "".join([*said, found.url])
    assert "s3cret" in served.paths()[-1]  # and used


# What goes on and on


def drip(first: bytes, piece: bytes, pause: float) -> Any:
    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(first)
        for _ in range(200_000):
            handler.wfile.write(piece)
            time.sleep(pause)

    return write


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
ENDLESS = {
    "slow head": (drip(HEAD, b"X", 0.05), "does not answer in time"),
    "slow body": (drip(HEAD + b"\r\n", b"x", 0.05), "does not answer in time"),
    "silence": (drip(b"", b"", 0.05), "does not answer in time"),
    "endless head": (drip(HEAD, b"X-A: " + b"x" * 500 + b"\r\n", 0), "cannot be reached"),
    "endless body": (drip(HEAD + b"\r\n", b"x" * 65536, 0), "it has over 50 MB"),
    "endless chunks": (drip(f"{CHUNKED}\r\n\r\n".encode(), b"10000\r\n" + b"x" * 65536 + b"\r\n", 0), "over 50 MB"),
    "endless gzip": (drip(HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"x" * 1_000_000), 0), "damaged"),
    "many continues": (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), "does not answer in time"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_is_ended(kind: str, served: Web) -> None:
    served.pages["/"], told = ENDLESS[kind]
    started = time.monotonic()
    whole = 2.0 if told.endswith("time") else 30.0
    assert told in refused(served.url("/"), Client(True, pause=0, whole=whole))
    assert time.monotonic() - started < whole + 8


def test_what_unpacks_to_gigabytes_is_ended(served: Web) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bomb = gzip.compress(gzip.compress(b"\0" * 200_000_000))
    for packed, body, told in (
        ("gzip", gzip.decompress(bomb), "it has over 50 MB"),
        ("gzip, gzip", bomb, "packed as gzip, gzip, which was not asked for"),
        ("br", brotli.compress(b"\0" * 100_000_000), "packed as br, which was not asked for"),
        ("gzip", b"no gzip", "damaged"),
        ("gzip", gzip.compress(b"Hello")[:-4], "it breaks off"),
    ):
        served.pages["/"] = (200, {"Content-Encoding": packed}, body)
        assert told in refused(served.url("/"), Client(True, pause=0))
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000
    )  # KB; 200 MB are what the bomb is made of
    served.pages["/"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"Hello"))
    assert text(Client(True, pause=0), served.url("/")) == b"Hello"


def test_redirects_are_followed_ten_times(served: Web) -> None:
    served.pages |= {f"/{n}": (302, {"Location": f"{n + 1}"}, b"") for n in range(30)}
    assert "over 10 times" in refused(served.url("/0"), Client(True, pause=0))
    assert len(served.paths()) == 11
    served.pages["/10"] = b"Hello"
    assert text(Client(True, pause=0), served.url("/0")) == b"Hello"


# Manners


def test_who_asks_and_what_is_known_is_said(served: Web) -> None:
    served.pages["/"] = (200, {"ETag": '"7"', "Last-Modified": "Fri, 18 Apr 2025 10:00:00 GMT"}, b"Hello")
    client = Client(True, pause=0)
    found = client.get(served.url("/"))
    assert found
    assert (found.etag, found.modified) == ('"7"', "Fri, 18 Apr 2025 10:00:00 GMT")
    served.pages["/"] = (304, {}, b"")
    assert client.get(served.url("/"), found.etag, found.modified) is None
    _, headers = served.asked[-1]
    assert (headers["if-none-match"], headers["if-modified-since"]) == (found.etag, found.modified)
    assert headers["user-agent"].startswith("copydesk/")
    assert headers["host"] == f"127.0.0.1:{served.port}"


def test_a_pause_is_made_between_two_of_a_host(served: Web) -> None:
    served.pages |= {"/": b"Hello", "/robots.txt": (200, {}, b"User-agent: copydesk\nCrawl-delay: 0.5")}
    for pause, least in ((0.3, 0.5), (0.7, 0.7)):
        client, started = Client(True, pause=pause), time.monotonic()
        for _ in range(2):
            client.get(served.url("/"))
        assert least <= time.monotonic() - started < least + 2


@pytest.mark.parametrize(("robots", "told"), [
    ((200, {}, b"User-agent: *\nDisallow: /"), "its robots.txt does not let programs read it"),
    ((200, {}, b"User-agent: copydesk\nDisallow: /a*.html$"), "its robots.txt does not let programs read it"),
    ((200, {}, b"User-agent: *\nDisallow: /\n\nUser-agent: copydesk\nAllow: /"), ""),
    ((200, {}, b"User-agent: *\nDisallow: /\nAllow: /a"), ""),
    ((404, {}, b""), ""), ((403, {}, b""), ""), ((200, {}, b"\xff\xfe<html>" * 1000), ""),
    ((503, {}, b""), "its robots.txt cannot be read now: 127.0.0.1 cannot answer now (503)"),
    ((302, {"Location": "http://127.0.0.1:1/"}, b""), "its robots.txt cannot be read now"),
])  # fmt: skip
def test_robots_txt_is_respected(robots: Any, told: str, served: Web) -> None:
    served.pages |= {"/robots.txt": robots, "/a.html": b"Hello"}
    client = Client(True, pause=0)
    for _ in range(2):
        if told:
            assert told in refused(served.url("/a.html"), client)
        else:
            assert text(client, served.url("/a.html")) == b"Hello"
    assert [path for path, _ in served.asked].count("/robots.txt") == 1
    assert served.paths() == [] if told else ["/a.html"] * 2


def test_robots_txt_of_where_a_redirect_leads_is_respected(served: Web) -> None:
    with web() as other:
        served.pages["/"] = (301, {"Location": other.url("/a")}, b"")
        other.pages |= {"/robots.txt": (200, {}, b"User-agent: *\nDisallow: /a"), "/a": b"Hello"}
        assert "its robots.txt" in refused(served.url("/"), Client(True, pause=0))
        assert other.paths() == []


def test_who_cannot_answer_now_is_asked_again_a_little_later(served: Web) -> None:
    answers = iter([(429, {"Retry-After": "1"}, b""), (503, {}, b""), (200, {}, b"Hello")])

    def page(handler: BaseHTTPRequestHandler) -> None:
        status, headers, body = next(answers)
        handler.send_response(status)
        for pair in headers.items():
            handler.send_header(*pair)
        handler.end_headers()
        handler.wfile.write(body)

    served.pages["/"], started = page, time.monotonic()
    assert text(Client(True, pause=0), served.url("/")) == b"Hello"
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("dated", [False, True])
def test_who_asks_for_an_hour_is_left_in_peace(dated: bool, served: Web) -> None:
    after = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True) if dated else "3600"
    served.pages["/"] = (503, {"Retry-After": after}, b"")
    with pytest.raises(Later, match=r"cannot answer now \(503\): try again in 3,[56]\d\d seconds") as told:
        Client(True, pause=0).get(served.url("/"))
    assert 3500 < told.value.seconds <= 3600
    assert len(served.paths()) == 1


@pytest.mark.parametrize(("status", "told", "times"), [
    (500, "cannot answer now (500)", 3), (429, "cannot answer now (429)", 3), (404, "no such page", 1),
    (410, "gone", 1), (401, "~/.netrc", 1), (403, "save the page", 1), (204, "status 204", 1), (206, "status 206", 1),
    (302, "status 302", 1),
])  # fmt: skip
def test_what_is_refused_is_told(status: int, told: str, times: int, served: Web) -> None:
    served.pages["/"] = (status, {}, b"")
    assert told in refused(served.url("/"), Client(True, pause=0))
    assert len(served.paths()) == times


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "127.0.0.1 cannot be reached" in refused(f"http://127.0.0.1:{port}/", Client(True, pause=0))
    assert "there is no host nobody.invalid" in refused("http://nobody.invalid/")


def test_a_secure_connection_is_for_the_name(served: Web) -> None:
    """What is pinned is the address; a certificate must be the name's, so a server without one is none."""
    wires = Wires(served)
    client = Client(pause=0, whole=3.0, resolve=Names(safe=[[PUBLIC]]), network=wires)
    assert "safe.example cannot be reached" in refused("https://safe.example/", client)
    assert {*wires.made} == {PUBLIC}
    assert served.asked == []

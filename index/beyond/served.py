"""The dense index in a Chroma server, at http://HOST:PORT, and ?tenant=NAME&database=NAME where it has them.

An archive has one collection there, named by an id of its own, so several share a server. The archive is the truth all
the same: what the server lacks is put there again, and an empty one is filled, without encoding anything.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from index.archive import Archive
from index.dense import COLLECTION, SPACE, DenseIndex
from index.encoder import Vectors
from index.health.folders import Folders
from index.health.probe import compare
from index.types import ArchiveError, BadInput, CopydeskError, Unreachable

FOLDER = "folder"  # in place of an address: beside the archive, as where nothing is said
PORTS = {"http": 8000, "https": 443}
CLOUD = ".trychroma.com"  # whose key goes nowhere else
CONNECT_SECONDS, SILENT_SECONDS = 5.0, 60.0  # Chroma's client would wait for ever
MARKS = "opened"  # in `meta`: the last two marks that were left in the collection


def place(address: str) -> str:
    """Return an address of a Chroma server as an archive keeps it. Raises BadInput for one that cannot be used."""
    if address.strip() == FOLDER:
        return ""
    use = "give --vectors http://HOST:PORT, with ?tenant=NAME&database=NAME where they have names, or folder"
    try:
        told = urlsplit(address.strip())
        asked = {name: said[-1] for name, said in parse_qs(told.query, strict_parsing=bool(told.query)).items()}
        port = told.port or PORTS[told.scheme]
    except (KeyError, ValueError) as error:
        raise BadInput(f"{address} is no address of a Chroma server: {use}") from error
    if told.username or told.password or not asked.keys() <= {"tenant", "database"}:
        raise BadInput(f"an address of vectors holds no secret, {use}; a token is CHROMA_CLIENT_AUTH_CREDENTIALS'")
    if not told.hostname or told.path.strip("/") or told.fragment:
        raise BadInput(f"{address} is no address of a Chroma server: {use}")
    host = f"[{told.hostname}]" if ":" in told.hostname else told.hostname
    return f"{told.scheme}://{host}:{port}" + (f"?{urlencode(sorted(asked.items()))}" if asked else "")


def _beat(address: str, seconds: float = CONNECT_SECONDS) -> httpx.Response:
    """Ask whether anybody is there."""
    told = urlsplit(address)
    secure = told.scheme == "https"  # to read certificates takes 30 ms
    return httpx.get(f"{told.scheme}://{told.netloc}/api/v2/heartbeat", timeout=seconds, verify=secure)


def connect(address: str) -> Any:
    """Return Chroma's client of a place, with what its own variables say of tenant, database and token."""
    import chromadb
    from chromadb.config import Settings

    told = urlsplit(address)
    _beat(address)
    asked = {name: said[0] for name, said in parse_qs(told.query).items()}
    names = {name: asked.get(name) or os.environ.get(f"CHROMA_{name.upper()}") for name in ("tenant", "database")}
    settings, host = Settings(anonymized_telemetry=False), told.netloc.rpartition(":")[0]
    secure = told.scheme == "https"
    if secure and host.endswith(CLOUD):
        client = chromadb.CloudClient(**names, settings=settings, cloud_host=host, cloud_port=told.port)
    else:
        if settings.chroma_client_auth_credentials and not settings.chroma_client_auth_provider:
            settings.chroma_client_auth_provider = "chromadb.auth.token_authn.TokenAuthClientProvider"
        named = {name: value for name, value in names.items() if value}
        client = chromadb.HttpClient(host, told.port, secure, settings=settings, **named)
    client._server._session.timeout = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
    return client


@contextmanager
def _reached(address: str, lost: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Tell in one line what a server, or the way to it, refuses; raise ArchiveError where it has no such collection."""
    from chromadb.errors import NotFoundError

    try:
        yield
    except CopydeskError:
        raise
    except Exception as error:  # Chroma's client raises a bare one for what a server refuses in words of its own
        lost()
        if isinstance(error, NotFoundError) and "ollection" in str(error):
            gone = f"{address} no longer holds this archive's vectors"
            raise ArchiveError(f"{gone}: they are put there again when they are used next") from error
        away = isinstance(error, httpx.TransportError) or str(error).startswith("Could not connect to a Chroma server")
        what = "no Chroma server answers at" if away else "there is no use of the Chroma server at"
        mend = "start it, or look at its log; --vectors names another, --vectors folder keeps them beside the archive"
        said = type(error).__name__ if away else str(error) or type(error).__name__
        raise Unreachable(f"{what} {address}, which has the vectors ({said}): {mend}") from error


class ServedIndex(DenseIndex):
    """Passages by their vectors, in a collection; `lost` after what failed, until it is opened again."""

    def __init__(self, address: str, name: str, vectors: Callable[[Sequence[str]], Vectors], create: bool) -> None:
        self.vectors, self._address = vectors, address
        self._translated = self._reached
        with self._translated():
            self._client = connect(address)
            self._most = self._client.get_max_batch_size()
            if create:
                found = self._client.get_or_create_collection(name, configuration=SPACE, embedding_function=None)
            else:
                found = self._client.get_collection(name, embedding_function=None)
            self._collection = found

    @contextmanager
    def _reached(self) -> Iterator[None]:
        with _reached(self._address, self._lose):
            yield

    def _lose(self) -> None:
        self.lost = True

    @property
    def mark(self) -> str | None:
        """What an archive left there when it opened it last."""
        return (self._collection.metadata or {}).get(MARKS)

    def leave(self, mark: str) -> None:
        with self._translated():
            self._collection.modify(metadata={MARKS: mark})


class Served:
    """The collections of an archive in a server, of which its index has one; built again, it has the next."""

    def __init__(self, address: str, archive: Archive) -> None:
        self.address, self._archive = address, archive

    def check(self, seconds: float) -> None:
        """Raise Unreachable where the server, or a proxy before it, has no answer within a time."""
        with _reached(self.address):
            if (answer := _beat(self.address, seconds)).is_server_error:
                raise httpx.RemoteProtocolError(str(answer.status_code))

    def _name(self, number: str) -> str:
        if not (own := self._archive.meta("id")):
            self._archive.set_meta("id", own := token_hex(8))
        return f"copydesk-{own}-{COLLECTION}-{number}"

    @contextmanager
    def _collections(self) -> Iterator[tuple[Any, dict[str, str]]]:
        """Give a client, and the archive's collections by their numbers."""
        with _reached(self.address):
            client, prefix = connect(self.address), self._name("")
            try:
                names = (collection.name for collection in client.list_collections())
                yield client, {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}
            finally:
                client.close()

    def next(self, number: str) -> str:
        with self._collections() as (_, held):
            return str(1 + max(map(int, filter(str.isdecimal, [number, *held]))))

    def sweep(self, number: str | None = None) -> None:
        """Delete all of the archive's collections but this one."""
        with self._collections() as (client, held):
            for other in held.keys() - {number}:
                client.delete_collection(held[other])

    def complain(self, number: str) -> None:
        """A server looks after its files itself."""

    def open(self, number: str) -> ServedIndex:
        """Open the index. Raises ArchiveError where a copy of this archive wrote it last: this one begins anew.

        Each opening leaves a mark in the collection and in the archive, by which a copied archive, and a server that
        was set back, are noticed.
        """
        part, marks = self.make(number), (self._archive.meta(MARKS) or "").split()
        if part.mark not in marks:
            part.close()
            self._archive.set_meta("id", token_hex(8))
            raise ArchiveError("a copy of this archive has its vectors there")
        self._archive.set_meta(MARKS, f"{part.mark} {(new := token_hex(8))}")  # first: either is known from now on
        part.leave(new)
        return part

    def make(self, number: str) -> ServedIndex:
        part = ServedIndex(self.address, self._name(number), self._archive.vectors, create=True)
        if part.mark is None:
            if not (marks := self._archive.meta(MARKS)):
                self._archive.set_meta(MARKS, marks := token_hex(8))
            part.leave(marks.split()[-1])
        return part

    def read(self, number: str) -> ServedIndex:
        """Open the index while another process writes it. Raises ArchiveError where it is another archive's."""
        part = ServedIndex(self.address, self._name(number), self._archive.vectors, create=False)
        if part.mark not in (self._archive.meta(MARKS) or "").split():
            raise ArchiveError("a copy of this archive has its vectors there")
        return part

    def held(self, number: str, whole: bool) -> int:
        """Return how many passages it holds; `whole`, compare it with the archive."""
        part = self.read(number)
        try:
            return compare(part, self._archive, whole)
        finally:
            part.close()

    def keep(self, number: str) -> None:
        """Nothing is kept of what a server holds."""


def home(archive: Archive, folders: Folders, given: str | None) -> Folders | Served:
    """Return where an archive's dense index lies: where is said now, to which it moves, or else where it was."""
    before = archive.meta("vectors") or ""
    now = place(given) if given else before
    homes = [Served(address, archive) if address else folders for address in (before, now)]
    if now != before:
        archive.set_meta("vectors", before)  # or is nothing to be written here?
        homes[1].next("1")  # is it there? Before anything is taken away
        with suppress(Unreachable):  # what stays there is nobody's
            homes[0].sweep()
        archive.set_meta("vectors", now)
    return homes[1]

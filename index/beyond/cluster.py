"""Work of an ingestion on the machines of a Ray cluster: tasks without a state, of which only so many are under way.

The writer stays here. Where a worker's process or node dies, Ray does its task again elsewhere; what no worker finishes
is done here. All that a worker keeps is the encoder that it loaded.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import urlsplit

from index.health.spans import carried, carrier, export, flush
from index.read.child import File, Reading, contents
from index.types import BadInput, CopydeskError, Unreachable, told

LOCAL = "local"  # in place of an address: this machine alone, a worker for each core, for one run
AUTO = "auto"  # the one that this machine is of
SECONDS = 5.0  # for an answer; after as many without a result, it is asked whether the cluster is still there
FILES, FILE_BYTES = 32, 1 << 20  # of a task that reads
SHIPPED_BYTES = 8 << 20  # of a file: a larger one is read here, record by record
READ_AHEAD = 8  # such tasks a worker
RETRIES = 3
PASSED = ("OPENAI_API_KEY", "OPENAI_BASE_URL")  # what an encoder needs of the environment
MEND = (
    "start one (ray start --head), name it by --ray HOST:PORT or ray://HOST:10001, with its RAY_AUTH_TOKEN "
    "if it has one, or use --ray local"
)

Item = TypeVar("Item")
Result = TypeVar("Result")


class Cluster(AbstractContextManager["Cluster"]):
    """A Ray cluster by its address: HOST:PORT, ray://HOST:PORT, auto, or local, which begins and ends with this.

    Raises Unreachable, in one line, where none can be used.
    """

    def __init__(self, address: str) -> None:
        self._address = self._place = address
        self._look()
        _prepare(address)
        try:
            import ray
        except ImportError as error:
            raise BadInput("--ray needs Ray: pip install 'copydesk[ray]'") from error
        self._ray, ours = ray, signal.getsignal(signal.SIGTERM)
        if address == AUTO:
            self._place = os.environ.get("RAY_ADDRESS") or _current() or AUTO
            self._look()
        if address == LOCAL:  # without dashboard, all that its server does is to ask in which cloud it is
            from ray._private.node import Node

            Node.start_api_server = lambda *_, **__: None
        try:
            ray.init(address, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise self._away(error) from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, ours)  # Ray's would end this process
        self._run = ray.remote(max_retries=RETRIES)(_run)
        if not address.startswith("ray://"):
            self._place = ray.get_runtime_context().gcs_address
        if not self.workers:
            self.close()
            raise self._away("none of its nodes has a processor for tasks")

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._ray.shutdown()

    @property
    def workers(self) -> int:
        """How many tasks run at once, a processor each; nodes may come and go."""
        return int(self._ray.cluster_resources().get("CPU", 0))

    def map(
        self, function: Callable[[Any], Result], items: Iterable[Item], ahead: int, ordered: bool = False,
        sent: Callable[[Item], Any] = lambda item: item,
    ) -> Iterator[tuple[Item, Result | None]]:  # fmt: skip
        """Yield each item with what a worker makes of it, `ordered` or as they are done; None where every worker died.

        `ahead` a worker are under way, or done and not yet taken. Of an item, a worker gets what is `sent`.
        """
        under_way, coming, more = dict[Any, Item](), iter(items), True
        while more or under_way:
            room = more and len(under_way) < ahead * max(1, self.workers)
            if room:
                for item in coming:
                    task = self._run.remote(function, sent(item), version("copydesk"), carrier(), _settings())
                    under_way[task] = item
                    break
                else:
                    more = False
                    continue
            wanted = [next(iter(under_way))] if ordered else [*under_way]
            done, _ = self._ray.wait(wanted, timeout=0 if room else SECONDS)
            if done:
                yield under_way.pop(done[0]), self._result(done[0])
            elif not room:
                self._look()
                if not self.workers:
                    raise self._away("none of its nodes has a processor for tasks")

    def read(self, files: Iterable[File]) -> Iterator[Iterable[Reading]]:
        """Yield what each file holds, in order; no worker need see them where they lie."""
        for some, found in self.map(_read, _some(files), READ_AHEAD, ordered=True, sent=_sent):
            for file, held in zip(some, found or [None] * len(some), strict=True):
                yield contents(file) if held is None else held

    def _result(self, task: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError, errors.ObjectLostError):
            return None
        except errors.RayTaskError as error:
            if isinstance(error.cause, CopydeskError):
                raise error.cause from error
            same = f"install copydesk[ray] {version('copydesk')} on its nodes, as here"
            raise Unreachable(f"a worker of {self._address} fails ({_said(error.cause)}): {same}") from error
        except (errors.RayError, ConnectionError) as error:
            raise self._away(error) from error

    def _look(self) -> None:
        """Raise Unreachable where nobody listens: Ray would wait for minutes, and then end this process."""
        if self._place in (LOCAL, AUTO):
            return
        import grpc

        place = urlsplit(self._place if "//" in self._place else f"//{self._place}")
        try:
            if not (place.hostname and place.port):
                raise ValueError("it has no port")
            if os.environ.get("RAY_USE_TLS", "0") == "0":
                with grpc.insecure_channel(place.netloc) as channel:
                    grpc.channel_ready_future(channel).result(SECONDS)
        except (ValueError, grpc.FutureTimeoutError) as error:
            raise self._away(str(error) or f"no answer within {SECONDS:.0f} s") from error

    def _away(self, why: Exception | str) -> Unreachable:
        return Unreachable(f"no Ray cluster can be used at {self._address} ({_said(why)}): {MEND}")


def _prepare(address: str) -> None:
    """Set what Ray reads of the environment as it is imported, where nobody has."""
    if address == LOCAL and "ray" not in sys.modules:  # who reached its ports could run anything
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # they are this machine's alone
        os.environ.setdefault("RAY_AUTH_TOKEN", token_hex(32))
    if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys() or Path("~/.ray/auth_token").expanduser().exists():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # as `ray start` does
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # it tells of dead workers on the standard output


def _current() -> str | None:
    """Return the address of the cluster that was begun on this machine, and may be dead."""
    from ray._private.utils import read_ray_address

    found: str | None = read_ray_address()
    return found


def _said(error: Exception | str) -> str:
    lines = told(str(error)).splitlines()
    return lines[-1 if "Traceback" in lines[0] else 0][-200:] if lines else type(error).__name__


def _settings() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED if name in os.environ}


def _some(files: Iterable[File]) -> Iterator[list[File]]:
    some = list[File]()
    for file in files:
        some.append(file)
        if len(some) == FILES or sum(one.size for one in some) > FILE_BYTES:
            yield some
            some = []
    if some:
        yield some


def _sent(files: list[File]) -> list[tuple[str, bytes | None]]:
    """Return kinds and bytes of files, None of one that is to be read here."""
    sent = list[tuple[str, bytes | None]]()
    for file in files:
        try:
            sent.append((file.kind, None if file.bad or file.size > SHIPPED_BYTES else file.path.read_bytes()))
        except OSError:  # who reads it here tells why
            sent.append((file.kind, None))
    return sent


# What workers do


def _run(
    function: Callable[[Any], Result], item: Any, wanted: str, headers: dict[str, str], env: dict[str, str]
) -> Result:
    if (here := version("copydesk")) != wanted:
        raise Unreachable(f"a worker has Copydesk {here}, not {wanted}: install the same on every node")
    os.environ |= env
    _begin()
    carried(headers)
    try:
        return function(item)
    finally:
        flush()


@cache
def _begin() -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # a task has one processor; Ray says so in OMP_NUM_THREADS
    export()


def _read(files: list[tuple[str, bytes | None]]) -> list[list[Reading] | None]:
    return [None if data is None else [*contents(File(Path(), kind), data)] for kind, data in files]

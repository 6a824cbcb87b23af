"""The command line. Answers and reports go to stdout, everything else to stderr; errors are one line."""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import fields
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from index.beyond.cluster import Cluster
from index.health.files import USERS
from index.read import whole_text
from index.read.formats import PROSE
from index.read.plain import decode
from index.shared import is_shared
from index.sources import address
from index.types import ArchiveInUse, BadInput, CopydeskError, shown, told, translated
from qa.desk import Desk
from qa.doors import show
from qa.doors.client import stream
from qa.doors.opening import emit, folder, holds_archive, open_desk, read, remind
from qa.doors.show import Document
from qa.doors.stop import Stopped, stoppable
from qa.request import ArticlesRequest, AskRequest, QuotesRequest, SearchRequest, TimelineRequest, parameter
from qa.types import as_json, kind

DONE, SOME_REJECTED, REFUSED = 0, 1, 2
Run = Callable[[argparse.Namespace], int | None]  # exit status; none is 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message} (see {self.prog} --help)")


class _Masked(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return shown(super().format(record))


# These may stand before the command or behind it; `main` has their defaults.
COMMON = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
COMMON.add_argument("--data", metavar="DIR", help="the archive (COPYDESK_DATA; default ./copydesk-data), or one in "
                    "PostgreSQL, postgresql://USER@HOST/DB")  # fmt: skip
COMMON.add_argument("--cache", metavar="DIR", help="where indexes of an archive in PostgreSQL lie (COPYDESK_CACHE)")
COMMON.add_argument("--encoder", metavar="NAME", help="of a new archive: english or multilingual (by its first "
                    "articles), english-int8 (2.2 times as fast), openai:MODEL (OPENAI_BASE_URL, OPENAI_API_KEY), or "
                    "a sentence-transformers model by folder or hub id")  # fmt: skip
COMMON.add_argument("--reranker", metavar="NAME",
                    help="a cross-encoder by folder or hub id in place of the bundled one")  # fmt: skip
COMMON.add_argument("--vectors", metavar="ADDRESS",
                    help="a Chroma server for the dense index from now on, or folder (COPYDESK_VECTORS)")  # fmt: skip
COMMON.add_argument("--json", action="store_true", help="print one JSON document")


def add_command(commands: Any, name: str, run: Run, summary: str) -> argparse.ArgumentParser:
    """Add a command; `run` gets the parsed arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary, parents=[COMMON])
    parser.set_defaults(run=run)
    return parser


def add_options(parser: argparse.ArgumentParser, *names: str, of: type = AskRequest) -> None:
    """Add options of a request, each as it says it; all that it has, where none is named."""
    for field in (field for field in fields(of) if field.metadata and (not names or field.name in names)):
        said = field.metadata
        kind: dict[str, Any] = {"metavar": said["metavar"]} if said["metavar"] else {"action": "store_true"}
        kind["default"] = field.default
        if field.default == ():
            kind |= {"action": "append", "default": []}
        elif isinstance(field.default, int):
            kind["type"] = int
        parser.add_argument(said["flag"] or _flag(field.name), dest=field.name, help=said["help"], **kind)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Add the option that says who decides what is supported."""
    parser.add_argument("--judge", metavar="SPEC", help="who decides what is supported: bundled (default), "
                        "nli:ID_OR_FOLDER, or a model as in --llm")  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    summary = "Answers from your news archive, every sentence with its source."
    parser = _Parser(prog="copydesk", description=summary, parents=[COMMON])
    parser.add_argument("--version", action="version", version=f"copydesk {version('copydesk')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    ingest = add_command(commands, "ingest", _ingest, "read articles into the archive")
    ingest.add_argument("paths", nargs="+", metavar="PATH_OR_URL", help="files, folders; pages, feeds, sitemaps")
    ingest.add_argument("--outlet", metavar="NAME", help="the outlet of articles that name none")
    ingest.add_argument("--year", type=int, help="the year of datelines that have none")
    ingest.add_argument("--map", action="append", default=[], metavar="THEIRS=OURS",
                        help="the field that another name stands for: title, text, outlet, published …")  # fmt: skip
    ingest.add_argument("--prune", action="store_true", help="remove what these folders no longer hold")
    ingest.add_argument("--follow-links", action="store_true", help="read what links out of the folders lead to")
    ingest.add_argument("--ray", metavar="ADDRESS",
                        help="read and encode on a Ray cluster: HOST:PORT, ray://…, auto, or local")  # fmt: skip
    ingest.add_argument("--quick", action="store_true", help="words alone find it, until it is encoded in passing")

    ask = add_command(commands, "ask", _ask, "answer a question, every sentence tied to its source")
    search = add_command(commands, "search", _search, "find passages")
    timeline = add_command(commands, "timeline", _timeline, "tell what happened, day by day, each with its source")
    for command, asked in ((ask, AskRequest), (search, SearchRequest), (timeline, TimelineRequest)):
        command.add_argument("question", metavar="QUESTION")
        add_options(command, of=asked)
    add_judge(ask)

    quotes = add_command(commands, "quotes", _quotes, "find who said what")
    add_options(quotes, of=QuotesRequest)

    check = add_command(commands, "check", _check, "check any text, sentence by sentence, against the archive")
    check.add_argument("file", metavar="FILE", help="a text file, or - for standard input")
    check.add_argument("--article", action="append", default=[], dest="articles", metavar="ID", help="only these")
    check.add_argument("--fail-under", type=float, metavar="SHARE",
                       help="exit 1 where less of the sentences (0 to 1) is verbatim or supported")  # fmt: skip
    check.add_argument("--strict", action="store_const", const=1.0, dest="fail_under",
                       help="exit 1 where one sentence is not")  # fmt: skip
    add_judge(check)
    add_options(check, "llm_url")

    add_command(commands, "models", _models, "list the language models that are installed and reachable")

    articles = add_command(commands, "articles", _articles, "list, show or remove articles")
    articles.add_argument("action", choices=("list", "show", "remove"))
    articles.add_argument("ids", nargs="*", metavar="ID")
    add_options(articles, of=ArticlesRequest)

    _add_serving(commands, ingest)
    ours = ("qa.doors.upkeep", "qa.doors.keep")
    for module in (*ours, *(entry.value for entry in entry_points(group="copydesk.commands"))):
        import_module(module).register(commands)
    return parser


def _add_serving(commands: Any, ingest: argparse.ArgumentParser) -> None:
    serve = add_command(commands, "serve", _serve, "the web page and the HTTP API on one port")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=7860)
    serve.add_argument("--auth-token", metavar="TOKEN", help="who comes in must know it (COPYDESK_TOKEN)")
    serve.add_argument("--allow-host", action="append", default=os.environ.get("COPYDESK_ALLOW_HOST", "").split(),
                       metavar="NAME", help="another name that it has, by a proxy (COPYDESK_ALLOW_HOST)")  # fmt: skip
    serve.add_argument("--read-only", action="store_true",
                       help="of an archive in PostgreSQL: articles stay as they are")  # fmt: skip
    serve.add_argument("--watch", action="extend", nargs="*", metavar="SOURCE",
                       help="keep in step with these folders, files and addresses, and those known")  # fmt: skip
    serve.add_argument("--allow-llm", action="append", default=[], metavar="SPEC",
                       help="another model that questions over HTTP may name")  # fmt: skip
    add_options(serve, "llm", "llm_url", "strict")
    add_judge(serve)

    for command in (ingest, serve):
        command.add_argument("--allow-private", action="store_true", help="read addresses of private networks too")

    users = add_command(commands, "users", _users, "add, remove or list who may use what is served")
    users.add_argument("action", choices=("add", "remove", "list"))
    users.add_argument("name", nargs="?", metavar="NAME")
    users.add_argument("--role", choices=("reader", "editor"), default="reader", help="editors change the archive")
    for command in (serve, users):
        command.add_argument("--users", metavar="FILE", default=os.environ.get("COPYDESK_USERS"),
                             help="who may come in (COPYDESK_USERS; default DIR/users.json)")  # fmt: skip

    mcp = add_command(commands, "mcp", _mcp, "serve one MCP client over standard input and output")
    add_options(mcp, "llm", "llm_url", "strict")
    add_judge(mcp)


def _ingest(args: argparse.Namespace) -> int:
    if not holds_archive(args) and not any(address(path) or os.path.lexists(path) for path in args.paths):
        raise BadInput(f"no such file or folder: {', '.join(args.paths)}: look at the path")
    # Of a new archive nothing is made where there is no cluster that would fill it.
    ready = Cluster(args.ray) if args.ray is not None and not holds_archive(args) else nullcontext(args.ray)
    with ready as ray, open_desk(args, create=True) as desk:
        names = {theirs.strip(): ours.strip() for theirs, _, ours in (pair.rpartition("=") for pair in args.map)}
        said = {name: getattr(args, name) for name in ("outlet", "year", "follow_links", "prune", "quick")}
        report = desk.ingest(args.paths, map=names, ray=ray, **said)
        if not (args.quick or report.late):
            desk.encode_waiting()
            report.waiting = desk.index.archive.waiting()
        remind(desk)
    emit(args, report.document(), show.print_ingest)
    if report.late:
        raise CopydeskError(report.late)
    print(*(f"copydesk: {line}\n" for line in report.incomplete), sep="", end="", file=sys.stderr)
    return SOME_REJECTED if report.rejected else DONE


def _options(args: argparse.Namespace, kind: type) -> Document:
    return {field.name: getattr(args, field.name) for field in fields(kind) if hasattr(args, field.name)}


def _ask(args: argparse.Namespace) -> int:
    body = _options(args, AskRequest)

    def here(desk: Desk) -> Document:
        return show.follow(((kind(event), as_json(event)) for event in desk.events(**body)), args.json)

    def there(address: str, path: str, body: Document) -> Document:
        with stream(address, path, body) as events:
            return show.follow(events, args.json)

    answer = read(args, show.print_answer, here, "/api/ask", body, there)
    return SOME_REJECTED if answer["broken"] else DONE


def _check(args: argparse.Namespace) -> int:
    if args.fail_under is not None and not 0 <= args.fail_under <= 1:
        raise BadInput(f"--fail-under is a share of the sentences, 0 to 1, not {args.fail_under:g}")
    mend = "give a text's file, or - and the text on standard input"
    with translated(BadInput, f"{args.file} cannot be read", OSError, ValueError, mend=mend):
        sent = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).expanduser().read_bytes()
        text = whole_text(args.file, sent) if Path(args.file).suffix.lower() in PROSE else decode(sent)
    body = {"text": text, "articles": args.articles}
    checked = read(args, show.print_checked, lambda desk: as_json(desk.check(**body)), "/api/check", body)
    share = show.held(checked) / len(checked["sentences"])
    if share >= (args.fail_under or 0):
        return DONE
    print(f"{share:.0%} of the sentences are supported, {args.fail_under:.0%} are asked for", file=sys.stderr)
    return SOME_REJECTED


def _search(args: argparse.Namespace) -> None:
    body = _options(args, SearchRequest)
    read(args, show.print_hits, lambda desk: desk.search(**body).document("hits"), "/api/search", body)


def _timeline(args: argparse.Namespace) -> None:
    body = _options(args, TimelineRequest)
    read(args, show.print_timeline, lambda desk: as_json(desk.timeline(**body)), "/api/timeline", body)


def _quotes(args: argparse.Namespace) -> None:
    body = _options(args, QuotesRequest)
    read(args, show.print_quotes, lambda desk: desk.quotes(**body).document("quotes"), "/api/quotes", body)


def _articles(args: argparse.Namespace) -> None:
    if args.action == "list" and args.ids:
        raise BadInput("articles list takes no ids: articles show ID prints one")
    if args.action != "list" and not args.ids:
        raise BadInput(f"articles {args.action} needs an id: articles list prints them")
    given = {one: getattr(args, one.name) for one in fields(ArticlesRequest) if one.metadata}
    if args.action != "list" and any(one.default != value for one, value in given.items() if value != []):
        raise BadInput(f"articles {args.action} takes ids and no filters: articles list does")
    if args.action == "list":
        body = {one.name: value for one, value in given.items()}
        asked = urlencode({parameter(one): value for one, value in given.items() if value}, doseq=True)
        path = f"/api/articles?{asked}"
        read(args, show.print_articles, lambda desk: desk.articles(**body).document("articles"), path)
    elif args.action == "show":
        if len(args.ids) > 1:
            raise BadInput("articles show takes one id")
        path = f"/api/articles/{quote(args.ids[0], safe='', errors='replace')}"
        read(args, show.print_article, lambda desk: desk.show(args.ids[0]), path)
    else:
        with open_desk(args) as desk:
            removed = desk.remove(args.ids)
        emit(args, {"removed": removed}, lambda _: print(f"{removed} removed"))


def _models(args: argparse.Namespace) -> None:
    from qa.llm.providers import models

    emit(args, {"models": models()}, show.print_models)


def _users(args: argparse.Namespace) -> None:
    from qa.web.users import manage

    listed = manage(_users_file(args), args.action, args.name, args.role)
    emit(args, {"users": listed}, lambda _: print(*(f"{user['name']} ({user['role']})" for user in listed), sep="\n"))


def _users_file(args: argparse.Namespace) -> Path:
    return Path(args.users).expanduser() if args.users else folder(args) / USERS


def _serve(args: argparse.Namespace) -> None:
    if args.read_only and not is_shared(args.data):
        raise BadInput("--read-only is for an archive in PostgreSQL: a folder is served by the process that writes it")
    if not holds_archive(args):  # perhaps a slip of the pen
        print(f"copydesk: no archive at {shown(args.data)}: a new, empty one is made there", file=sys.stderr)
    users = None if is_shared(args.data) and not args.users else _users_file(args)
    users = users if users and (users.exists() or args.users) else None
    token = args.auth_token or os.environ.get("COPYDESK_TOKEN")
    from qa.doors.keep import encoding, watching

    with open_desk(args, create=True, read_only=args.read_only) as desk, watching(desk, args), encoding(desk):
        remind(desk)
        from qa.web.app import serve  # 3 s, in which one would wait to be told that the archive is in use

        serve(desk, args.host, args.port, token, args.allow_llm, users, args.allow_host)


def _mcp(args: argparse.Namespace) -> None:
    import asyncio

    from qa.service import open_service
    from qa.web.mcp import serve_stdio

    try:
        with open_desk(args) as desk:
            asyncio.run(serve_stdio(open_service(desk)))
    except ArchiveInUse as error:
        served = f"the archive is served at {error.address}: give MCP clients {error.address}/mcp"
        raise BadInput(served if error.address else str(error)) from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 done but for rejected inputs, 2 refused.

    130 after SIGINT (Ctrl-C, by which a service ends with 0) and 143 after SIGTERM, within three seconds.
    """
    stderr = logging.StreamHandler()
    stderr.setFormatter(_Masked("copydesk: %(message)s"))
    logging.basicConfig(level=logging.ERROR, handlers=[stderr])
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    try:
        with stoppable():
            data = os.environ.get("COPYDESK_DATA", "copydesk-data")
            vectors = os.environ.get("COPYDESK_VECTORS")
            cache = os.environ.get("COPYDESK_CACHE")
            defaults = argparse.Namespace(data=data, cache=cache, encoder=None, json=False, vectors=vectors)
            args = build_parser().parse_args(argv, defaults)
            run: Run = args.run
            return run(args) or DONE
    except CopydeskError as error:
        print(f"copydesk: {error}", file=sys.stderr)
    except Stopped as stopped:
        print("copydesk: stopped; what was written stays, run it again to go on", file=sys.stderr)
        return stopped.status
    except BrokenPipeError:
        sys.stderr.close()
        return DONE
    except Exception as error:  # noqa: BLE001  the outermost door: logged whole, told in one line
        with NamedTemporaryFile("w", prefix="copydesk-", suffix=".log", delete=False) as log:
            log.write(shown("".join(traceback.format_exception(error))))
        print(f"copydesk: internal error ({type(error).__name__}: {told(str(error))}); see {log.name}", file=sys.stderr)
    return REFUSED

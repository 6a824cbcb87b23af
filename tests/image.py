"""Takes the steps of docs/containers/Dockerfile in a bare root folder, where there is no container engine, and uses it.

    python tests/image.py FOLDER [--arg NAME=VALUE]… [--bind PATH]… [--env NAME=VALUE]… [--again]

FOLDER holds the roots: `bare`, a Debian of debootstrap's variant minbase, must be there, and each stage gets one. The
image's program then runs as its user, without capabilities, on a read-only root, with its volumes and /tmp to write to.
`--bind` and `--env` bring in how this machine reaches a package registry, while building alone. Needs root; Linux.
"""

import argparse
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parent.parent
DOCKERFILE = REPOSITORY / "docs" / "containers" / "Dockerfile"
QUESTION = "On what date did Ukraine accept a complete ceasefire in Jeddah?"
END_SECONDS = 5
# In a mount namespace of its own: what is written to the root is refused, but for /tmp and the volumes.
INSIDE = """set -e
mount --rbind --make-rprivate $ROOT $ROOT
for at in $BINDS; do mount -o bind,ro $at $ROOT$at; done
for at in $VOLUMES; do mount --bind $ROOT.volumes$at $ROOT$at; done
mount -t tmpfs tmpfs $ROOT/tmp
mount --rbind /dev $ROOT/dev
test -z "$USED" || for at in $(findmnt -rno TARGET | grep -x "$ROOT"); do mount -o remount,bind,ro $at; done
mount -t proc proc $ROOT/proc
exec "$@"
"""


@dataclass
class Image:
    """What the steps so far have made: a root, and how its program is run."""

    root: Path
    env: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    args: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def popen(self, words: list[str], binds: list[str], env: dict[str, str], used: bool, **options) -> subprocess.Popen:
        """Run a command in the root: as root while it is built, as the image's user when it is used."""
        user, group = self.user.split(":")
        drop = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs",
                "--bounding-set=-all", "--inh-caps=-all"] if used else []  # fmt: skip
        said = self.env | env | ({} if used else self.args)
        pairs = [f"{name}={value}" for name, value in said.items()]
        inner = ["chroot", self.root, "env", "-i", f"--chdir={self.folder}", *pairs, *drop, *words]
        outer = {
            "ROOT": str(self.root),
            "BINDS": " ".join(binds),
            "VOLUMES": " ".join(self.volumes),
            "USED": "1" * used,
        }
        own = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", INSIDE, "sh"]
        return subprocess.Popen([*own, *inner], env=os.environ | outer, **options)

    def run(self, words: list[str], binds: list[str], env: dict[str, str], used: bool = True) -> str:
        """Run a command to its end, and return what it printed. Ends this program where it fails."""
        process = self.popen(words, binds, env, used, stdout=subprocess.PIPE, text=True)
        out = process.communicate()[0]
        if process.returncode:
            sys.exit(f"status {process.returncode} of {shlex.join(words)}\n{out}")
        return out


def build(folder: Path, given: dict[str, str], binds: list[str], env: dict[str, str], again: bool) -> Image:
    """Take each step of the Dockerfile, in its order; `again`, those alone that change no file: the roots are there."""
    stages: dict[str, Image] = {}
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text())).splitlines()
    for step, rest in (line.split(None, 1) for line in lines if line.strip()):
        print(f"{time.strftime('%T')} {step} {rest[:100]}", flush=True)
        if again and step in ("RUN", "COPY"):
            continue
        match step:
            case "FROM":
                name = rest.partition(" AS ")[2] or "image"
                image = stages[name] = Image(folder / name)
                if not again:
                    shutil.rmtree(image.root, ignore_errors=True)
                    subprocess.run(["cp", "-a", folder / "bare", image.root], check=True)
                    shutil.copy("/etc/resolv.conf", image.root / "etc")
            case "ARG":
                name, _, value = rest.partition("=")
                image.args[name] = given.get(name, value.strip('"'))
            case "ENV":
                image.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "WORKDIR":
                image.folder = rest
                (image.root / rest.strip("/")).mkdir(parents=True, exist_ok=True)
            case "RUN":
                for at in binds:
                    (image.root / at.strip("/")).parent.mkdir(parents=True, exist_ok=True)
                    subprocess.run(
                        ["mkdir", "-p", f"{image.root}{at}"] if Path(at).is_dir() else ["touch", f"{image.root}{at}"],
                        check=True,
                    )
                image.run(["sh", "-c", rest], binds, env, used=False)
            case "COPY":
                *words, target = rest.split()
                named = dict(word[2:].split("=") for word in words if word.startswith("--"))
                root = stages[named["from"]].root if "from" in named else REPOSITORY
                to = image.root / Path(image.folder, target).as_posix().strip("/")
                for source in (root / word.strip("/") for word in words if not word.startswith("--")):
                    subprocess.run(
                        ["cp", "-a", "--no-preserve=ownership", "-T" if source.is_dir() else "--", source, to],
                        check=True,
                    )
                if "chmod" in named:
                    to.chmod(int(named["chmod"], 8))
            case "USER":
                image.user = rest
            case "VOLUME":
                image.volumes = json.loads(rest)
            case "ENTRYPOINT":
                image.entry = json.loads(rest)
            case "CMD":
                image.command = json.loads(rest)
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
            case _:
                assert step == "EXPOSE", step
    return image


def use(image: Image) -> None:
    """Ingest the seeds, serve, ask, and end: each as the image's user, with a secret that is a file."""
    shutil.rmtree(f"{image.root}.volumes", ignore_errors=True)
    for at in image.volumes:  # a new volume begins as the image's folder is, its owner too
        subprocess.run(["mkdir", "-p", f"{image.root}.volumes{Path(at).parent}"], check=True)
        subprocess.run(["cp", "-a", image.root / at.strip("/"), f"{image.root}.volumes{at}"], check=True)
    secret = image.root / "run" / "secrets" / "copydesk_token"
    secret.parent.mkdir(exist_ok=True)
    secret.write_text(secrets.token_hex())
    secret.chmod(0o444)
    subprocess.run(["cp", "-a", "-T", REPOSITORY / "seeds", image.root / "srv"], check=True)

    def run(*words: str) -> str:
        return image.run([*image.entry, *words], [], {})

    print(
        run(
            "sh",
            "-c",
            "id; for at in / /opt/copydesk /etc; do touch $at/x 2>&1 || true; done; touch /data/x /tmp/x; rm /data/x",
        )
    )
    print(run("copydesk", "--json", "ingest", "/srv"))
    print(run("du", "-sh", "/opt/copydesk", "/data"))
    with image.popen([*image.entry, *image.command], [], {}, True, stdout=subprocess.PIPE, text=True) as service:
        try:
            status = ask(image, service)
        finally:
            for pid in descendants(service.pid)[:0:-1]:  # unshare's own --kill-child spares another user
                os.kill(pid, signal.SIGKILL)
    print(run("copydesk", "doctor"))
    chroma(image)
    assert status == 143


def ask(image: Image, service: subprocess.Popen) -> int:
    """Wait for a service, look after it, ask it a question and end it; return its status."""
    started = time.perf_counter()
    print(service.stdout.readline())
    print(
        f"served after {time.perf_counter() - started:.1f} s; the health check said {image.run(image.health, [], {})!r}"
    )
    print(image.run([*image.entry, "copydesk", "ask", QUESTION], [], {}))
    main = descendants(service.pid)[1]  # the first below unshare: process 1 of its namespace
    started = time.perf_counter()
    os.kill(main, signal.SIGTERM)
    status = service.wait(END_SECONDS)
    print(f"SIGTERM: ended with {status} after {time.perf_counter() - started:.1f} s")
    return status


def chroma(image: Image) -> None:
    """Run the Chroma server of compose.yaml, until its health check has found it."""
    service = yaml.safe_load(DOCKERFILE.with_name("compose.yaml").read_text())["services"]["chroma"]
    check, started = service["healthcheck"]["test"][1:], time.perf_counter()
    with image.popen([*image.entry, *service["command"]], [], service["environment"], True) as server:
        try:
            while image.popen(check, [], {}, True, stderr=subprocess.DEVNULL).wait():
                assert time.perf_counter() - started < END_SECONDS * 12
                time.sleep(1)
            print(f"Chroma's server answered after {time.perf_counter() - started:.1f} s")
        finally:
            for pid in descendants(server.pid)[:0:-1]:
                os.kill(pid, signal.SIGTERM)


def descendants(pid: int) -> list[int]:
    """Return the processes below one."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.splitlines()
    below, found = dict[int, list[int]](), [pid]
    for one, parent in (map(int, line.split()) for line in listed):
        below.setdefault(parent, []).append(one)
    for one in found:
        found += below.get(one, [])
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name in ("--arg", "--bind", "--env"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("--again", action="store_true", help="use what was built before")
    given = parser.parse_args()
    pairs = [dict(pair.split("=", 1) for pair in some) for some in (given.arg, given.env)]
    use(build(given.folder.absolute(), pairs[0], given.bind, pairs[1], given.again))

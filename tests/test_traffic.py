"""No traffic but what the user asked for: every connection and look-up of the processes, seen by the kernel."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import REPOSITORY, SEEDS, browsing, serving
from test_llm import SMOLLM

TRACED = shutil.which("strace") and subprocess.run(["strace", "-qq", "true"], check=False).returncode == 0
pytestmark = pytest.mark.skipif(not TRACED, reason="needs strace (apt-get install strace) and leave to trace")
# onnxruntime looks a host up nine seconds after it is imported.
LATEST = 12.0


def strace(log: Path) -> list[str]:
    calls = "execve,connect,sendto,sendmsg,sendmmsg"  # the first is there in every log: an ingestion makes none else
    return ["strace", "-f", "-qq", "-s", "200", "-e", f"trace={calls}", "-o", str(log)]


def outside(log: Path) -> list[str]:
    """Return the system calls that name an address outside this machine; a resolver's address counts as outside."""
    lines = log.read_text(errors="replace").splitlines()
    addresses = re.compile(r"sin6?_port=htons\(\d+\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )\"([^\"]+)\"")
    return [line for line in lines if (at := addresses.search(line)) and not at[1].startswith(("127.", "::1"))]


def test_a_look_up_is_seen(tmp_path: Path) -> None:
    """The tracing itself: a look-up through the system's resolver or a connection elsewhere does not go unseen."""
    script = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('192.0.2.1', 53))"
    subprocess.run([*strace(tmp_path / "log"), sys.executable, "-c", script], check=True)
    assert len(outside(tmp_path / "log")) == 1


def test_ingest_and_ask_make_no_connection(tmp_path: Path) -> None:
    copydesk = [sys.executable, "-m", "qa", "--data", str(tmp_path / "archive"), "--json"]
    for number, words in enumerate((["ingest", str(SEEDS)], ["ask", "Who proposed the ceasefire in Jeddah?"])):
        log = tmp_path / f"log{number}"
        done = subprocess.run([*strace(log), *copydesk, *words], check=True, capture_output=True, text=True)
        assert json.loads(done.stdout)
        assert outside(log) == []


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium: apt-get install chromium")
def test_serving_the_page_makes_no_connection(tmp_path: Path) -> None:
    started = time.monotonic()
    with serving(tmp_path / "archive", under=strace(tmp_path / "log")) as address, browsing(address) as page:
        page.goto(address)
        page.get_by_placeholder("Ask about the news in the archive").fill("Who led the delegation?")
        page.keyboard.press("Enter")
        page.locator(".refusal").wait_for(timeout=60_000)
        page.goto(f"{address}/api/docs")
        page.get_by_text("/api/ask").first.wait_for(timeout=30_000)
        time.sleep(max(0.0, LATEST - (time.monotonic() - started)))
    assert outside(tmp_path / "log") == []


# In a namespace without a network there is this machine itself, and nobody else: what is tried is in the log.
ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
CLOSED = shutil.which("ip") and subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
SCRIPT = """
import sys; sys.path[:0] = ["tests", "."]
import httpx
from pathlib import Path
from conftest import serving
with serving(Path(sys.argv[1]), *sys.argv[2:]) as address:
    assert httpx.get(address).status_code == 200
    body = {"question": "Who proposed the ceasefire in Jeddah?", "stream": True}
    for llm in ("quotes", None):
        told = httpx.post(address + "/api/ask", json=body | {"llm": llm}, timeout=300).text
        assert "event: answer" in told, told
    draft = {"text": "Kyiv accepted a ceasefire."}
    assert httpx.post(address + "/api/check", json=draft, timeout=60).json()["sentences"]
"""
CLIENT = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
CALL = {"name": "ask", "arguments": {"question": "Who proposed the ceasefire in Jeddah?"}}
ASKED = [
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": CLIENT},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": CALL},
]


@pytest.mark.skipif(not CLOSED, reason="needs leave to make a network namespace (unshare --net), and ip")
@pytest.mark.torture
@pytest.mark.skipif(not os.environ.get("COPYDESK_TORTURE"), reason="minutes under strace: make torture runs it")
def test_everything_works_where_nothing_can_leave(tmp_path: Path) -> None:
    """Ingestion, answers by quotation and by a model in this process, the check, doctor, MCP and the service."""
    copydesk = [sys.executable, "-m", "qa", "--data", str(tmp_path / "archive")]
    model = ["--llm", f"llamacpp:{SMOLLM}"] if SMOLLM else []
    draft = tmp_path / "draft.txt"
    draft.write_text("Kyiv accepted a complete ceasefire.")
    ask, mcp = ["ask", "Who proposed the ceasefire in Jeddah?"], "".join(f"{json.dumps(one)}\n" for one in ASKED)
    for number, (words, sent) in enumerate([
        (["ingest", str(SEEDS)], ""), (ask, ""), ([*ask, *model], ""), (["check", str(draft)], ""), (["doctor"], ""),
        (["mcp"], mcp),
    ]):  # fmt: skip
        log = tmp_path / f"log{number}"
        done = subprocess.run(
            [*strace(log), *ALONE, *copydesk, *words], input=sent, capture_output=True, text=True, check=False
        )
        # 1: a small model may write on until it is stopped
        assert done.returncode == 0 or (done.returncode == 1 and words[-1] in model), done.stderr
        assert len(done.stdout) > 20
        assert outside(log) == []
    served = [sys.executable, "-c", SCRIPT, str(tmp_path / "archive"), *model]
    done = subprocess.run([*strace(log), *ALONE, *served], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert outside(log) == []

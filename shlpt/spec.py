"""What a run is: a method that learns a sequence of tasks, with a seed, on a backbone.

A RunSpec is frozen, validated when built, converts to JSON and back, and its id is a hash of its content.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from shlpt.catalog import METHODS, MethodInfo, published
from shlpt.catalog.params import Params
from shlpt.errors import UserError, unknown

NO_RUNS_SEED = 2**31  # above every seed that a run may have


class Training(BaseModel):
    """Training settings, the same for every method of a comparison."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    prompt_length: int = Field(10, ge=1, le=512, description="number of trained vectors in a prompt")
    epochs: int = Field(20, ge=1, le=1000, description="maximum number of passes over the training examples")
    lr: float = Field(0.1, gt=0, le=10, description="learning rate of the optimiser AdamW")
    batch_size: int = Field(8, ge=1, le=1024, description="examples per training step")
    shots: int = Field(8, ge=1, le=100_000, description="training examples per class")
    validation_shots: int = Field(
        8, ge=1, le=100_000, description="validation examples per class, used for early stopping"
    )
    test_shots: int = Field(32, ge=1, le=100_000, description="test examples per class, the same for every seed")
    patience: int = Field(
        5, ge=1, le=1000, description="early stopping: epochs without a better validation score before training ends"
    )
    patience_from: int = Field(
        0, ge=0, le=1000, description="early stopping: first epochs that it ignores (all but the last at most)"
    )
    max_length: int = Field(256, ge=8, le=4096, description="maximum tokens per text; longer texts are truncated")
    weight_decay: float = Field(0.01, ge=0, le=10, description="weight decay of AdamW")
    clip: float = Field(1.0, gt=0, le=1e6, description="gradient clipping: maximum norm")
    beams: int = Field(1, ge=1, le=16, description="beams in beam search for test answers; 1 is greedy decoding")
    repetition_penalty: float = Field(
        1.0, ge=1, le=10, description="beam search: factor against tokens that the answer already has; 1 is none"
    )
    matching: Literal["exact", "normalised"] = Field(
        "exact",
        description="when an answer equals its target: exactly (but for case and spaces), or without punctuation and "
        "articles too",
    )
    scored_on: Literal["test", "validation"] = Field(
        "test",
        description="set that scores are measured on: test, or, to choose settings, validation "
        "(different examples from those for early stopping)",
    )

    @property
    def scored(self) -> tuple[str, int, int]:
        """The examples that scores are measured on: split, number per class, seed."""
        return self.scored_on, self.test_shots, 0 if self.scored_on == "test" else NO_RUNS_SEED

    @model_validator(mode="after")
    def _decodable(self) -> Self:
        if self.repetition_penalty != 1 and self.beams == 1:
            raise ValueError(
                f"repetition_penalty = {self.repetition_penalty:g} needs beam search, but beams = 1: set beams to at "
                "least 2, or repetition_penalty to 1"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_the_usual(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The defaults of later settings are left out, so that older stages keep their keys."""
        found: dict[str, Any] = write(self)
        usual = {name: type(self).model_fields[name].default for name in LATER}
        return {name: value for name, value in found.items() if name not in usual or value != usual[name]}


LATER = ("scored_on", "patience_from", "repetition_penalty", "matching")  # settings of Training that came later
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {},
    "standard": {"epochs": 30, "shots": 32, "validation_shots": 16, "test_shots": 60, "patience": 6},
    "paper": published.preset(),
}
PRESET_ABOUT = {
    "quick": "seconds per task on the built-in backbone",
    "standard": "more examples, about a minute per task on the built-in backbone",
    "paper": "the paper's settings, and its authors' where the paper does not say, for a T5-large",
}


def usual(method: str, preset: str, tasks: Sequence[str] = ()) -> dict[str, Any]:
    """The settings of a run for which nothing is set: the method's own, over them the preset's."""
    info = method_info(method)
    found = dict(info.defaults) | PRESETS[preset]
    return found | published.preset(tasks) | dict(info.paper) if preset == "paper" else found


class RunSpec(BaseModel):
    """One run. Build it with `RunSpec.make`, which reports mistakes in plain words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str = "pocket"
    tasks: tuple[str, ...] = Field(min_length=1)
    method: str = "shlpt"
    params: Params
    seed: int = Field(42, ge=0, lt=NO_RUNS_SEED)
    backbone: str = "pocket"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    device: Literal["cpu", "cuda", "mps"] = Field("cpu", description="where it is trained; planning fills it in")
    training: Training = Training()
    edition: int = Field(0, ge=0, description="0: share stages with other runs; `--fresh` counts up")

    @field_validator("params", mode="before")
    @classmethod
    def _params(cls, value: Any, info: Any) -> Any:
        return method_info(info.data["method"]).params.stored(value) if isinstance(value, dict) else value

    @classmethod
    def make(
        cls,
        tasks: Sequence[str],
        method: str = "shlpt",
        *,
        seed: int = 42,
        settings: Mapping[str, Any] | None = None,
        preset: str = "quick",
        suite: str = "pocket",
        backbone: str = "pocket",
        dtype: str = "auto",
        rates: Mapping[str, float] | None = None,
    ) -> Self:
        """A run from names and a flat mapping of settings, of the method and of the training. `rates`: learning rates
        of methods on this backbone (`plans.rates`), in place of those of the embedded one."""
        info = method_info(method)
        if preset not in PRESETS:
            raise unknown("preset", preset, PRESETS)
        refuse_repeats(tasks)
        refuse_lacking(tasks, method)
        known = settings_known(method)
        for key in settings or {}:
            if key not in known:
                raise _unknown_setting(key, method, known)
        own = {"lr": rates[method]} if rates and method in rates and preset != "paper" else {}
        merged = usual(method, preset, tasks) | own | dict(settings or {})
        try:
            return cls(
                suite=suite,
                tasks=tuple(tasks),
                method=method,
                seed=seed,
                backbone=backbone,
                dtype=cast(Any, dtype),
                params=info.params(**{k: v for k, v in merged.items() if k in info.params.model_fields}),
                training=Training(**{k: v for k, v in merged.items() if k in Training.model_fields}),
            )
        except ValidationError as error:
            raise UserError(_readable(error)) from None

    @model_validator(mode="after")
    def _the_prompt_learns(self) -> Self:
        warm_up, epochs = getattr(self.params, "estimator_warmup", 0), self.training.epochs
        if warm_up >= epochs:
            raise ValueError(
                f"estimator_warmup = {warm_up} leaves no epoch for the prompt, as epochs = {epochs}: lower it"
            )
        return self

    def to_json(self) -> dict[str, Any]:
        found = self.model_dump(mode="json") | {"params": self.params.model_dump(mode="json")}
        later = {"edition": 0, "device": "cpu"}  # left out, so that older runs keep their ids
        return {key: value for key, value in found.items() if key not in later or value != later[key]}

    @property
    def precision(self) -> str:
        """The number format that `auto` comes to: bfloat16 on CUDA, single precision elsewhere."""
        return {"auto": "bfloat16" if self.device == "cuda" else "float32"}.get(self.dtype, self.dtype)

    @property
    def settings(self) -> dict[str, Any]:
        """All settings in one flat mapping, as `--set` takes them."""
        return dict(self.training) | dict(self.params)

    @property
    def id(self) -> str:
        return f"r{digest(self.to_json())}"


def digest(value: Any, size: int = 6) -> str:
    """Hash of JSON content, the same on every machine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2s(text.encode(), digest_size=size).hexdigest()


def refuse_repeats(tasks: Sequence[str]) -> None:
    for name in tasks:
        if tasks.count(name) > 1:
            raise UserError(
                f"task {name!r} is in the sequence twice: training it again would overwrite its prompt, and its "
                "transfer could not be measured. Name each task once"
            )


def refuse_lacking(tasks: Sequence[str], method: str) -> None:
    """A method that trains on the data of earlier tasks needs at least one."""
    lacking = method_info(method).earlier_data
    if lacking and len(tasks) == 1:
        raise UserError(
            f"{method} needs the training examples of earlier tasks ({lacking}), but {tasks[0]!r} is the only task: "
            "put at least one task before it, or choose another method (see `methods`)"
        )


def method_info(name: str) -> MethodInfo:
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    return METHODS[name]


def find_methods(text: str) -> tuple[str, ...]:
    """`all`, or `a,b,c` as names of methods, each once."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise UserError(f"no methods given: write all, or names separated by commas. Known: {', '.join(METHODS)}")
    found = [method for name in names for method in (METHODS if name == "all" else [method_info(name).name])]
    return tuple(dict.fromkeys(found))


def settings_known(method: str) -> set[str]:
    """Names of all settings that a run of the method takes."""
    return set(Training.model_fields) | set(method_info(method).params.model_fields)


def has_setting(method: str, key: str) -> bool:
    return key in settings_known(method)


def parse_setting(text: str) -> tuple[str, Any]:
    """`key=value` of the command line; the value is a number, true or false (also in Python's spelling), or a word."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise UserError(f"cannot read the setting {text!r}: write it as key=value, for example threshold=0.06")
    try:
        return key.strip(), json.loads({"True": "true", "False": "false"}.get(value.strip(), value))
    except json.JSONDecodeError:
        return key.strip(), value.strip()


def parse_values(text: str) -> tuple[str, list[Any]]:
    """`key=a,b,c` of the command line: a setting and the values to try."""
    key, sign, listed = text.partition("=")
    if not sign:
        raise UserError(f"cannot read the values {text!r}: write them as threshold=0.01,0.06,0.3")
    return key.strip(), [parse_setting(f"{key}={part}")[1] for part in listed.split(",") if part.strip()]


def read_seeds(text: str) -> list[int]:
    """`42,142` as whole numbers, each once."""
    try:
        seeds = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        seeds = []
    if not seeds or min(seeds) < 0:
        raise UserError(f"cannot read the seeds {text!r}: write whole numbers from 0, for example 42,142,242")
    return list(dict.fromkeys(seeds))


def settings_of(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Name, default, range, choices and help of every setting, for forms and tables."""
    schema = model.model_json_schema()["properties"]
    rows = []
    for name, field in schema.items():
        parts = [field, *field.get("anyOf", [])]
        found = {key: next((p[key] for p in parts if key in p), None) for key in _BOUNDS}
        choices = next((p.get("enum") or [p["const"]] for p in parts if "enum" in p or "const" in p), None)
        row = {"name": name, "default": field.get("default"), "choices": choices, "range": _range(found)}
        rows.append(row | {"help": field.get("description", ""), "published": published.said(name)})
    return rows


_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def _range(bounds: Mapping[str, Any]) -> str:
    low = f"≥ {bounds['minimum']:g}" if bounds["minimum"] is not None else ""
    low = low or (f"> {bounds['exclusiveMinimum']:g}" if bounds["exclusiveMinimum"] is not None else "")
    high = f"≤ {bounds['maximum']:g}" if bounds["maximum"] is not None else ""
    return " and ".join(part for part in (low, high) if part)


def _unknown_setting(key: str, method: str, known: set[str]) -> UserError:
    owners = [name for name, info in METHODS.items() if key in info.params.model_fields]
    if owners:
        return UserError(f"setting {key!r} belongs to {', '.join(owners)}, not to {method}: leave it out")
    return unknown("setting", key, known)


def _readable(error: ValidationError) -> str:
    """A sentence for each wrong setting, with the allowed values."""
    models: list[type[BaseModel]] = [Training, *(info.params for info in METHODS.values())]
    rows = {row["name"]: row for model in models for row in settings_of(model)}
    lines: dict[str, str] = {}
    for item in error.errors():
        if not item["loc"]:  # settings that exclude each other have their own message
            lines[item["msg"]] = item["msg"].removeprefix("Value error, ")
            continue
        name = str(item["loc"][0])
        row = rows.get(name, {})
        allowed = " or ".join(filter(None, [row.get("range"), ", ".join(map(str, row.get("choices") or []))]))
        reason = f"allowed: {allowed}" if allowed else item["msg"].lower()
        lines.setdefault(name, f"{name} cannot be {item.get('input')!r} ({reason})")
    return "; ".join(lines.values())

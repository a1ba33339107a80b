"""Prompts as adapters of PEFT, the library for prompt tuning, and its adapters as prompts. Safetensors only.

`export` writes the stored prompt of a task and lets PEFT read it again: the logits of both are compared. `take_in`
makes an adapter a task that needs no training, `prompts/NAME`. Torch is loaded when it is needed.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save

from shlpt.backbone.files import digest_of, find
from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.results import frames
from shlpt.store.artifacts import about_of, from_bytes
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks import prompts
from shlpt.tasks.find import find_task
from shlpt.tasks.prompts import Floats, Given

CONFIG, TENSORS, README = "adapter_config.json", "adapter_model.safetensors", "README.md"
EMBEDDINGS, COLUMNS, ROWS = "prompt_embeddings", "prefix_task_cols", "prefix_task_rows"
LARGEST = 64 * 2**20  # bytes of an adapter's tensors; a long prompt for T5-11b has 2 MB
EXACT = 1e-5  # logits may differ by this much
KINDS = ("PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING")
GET = "pip install peft==0.21.2"


@dataclass(frozen=True)
class Adapter:
    """A stored prompt with all that another program needs to use it."""

    prompt: Floats  # [L,d]
    run: str
    task: str
    method: str
    seed: int
    backbone: str  # its name
    weights: str  # and the digest of its files
    shape: Mapping[str, int]  # layers and heads

    @property
    def base(self) -> str:
        """The backbone as others may know it: a path means nothing elsewhere."""
        return self.backbone if find(self.backbone) is None else Path(self.backbone).name


# --- from a run -----------------------------------------------------------------------------
def adapter_of(store: Store, run: str, task: str) -> Adapter:
    """The stored prompt that answers a task of a run. Refused where there is no such prompt."""
    record = frames.run(store, run)
    names = record["tasks"]
    if task not in names:
        raise UserError(f"run {record['id']} has no task {task!r}: choose one of {', '.join(names)}")
    key = record["stages"][names.index(task)]
    stage = frames.stage(store, key)
    refuse_without_prompt(stage["method"])
    if stage["state"] != "done":
        raise UserError(f"the task {task} of run {record['id']} is not learned yet: export it when its stage is done")
    if not store.value("SELECT 1 FROM artifacts WHERE owner=? AND kind='tensors'", (key,)):
        raise UserError(
            f"only the scores of run {record['id']} are recorded, not its prompts: `python -m shlpt runs again "
            f"{record['id']} --same` trains it here"
        )
    data = artifact_bytes(store, key, "tensors")
    place = about_of(data)["pool"].index(task)
    prompt = np.ascontiguousarray(from_bytes(data)[f"prompt.{place}"], np.float32)
    shape = _shape(record["backbone"])
    return Adapter(
        prompt, record["id"], task, stage["method"], record["seed"], record["backbone"], stage["backbone"], shape
    )


def refuse_without_prompt(method: str) -> None:
    info = METHODS[method]
    if info.has_one_prompt:
        return
    reason = "it trains the weights of the model and has no prompt"
    if info.keeps_prompts:
        reason = "its prompt is another one for each text, built from a pool, and an adapter holds one for all texts"
    able = ", ".join(one.name for one in METHODS.values() if one.takes_prompts and one.alpha != "given")
    raise UserError(
        f"{info.title} cannot be a PEFT adapter: {reason}. Export a run of {able} instead, or take all of this run to "
        "another installation with --bundle FILE"
    )


def _shape(backbone: str) -> dict[str, int]:
    path = find(backbone)
    if path is None:
        from huggingface_hub import hf_hub_download

        path = Path(hf_hub_download(backbone, "config.json")).parent  # it is there since the run was trained
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    names = {"num_layers": "num_layers", "num_attention_heads": "num_heads", "token_dim": "d_model"}
    return {ours: int(config[theirs]) for ours, theirs in names.items()}


def config_of(adapter: Adapter) -> dict[str, Any]:
    """What PEFT reads. One submodule: only the encoder gets the prompt. Without the type of task PEFT would load it and
    leave the prompt out."""
    return {
        "peft_type": "PROMPT_TUNING",
        "task_type": "SEQ_2_SEQ_LM",
        "base_model_name_or_path": adapter.base,
        "inference_mode": True,
        "num_virtual_tokens": len(adapter.prompt),
        "num_transformer_submodules": 1,
        "prompt_tuning_init": "RANDOM",
        **adapter.shape,
    }


def files_of(adapter: Adapter) -> dict[str, bytes]:
    """The files of the adapter, by name."""
    about = {key: getattr(adapter, key) for key in ("run", "task", "method", "seed", "weights")}
    header = {"format": "pt", "shlpt": json.dumps(about, ensure_ascii=False)}
    return {
        CONFIG: (json.dumps(config_of(adapter), indent=2) + "\n").encode(),
        TENSORS: save({EMBEDDINGS: adapter.prompt}, header),
        README: _readme(adapter).encode(),
    }


def _readme(adapter: Adapter) -> str:
    length, width = adapter.prompt.shape
    base = (
        "data/pocket of the SHLPT project, a T5 of 1.5 million parameters" if adapter.base == "pocket" else adapter.base
    )
    return f"""# {adapter.task}: a soft prompt

{length} × {width} numbers, learned by {METHODS[adapter.method].title} (seed {adapter.seed}, run {adapter.run})
for the frozen model `{adapter.base}` ({base}; digest of its files {adapter.weights}).

```python
from peft import PeftModel
from transformers import T5ForConditionalGeneration

base = T5ForConditionalGeneration.from_pretrained("PATH OF {adapter.base}")
model = PeftModel.from_pretrained(base, "THIS FOLDER")
```
"""


def export(store: Store, run: str, task: str, folder: Path) -> tuple[Adapter, float | None]:
    """Write an adapter to a new folder, and compare the logits that PEFT gets from it with ours: the largest
    difference, or None where PEFT is not installed."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there and not empty: give a new folder, so that nothing is overwritten")
    adapter = adapter_of(store, run, task)
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        for name, data in files_of(adapter).items():
            (draft / name).write_bytes(data)
        worst = compared(store, adapter, draft)
        if worst is not None and not worst <= EXACT:
            raise UserError(
                f"the adapter of {task} gives other logits in PEFT than here (by {worst:.2g}): it is not written. "
                "Please report this with the version of PEFT"
            )
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return adapter, worst


def zipped(store: Store, run: str, task: str) -> bytes:
    """The same as one file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "adapter"
        export(store, run, task, path)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in sorted(path.iterdir()):
                packed.write(file, file.name)
    return out.getvalue()


def is_installed() -> bool:
    from importlib.util import find_spec

    return find_spec("peft") is not None


def compared(store: Store, adapter: Adapter, folder: Path, texts: int = 16) -> float | None:
    """The largest difference of a logit, on test texts of the task, between this program and PEFT."""
    if not is_installed():
        return None
    import torch
    from peft import PeftModel

    from shlpt.backbone.encode import Encoded
    from shlpt.backbone.t5 import load
    from shlpt.methods.prompts import prepend

    if digest_of(adapter.backbone) != adapter.weights:
        raise UserError(f"the backbone {adapter.backbone!r} has other weights now than run {adapter.run} was made with")
    backbone = load(adapter.backbone, "cpu", "float32")
    settings = frames.spec(store, adapter.run)["training"]
    examples = find_task(adapter.task, home=store.home).draw("test", texts, 0)[:texts]
    batch = Encoded(backbone, examples, settings["max_length"]).batch(range(len(examples)))
    ours = backbone.logits(
        *prepend(torch.from_numpy(adapter.prompt), backbone.embed(batch.ids), batch.mask), batch.labels
    )
    model = PeftModel.from_pretrained(backbone.model, str(folder)).eval()
    with torch.no_grad():
        theirs = model(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).logits.float()
    return float((ours - theirs).abs().max())


# --- to a run -------------------------------------------------------------------------------
def take_in(
    home: Path,
    folder: Path,
    task: str,
    backbone: str = "pocket",
    *,
    name: str = "",
    number: int = 0,
    same: bool = False,
) -> Given:
    """Store the prompt of an adapter as `prompts/NAME`, for a known task and a backbone. `number`: of a task of a
    multitask adapter. `same`: the model goes by another name there, but has these weights."""
    config = _config(folder)
    tensor, about = _prompt(folder, config, number)
    shape, weights = _shape(backbone), digest_of(backbone)
    _refuse_other_model(config, about, backbone, weights, shape["token_dim"], tensor.shape[1], same)
    known = find_task(task, home=home)
    if known.prompt:
        raise UserError(f"{task} is an imported prompt itself: name the task that the adapter was trained for")
    origin = f"{config['peft_type']} adapter for {config.get('base_model_name_or_path') or 'an unnamed model'}"
    return prompts.write(home, tensor, name or _name(folder), known.name, weights, origin)


def _name(folder: Path) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in folder.resolve().name).strip("-_.")[:40] or "prompt"


def _config(folder: Path) -> dict[str, Any]:
    """The adapter's configuration, if it is one that can be used."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: give the one that save_pretrained of PEFT wrote")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{folder} is no adapter: it has no {CONFIG}, which save_pretrained of PEFT writes") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / CONFIG} cannot be read ({error})") from None
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind not in KINDS:
        raise UserError(
            f"{folder} is an adapter of the kind {kind}, not a prompt before the text: it changes the model elsewhere. "
            f"Adapters that can be imported: {', '.join(KINDS)}"
        )
    if config.get("task_type") != "SEQ_2_SEQ_LM":
        raise UserError(f"{folder} is for task_type {config.get('task_type')}: a T5 needs SEQ_2_SEQ_LM")
    if kind == "MULTITASK_PROMPT_TUNING" and config.get("num_transformer_submodules") != 1:
        raise UserError(
            f"{folder} puts prompts before the decoder too (num_transformer_submodules is not 1): here a prompt stands "
            "before the text only"
        )
    if not (folder / TENSORS).is_file():
        if any(folder.glob("*.bin")):
            raise UserError(
                f"{folder} has its numbers in a .bin file, a pickle, which can run code when it is read, and is not "
                "loaded. Where you trust it, load it with PEFT and save it again with "
                "save_pretrained(..., safe_serialization=True)"
            )
        raise UserError(f"{folder} has no {TENSORS}: copy the whole folder that save_pretrained of PEFT wrote")
    return dict(config)


def _prompt(folder: Path, config: Mapping[str, Any], number: int) -> tuple[Floats, dict[str, Any]]:
    """[L,d], the prompt before the text, and what this program had said about it."""
    path = folder / TENSORS
    if path.stat().st_size > LARGEST:
        raise UserError(
            f"{path} has {path.stat().st_size / 2**20:.0f} MB: a prompt has a few, so this is another thing"
        )
    from safetensors import SafetensorError, safe_open  # with torch, because numpy has no bfloat16

    try:
        with safe_open(path, framework="pt") as file:
            said = (file.metadata() or {}).get("shlpt")
            found = {key: file.get_tensor(key).float().numpy() for key in file.keys()}  # noqa: SIM118  (not a dict)
        about = json.loads(said) if said else {}
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    length = config.get("num_virtual_tokens")
    whole = found.get(EMBEDDINGS)
    if whole is None or whole.ndim != 2 or not isinstance(length, int) or not 0 < length <= len(whole):
        raise UserError(f"{path} has no prompt of {length} rows ({', '.join(found) or 'nothing'} is in it)")
    if config["peft_type"] == "MULTITASK_PROMPT_TUNING":
        whole = whole * _of_task(found, number, path)
    if not np.isfinite(whole).all():
        raise UserError(f"{path} has numbers that are not finite: its training has failed")
    return np.ascontiguousarray(whole[:length]), about  # further rows stand before the decoder, and PEFT ignores them


def _of_task(found: Mapping[str, Floats], number: int, path: Path) -> Floats:
    """What multiplies the shared prompt for one task."""
    if COLUMNS not in found or ROWS not in found:
        raise UserError(f"{path} lacks {COLUMNS} or {ROWS}")
    tasks = len(found[COLUMNS])
    if not 0 <= number < tasks:
        raise UserError(f"{path} has {tasks} tasks: --number is one from 0 to {tasks - 1}")
    product: Floats = found[COLUMNS][number] @ found[ROWS][number]
    return product


def _refuse_other_model(
    config: Mapping[str, Any], about: Mapping[str, Any], backbone: str, weights: str, width: int, mine: int, same: bool
) -> None:
    """A prompt means something only to the weights that it was trained on."""
    theirs = str(config.get("base_model_name_or_path") or "")
    choose = "choose that one with --backbone"
    if mine != width:
        raise UserError(
            f"the adapter is for a model of width {mine} ({theirs or 'not named'}), and the backbone {backbone!r} has "
            f"{width}: {choose}"
        )
    if about.get("weights"):
        if about["weights"] != weights:
            raise UserError(
                f"the adapter was trained on other weights ({theirs}, {about['weights']}) than those of the backbone "
                f"{backbone!r} ({weights}): {choose}"
            )
    elif not same and Path(theirs).name != Path(backbone).name:
        raise UserError(
            f"the adapter was trained on {theirs or 'a model that it does not name'}, not on {backbone!r}: {choose}, "
            "or, where that is another name of the same weights, add --same-weights"
        )

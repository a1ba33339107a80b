"""The form of a run: tasks, method, seeds, settings, estimate, and the equivalent command and Python code."""

import os
from collections.abc import Sequence
from typing import Any, get_args

import streamlit as st

from shlpt.catalog import METHODS
from shlpt.devices import NAMES, devices, is_gpu
from shlpt.plans import commands, estimate, rates
from shlpt.plans.stages import RunPlan
from shlpt.plots import theme
from shlpt.queue.submit import width_for
from shlpt.spec import PRESET_ABOUT, RunSpec, read_seeds
from shlpt.store.store import Store, default_home
from shlpt.tasks.sequences import SEQUENCES, about, title
from shlpt.ui import choose, page
from shlpt.ui.choose import kept
from shlpt.ui.forms import folded_settings
from shlpt.ui.links import FORM_PRESETS, OWN_SEQUENCE, SETTING

DEFAULT = "demo"


def form() -> list[RunSpec]:
    """The runs in the form, one per seed; empty while the form is invalid."""
    suite = st.query_params.get("suite", "pocket")  # links may set it, the form cannot
    tasks = _tasks(suite)
    left, middle, right = st.columns([2, 1, 1])
    method = kept(
        "Method",
        list(METHODS),
        "method",
        write=lambda name: METHODS[name].title,
        where=left,
        help="How each task is learned, and what it uses of earlier tasks",
    )
    seeds = middle.text_input(
        "Seeds",
        "42",
        key="seeds",
        bind="query-params",
        help="Whole numbers separated by commas. Each seed is a separate run with its own training examples. They "
        "train together and are shown as a mean with a band",
    )
    preset = kept(
        "Preset",
        FORM_PRESETS,
        "preset",
        default="quick",
        where=right,
        segments=True,
        help="; ".join(f"{name}: {PRESET_ABOUT[name]}" for name in FORM_PRESETS),
    )
    st.caption(page.plain(about_method(method)))
    settings = folded_settings(method, preset, SETTING)
    common: dict[str, Any] = {"preset": preset, "settings": settings, "suite": suite, **_model()}
    if not tasks:
        return []
    with page.guard():
        common["rates"] = rates.rates(default_home(), common["backbone"])
        return [RunSpec.make(tasks, method, seed=seed, **common) for seed in read_seeds(seeds.replace(" ", ","))]
    return []


def _model() -> dict[str, str]:
    """The backbone and its data type. The fold is open if one of them is not the default."""
    usual = all(st.query_params.get(key, value) == value for key, value in (("backbone", "pocket"), ("dtype", "auto")))
    with st.expander("Backbone", icon=":material/memory:", expanded=not usual):
        left, right = st.columns(2)
        help = "pocket (included), a local folder, or a T5 on the Hugging Face hub"
        backbone = left.text_input("Backbone", "pocket", key="backbone", bind="query-params", help=help)
        types = get_args(RunSpec.model_fields["dtype"].annotation)
        dtype = kept("Data type", types, "dtype", where=right, help="auto: bfloat16 on a CUDA GPU, else float32")
    return {"backbone": backbone.strip() or "pocket", "dtype": dtype}


def _tasks(suite: str) -> tuple[str, ...]:
    """A named sequence, or task names typed in order."""
    named = [*SEQUENCES, OWN_SEQUENCE]
    left, right = st.columns([1, 2])
    sequence = kept(
        "Sequence of tasks",
        named,
        "sequence",
        default=DEFAULT,
        where=left,
        write=title,
        help="The sequences of the paper's Tables 8 and 9 with generated stand-ins, a short demonstration, streams "
        "whose last task is related as their name says, or your own",
    )
    if sequence != OWN_SEQUENCE:
        right.text_input(
            "Tasks, in the order in which they are learned",
            " → ".join(map(theme.titled, SEQUENCES[sequence])),
            disabled=True,
            help=about(sequence),
        )
        return SEQUENCES[sequence]
    with right:
        return choose.tasks(
            "Tasks, in the order in which they are learned",
            "tasks",
            default=SEQUENCES[DEFAULT],
            suite=suite,
            help="Beside those of the list, names can be typed: ask:price/hotel/yes-no, dial:0.3, and sst2@32 with "
            "its own number of examples of each class. The Tasks page has more",
        )


def about_method(method: str) -> str:
    """What a method does and what it needs."""
    info = METHODS[method]
    return f"{info.title}: {info.about}. It needs: {', '.join(info.needs)}."


def size_metrics(spec: RunSpec) -> None:
    """What the last task of a run trains and stores, as two numbers."""
    size = estimate.sizes(spec)
    kept = "examples" if "examples" in size["keeps"] else "nothing"
    kept = f"{size['kept_bytes'] / 1024:,.0f} KB" if size["kept_bytes"] else kept
    page.metric("Trained parameters", f"{size['trainable']:,}", "For the last task")
    page.metric("Stored per task", kept, f"For the last task: {size['keeps']}")


def cost(store: Store, plans: Sequence[RunPlan]) -> None:
    """The estimate of the runs."""
    found, specs = estimate.estimate(store, plans), [plan.spec for plan in plans]
    memory = estimate.memory(specs, width_for(plans))
    with st.container(horizontal=True):
        about = f"A stage is one task learned after the tasks before it. {found.reused} are stored already and reused"
        page.metric("Stages to train", f"{found.stages} of {found.stages + found.reused}", about)
        page.metric("Estimated time", estimate.duration(found.seconds), found.source)
        size_metrics(specs[0])
        needs = "Libraries, model, cached states and one training step"
        page.metric("Estimated memory", f"{memory / 2**20:.0f} MB", needs)
    for line in rates.said(specs, store.home):
        st.caption(page.plain(line), width="stretch")


def elsewhere(specs: list[RunSpec]) -> None:
    """The command and the Python code for the same runs."""
    with st.expander("The same on the command line or in Python", icon=":material/terminal:"):
        st.code(commands.runs(specs, default_home()), language=None, wrap_lines=True)
        st.code(commands.python(specs, default_home()), language="python")


def machine() -> str:
    """Where training will happen."""
    return NAMES[devices()[0]] if is_gpu() else f"CPU, {os.cpu_count()} cores"

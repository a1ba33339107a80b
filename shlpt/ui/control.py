"""Buttons for running runs, their progress and their errors."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from shlpt.errors import UserError
from shlpt.plans import estimate
from shlpt.plans.stages import RunPlan
from shlpt.queue import control
from shlpt.queue import submit as queue
from shlpt.queue.launch import ensure_worker
from shlpt.results import frames
from shlpt.results.record import GOING
from shlpt.store.liveness import expected
from shlpt.store.store import Store
from shlpt.ui.page import again as fragment
from shlpt.ui.page import plain
from shlpt.ui.store import own

GO = "watch"  # runs to show on the Live page, where the router leads
FOLLOWING = 1.5  # seconds until a tab notices what another one did
EVERY = 1.0  # seconds between updates while something trains


def going(store: Store, states: dict[str, int]) -> bool:
    """Whether numbers change by themselves; only then a page updates itself."""
    return any(states.get(state) for state in GOING) and expected(store)


def possible(states: Iterable[str], served: bool) -> set[str]:
    """The actions possible for runs in these states; `served`: a worker is alive or starting."""
    going, held, idle = ({*states} & {*some} for some in (GOING, ["paused"], ["paused", "stopped", "lost", "failed"]))
    fits = {"pause": going, "step": held, "stop": going | held, "resume": idle or ("queued" in going and not served)}
    return {wish for wish, fit in fits.items() if fit}


def progress(store: Store, runs: Sequence[str], states: dict[str, int]) -> int:
    """Progress, time left and states of runs. Returns the number of tasks learned."""
    found = estimate.progress(store, runs)
    share = found["done"] / found["stages"] if found["stages"] else 1.0
    said = f"{found['done']} of {found['stages']} tasks learned"
    if states.get("running") and found["seconds_left"]:
        said += f", about {estimate.duration(found['seconds_left'])} left"
    others = ", ".join(f"{count} {state}" for state, count in states.items() if state != "done")
    st.progress(share, f"{said} · runs: {others}" if others else f"{said}.")
    return int(found["done"])


def buttons(store: Store, runs: Sequence[str], states: dict[str, int], key: str) -> None:
    """Pause, stop and resume. Impossible actions are disabled, not hidden, so that the layout does not move."""
    can = possible(states, expected(store))
    with st.container(horizontal=True):
        for text, icon, act, about in (
            ("Pause", "pause", control.pause, "Pause until you press Resume"),
            ("Stop", "stop", control.stop, "Stop. Finished tasks and the best prompts so far are kept"),
            ("Resume", "play_arrow", resume, "Continue where it stopped. Failed runs are tried again"),
        ):
            wish = text.lower()
            look = {"icon": f":material/{icon}:", "key": f"{key}-{wish}", "disabled": wish not in can, "help": about}
            if st.button(text, **look):
                act(store, runs)
                st.rerun()


def resume(store: Store, runs: Sequence[str]) -> None:
    control.resume(store, runs)
    ensure_worker(store)
    st.rerun()


def train_or_stop(
    store: Store, runs: Sequence[str], states: dict[str, int], key: str, text: str, train: Callable[[], object]
) -> None:
    """Two buttons: `train` more runs, or go on with those that were stopped; and stop."""
    moving = going(store, states)
    if not moving and any(state != "done" for state in states):
        if st.button("Go on with it", type="primary", icon=":material/play_arrow:", key=f"{key}-resume"):
            resume(store, runs)
    elif st.button(text, type="primary", icon=":material/play_arrow:", key=f"{key}-now", disabled=moving):
        train()
        st.rerun()
    if st.button("Stop", icon=":material/stop:", key=f"{key}-stop", disabled=not moving):
        control.stop(store, runs)
        st.rerun()


def again(runs: Sequence[tuple[Store, str]], key: str) -> None:
    """Buttons that train runs once more, recorded ones too, and show them on the Live page."""
    for text, icon, same, about in (
        ("Run again, new seed", "casino", False, "The same runs with the next seeds: other examples, other starts"),
        (
            "Run again, same seed",
            "replay",
            True,
            "Train all of it again, as a run of its own. The results are the same",
        ),
    ):
        if st.button(text, icon=f":material/{icon}:", key=f"{key}-{'same' if same else 'new'}-seed", help=about):
            specs = [frames.run_spec(where, id) for where, id in runs]
            store = own()
            start(store, queue.again(store, specs, same=same))


def start(store: Store, plans: Sequence[RunPlan]) -> None:
    """Queue runs, make sure that a worker trains them, and go to the Live page to watch them."""
    sent = queue.submit(store, plans)
    if sent.todo:
        ensure_worker(store)
    st.session_state[GO] = ",".join(sent.runs)
    st.rerun()


def follow() -> None:
    """Draw the page anew when another tab or a command has changed the visitor's store."""
    with suppress(UserError):  # the page says what is wrong with the store
        fragment(_followed, FOLLOWING)(frames.whole_marker(own()))


def _followed(seen: str) -> None:
    if frames.whole_marker(own()) != seen:
        st.rerun()


def troubles(store: Store, runs: Sequence[str], states: dict[str, int], most: int = 3) -> None:
    """Why runs failed or were lost, with the last lines of the worker's log."""
    if states.get("queued") and not expected(store):
        st.warning(
            "Runs are queued, but no worker is running. Press Resume to start one.", icon=":material/hourglass_empty:"
        )
    if not (states.get("failed") or states.get("lost")):
        return
    found = frames.troubles(store, runs)
    for trouble in found[:most]:
        trouble_box(trouble)
    if len(found) > most:
        st.caption(f"and {len(found) - most} more")


def trouble_box(trouble: dict[str, Any]) -> None:
    st.error(
        f"Run {trouble['id'][:7]} {'failed' if trouble['state'] == 'failed' else 'was interrupted'}: "
        f"{plain(trouble['error'] or 'no reason was recorded')}",
        icon=":material/error:",
    )
    if trouble["log"]:
        with st.expander("Last lines of the worker's log", icon=":material/article:"):
            st.code("\n".join(trouble["log"]), language=None, wrap_lines=True)

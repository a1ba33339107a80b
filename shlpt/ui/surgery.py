"""Part of the Similarity page: other weights of the earlier prompts in a learned task's prompt, answered at once."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from shlpt.analysis import surgery
from shlpt.errors import UserError
from shlpt.plans import commands
from shlpt.plots import surgery as drawn
from shlpt.plots import theme
from shlpt.results import surgery as results
from shlpt.ui import page
from shlpt.ui.choose import NOT_HERE
from shlpt.ui.store import Shown

KEY = "scale"  # in the address, once for each factor other than one: yelp=0.5
AT_ONCE = 1000  # answers that are given without being asked for: about two seconds with the embedded backbone
LISTED = 200
SAID = {surgery.NEITHER: "neither better nor worse"}


def show(run: Shown, task: str) -> None:
    """Handles, what follows from them, and each prompt taken out in turn."""
    st.header("What the answers owe to each earlier prompt", anchor="surgery")
    with page.guard():
        with st.spinner("Loading the model …"):
            mixed = results.mixture(run.store, run.id, task)
        page.explain(
            "Take an earlier prompt out of the mixture, or change its weight: the frozen model answers the test texts "
            "again with the changed prompt. Nothing is trained. The own prompt stays, although without the mixture "
            "it would have learned something else.",
            6,
        )
        if not any(mixed.weights):
            st.info(
                "No earlier prompt was mixed into this one, so there is nothing to take out: the stored prompt is the "
                "task's own.",
                icon=":material/info:",
            )
            return
        page.again(operate)(run, mixed)


def operate(run: Shown, mixed: results.Mixture) -> None:
    """Only this part is redrawn when a handle moves."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        scaled = handles(mixed)
    outcome = results.operate(mixed, scaled)
    chosen = bool(surgery.asked(scaled))
    with right:
        st.badge("not retrained" if chosen else "as trained", color="orange" if chosen else "green")
        effect = outcome.effect if chosen else results.operate(mixed, dict.fromkeys(mixed.earlier, 0.0)).effect
        st.markdown(f"**{page.plain((surgery.said if chosen else surgery.said_of_all)(effect))}**")
        in_turn(mixed, outcome)
    if chosen:
        answers(outcome)
    page.warn([found] if (found := results.reproduced(mixed)) else [])
    with st.expander("The same on the command line", icon=":material/terminal:"):
        command = commands.surgery(
            run.id, mixed.task, surgery.asked(scaled), None if run.is_recorded else run.store.home
        )
        st.code(command, language=None, wrap_lines=True)


# --- the handles --------------------------------------------------------------------------
def handles(mixed: results.Mixture) -> dict[str, float]:
    """A factor for each earlier prompt, kept in the address."""
    keys = {name: f"{KEY}-{place}" for place, name in enumerate(mixed.earlier)}
    from_address(mixed, keys)
    scaled = {}
    for (name, key), weight in zip(keys.items(), mixed.weights, strict=True):
        label = f"{theme.titled(name)}, weight {weight:.2f}"
        about = "0 takes it out, 1 is as trained, 2 is double" if weight else "Weight 0: it is not in the mixture"
        st.markdown(page.plain(label), help=about)
        look = {"label_visibility": "collapsed", "disabled": not weight}  # read aloud as it is, without escapes
        scaled[name] = st.slider(label, 0.0, surgery.LARGEST, step=0.05, key=key, **look)
    with st.container(horizontal=True):
        for text, icon, value in (("All out", "content_cut", 0.0), ("As trained", "undo", 1.0)):
            help = "The own prompt alone" if not value else "All weights as they were in training"
            still = all(
                scaled[name] == value for name, weight in zip(mixed.earlier, mixed.weights, strict=True) if weight
            )
            look = {"icon": f":material/{icon}:", "help": help, "disabled": still}
            st.button(text, on_click=set_all, args=(tuple(keys.values()), value), **look)
    st.session_state[f"{KEY}-kept"] = kept = surgery.asked(scaled)
    if kept:
        st.query_params[KEY] = kept
    else:
        st.query_params.pop(KEY, None)
    return scaled


def set_all(keys: Sequence[str], value: float) -> None:
    for key in keys:
        st.session_state[key] = value


def from_address(mixed: results.Mixture, keys: dict[str, str]) -> None:
    """A link, the back button, or another task, whose handles start as trained."""
    asked, state, of = st.query_params.get_all(KEY), st.session_state, (mixed.run, mixed.task)
    other = state.get(f"{KEY}-of") not in (None, of)
    state[f"{KEY}-of"] = of
    if not other and asked == state.get(f"{KEY}-kept") and all(key in state for key in keys.values()):
        return
    found = dict.fromkeys(mixed.earlier, 1.0)
    for text in () if other else asked:
        try:
            found |= {name: value for name, value in surgery.factors(mixed.earlier, scale=[text]).items() if value != 1}
        except UserError as error:
            st.warning(f"{NOT_HERE}: {page.plain(str(error))}", icon=":material/link_off:")
    weights = dict(zip(mixed.earlier, mixed.weights, strict=True))
    for name, key in keys.items():
        state[key] = found[name] if weights[name] else 1.0


# --- what follows -------------------------------------------------------------------------
def in_turn(mixed: results.Mixture, outcome: results.Outcome) -> None:
    """A bar for the chosen weights, which is there at first so that nothing moves, and for each prompt taken out by
    itself."""
    lines = [pd.DataFrame([{"without": drawn.CHOSEN} | surgery.flat(outcome.effect)])]
    many = len(mixed.answers) * (len(mixed.earlier) + 1)
    if many <= AT_ONCE or st.toggle(f"Take out each prompt in turn ({many} answers)", key=f"{KEY}-turn"):
        with st.spinner("Taking out each prompt in turn …"):
            lines.append(results.in_turn(mixed))
    rows = pd.concat(lines, ignore_index=True)
    page.draw(drawn, rows, key="surgery", table=table(rows))
    st.caption(
        "Test texts whose answer changes. A weight is the mean over the training texts (eq. 7), by the estimator of "
        f"the best epoch; an earlier prompt includes what it took from those before it. {surgery.UNCORRECTED}"
    )


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """In percent and points."""
    shares = rows[["before", "after", "difference", "low", "high"]].astype(float) * 100
    named = rows.assign(**{name: shares[name].round(1) for name in shares})
    return named.assign(without=rows["without"].map(drawn.written)).rename(columns={"without": "prompt"})


def answers(outcome: results.Outcome) -> None:
    """The texts with another answer, literally."""
    rows = outcome.changed
    if rows.empty:
        return
    st.markdown("**Test texts with another answer**")
    names = {"change": "answer is", "target": "right answer", "before": "as trained", "after": "with these weights"}
    st.dataframe(
        rows.drop(columns=["example"]).head(LISTED).replace({"change": SAID}).rename(columns=names),
        hide_index=True,
        height=min(38 + 35 * len(rows), 320),
        column_order=["answer is", "as trained", "with these weights", "right answer", "text"],
        column_config={"text": st.column_config.TextColumn(width="large")},
    )
    if len(rows) > LISTED:
        st.caption(f"The first {LISTED} of {len(rows)}; the command lists all.")

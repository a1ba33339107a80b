"""What moves on the Live page, drawn by `cockpit.js`: stations, the pool with its ribbons, texts with their answers."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from shlpt.catalog import METHODS
from shlpt.plots import pool as ribbons
from shlpt.plots import theme
from shlpt.plots.pool import Ribbon
from shlpt.ui import stage

SCRIPT, STYLE = (Path(__file__).with_suffix(suffix) for suffix in (".js", ".css"))
HTML = '<div class="shlpt-cockpit"></div>'
POOL = 310  # pixels
NUMBERS = {  # of the equations, in their order
    "score": "score",
    "prior": "prior",
    "scaled": "exponent",
    "alpha": "α, this text",
    "kept": "α̂",
    "weight": "weight α̃",
    "mean": "α, mean of the batch",
}
NOTHING = 0.0005  # shares that are written as zero
Drawn = dict[str, Any]


@cache
def _component() -> Callable[..., Any]:
    script, style = (file.read_text(encoding="utf-8") for file in (SCRIPT, STYLE))
    return st.components.v2.component("shlpt_cockpit", html=HTML, css=style, js=script, isolate_styles=False)


def show(drawn: Drawn, key: str, on_station: Callable[[str], None] | None = None) -> None:
    """One part; the same key updates it in place. `on_station` is called before the page runs again."""

    def chosen() -> None:
        place = st.session_state[key].station
        if on_station and place:
            on_station(str(place["task"]))

    if on_station and not stage.offers(stage.FIGURES):
        drawn = drawn | {"stations": [one | {"fixed": True} for one in drawn["stations"]]}
    _component()(key=key, data=drawn, on_station_change=chosen)


def colors(dark: bool) -> dict[str, str]:
    found = {"ink": theme.TEXT, "faint": theme.FAINT, "grid": theme.GRID, "card": theme.SECOND, "ground": theme.GROUND}
    return {name: pair[dark] for name, pair in found.items()} | {
        "accent": theme.ACCENT[dark],
        "similar": theme.side_color(True, dark),
        "dissimilar": theme.side_color(False, dark),
        "helps": theme.effect_color("helps", dark),
        "harms": theme.effect_color("harms", dark),
    }


# --- stations -----------------------------------------------------------------------------
def strip(found: Mapping[str, Any], chosen: str, story: str, outcome: str, dark: bool) -> Drawn:
    """The tasks in their order with their state, and one sentence about what happens."""
    stations = [_station(one, chosen, dark) for one in found["stations"]]
    alone = found["references"]
    if alone["count"]:
        said = f"{alone['done']} of {alone['count']}"
        if alone["task"] and alone["done"] < alone["count"]:
            said += f", now {theme.titled(alone['task'])}"
        state = "done" if alone["done"] == alone["count"] else "training" if alone["task"] else "waiting"
        same = {"name": "\nalone", "label": "learned alone", "color": theme.FAINT[dark], "chosen": False}
        stations.append(same | {"state": state, "said": said, "share": alone["done"] / alone["count"], "fixed": True})
    return {"part": "strip", "stations": stations, "story": story, "outcome": outcome or None, "colors": colors(dark)}


def _station(one: Mapping[str, Any], chosen: str, dark: bool) -> dict[str, Any]:
    said = str(one["state"])
    if one["state"] == "done":
        said = "learned" if one["score"] is None else f"test {one['score']:.0%}"
    elif one["step"]:
        said = f"epoch {one['epoch']}, step {one['step']}"
        said = said if one["state"] == "training" else f"{one['state']}, {said}"
    share = 1.0 if one["state"] == "done" else min(1.0, one["step"] / max(1, one["steps"]))
    look = {"label": theme.titled(one["task"]), "color": theme.task_style(one["task"], dark).color}
    return look | {
        "name": one["task"],
        "state": one["state"],
        "said": said,
        "share": share,
        "chosen": one["task"] == chosen,
        "fixed": False,
    }


# --- the pool -----------------------------------------------------------------------------
def pool(found: Mapping[str, Any], moving: bool, dark: bool) -> Drawn:
    """What flows into the prompt of a task: earlier prompts with α, what else its method reuses, or its texts."""
    now, step = found["now"], found["now"]["step"]
    kind = ribbons.uses(now["method"], now["position"])
    shown = shown_ribbons(now)
    if kind == ribbons.TEXTS or not shown:
        items, kind = _texts_as_sources(found["learned_from"], theme.task_style(now["task"], dark).color), ribbons.TEXTS
    else:
        items = [_source(one, kind, bool(found["equations"]), dark) for one in shown]
    said = ribbons.legend(now["method"], now["position"], step, now["threshold"], now["lambdas"])
    several = f", seed {now['seed']}" if found["seeds"] > 1 else ""
    return {
        "part": "pool",
        "kind": kind,
        "of": theme.titled(now["task"]),
        "color": theme.task_style(now["task"], dark).color,
        "title": f"{_title(kind, now)}{several}",
        "items": items,
        "node": node(found),
        "delta": now["threshold"],
        "legend": said if kind != ribbons.TEXTS else _about_texts(now, found["learned_from"]),
        "alt": ribbons.alt(now["task"], shown, step) if shown else f"{_title(kind, now)}: {theme.titled(now['task'])}.",
        "moving": moving and not now["is_done"],
        "height": POOL,
        "equations": {one.name: panel(found, one.name) for one in shown if found["equations"]},
        "table": table(found["equations"]) if found["equations"] else {"head": [], "rows": []},
        "colors": colors(dark),
    }


def shown_ribbons(now: Mapping[str, Any]) -> list[Ribbon]:
    found = ribbons.ribbons(now["method"], now["earlier"], now["step"], now["lambdas"])
    return ribbons.folded(found)


def _title(kind: str, now: Mapping[str, Any]) -> str:
    info = METHODS[now["method"]]
    if kind == ribbons.ALPHA:
        return "Pool: what the new prompt takes from each earlier one"
    if kind == ribbons.REUSE:
        return f"What {info.title} reuses"
    return "The pool is still empty: learned from its texts" if now["position"] == 0 else f"{info.title} {info.about}"


def _about_texts(now: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    info, count = METHODS[now["method"]], given["count"]
    if now["position"] == 0 and info.keeps_prompts:
        then = "" if now["is_done"] else " When learned, its prompt is frozen and joins the pool."
        return f"Three of its {count} training texts.{then}"
    return f"Three of its {count} training texts."


def node(found: Mapping[str, Any]) -> list[str]:
    """What stands beside the new prompt."""
    now, step = found["now"], found["now"]["step"]
    station = next(one for one in found["stations"] if one["task"] == now["task"])
    begun = f"epoch {step['epoch'] + 1}, step {step['step']}" if step.get("step") else station["state"]
    lines = ["learned" if now["is_done"] else begun]
    if station["validation"] is not None:
        lines.append(f"validation {station['validation']:.0%}")
    return [*lines, f"chance {found['chance']:.0%}" if found["chance"] else ""]


def _source(one: Ribbon, kind: str, has_equations: bool, dark: bool) -> dict[str, Any]:
    value = f"{one.width:.2f}" if kind == ribbons.ALPHA else f"{one.width:.0%}"
    name = theme.titled(one.name)
    title = f"{name}: α = {value}, {one.side}" if kind == ribbons.ALPHA else f"{name}: {value}"
    if one.share is not None and 0 < one.share < 1:
        title += f", dissimilar for {one.share:.0%} of the batch"
    return vars(one) | {
        "label": name,
        "value": value,
        "title": title,
        "clicks": has_equations and one.count == 1,
        "color": theme.task_style(one.name, dark).color,
    }


def _texts_as_sources(given: Mapping[str, Any], color: str) -> list[dict[str, Any]]:
    same = {"side": ribbons.USED, "push": 0.0, "low": None, "high": None, "clicks": False, "color": color}
    count = max(1, len(given["texts"]))
    return [
        same
        | {"name": f"text {place}", "label": text, "value": target, "title": f"{text} → {target}", "width": 0.7 / count}
        for place, (text, target) in enumerate(given["texts"])
    ]


# --- equations ----------------------------------------------------------------------------
def panel(found: Mapping[str, Any], earlier: str) -> dict[str, Any]:
    """Equations 3 to 7 with the numbers of this step, for one earlier task."""
    eq, now = found["equations"], found["now"]
    rows = eq["rows"]
    row = next((one for one in rows if one["earlier"] == earlier), None)
    if row is None:
        return {}
    name, delta = theme.titled(earlier), eq["threshold"]
    alpha, lines = f"{row['alpha']:.3f}", []
    if row["score"] is not None:
        score, scaled = (_minus(f"{row[key]:.3f}") for key in ("score", "scaled"))
        what = "cosine" if now["cosine"] else "product"
        lines.append((3, f"the text in the space of prompts; its {what} with {name} is {score}"))
        prior = "" if row["prior"] is None else f" + the log prior {_minus(format(row['prior'], '.2f'))}"
        lines.append((4, f"{score} / τ{prior} = {scaled} with τ = {eq['temperature']:.3f}; its softmax is α = {alpha}"))
    else:
        lines.append((4, f"α = {alpha}, the mean of the batch; its scores are not stored"))
    sign, side = (">", "similar") if row["is_similar"] else ("≤", "dissimilar")
    lines.append((5, f"{alpha} {sign} δ = {delta:g}: {side}"))
    kept = sum(one["kept"] for one in rows)
    reason = "" if now["lends"] else ", as nothing is mixed in with these settings"
    weight = f"{row['kept']:.3f} / {kept:.3f} = {row['weight']:.3f}" if row["weight"] else f"0{reason}"
    lines.append((7, f"α̂ = {row['kept']:.3f}, weight α̃ = {weight}"))
    terms = [f"{one['weight']:.2f} · {theme.titled(one['earlier'])}" for one in rows if one["weight"] >= 0.005]
    lines.append((6, " + ".join([*terms[:6], *(["…"] if len(terms) > 6 else []), "its own prompt"])))
    order = sorted(lines, key=lambda line: (line[0] == 6, line[0]))  # the mixture last: it needs the weights
    said = [{"number": number, "said": text} for number, text in order]
    whose = "one text of the batch" if eq["text"] else "the batch"
    title = f"{theme.titled(now['task'])} and {name}: step {eq['step']}, {whose}"
    return {"title": title, "text": eq["text"], "lines": said}


def _minus(text: str) -> str:
    return text.replace("-", "−")


def table(eq: Mapping[str, Any]) -> dict[str, Any]:
    """All earlier tasks beside each other."""
    shown = {key: name for key, name in NUMBERS.items() if any(one[key] is not None for one in eq["rows"])}
    rows = [
        {"name": one["earlier"], "label": theme.titled(one["earlier"]), "cells": [f"{one[key]:.3f}" for key in shown]}
        for one in eq["rows"]
    ]
    for row in rows:
        row["cells"] = [_minus(cell) for cell in row["cells"]]
    if eq["none"] > NOTHING:
        cells = [f"{eq['none']:.3f}" if key == "alpha" else "" for key in shown]
        rows.append({"name": "\nnone", "label": "none of them", "cells": cells})
    return {"head": ["earlier task", *shown.values()], "rows": rows}


# --- texts --------------------------------------------------------------------------------
def texts(rows: Sequence[Mapping[str, Any]], dark: bool, title: str = "", over: str = "epochs") -> Drawn:
    """A few texts with what is answered to them now, and over the epochs."""
    shown = [
        {
            "right": one["right"],
            "mark": MARK[one["right"]],
            "said": SAID[one["right"]],
            "answer": one["answer"] or "(nothing)",
            "wanted": one["target"] if one["right"] is False else "",
            "text": one["text"],
            "title": f"{one['text']} → wanted: {one['target']}, answered: {one['answer']}",
            "course": one["course"],
            "history": f"right after {sum(one['course'])} of {len(one['course'])} {over}",
        }
        for one in rows
    ]
    return {"part": "texts", "title": title or _kind(rows), "rows": shown, "colors": colors(dark)}


MARK = {True: "✓", False: "✗", None: "·"}
SAID = {True: "right", False: "wrong", None: "not answered yet"}


def _kind(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "The answers of this seed are not recorded"
    if rows[0]["right"] is None:
        return "Validation texts; they are answered after the first epoch"
    if rows[0]["course"]:
        return "Answers to validation texts, with a mark for each epoch"
    return "Answers to test texts"

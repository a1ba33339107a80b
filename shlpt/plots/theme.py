"""The palette: colour, dash and mark of everything that is drawn, on light and on dark ground.

Tasks have sixteen colours in two groups of eight. Within a group, any two differ to normal eyes and with
the three kinds of colour blindness (`tests/plots/test_theme.py` simulates them); the groups
differ by dash and mark. The same name has the same colour on every page and in every export.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from shlpt.catalog import METHODS
from shlpt.catalog.titles import TITLES, VALUES, title_of, value_of
from shlpt.tasks.task import without_shots

LIGHT_TASKS = tuple(
    (
        "#064fbd #b8480f #3a836e #b46db3 #3b94f1 #d27e05 #27487d #8c1942 #687bf6 #6e4128 #5aa433 #6b3ece "
        "#336ea2 #537200 #9d8ea7 #b95361"
    ).split()
)
DARK_TASKS = tuple(
    (
        "#5784dd #e87f02 #4acb9f #ce9df0 #cbd4fd #f6cd15 #faf2cd #c33958 #7eadef #c0805c #b0e27f #9777f3 "
        "#5d9bac #dba92c #abb096 #f5bdda"
    ).split()
)
# The first eight are drawn solid with full marks, the others dashed with open ones.
TASK_ORDER = tuple("yelp sst2 agnews rte mnli qqp yahoo squad amazon imdb dbpedia cb wic copa boolq multirc".split())
MARKS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star")
PARTS = {"loss": 6, "down": 0, "hsc": 1, "asc": 2}  # parts of the loss, by their place among the colours

# Help is blue and harm orange; similar is green and dissimilar purple. Zero is the colour of the ground.
LIGHT_DIVERGING = tuple(
    "#7f3d02 #b9610f #e28a3d #f4b983 #fae0c4 #f7f6f3 #d2e3f2 #9cc1e4 #5f96cf #2a69ad #08417f".split()
)
DARK_DIVERGING = tuple(
    "#ffc788 #e59a48 #b8742c #855526 #50391f #20242b #28405f #35609a #4c86cb #72aef2 #a5d0ff".split()
)
LIGHT_SIDES = tuple("#5b1a73 #7b3294 #a271b6 #c7a9d3 #e7d9ec #f6f6f5 #d8ecd5 #a3d39c #5ba55e #1f7a3d #0a4d22".split())
DARK_SIDES = tuple("#e6c5f2 #cb97dd #9e6cb1 #6f487f #45304f #20242b #25402c #31683f #489159 #73c084 #aeebb6".split())
LIGHT_SEQUENTIAL = tuple("#eef3fb #d6e4f5 #b8d2ee #95bce5 #6fa4da #4b8bcb #3071b5 #1d5899 #10417a #082a57".split())
DARK_SEQUENTIAL = tuple("#1f2633 #243650 #29476d #305a8b #3a6faa #4d86c4 #6a9fd8 #8db8e8 #b3d1f4 #dceaff".split())

FONT = '"Source Sans", "Source Sans 3", Arial, sans-serif'
GROUND = {False: "#ffffff", True: "#15181d"}
SECOND = {False: "#f3f5f8", True: "#20242b"}
TEXT = {False: "#1d2430", True: "#e8ebf0"}
FAINT = {False: "#5b6472", True: "#a3acb9"}
GRID = {False: "#e3e7ed", True: "#30363f"}
ACCENT = {False: "#064fbd", True: "#5784dd"}
HEIGHT = 380
LONGEST = 64  # letters of a task's name
FADED = "faded: unclear"
SETTING = re.compile(r"\b([a-z]\w+)=(\S+)")
BIDI = re.compile("[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]")


@dataclass(frozen=True)
class Style:
    """How one thing looks in every figure."""

    color: str
    dash: str
    marker: str


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2s(text.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


def _style(place: int, colors: tuple[str, ...], dashes: tuple[str, str]) -> Style:
    second = place >= 8
    return Style(colors[place], dashes[second], MARKS[place % 8] + ("-open" if second else ""))


@cache
def task_style(name: str, dark: bool = False) -> Style:
    """Colour, dash and mark of a task; other names get theirs by a hash of the name."""
    colors = DARK_TASKS if dark else LIGHT_TASKS
    bare = name.removeprefix("pocket/")
    if bare in TASK_ORDER:
        return _style(TASK_ORDER.index(bare), colors, ("solid", "dash"))
    kind, sign, base = bare.partition(":")
    if sign and kind == "contrary" and base in TASK_ORDER:
        return _style(TASK_ORDER.index(base), colors, ("dot", "dot"))
    return _style(_hash(bare) % 16, colors, ("dashdot", "longdash"))


@cache
def method_style(name: str, dark: bool = False) -> Style:
    colors = DARK_TASKS if dark else LIGHT_TASKS
    place = list(METHODS).index(name) if name in METHODS else _hash(name)
    return _style(place % 16, colors, ("solid", "dash"))


def part_color(part: str, dark: bool = False) -> str:
    return (DARK_TASKS if dark else LIGHT_TASKS)[PARTS.get(part, 3)]


def diverging(dark: bool = False) -> list[list[Any]]:
    """Scale whose middle is zero: draw it with `zmid=0` and equal ends."""
    return _scale(DARK_DIVERGING if dark else LIGHT_DIVERGING)


def sides(dark: bool = False) -> list[list[Any]]:
    """Scale from dissimilar to similar."""
    return _scale(DARK_SIDES if dark else LIGHT_SIDES)


def side_color(similar: bool, dark: bool = False) -> str:
    return (DARK_SIDES if dark else LIGHT_SIDES)[9 if similar else 1]


def effect_color(effect: str, dark: bool = False) -> str:
    """Of a source: blue helps, orange harms, grey is the task learned alone."""
    scale = DARK_DIVERGING if dark else LIGHT_DIVERGING
    return {"helps": scale[8], "harms": scale[2] if dark else scale[1]}.get(effect, FAINT[dark])


def sequential(dark: bool = False) -> list[list[Any]]:
    return _scale(DARK_SEQUENTIAL if dark else LIGHT_SEQUENTIAL)


def _scale(colors: tuple[str, ...]) -> list[list[Any]]:
    return [[i / (len(colors) - 1), color] for i, color in enumerate(colors)]


def _rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def faded(color: str, share: float = 0.18) -> str:
    """A colour for bands: the same hue, mostly see-through."""
    red, green, blue = _rgb(color)
    return f"rgba({red},{green},{blue},{share})"


def white_letters(colors: list[list[Any]], share: np.ndarray) -> np.ndarray:
    """Where on a scale, from 0 to 1, white letters have more contrast than black ones: at least 4.5, as WCAG counts."""
    steps, channels = [at for at, _ in colors], np.array([_rgb(color) for _, color in colors]).T / 255  # [3,C]
    mixed = np.stack([np.interp(share, steps, channel) for channel in channels], axis=-1)  # [...,3], as it is drawn
    linear = np.where(mixed <= 0.04045, mixed / 12.92, ((mixed + 0.055) / 1.055) ** 2.4)
    found: np.ndarray = (linear @ [0.2126, 0.7152, 0.0722] + 0.05) ** 2 < 1.05 * 0.05
    return found


def pale(colors: list[list[Any]], dark: bool, share: float = 0.25) -> list[list[Any]]:
    """The same scale, most of the way to the ground."""
    return [[at, _mixed(color, GROUND[dark], share)] for at, color in colors]


def _mixed(color: str, ground: str, share: float) -> str:
    mine, other = _rgb(color), _rgb(ground)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in zip(mine, other, strict=True))


def titled(task: str) -> str:
    """The name to show: pocket tasks are stand-ins and always say so (`pocket/agnews`)."""
    ours = without_shots(task) in TASK_ORDER or task.startswith(("contrary:", "dial:"))
    return f"pocket/{task}" if ours else task


def side(name: str) -> str:
    """A side of a comparison (`per_task epochs=5`): its method and settings are written with their titles."""
    method, _, rest = name.partition(" ")
    named = f"{METHODS[method].title} {rest}".rstrip() if method in METHODS else name
    return SETTING.sub(_setting, named)


def _setting(found: re.Match[str]) -> str:
    whole, name, value = found[0], found[1], found[2]
    return f"{title_of(name)} {value_of(name, value)}" if name in TITLES or name in VALUES else whole


def literal(text: str, longest: int = 40) -> str:
    """A user's text as plotly shows it literally: no HTML, maths or template is interpreted."""
    text = " ".join(str(text).split())
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    isolate = bool(BIDI.search(text))  # a right-to-left mark must not turn what stands around it
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace("$", "&#36;").replace("%{", "&#37;{")
    return f"\u2068{text}\u2069" if isolate else text


def label(task: str) -> str:
    """A task's name for axes, legends and hovers."""
    return literal(titled(task), LONGEST)


@cache
def template(dark: bool = False) -> go.layout.Template:
    """The look of every figure; set explicitly, because another package may have changed plotly's default."""
    axis = {"gridcolor": GRID[dark], "linecolor": GRID[dark], "zeroline": False, "automargin": True}
    axis |= {"title": {"standoff": 8, "font": {"size": 14}}, "tickfont": {"color": FAINT[dark]}}
    font = {"color": TEXT[dark], "family": FONT}
    return go.layout.Template(
        layout={
            "font": {**font, "size": 14},
            "paper_bgcolor": GROUND[dark],
            "plot_bgcolor": GROUND[dark],
            "colorway": list((DARK_TASKS if dark else LIGHT_TASKS)[:10]),
            "colorscale": {"sequential": sequential(dark), "diverging": diverging(dark)},
            "xaxis": axis,
            "yaxis": axis,
            "height": HEIGHT,
            "margin": {"l": 8, "r": 12, "t": 28, "b": 8, "autoexpand": True},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
            "hoverlabel": {"bgcolor": SECOND[dark], "bordercolor": GRID[dark], "font": font, "align": "left"},
        }
    )

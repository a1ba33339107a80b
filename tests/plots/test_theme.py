"""The palette keeps its promises: tellable by everybody, fixed, and nothing of a user's text is interpreted."""

import subprocess
import sys
import tomllib
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shlpt.catalog import METHODS
from shlpt.plots import theme
from shlpt.tasks.pocket import TASKS

ROOT = Path(__file__).resolve().parents[2]
in_both = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
PALETTES = {False: theme.LIGHT_TASKS, True: theme.DARK_TASKS}
SEEN_BY = {  # Machado, Oliveira and Fernandes 2009, full deficiency, on linear RGB
    "everybody": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def linear(color: str) -> np.ndarray:
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(color: str, eyes: str = "everybody") -> np.ndarray:
    seen = np.clip(np.array(SEEN_BY[eyes]) @ linear(color), 0, 1)
    return np.array(TO_LAB) @ np.cbrt(np.array(TO_LMS) @ seen)


def luminance(color: str) -> float:
    return float(linear(color) @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@in_both
def test_colours_that_share_a_dash_differ_to_all_eyes(dark: bool) -> None:
    """The common eight-colour palette for the colour-blind (Okabe and Ito) reaches .076 by this measure."""
    for eyes, group in product(SEEN_BY, (PALETTES[dark][:8], PALETTES[dark][8:])):
        least = min(np.linalg.norm(oklab(a, eyes) - oklab(b, eyes)) for a, b in combinations(group, 2))
        assert least > 0.065, (eyes, group)


@in_both
def test_every_colour_stands_out_from_the_ground_and_sixteen_tasks_are_tellable(dark: bool) -> None:
    assert min(contrast(color, theme.GROUND[dark]) for color in PALETTES[dark]) >= 3
    assert contrast(theme.TEXT[dark], theme.GROUND[dark]) >= 7
    assert contrast(theme.FAINT[dark], theme.GROUND[dark]) >= 4.5
    assert contrast(theme.ACCENT[dark], theme.GROUND[dark]) >= 4.5
    assert set(theme.TASK_ORDER) == set(TASKS)
    styles = [theme.task_style(name, dark) for name in TASKS]
    assert len({style.color for style in styles}) == 16
    assert len({(style.dash, style.marker) for style in styles}) == 16


def test_methods_are_tellable_and_all_there() -> None:
    assert len({theme.method_style(name).color for name in METHODS}) == len(METHODS)
    plain, contrary = theme.task_style("sst2"), theme.task_style("contrary:sst2")
    assert plain.color == contrary.color
    assert plain.dash != contrary.dash
    assert theme.titled("agnews") == "pocket/agnews"
    assert theme.titled("contrary:sst2") == "pocket/contrary:sst2"
    assert theme.titled("pocket/agnews") == "pocket/agnews"
    assert theme.titled("mine") == "mine"


def test_a_name_has_the_same_colour_in_every_process() -> None:
    code = "from shlpt.plots.theme import task_style; print(task_style('my task').color)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == theme.task_style("my task").color


@in_both
@pytest.mark.parametrize("scale", [theme.diverging, theme.sides])
def test_a_diverging_scale_has_the_ground_at_zero_and_equal_sides(scale: Any, dark: bool) -> None:
    colors = [color for _, color in scale(dark)]
    assert len(colors) % 2 == 1
    middle = len(colors) // 2
    assert contrast(colors[middle], theme.GROUND[dark]) < 1.3
    from_ground = [contrast(color, theme.GROUND[dark]) for color in colors]
    assert from_ground[:middle] == sorted(from_ground[:middle], reverse=True)
    assert from_ground[middle:] == sorted(from_ground[middle:])
    for eyes in SEEN_BY:
        assert np.linalg.norm(oklab(colors[1], eyes) - oklab(colors[-2], eyes)) > 0.1


@in_both
def test_letters_on_a_scale_can_be_read(dark: bool) -> None:
    scale = theme.diverging(dark)
    for (at, color), white in zip(scale, theme.white_letters(scale, np.array([at for at, _ in scale])), strict=True):
        assert contrast(color, "#ffffff" if white else "#000000") >= 4.5, at
    shares = np.linspace(0, 1, 101)
    for share, white in zip(shares, theme.white_letters(scale, shares), strict=True):
        low, high = scale[int(share * 10)][1], scale[min(int(share * 10) + 1, 10)][1]
        between = theme._mixed(high, low, share * 10 % 1)
        assert contrast(between, "#ffffff" if white else "#000000") >= 4.5, share


@in_both
def test_help_and_harm_are_one_pair_of_colours_and_similar_and_dissimilar_another(dark: bool) -> None:
    effects, sides = ([color for _, color in scale(dark)] for scale in (theme.diverging, theme.sides))
    harms, helps = (effects[at] for at in (2, -3))
    assert oklab(helps)[2] < -0.05 < 0.05 < oklab(harms)[2]  # blue and orange
    similar, dissimilar = theme.side_color(True, dark), theme.side_color(False, dark)
    assert (dissimilar, similar) == (sides[1], sides[-2])
    assert oklab(similar)[1] < -0.05 < 0.05 < oklab(dissimilar)[1]  # green and purple
    assert min(contrast(color, theme.GROUND[dark]) for color in (similar, dissimilar)) >= 4.5


@in_both
def test_the_apps_theme_agrees_with_the_figures(dark: bool) -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    found = config["theme"]["dark" if dark else "light"]
    diverging = [color for _, color in theme.diverging(dark)]
    assert found["chartCategoricalColors"] == list(PALETTES[dark][:10])
    assert found["chartSequentialColors"] == [color for _, color in theme.sequential(dark)]
    assert found["chartDivergingColors"] == diverging[:5] + diverging[6:]
    assert (found["backgroundColor"], found["secondaryBackgroundColor"]) == (theme.GROUND[dark], theme.SECOND[dark])
    assert (found["textColor"], found["primaryColor"]) == (theme.TEXT[dark], theme.ACCENT[dark])


def test_text_is_shown_letter_by_letter() -> None:
    shown = {"<b>a</b> & b": "&lt;b&gt;a&lt;/b&gt; &amp; b", "cost $x^2$": "cost &#36;x^2&#36;", "%{x}": "&#37;{x}"}
    shown |= {"two\nlines": "two lines", "a\u202eb": "\u2068a\u202eb\u2069", "🙂 *a* _b_": "🙂 *a* _b_"}
    assert {text: theme.literal(text) for text in shown} == shown
    assert theme.literal("a" * 50) == "a" * 39 + "…"

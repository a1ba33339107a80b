"""Numbers for reading."""

import ast
from pathlib import Path

import pytest

from shlpt.analysis.points import difference, signed

ROOT = Path(__file__).resolve().parents[2]
READ = ("analysis", "lessons", "plots", "results", "sharing", "ui")  # rooms whose texts people read


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [(-45.04, "+.1f", "−45.0"), (3.2, "+.1f", "+3.2"), (-0.04, "+.1f", "0.0"), (-0.4, ".2f", "−0.40")],
)
def test_a_sign_is_a_minus_sign_and_zero_has_none(value: float, form: str, text: str) -> None:
    assert signed(value, form) == text


def test_a_difference_has_its_interval() -> None:
    assert difference({"difference": -0.0004, "ci95": (-0.02, 0.019)}) == "0.0 [−2.0, +1.9]"


def test_no_text_writes_a_sign_by_itself() -> None:
    """An f-string with a sign (`:+.1f`) would write a hyphen."""
    files = [*(file for room in READ for file in (ROOT / "shlpt" / room).rglob("*.py")), *(ROOT / "pages").glob("*.py")]
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
                first = node.format_spec.values[0]
                if isinstance(first, ast.Constant) and str(first.value).startswith("+"):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert found == []

"""Who may import whom, read from the source of every file; and how large a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from shlpt.catalog import METHODS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "shlpt").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

HEAVY = ("torch", "transformers", "peft", "streamlit")
LIGHT_RUNS = (
    "schema",
    "store",
    "artifacts",
    "liveness",
    "plan",
    "enqueue",
    "claims",
    "ledger",
    "control",
    "results",
    "queries",
    "launch",
    "watch",
    "named",
    "export",
    "listing",
)
FORBIDDEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("shlpt.spec", "shlpt.catalog", "shlpt.errors"),
        (
            *HEAVY,
            "shlpt.tasks",
            "shlpt.backbone",
            "shlpt.methods",
            "shlpt.training",
            "shlpt.runs",
            "shlpt.analysis",
            "shlpt.plots",
            "shlpt.sharing",
            "shlpt.ui",
            "shlpt.report",
            "shlpt.cli",
        ),
    ),
    "shlpt.tasks": (*HEAVY, "shlpt.backbone", "shlpt.methods", "shlpt.training", "shlpt.runs", "shlpt.ui"),
    "shlpt.backbone": ("streamlit", "shlpt.methods", "shlpt.training", "shlpt.runs", "shlpt.ui"),
    "shlpt.methods": ("streamlit", "shlpt.training", "shlpt.runs", "shlpt.ui"),
    "shlpt.training": ("streamlit", "shlpt.runs", "shlpt.ui"),
    **dict.fromkeys(
        (*(f"shlpt.runs.{name}" for name in LIGHT_RUNS), "shlpt.analysis", "shlpt.plots", "shlpt.paper"),
        (*HEAVY, "shlpt.backbone", "shlpt.methods", "shlpt.training", "shlpt.ui"),
    ),
    # Which weights a name stands for is told without loading them.
    **dict.fromkeys(
        (f"shlpt.runs.{name}" for name in ("submit", "experiments", "pace", "costs", "recorded", "inside")),
        (*HEAVY, "shlpt.backbone.t5", "shlpt.methods", "shlpt.training", "shlpt.ui"),
    ),
    "shlpt.backbone.files": (*HEAVY, "shlpt.backbone.t5"),
}
PAGES_MAY = (
    "shlpt.spec",
    "shlpt.catalog",
    "shlpt.errors",
    "shlpt.tasks",
    "shlpt.runs",
    "shlpt.analysis",
    "shlpt.plots",
    "shlpt.sharing",
    "shlpt.ui",
)


def module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imported(file: Path) -> frozenset[str]:
    """Every name a file imports, at its top or inside a function, as `package.module` and `package.module.name`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module(file).split(".")
                package = package if file.name == "__init__.py" else package[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def inside(package: str) -> list[Path]:
    return [file for file in SOURCES if within(module(file), (package,))]


# --- from below to above ------------------------------------------------------------------
@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_layer_does_not_know_the_layers_above_it(package: str) -> None:
    files = inside(package)
    assert files
    wrong = {
        str(file.relative_to(ROOT)): names
        for file in files
        if (names := sorted(name for name in imported(file) if within(name, FORBIDDEN[package])))
    }
    assert wrong == {}


def test_a_module_of_runs_that_says_it_needs_no_torch_is_held_to_it() -> None:
    saying = [
        module(f) for f in inside("shlpt.runs") if "No torch" in (ast.get_docstring(ast.parse(f.read_text())) or "")
    ]
    assert [name for name in saying if name not in FORBIDDEN] == []


def test_only_the_user_interface_knows_streamlit() -> None:
    knowing = [module(file) for file in SOURCES if any(within(name, ("streamlit",)) for name in imported(file))]
    assert [name for name in knowing if not within(name, ("shlpt.ui",))] == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_page_knows_no_torch_and_only_what_is_there_for_pages(file: Path) -> None:
    names = imported(file)
    assert [name for name in names if within(name, ("torch", "transformers"))] == []
    ours = [name for name in names if within(name, ("shlpt",)) and name != "shlpt"]
    assert [name for name in ours if not within(name, PAGES_MAY)] == []


def test_light_modules_stay_light_when_they_are_imported() -> None:
    """What they import must not load torch or streamlit either."""
    light = [module(file) for package, names in FORBIDDEN.items() if "torch" in names for file in inside(package)]
    code = (
        "import importlib, sys\n"
        f"for name in {light}:\n"
        "    importlib.import_module(name)\n"
        "    heavy = {'torch', 'streamlit'} & set(sys.modules)\n"
        "    if heavy: sys.exit(f'{name} loads {heavy}')"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
    assert {"shlpt.spec", "shlpt.tasks.find", "shlpt.runs.store", "shlpt.analysis.metrics"} <= set(light)


def test_what_pages_import_loads_no_torch() -> None:
    modules = {module(file) for file in SOURCES}
    used = sorted({name for file in PAGES for name in imported(file)} & modules)
    code = (
        "import importlib, sys\n"
        f"for name in {used}:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules: sys.exit(f'{name} loads torch')"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
    assert "shlpt.runs.store" in used


# --- files --------------------------------------------------------------------------------
@pytest.mark.parametrize("file", [*SOURCES, *PAGES, *TESTS], ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("file", [*SOURCES, *PAGES], ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_with_content_says_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if file.name != "__main__.py":
        assert not tree.body or ast.get_docstring(tree)


def test_every_method_of_the_catalogue_has_a_learner_and_the_other_way_round() -> None:
    from shlpt.methods.registry import LEARNERS

    assert set(LEARNERS) == set(METHODS)
    assert {info.name for info in METHODS.values()} == set(METHODS)
    assert len(set(LEARNERS.values())) == len(LEARNERS)

"""Who may import whom, read from the source of every file; and how large a file may be."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "shlpt").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

HEAVY = ("torch", "transformers", "peft", "streamlit")
# What each room may use of the others, and whether it may load torch when it is imported.
MAY: dict[str, tuple[str, ...]] = {
    "errors": (),
    "internet": (),
    "devices": (),
    "catalog": (),
    "spec": ("catalog", "errors"),
    "paper": ("errors",),
    "tasks": ("errors", "internet"),
    "backbone": ("errors", "internet", "spec", "tasks"),
    "store": ("errors",),
    "analysis": ("catalog", "errors", "paper", "tasks"),
    "plans": ("backbone.files", "catalog", "devices", "errors", "paper", "spec", "store", "tasks"),
    "plots": ("analysis.points", "catalog", "tasks"),
    "methods": ("analysis.estimators", "backbone", "catalog", "errors", "spec", "tasks"),
    "training": tuple(
        "analysis.metrics analysis.steps backbone catalog errors methods plans.stages spec store tasks".split()
    ),
    # Results read a stored estimator with the training core when somebody asks for α of a text.
    "results": tuple("analysis backbone catalog errors methods paper plans spec store tasks training".split()),
    "queue": ("catalog", "devices", "errors", "plans", "results", "spec", "store", "tasks"),
    # An adapter is compared with the model before it leaves.
    "sharing": tuple("analysis backbone catalog errors methods paper plans plots results spec store tasks".split()),
    "lessons": ("analysis", "errors", "paper", "plots", "results", "sharing.html", "store", "tasks"),
    "work": tuple(
        "analysis backbone catalog devices errors methods plans queue results spec store tasks training".split()
    ),
    "ui": tuple(
        "analysis catalog devices errors lessons paper plans plots queue results sharing spec store tasks".split()
    ),
}
LOADS_TORCH = ("backbone", "methods", "training", "work")  # all others must be light: pages and lists wait for no model
LIGHT_INSIDE = ("shlpt.backbone.files",)
PAGES_MAY = tuple("analysis catalog errors lessons paper plans plots queue results sharing spec store tasks ui".split())


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
            assert not node.level, f"{file} imports relatively: write the whole name"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def room(file: Path) -> str:
    return (*module(file).split("."), "shlpt")[1]


def not_allowed(file: Path, rooms: tuple[str, ...]) -> list[str]:
    allowed = tuple(f"shlpt.{name}" for name in ("version", *rooms))
    ours = [name for name in imported(file) if within(name, ("shlpt",)) and name != "shlpt"]
    return sorted(name for name in ours if not within(name, allowed) and not any(a.startswith(name) for a in allowed))


# --- from below to above ------------------------------------------------------------------
def test_every_room_uses_only_those_below_it() -> None:
    rooms = {room(file) for file in SOURCES} - {"shlpt", "cli", "version", "__main__"}
    assert rooms == set(MAY)
    wrong = {
        str(file.relative_to(ROOT)): names
        for file in SOURCES
        if room(file) in MAY and (names := not_allowed(file, (room(file), *MAY[room(file)])))
    }
    assert wrong == {}


def test_only_the_user_interface_knows_streamlit() -> None:
    knowing = {room(file) for file in SOURCES if any(within(name, ("streamlit",)) for name in imported(file))}
    assert knowing == {"ui"}


def test_pages_know_no_torch_and_only_what_is_there_for_pages() -> None:
    heavy = {file.name: [n for n in imported(file) if within(n, ("torch", "transformers"))] for file in PAGES}
    other = {file.name: not_allowed(file, PAGES_MAY) for file in PAGES}
    assert {name: found for name, found in heavy.items() if found} == {}
    assert {name: found for name, found in other.items() if found} == {}


def test_light_rooms_load_no_torch_when_they_are_imported() -> None:
    """Nor what they import."""
    light = [
        module(file)
        for file in SOURCES
        if room(file) not in (*LOADS_TORCH, "ui", "__main__")
        or within(module(file), tuple(f"shlpt.{m}" for m in LIGHT_INSIDE))
    ]
    used_by_pages = {name for file in PAGES for name in imported(file)} & {module(file) for file in SOURCES}
    code = (
        "import importlib, sys\n"
        f"for name in {light}:\n"
        "    importlib.import_module(name)\n"
        "    heavy = {'torch', 'streamlit'} & set(sys.modules)\n"
        "    if heavy: sys.exit(f'{name} loads {heavy}')\n"
        f"for name in {sorted(used_by_pages)}:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules: sys.exit(f'{name} loads torch')"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")
    assert {"shlpt.spec", "shlpt.tasks.find", "shlpt.store.store", "shlpt.queue.claims", "shlpt.cli.main"} <= set(light)


def test_the_names_of_the_package_bring_what_they_need_when_they_are_used() -> None:
    code = (
        "import sys, shlpt\n"
        "def loaded(): return [name for name in ('pydantic', 'pandas', 'torch') if name in sys.modules]\n"
        "steps = [loaded()]\n"
        "for name in ('RunSpec', 'Store', 'frames', 'run'):\n"
        "    getattr(shlpt, name)\n"
        "    steps.append(loaded())\n"
        "try: shlpt.nothing\n"
        "except AttributeError: print(steps)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    expected = [[], ["pydantic"], ["pydantic"], ["pydantic", "pandas"], ["pydantic", "pandas", "torch"]]
    assert (found.stdout.strip(), found.stderr) == (str(expected), "")


# --- files --------------------------------------------------------------------------------
def test_no_file_is_longer_than_400_lines() -> None:
    lines = {
        str(f.relative_to(ROOT)): len(f.read_text(encoding="utf-8").splitlines()) for f in (*SOURCES, *PAGES, *TESTS)
    }
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_every_module_with_content_says_what_it_is() -> None:
    trees = {f: ast.parse(f.read_text(encoding="utf-8")) for f in (*SOURCES, *PAGES) if f.name != "__main__.py"}
    assert [
        str(file.relative_to(ROOT)) for file, tree in trees.items() if tree.body and not ast.get_docstring(tree)
    ] == []

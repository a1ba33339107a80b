"""What is written about the project is there and true; its settings are the safe ones."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(f"{path.parent.relative_to(ROOT)}/" for path in (ROOT / "shlpt").glob("*/__init__.py"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "docs/LOG.md", "LICENSE"])
def test_a_document_is_there_and_has_content(name: str) -> None:
    assert len(text(name).split()) > 50


@pytest.mark.parametrize(
    "command",
    [
        "pip install -r requirements.txt && streamlit run app.py",
        "pip install -r requirements.txt -r requirements-dev.txt && pytest",
    ],
)
def test_the_readme_says_how_to_start_and_how_to_test(command: str) -> None:
    assert command in text("README.md")


@pytest.mark.parametrize("name", ["README.md", "docs/LOG.md", "docs/benchmarks.md", "docs/cluster.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    headings = re.findall(r"^#+ (.*)", text(name), re.MULTILINE)
    sections = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = [link for link in re.findall(r"\]\(([^)]*)\)", text(name)) if not link.startswith("http")]
    lost = [link for link in links if link.startswith("#") and link[1:] not in sections]
    lost += [link for link in links if not link.startswith("#") and not (ROOT / name).parent.joinpath(link).exists()]
    assert lost == []


@cache
def mapped() -> frozenset[str]:
    """The paths of the map: names at the beginning of a line, in the folder that the indentation says."""
    folders: list[str] = []
    found: set[str] = set()
    for line in text("ARCHITECTURE.md").split("```")[1].splitlines():
        del folders[(len(line) - len(line.lstrip())) // 2 :]
        for word in line.split():
            if not re.fullmatch(r"[\w./]+(/|\.\w+)", word):
                break
            found.add("".join([*folders, word]))
            if word.endswith("/"):
                folders.append(word)
    return frozenset(found)


def test_every_room_is_on_the_map() -> None:
    assert len(ROOMS) > 10
    assert [room for room in ROOMS if room not in mapped()] == []


def test_the_map_is_short() -> None:
    assert len(text("ARCHITECTURE.md").splitlines()) <= 150


def test_everything_on_the_map_is_there() -> None:
    assert [path for path in mapped() if not (ROOT / path).exists()] == []


def test_torch_is_pinned() -> None:
    assert "torch==2.13.0" in text("requirements.txt").splitlines()


SERVER = {"address": "127.0.0.1", "allowedHosts": ["localhost", "127.0.0.1"], "maxUploadSize": 25}
SERVER |= {"xsrfCookieSameSite": "strict", "fileWatcherType": "none", "headless": True}
SAFE = {"server": SERVER, "browser": {"gatherUsageStats": False}}
SAFE |= {"client": {"showErrorDetails": "none", "toolbarMode": "viewer"}}


def test_the_app_is_set_up_safely() -> None:
    found = tomllib.loads(text(".streamlit/config.toml"))
    for section, wanted in SAFE.items():
        assert {key: found[section][key] for key in wanted} == wanted


@pytest.mark.parametrize("key", ["enableXsrfProtection", "enableCORS"])
def test_no_protection_is_switched_off(key: str) -> None:
    assert tomllib.loads(text(".streamlit/config.toml"))["server"].get(key, True) is True

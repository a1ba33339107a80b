"""The table of all pages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from shlpt.ui import projector, stage

ROOT = Path(__file__).resolve().parents[2]
# Drawn here, because Streamlit fetches named icons from the internet.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#064fbd"/>'
    '<circle cx="10" cy="11" r="4" fill="#fff"/><circle cx="10" cy="22" r="4" fill="#f4b983"/>'
    '<path d="M14 11h5l4 5-4 5h-5" fill="none" stroke="#fff" stroke-width="2"/></svg>'
)


@dataclass(frozen=True)
class Entry:
    """A page: its file in `pages/`, name, icon, address and menu section."""

    path: str
    title: str
    icon: str
    url: str
    section: str = ""
    default: bool = False

    @property
    def file(self) -> Path:
        return ROOT / "pages" / self.path


PAGES = (
    Entry("overview.py", "Overview", ":material/home:", "overview", default=True),
    Entry("learn.py", "Learn", ":material/school:", "learn"),
    Entry("live.py", "Live", ":material/monitoring:", "live", "Train"),
    Entry("tasks.py", "Tasks", ":material/category:", "tasks", "Train"),
    Entry("similarity.py", "Similarity", ":material/join_inner:", "similarity", "Inspect"),
    Entry("activations.py", "Activations", ":material/grid_on:", "activations", "Inspect"),
    Entry("transfer.py", "Transfer", ":material/swap_horiz:", "transfer", "Evaluate"),
    Entry("threshold.py", "Threshold", ":material/tune:", "threshold", "Evaluate"),
    Entry("compare.py", "Compare", ":material/balance:", "compare", "Evaluate"),
    Entry("runs.py", "Runs", ":material/inventory_2:", "runs", "Evaluate"),
)


def place(url: str) -> str:
    """The file of the page with this address, for `st.page_link` and `st.switch_page`."""
    return str(next(entry.file for entry in PAGES if entry.url == url))


def navigation() -> Any:
    """The page to run, and the menu. Paths are absolute because the router is in another folder."""
    sections: dict[str, list[Any]] = {}
    for entry in PAGES:
        url = "home" if entry.default else entry.url
        page = st.Page(entry.file, title=entry.title, icon=entry.icon, url_path=url, default=entry.default)
        sections.setdefault(entry.section, []).append(page)
        if entry.default:  # Streamlit serves it only at the root

            def home(page: Any = page) -> None:
                st.switch_page(page)

            sections[entry.section].append(st.Page(home, title=entry.title, url_path=entry.url, visibility="hidden"))
    shown = stage.shows(stage.MENU) and not projector.is_on()
    return st.navigation(sections, expanded=True, position="sidebar" if shown else "hidden")

"""The look of every page beyond Streamlit's theme: a width for figures, captions and buttons that can be read."""

import streamlit as st

from shlpt.plots import theme
from shlpt.ui.page import POLLED, is_dark

SIDEBAR = 220  # pixels
WIDEST = 1700
PAPER = 0.6  # printed: figures keep their width on the screen, and a page of paper is narrower
CSS = """
[data-testid=stMainBlockContainer] {{ max-width: {widest}px; padding: 4rem 3rem 4rem; }}
@media (max-width: 640px) {{ [data-testid=stMainBlockContainer] {{ padding: 4rem 1rem 3rem; }} }}
[data-testid=stCaptionContainer], [data-testid=stCaptionContainer] * {{ color: {faint}; opacity: 1; }}
[data-testid=stSidebarNav] [data-testid=stNavSectionHeader] * {{ color: {faint}; opacity: 1; }}
[data-testid=stSidebarCollapseButton] {{ visibility: visible !important; display: block !important; }}
[data-testid=stMain] h1 {{ font-size: 2.2rem; padding: 0 0 .5rem; }}
[data-testid=stMain] h2 {{ font-size: 1.5rem; }}
[data-testid=stMain] h3 {{ font-size: 1.2rem; }}
.st-key-steps-said {{ min-height: 270px; }}
.st-key-steps-said li {{ font-size: 15px; line-height: 1.35; margin-bottom: 3px; }}
[data-testid=stBaseButton-primary] {{ color: {on_accent}; }}
[data-testid=stMain] button[data-selected=true] * {{ color: {chosen}; }}
[class*="st-key-{polled}-"] [data-stale=true] {{ opacity: 1; transition: none; }}
.st-key-stage-head {{ position: fixed; top: .7rem; right: 3.6rem; z-index: 999991; width: auto !important; }}
@page {{ size: landscape; margin: 10mm; }}
@media print {{
  html {{ print-color-adjust: exact; }}
  [data-testid=stSidebar], [data-testid=stHeader], .st-key-stage-head {{ display: none !important; }}
  [data-testid=stMainBlockContainer] {{ padding: 0; zoom: {paper}; }}
  [data-testid=stHorizontalBlock] {{ break-inside: avoid; }}
  [data-testid=stElementContainer]:not([data-testid=stColumn] *) {{ break-inside: avoid; }}
}}
"""


def frame() -> None:
    dark = is_dark()
    on_accent = theme.GROUND[True] if dark else theme.GROUND[False]  # on the dark theme's accent white is too faint
    chosen = theme.DARK_DIVERGING[-2] if dark else theme.ACCENT[dark]
    css = CSS.format(
        widest=WIDEST, faint=theme.FAINT[dark], on_accent=on_accent, chosen=chosen, polled=POLLED, paper=PAPER
    )
    st.html(f"<style>{css}</style>")

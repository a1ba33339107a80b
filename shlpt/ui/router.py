"""What Streamlit runs at every visit: the frame, then the page that the address names.

It does not stand beside `pages/`: there, Streamlit would run a page's file without it at a first deep link.
"""

from __future__ import annotations

import streamlit as st

from shlpt.ui.navigation import ICON, navigation


def main() -> None:
    st.set_page_config(page_title="SHLPT", page_icon=ICON, layout="wide")
    navigation().run()


if __name__ == "__main__":
    main()

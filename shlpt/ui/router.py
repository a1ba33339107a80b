"""Runs at every visit: the frame of the app, then the page in the address. It is not beside `pages/`, because Streamlit
would then run a page's file without this frame."""

import streamlit as st

from shlpt.ui import classroom, stage
from shlpt.ui.control import GO
from shlpt.ui.frame import SIDEBAR, frame
from shlpt.ui.navigation import ICON, navigation, place


def main() -> None:
    stage.install()
    # Before the menu: without an icon of the app, Streamlit would fetch that of the page from the internet.
    st.set_page_config(page_icon=ICON, layout="wide", initial_sidebar_state=SIDEBAR)
    page = navigation()
    st.set_page_config(page_title=f"{page.title} · SHLPT")
    frame()
    if runs := st.session_state.pop(GO, None):
        st.switch_page(place("live"), query_params={"runs": runs} | stage.carried())
    with classroom.around(page.url_path):
        page.run()


if __name__ == "__main__":
    main()

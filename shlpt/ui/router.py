"""Runs at every visit: the frame of the app, then the page in the address. It is not beside `pages/`, because Streamlit
would then run a page's file without this frame."""

import streamlit as st

from shlpt.ui.navigation import ICON, navigation


def main() -> None:
    st.set_page_config(page_title="SHLPT", page_icon=ICON, layout="wide")
    navigation().run()


if __name__ == "__main__":
    main()

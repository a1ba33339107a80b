"""Entry of the app: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from shlpt.ui.ahead import load_ahead
from shlpt.ui.assets import routes
from shlpt.ui.front import middleware

load_ahead()
app = st.App(Path(__file__).resolve().parent / "shlpt" / "ui" / "router.py", routes=routes(), middleware=middleware())

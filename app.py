"""Entry of the app: `streamlit run app.py`. It builds the app, nothing else."""

from pathlib import Path

import streamlit as st

from shlpt.ui.assets import routes

app = st.App(Path(__file__).resolve().parent / "shlpt" / "ui" / "router.py", routes=routes())

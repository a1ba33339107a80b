"""Entry of the app: `streamlit run app.py`. It says which pages there are, nothing else."""

import streamlit as st

st.set_page_config(page_title="SHLPT", layout="wide")
st.navigation([st.Page("pages/overview.py", title="Overview")]).run()

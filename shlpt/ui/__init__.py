"""The parts of pages. The only room that imports Streamlit."""

"""Parts of pages. The only package that imports Streamlit."""

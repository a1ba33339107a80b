"""Plotly.js from the plotly package itself, so that live charts need no internet."""

from __future__ import annotations

from pathlib import Path

import plotly
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from streamlit import config

FOLDER = "/plotly-js"
FILE = "plotly.min.js"


def routes() -> list[Mount]:
    """The folder as a route. Streamlit checks the host of its own routes only, so this one checks for itself."""
    files = StaticFiles(directory=Path(plotly.__file__).parent / "package_data")
    hosts = [*(config.get_option("server.allowedHosts") or ["localhost", "127.0.0.1"])]
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    return [Mount(FOLDER, app=files, middleware=[guard])]


def plotly_url() -> str:
    """Where the browser finds it; the version keeps it from using an older one it has kept."""
    return f"{FOLDER}/{FILE}?v={plotly.__version__}"

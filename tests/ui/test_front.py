"""The script before Streamlit's own: in HTML answers, and nowhere else."""

import asyncio
from typing import Any

import pytest

from shlpt.ui.assets import plotly_url
from shlpt.ui.front import SCRIPT, Front, middleware

HTML = b"<!doctype html><html><head><title>a</title></head></html>"


def ask(accept: bytes, *parts: bytes) -> tuple[dict[bytes, bytes], bytes, dict[bytes, bytes]]:
    """Headers and body of an answer in these parts, and the headers that the app was asked with."""
    asked: dict[bytes, bytes] = {}
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.update(dict(scope["headers"]))
        headers = [(b"content-type", b"text/html"), (b"content-length", str(len(b"".join(parts))).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for place, part in enumerate(parts):
            await send({"type": "http.response.body", "body": part, "more_body": place < len(parts) - 1})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"accept", accept), (b"accept-encoding", b"gzip"), (b"host", b"localhost")]}
    asyncio.run(Front(app, "<script>let a = 1;</script>")(scope, None, send))  # type: ignore[arg-type]
    return dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:]), asked


@pytest.mark.parametrize("parts", [[HTML], [HTML[:20], HTML[20:]]], ids=["whole", "in parts"])
def test_a_page_begins_with_the_script(parts: list[bytes]) -> None:
    headers, body, asked = ask(b"text/html,*/*", *parts)
    assert body == HTML.replace(b"<head>", b"<head><script>let a = 1;</script>")
    assert int(headers[b"content-length"]) == len(body)
    assert b"accept-encoding" not in asked  # a packed page has no head
    assert asked[b"host"] == b"localhost"


def test_other_answers_are_left_alone() -> None:
    _, body, asked = ask(b"*/*", HTML)
    assert body == HTML
    assert asked[b"accept-encoding"] == b"gzip"
    assert "</script" not in SCRIPT.read_text(encoding="utf-8")


def test_the_library_of_figures_is_fetched_while_the_app_starts() -> None:
    (before,) = middleware()
    assert f'<link rel="preload" as="script" href="{plotly_url()}">' in before.kwargs["head"]

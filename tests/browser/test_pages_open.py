"""Every page opens by its address alone, in light and dark, on a wide screen and on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from shlpt.ui.navigation import PAGES

ADDRESSES = ["", *(entry.url for entry in PAGES)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_opens_by_its_address(visit: Any, address: str, scheme: str) -> None:
    one = visit(address, scheme=scheme)
    one.page.wait_for_timeout(1000)  # mistakes in what polls appear later
    one.assert_whole()
    assert one.page.locator("h1").count() == 1
    dark = one.page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert (dark == "rgb(21, 24, 29)") == (scheme == "dark")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_phone_sees_all_of_it(visit: Any, address: str) -> None:
    one = visit(address, width=390)
    one.assert_whole()
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_chart_has_a_sentence(visit: Any) -> None:
    one = visit("")
    one.wait_for(lambda: one.page.locator(".js-plotly-plot").count() >= 3)
    for chart in one.page.locator(".shlpt-plot").all():
        assert len(chart.get_attribute("aria-label")) > 20

"""The threshold page in a browser: the line is dragged, a link shows the same, the league is drawn. What the page says
is tested without one."""

from typing import Any

from test_looking import shown

PLOT = "[aria-label^='Similarity against measured transfer']"
LEAGUE = ".js-plotly-plot[aria-label^='ROC area of']"
LINE = f"""() => {{
    const box = document.querySelector("{PLOT}"), {{ xaxis, yaxis, shapes }} = box._fullLayout;
    const edge = box.getBoundingClientRect();
    return [edge.left + xaxis._offset + xaxis.d2p(shapes[0].x0), edge.top + yaxis._offset + yaxis._length / 3,
            xaxis._length, shapes[0].x0, shapes[0].x1];
}}"""


def opened(visit: Any, address: str) -> Any:
    one = visit(address)
    one.wait_for(lambda: one.page.locator(f"{PLOT} .shapelayer path, {PLOT}.js-plotly-plot").count())
    one.page.evaluate(f"document.querySelector(\"{PLOT}\").scrollIntoView({{block: 'center'}})")
    one.still()
    return one


def test_the_line_is_dragged_and_the_numbers_and_the_address_follow(visit: Any) -> None:
    one = opened(visit, "threshold?estimator=declared&delta=0.05&cost=0.7")
    one.wait_for(lambda: "Recommended δ" in one.text())
    before, said = one.page.url, one.page.locator(PLOT).get_attribute("aria-label")
    one.page.evaluate(
        f"document.querySelector(\"{PLOT}\").on('plotly_afterplot', () => document.title = 'drawn again')"
    )
    x, y, width, start, _ = one.page.evaluate(LINE)
    one.page.mouse.move(x + 2, y)
    one.page.mouse.down()
    one.page.mouse.move(x + width / 8, y, steps=4)
    one.page.mouse.move(x + width / 4, y + 30, steps=4)
    one.page.mouse.up()
    one.wait_for(lambda: one.page.url != before)
    one.wait_for(lambda: one.page.locator(PLOT).get_attribute("aria-label") != said)
    _, _, _, first, second = one.page.evaluate(LINE)
    assert first == second  # still upright
    assert one.page.title() != "drawn again"  # the line moves alone: the points take a third of a second
    assert first > start + 0.2
    one.wait_for(lambda: "cost=0.7" in one.page.url)
    two = visit(one.page.url.split("/", 3)[3])
    for seen in (one, two):
        seen.wait_for(lambda seen=seen: "League of estimators" in seen.text())
        seen.wait_for(lambda seen=seen: seen.page.locator(LEAGUE).count())
        seen.settle()
        seen.assert_whole()
    assert shown(one) == shown(two)

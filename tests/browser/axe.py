"""axe-core, which finds what keeps people from reading and using a page. It comes with a package: no internet."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

RUN = """axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact) || one.id === 'heading-order')
    .map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join()}`))
"""
# While a page draws itself again, what is about to go fades; a faded text has another contrast.
MOVING = "[data-stale=true], [data-testid=stSkeleton], [data-testid=stApp]:not([data-test-script-state=notRunning])"
STILL = f"""() => !document.querySelector('{MOVING}') && document.getAnimations().every(
    (one) => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)
"""
PACKAGE = find_spec("axe_playwright_python")


def faults(one: Any) -> list[str]:
    """Serious faults of the page once nothing moves, and headings out of order."""
    assert PACKAGE is not None
    assert PACKAGE.origin is not None
    one.page.wait_for_function(STILL)
    one.page.evaluate(Path(PACKAGE.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = one.page.evaluate(RUN)
    return found

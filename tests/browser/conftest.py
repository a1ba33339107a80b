"""A real server, a real browser. Where there is no browser these tests are skipped, and say so loudly."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from storing import SLOW

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 30 * max(2.0, SLOW)
QUIET = 400  # milliseconds without a change of the page, after which a person would press something
# Every pause between two looks counts as a change: the page was too busy to look.
STILL = f"""() => {{
    const app = document.querySelector('[data-testid=stApp]'), now = performance.now(), before = window.shlptStill;
    const drawn = app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-testid=stSkeleton]');
    const count = document.getElementsByTagName('*').length;
    const same = drawn && before?.count === count && now - before.seen < {QUIET} / 2;
    window.shlptStill = {{ count, seen: now, since: same ? before.since : now }};
    return same && now - before.since > {QUIET};
}}"""
# A tab begins with an empty profile, except for the files that the browser has already loaded.
CLEAN = "sessionStorage.shlptBegan ?? (localStorage.clear(), sessionStorage.shlptBegan = 1)"
# How often the page has been drawn to its end. On a busy machine a part that looks for changes takes longer than its
# interval, and the pauses between two looks are too short to be met.
DRAWN = """window.shlptDrawn = 0;
new MutationObserver((changes) => {
    window.shlptDrawn += changes.some(({ target }) => target.dataset.testScriptState === 'notRunning');
}).observe(document, { subtree: true, attributeFilter: ['data-test-script-state'] });"""
REST = """(before) => window.shlptDrawn > before
    || document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow, and tried once more when they fail: server, worker and browser share two cores with the other tests."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass
class Server:
    """`streamlit run app.py` on a free port, with a store of its own."""

    home: Path
    process: Any = None
    port: int = 0
    started: list[float] = field(default_factory=list)  # seconds until it was healthy

    def start(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        environment = os.environ | {"SHLPT_HOME": str(self.home), "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        begin = time.monotonic()
        while time.monotonic() - begin < SECONDS:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=1)
            except OSError:
                time.sleep(0.05)
            else:
                self.started.append(time.monotonic() - begin)
                return
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def url(self, address: str) -> str:
        return f"http://127.0.0.1:{self.port}/{address}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("NO BROWSER HERE: the app is not tested in one. Install chromium to run these tests")
    playwright = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT HERE: pip install playwright")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def profile(browser: Any) -> Iterator[Any]:
    """What tabs share: the files of the app, which take two seconds of a processor in a new profile."""
    found = browser.new_context()
    yield found
    found.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For all files that only look: what a page has read once is there for the next."""
    yield from running(tmp_path_factory)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A file with `TRAINS = True` has a server and a store of its own."""
    if getattr(request.module, "TRAINS", False):
        yield from running(tmp_path_factory)
    else:
        yield request.getfixturevalue("served")


def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("home"))
    found.start()
    yield found
    found.kill()
    subprocess.run(["pkill", "-f", f"shlpt worker --home {found.home}"], check=False)


class Visit:
    """A page in a tab of its own."""

    def __init__(self, profile: Any, server: Server, address: str, scheme: str = "light", width: int = 1440) -> None:
        self.server = server
        self.page = profile.new_page()
        self.page.add_init_script(CLEAN)
        self.page.add_init_script(DRAWN)
        self.look(scheme, width)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.go(address)

    def look(self, scheme: str, width: int) -> None:
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 1600})

    def go(self, address: str) -> None:
        self.page.goto(self.server.url(address))
        self.settle()

    def settle(self) -> None:
        most = {"timeout": SECONDS * 1000, "polling": 50}
        self.page.wait_for_function(REST, arg=self.page.evaluate("window.shlptDrawn"), **most)
        self.page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", **most)

    def text(self) -> str:
        found: str = self.page.inner_text("[data-testid=stMain]")
        return found

    def wait_for(self, true: Any, seconds: float = SECONDS) -> Any:
        """Until something holds; what it was then."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := true():
                return found
            self.page.wait_for_timeout(100)
        raise AssertionError(f"it did not happen within {seconds:g} s; the page says:\n{self.text()[:2000]}")

    def still(self, most: float = 3.0) -> None:
        """Until the page has stopped drawing itself. A page that is drawn anew all the time is waited for this long."""
        from playwright.sync_api import TimeoutError as TooLong

        self.settle()
        with suppress(TooLong):
            self.page.wait_for_function(STILL, timeout=most * 1000, polling=QUIET / 8)
        self.settle()

    def press(self, name: str) -> None:
        """As a person does: not while the page is drawing itself."""
        self.still()
        self.page.get_by_role("button", name=name, exact=True).click()

    def assert_whole(self) -> None:
        assert self.page.locator("[data-testid=stException]").count() == 0, self.text()[:2000]
        assert self.errors == []

    def close(self) -> None:
        self.page.close()


@pytest.fixture
def visit(profile: Any, server: Server) -> Iterator[Any]:
    visits: list[Visit] = []
    profiles: list[Any] = []

    def open_page(address: str, clean: bool = False, **options: Any) -> Visit:
        """`clean`: in a profile of its own, which has never seen the app."""
        if clean:
            profiles.append(profile.browser.new_context())
        visits.append(Visit(profiles[-1] if clean else profile, server, address, **options))
        return visits[-1]

    yield open_page
    for one in [*visits, *profiles]:
        one.close()


@pytest.fixture(scope="module")
def tab(profile: Any, server: Server) -> Iterator[Visit]:
    """One tab for tests that go from page to page in it."""
    found = Visit(profile, server, "learn")
    yield found
    found.close()

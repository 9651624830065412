"""The site in a real browser, served from this machine, with every other machine out of reach.

Any Chromium will do: Debian's, Chrome, or one that Playwright has downloaded. Where there is none the tests
are skipped, and say so; under CI=true they fail.
"""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
FLAGS = [
    *["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
    *["--disable-background-networking", "--disable-component-update"],
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def a_browser(playwright) -> str | None:
    candidates = [shutil.which(name) for name in NAMES] + [*PLACES, playwright.chromium.executable_path]
    return next((path for path in candidates if path and Path(path).is_file()), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = a_browser(playwright)
        if path is None:
            say = "no Chromium, Chrome or Edge on this machine: the site was not opened in a browser"
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(say)
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the built site."""
    if not (HTML / "index.html").is_file():
        pytest.fail("the site is not built: make book")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


SETTLED = """async () => {
    await document.fonts.ready;
    if (window.MathJax?.startup?.promise) await MathJax.startup.promise;
}"""


class Visit:
    """One page in a browser's window, and everything that went wrong on it."""

    def __init__(self, window: BrowserContext, address: str):
        self.page = window.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.faults.append(said.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("requestfailed", lambda asked: self.faults.append(f"failed: {asked.url}"))
        self.page.on("response", lambda got: got.status >= 400 and self.faults.append(f"{got.status}: {got.url}"))
        home = address[: address.index("/", len("http://")) + 1]
        self.page.on(
            "request",
            lambda asked: asked.url.startswith(("data:", "blob:", home)) or self.faults.append(f"outside: {asked.url}"),
        )
        self.page.goto(address, wait_until="load")
        self.page.evaluate(SETTLED)


@pytest.fixture(scope="session")
def windows(browser) -> Iterator[Callable[..., BrowserContext]]:
    """Windows that keep what they have fetched, one for each kind asked for."""
    opened: dict[str, BrowserContext] = {}

    def window(**kind) -> BrowserContext:
        if str(kind) not in opened:
            opened[str(kind)] = browser.new_context(**kind)
        return opened[str(kind)]

    yield window
    for each in opened.values():
        each.close()


@pytest.fixture
def visit(browser, server):
    """Open a page of the site, or an address, in a window of its own or in the one given."""
    opened: list[BrowserContext | Page] = []

    def visit(page: str, window: BrowserContext | None = None, **kind) -> Visit:
        new = window or browser.new_context(**kind)
        seen = Visit(new, page if "://" in page else server + page)
        opened.append(seen.page if window else new)
        return seen

    yield visit
    for each in opened:
        each.close()

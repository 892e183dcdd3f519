"""A real Chromium on the real service: a town whose every name is hostile, computed with a flood, on a free port.

Name resolution is off in the browser, as it is in many offices; only this machine's address answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from app import assets
from app.adding import Addition, add, new_study
from app.main import create_app
from app.run import compute
from app.settings import Settings
from app.store import Workspace
from tests.app import drawn_town
from tests.conftest import IN_CI
from tests.data.osm.drawn import Town

SCREENSHOTS = Path(__file__).parent / "screenshots"
DESK, POCKET = (1280, 800), (390, 844)
HOSTILE = (
    "{{7*7}}", "</script><script>alert(1)</script>", "{% raw %}", '"><img src=x onerror=alert(1)>',
    "<svg onload=alert(1)>", "${7*7}",
)  # fmt: skip
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def hostile_town() -> Town:
    """The drawn town with two named quarters, and hostile words for the name of everything."""
    town = drawn_town.town()
    for number, (nodes, tags) in town.ways.items():
        if "name" in tags or "building" in tags:
            word = HOSTILE[number % len(HOSTILE)]
            town.ways[number] = (nodes, {**tags, "name": word, "name:en": word})
    town.box(90, -40, -40, 320, 300, boundary="administrative", admin_level="10", name=HOSTILE[3], name__en=HOSTILE[1])
    town.box(91, 280, -40, 380, 300, boundary="administrative", admin_level="10", name="学府", name__en=HOSTILE[0])
    return town.node(999, 300, 100, place="suburb", name=HOSTILE[4])


def made(folder: Path, study_id: str, extract: Path, *, name: str, flood: Path | None = None) -> Workspace:
    """A workspace with a study, its ordinary day and its flood when there is one, all computed."""
    workspace = Workspace.open(folder / "workspace")
    new_study(workspace, study_id, extract, name=name)
    if flood is not None:
        add(workspace, study_id, Addition("hazard", flood, hazard="flood", unit="m", scenario="flood"))
    compute(workspace, study_id)
    return workspace


@dataclass
class Served:
    """A service that answers."""

    address: str
    workspace: Workspace


def serving(workspace: Workspace, **settings: str) -> Iterator[Served]:
    """Serve a workspace from a thread of this process until the caller is done."""
    app = create_app(Settings.read(workspace=workspace.path, **settings))
    config = uvicorn.Config(app, port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://127.0.0.1:{port}", workspace)
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def _assets() -> None:
    missing = [asset.name for asset in assets.listed() if not (assets.folder() / asset.name).is_file()]
    if missing and IN_CI:
        pytest.fail(f"front-end files are missing ({missing[0]}, …): make assets")
    if missing:
        pytest.skip(f"front-end files are missing ({missing[0]}, …): make assets")


@pytest.fixture(scope="session")
def service(_assets: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The hostile town, served."""
    folder = tmp_path_factory.mktemp("town")
    extract = hostile_town().write(folder / "town.osm")
    yield from serving(made(folder, "town", extract, name=HOSTILE[1], flood=drawn_town.flood(folder)))


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield running
        running.close()


@dataclass
class Visit:
    """A page that is open, and everything that went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ready(self) -> Visit:
        """Wait until the first layers are drawn and nothing is being asked for."""
        self.page.wait_for_selector("html[data-ready]")
        self.page.wait_for_load_state("networkidle")
        return self

    def keep(self, name: str) -> None:
        """Keep a picture of what is seen."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.wait_for_timeout(400)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def unfold(self) -> Visit:
        """Open every topic of the legend."""
        self.page.evaluate(
            "() => document.querySelectorAll('details.topic').forEach((topic) => { topic.open = true; })"
        )
        return self

    def foreign(self, address: str) -> list[str]:
        """What was asked of other hosts."""
        return [url for url in self.asked if not url.startswith((f"{address}/", "data:", "blob:"))]


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens pages, each in a browser profile of its own; they are closed at the end."""
    contexts = []

    def opened(url: str, size: tuple[int, int] = DESK) -> Visit:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("pageerror", lambda error: seen.errors.append(f"error: {error}"))
        seen.page.on("console", lambda said: said.type in ("error", "warning") and seen.errors.append(said.text))
        seen.page.on("dialog", lambda dialog: (seen.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.goto(url)
        return seen

    yield opened
    for context in contexts:
        context.close()

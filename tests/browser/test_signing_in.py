"""A service with keys, under the path of a proxy, as a browser meets it: a key once, then maps with all their data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.access import Scope, audit, keys
from app.store.register import Register
from tests.browser.conftest import Served, serving

MAP = "/plans/studies/town?lang=en"


@pytest.fixture(scope="module")
def secured(service: Served) -> Iterator[Served]:
    """The hostile town, for those who have a key."""
    yield from serving(service.workspace, access="keys", root_path="/plans")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser without cookies."""
    context = browser.new_context(locale="en")
    yield context.new_page()
    context.close()


def test_who_signs_in_sees_maps_with_their_data_and_stays_signed_in(secured: Served, page: Page) -> None:
    register = Register.open(secured.workspace.path)
    _, text = keys.create(register, "<b>planner</b>", (Scope.read,), by=audit.AT_HAND)
    register.close()
    opened = page.goto(f"{secured.address}{MAP}")
    assert opened and opened.status == 401
    page.get_by_label("Key").fill("rx_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()

    wrong: list[str] = []
    tiles: list[str] = []
    page.on("console", lambda said: said.type == "error" and wrong.append(f"{said.text} {said.location['url']}"))
    page.on("response", lambda got: got.status >= 400 and wrong.append(f"{got.status} {got.url}"))
    page.on("request", lambda asked: tiles.append(asked.url) if "/tiles/" in asked.url else None)
    page.get_by_label("Key").fill(text)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("html[data-ready]")
    page.wait_for_load_state("networkidle")
    assert page.url == f"{secured.address}{MAP}"
    assert tiles and all("/plans/tiles/" in url and "ticket=t1." in url for url in tiles)

    page.locator("a.home").click()
    page.wait_for_url("**/plans/?lang=en")
    page.get_by_role("link", name="中文").click()
    page.locator(".open a").first.click()
    page.wait_for_selector("html[data-ready]")
    assert wrong == [], "\n".join(wrong)

    page.goto(f"{secured.address}/plans/login?lang=en")
    expect(page.locator("main")).to_contain_text("<b>planner</b>")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/plans/login*")
    gone = page.goto(f"{secured.address}{MAP}")
    assert gone and gone.status == 401

"""The check of a study as a planner meets it: every name as plain words, findings filtered without any script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, HOSTILE, POCKET, Open, Served, Visit


@pytest.fixture
def checked(service: Served, visit: Open) -> Visit:
    """The check of the hostile town, in English."""
    return visit(f"{service.address}/studies/town/check?lang=en")


@pytest.mark.parametrize("size", [DESK, POCKET], ids=["desk", "pocket"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_goes_wrong_and_nothing_comes_from_elsewhere(
    service: Served, visit: Open, lang: str, size: tuple[int, int]
) -> None:
    seen = visit(f"{service.address}/studies/town/check?lang={lang}", size)
    seen.keep(f"check-{lang}-{size[0]}")
    assert seen.errors == []
    assert seen.foreign(service.address) == []
    assert seen.page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]
    expect(seen.page.locator("h1")).to_contain_text(HOSTILE[1])
    expect(seen.page.locator("script, img, iframe, form")).to_have_count(0)
    assert seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_verdict_comes_first_and_says_what_is_missing(checked: Visit) -> None:
    verdict = checked.page.locator(".verdict")
    expect(verdict.locator("h2")).to_have_text("Ready, with warnings")
    expect(verdict).to_contain_text("Missing: Fire stations")
    expect(checked.page.locator(".needs li.missing:not(.minor)")).not_to_have_count(0)
    expect(checked.page.locator(".needs li", has_text="People").locator(".from")).to_have_text("estimated")
    assert checked.errors == []


def test_findings_are_filtered_by_severity(checked: Visit) -> None:
    shown = checked.page.locator(".finding:visible")
    every = shown.count()
    label = checked.page.locator(".filter label.warning")
    warnings = int(re.findall(r"\d+", label.text_content() or "")[0])
    assert 0 < warnings < every
    label.click()
    expect(shown).to_have_count(warnings)
    expect(checked.page.locator(".finding.info:visible")).to_have_count(0)
    checked.page.locator("#only-warning").focus()
    checked.page.keyboard.press("ArrowLeft")  # the radio before it that can be chosen
    expect(shown).to_have_count(every)


def test_layers_of_the_drawing_are_switched(checked: Visit) -> None:
    flood = checked.page.locator(".mark.hazard.cells")
    expect(flood).to_be_visible()
    checked.page.locator(".legend label", has_text="flood").click()
    expect(flood).to_be_hidden()
    expect(checked.page.locator(".sketch .ground")).to_be_visible()
    assert checked.errors == []


def test_a_layer_unfolds_to_its_columns_and_values(checked: Visit) -> None:
    layer = checked.page.locator("details.layer", has_text="Hazard")
    expect(layer.locator("table.columns")).to_be_hidden()
    layer.locator("summary").click()
    expect(layer.locator("table.columns tbody tr")).to_have_count(1)
    expect(layer.locator("dl")).to_contain_text("EPSG:32631")
    assert checked.errors == []


def test_the_map_and_the_check_lead_to_each_other(service: Served, visit: Open) -> None:
    seen = visit(f"{service.address}/studies/town?scenario=flood&lang=en").ready()
    seen.page.locator("#panel .check a").click()
    expect(seen.page.locator(".verdict")).to_be_visible()
    seen.page.locator(".go a").click()
    seen.ready()
    expect(seen.page.locator("#panel h1")).to_be_visible()
    assert seen.errors == []


def test_without_scripts_it_is_all_there(service: Served, visit: Open) -> None:
    seen = visit(f"{service.address}/")
    context = seen.page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    page = context.new_page()
    page.goto(f"{service.address}/studies/town/check?lang=zh")
    page.locator(".filter label.info").click()
    expect(page.locator(".finding.warning").first).to_be_hidden()
    assert page.locator(".finding.info:visible").count() > 0
    context.close()

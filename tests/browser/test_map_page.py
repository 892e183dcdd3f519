"""The study's page as a planner meets it: no error, nothing from elsewhere, hostile names as plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

import tiles.layer
from app.deps import Service
from app.maps.page import style_card
from tests.browser.conftest import DESK, HOSTILE, POCKET, Open, Served, Visit
from tests.tiles.test_style import EVERY
from tiles.style import Style


@pytest.fixture
def town(service: Served, visit: Open) -> Visit:
    """The flooded town in English, drawn."""
    return visit(f"{service.address}/studies/town?scenario=flood&lang=en").ready()


def plan(seen: Visit, script: str, argument: object = None) -> object:
    return seen.page.evaluate(script, argument)


@pytest.mark.parametrize("size", [DESK, POCKET], ids=["desk", "pocket"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_goes_wrong_and_nothing_comes_from_elsewhere(
    service: Served, visit: Open, lang: str, size: tuple[int, int]
) -> None:
    seen = visit(f"{service.address}/studies/town?scenario=flood&lang={lang}", size).ready()
    seen.keep(f"town-{lang}-{size[0]}")
    assert seen.errors == []
    assert seen.foreign(service.address) == []
    assert seen.page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]
    expect(seen.page.locator("#attribution")).to_contain_text("© OpenStreetMap contributors")
    expect(seen.page.locator(".leaflet-control-scale-line")).to_be_visible()
    expect(seen.page.locator("#panel dl.numbers > div")).to_have_count(16)


def test_every_layer_can_be_switched_on_and_off(service: Served, town: Visit) -> None:
    boxes = town.unfold().page.locator("#legend input[type=checkbox]")
    assert boxes.count() >= 20
    for i in range(boxes.count()):
        row = town.page.locator("#legend .layer").nth(i)
        boxes.nth(i).set_checked(True)
        expect(row).to_have_attribute("data-state", "on")
    town.page.wait_for_load_state("networkidle")
    town.keep("town-all-layers")
    for i in range(boxes.count()):
        boxes.nth(i).set_checked(False)
        expect(town.page.locator("#legend .layer").nth(i)).to_have_attribute("data-state", "off")
    assert town.errors == []
    assert town.foreign(service.address) == []


def test_hostile_names_are_shown_as_they_are(town: Visit) -> None:
    expect(town.page.locator("h1")).to_have_text(HOSTILE[1])
    listed = town.page.locator(".community strong").all_text_contents()
    assert set(listed) >= {HOSTILE[0], HOSTILE[1]}
    assert town.page.locator("img[src='x'], svg[onload], #panel script, .leaflet-popup script").count() == 0
    assert "49" not in "".join(listed)
    assert town.errors == []


def test_a_community_is_found_from_the_list_and_says_why(town: Visit) -> None:
    first = town.page.locator(".community button").first
    reason = first.locator(".why").text_content()
    first.click()
    popup = town.page.locator(".leaflet-popup")
    expect(popup.locator("h3")).to_have_text(first.locator("strong").text_content() or "")
    expect(popup.locator(".reason").first).to_have_text(reason or "")
    expect(first).to_have_attribute("aria-current", "")
    town.keep("town-community")
    town.page.keyboard.press("Escape")
    expect(popup).to_have_count(0)
    assert town.errors == []


def test_a_click_on_the_map_tells_what_is_there(town: Visit) -> None:
    """The school is the town's only shelter: a click on its sign opens its card, name and all."""
    at = plan(town, """() => {
      const sign = Renxing.layers.get("shelters").shapes.find((shape) => shape instanceof Renxing.ShapeMarker);
      map_plan.setView(sign.getLatLng(), 17, { animate: false });
      const { x, y } = map_plan.latLngToContainerPoint(sign.getLatLng());
      const box = map_plan.getContainer().getBoundingClientRect();
      return [box.left + x, box.top + y];
    }""")  # fmt: skip
    town.page.mouse.click(*at)  # type: ignore[misc]
    expect(town.page.locator(".leaflet-popup h3")).to_have_text(HOSTILE[60 % len(HOSTILE)])
    expect(town.page.locator(".leaflet-popup th", has_text="People in it")).to_have_count(1)
    assert town.page.locator(".leaflet-popup img").count() == 0


def test_a_way_tells_its_minutes_and_its_steps(town: Visit) -> None:
    """Directions are a list, a line a step, with the names of streets as they are."""
    town.page.evaluate("() => Renxing.layers.get('routes').show()")
    town.page.wait_for_load_state("networkidle")
    town.page.evaluate("""() => {
      const layer = Renxing.layers.get("routes"), shape = layer.shapes[0];
      Renxing.openCard(map_plan, { layer, shape, properties: shape.feature.properties }, shape.getBounds().getCenter());
    }""")
    card = town.page.locator(".leaflet-popup .card")
    expect(card.locator("th", has_text="In a wheelchair")).to_have_count(1)
    steps = card.locator("ol.steps li").all_text_contents()
    assert len(steps) >= 3 and any(name in " ".join(steps) for name in HOSTILE)
    assert "sec" not in (card.text_content() or "")
    assert card.locator("img, svg[onload], script").count() == 0 and town.errors == []
    assert town.errors == []


def test_the_page_can_be_used_from_the_keyboard(town: Visit) -> None:
    box = town.page.locator("#show-streets")
    box.focus()
    town.page.keyboard.press("Space")
    expect(town.page.locator(".layer:has(#show-streets)")).to_have_attribute("data-state", "on")
    town.page.locator(".community button").first.focus()
    town.page.keyboard.press("Enter")
    expect(town.page.locator(".leaflet-popup .card")).to_be_focused()
    names = plan(
        town, "() => [...document.querySelectorAll('button, input')].map((e) => e.textContent || e.ariaLabel || e.id)"
    )
    assert all(names)  # type: ignore[arg-type]


def test_scenario_and_language_are_a_click_away(town: Visit) -> None:
    town.page.locator(".languages a", has_text="中文").click()
    town.ready()
    expect(town.page.locator(".languages a[aria-current]")).to_have_text("中文")
    town.page.locator(".scenarios a:not([aria-current])").click()
    town.ready()
    expect(town.page.locator("#show-hazard_flood")).to_have_count(0)
    assert town.errors == []


def test_the_page_may_not_act_as_this_server(service: Served, town: Visit) -> None:
    """The sandbox holds: an origin of its own, no storage, no way out; what was put in is not run."""
    assert plan(town, "() => self.origin") == "null"
    assert "SecurityError" in str(
        plan(town, "() => { try { return String(localStorage) } catch (e) { return String(e) } }")
    )
    town.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.bad = 1\">')")
    town.page.evaluate("fetch('http://a.example/').catch(() => 0)")
    town.page.wait_for_timeout(200)
    assert plan(town, "() => window.bad") is None
    assert any("Content Security Policy" in error for error in town.errors)


def test_data_that_does_not_come_is_said_and_asked_for_again(service: Served, visit: Open) -> None:
    seen = visit(f"{service.address}/studies/town?scenario=flood&lang=en").ready()
    seen.page.route("**/layers/demand.geojson", lambda route: route.abort())
    seen.page.locator("#show-demand").check()
    row = seen.page.locator(".layer:has(#show-demand)")
    expect(row).to_have_attribute("data-state", "failed")
    expect(row.locator(".state")).to_contain_text("The data did not come")
    seen.page.unroute("**/layers/demand.geojson")
    row.locator("button", has_text="Try again").click()
    expect(row).to_have_attribute("data-state", "on")
    assert seen.page.locator(".layer[data-state=failed]").count() == 0


def test_a_base_map_that_does_not_come_is_said(service: Served, visit: Open) -> None:
    seen = visit(f"{service.address}/studies/town?lang=en").ready()
    seen.page.route("**/base/**", lambda route: route.abort())
    seen.page.reload()
    expect(seen.page.locator("#message")).to_contain_text("The base map did not come")
    seen.page.unroute("**/base/**")
    seen.page.locator("#message button").click()
    expect(seen.page.locator("#message")).to_be_hidden()
    assert seen.page.locator("#message").text_content() == ""


def test_large_layers_come_as_vector_tiles(service: Served, visit: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing small enough to be fetched in one piece, every table goes out as tiles and is drawn and asked."""
    monkeypatch.setattr(tiles.layer, "FETCHED_FEATURES", 0)
    monkeypatch.setattr(Service, "page", Service._page)  # a page that was drawn before is kept otherwise
    seen = visit(f"{service.address}/studies/town?scenario=flood&lang=en").ready()
    for name in ("demand", "streets", "street_flows", "facilities"):
        if seen.page.locator(f"#show-{name}").count():
            seen.page.locator(f"#show-{name}").check()
    seen.page.wait_for_load_state("networkidle")
    seen.keep("town-tiled")
    assert any("/communities/" in url and url.endswith(".mvt") for url in seen.asked)
    assert not any(url.endswith(".geojson") for url in seen.asked)
    hit = plan(seen, """() => {
      const box = Renxing.view.communities[0].bounds, latlng = L.latLng((box[1] + box[3]) / 2, (box[0] + box[2]) / 2);
      return Renxing.under({ latlng }).map((hit) => hit.layer.card.id);
    }""")  # fmt: skip
    assert "communities" in hit  # type: ignore[operator]
    assert seen.errors == []


def values_of(look: Style) -> list[object]:
    """Every bound with what lies just beside it, every named value, one that is not named, and none."""
    if look.kind != "ramp":
        return [*(v for cls in look.classes for v in cls.values), "no such", None]
    bounds = look.uppers[np.isfinite(look.uppers)]
    return [*(float(bound + by) for bound in bounds for by in (-0.001, 0, 0.001)), 0, -1, 1e9, None]


def test_the_page_puts_values_into_the_same_classes(town: Visit) -> None:
    """Classification in the page against the one in Python, bounds and missing values included."""
    asked = {name: [style_card(look, "en"), values_of(look)] for name, look in EVERY.items()}
    script = """(asked) => Object.fromEntries(Object.entries(asked).map(([name, [style, values]]) =>
      [name, values.map((value) => Renxing.classOf(style, { [style.column]: value }))]))"""
    wanted = {name: look.classify(pd.Series(values_of(look), dtype=object)).tolist() for name, look in EVERY.items()}
    assert plan(town, script, asked) == wanted


def test_the_start_page_lists_the_study(service: Served, visit: Open) -> None:
    for lang, size in (("zh", DESK), ("en", POCKET)):
        seen = visit(f"{service.address}/?lang={lang}", size)
        seen.keep(f"start-{lang}-{size[0]}")
        expect(seen.page.locator("article h2")).to_have_text(HOSTILE[1])
        assert seen.errors == []
        assert seen.foreign(service.address) == []
    seen.page.locator("article h2 a").click()
    seen.ready()
    expect(seen.page.locator("h1")).to_have_text(HOSTILE[1])

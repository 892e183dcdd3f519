"""Service circles on the page: shut until asked for, rings that do not mix, sentences in a community's card, tiles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

import tiles.layer
from app.deps import Service
from tests.app import circles_made
from tests.browser.conftest import DESK, POCKET, Open, Served, Visit, serving

HARD = "=1+1 <script>alert(1)</script> {{ 7*7 }} 坎彭"


@pytest.fixture(scope="module")
def covered(_assets: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The run made by hand with its services; its study has no extract that can be read, so no base map."""
    yield from serving(circles_made.saved(tmp_path_factory.mktemp("covered"))[0])


@pytest.fixture
def page(covered: Served, visit: Open) -> Visit:
    return opened(covered, visit)


def opened(covered: Served, visit: Open, lang: str = "en", size: tuple[int, int] = DESK) -> Visit:
    """The page with its base map left out: it is another test's."""
    seen = visit("about:blank", size)
    seen.page.route("**/base/**", lambda route: route.fulfill(body=b""))
    seen.page.goto(f"{covered.address}/studies/kampen?scenario=flood&lang={lang}")
    return seen.ready()


def switch(seen: Visit, name: str) -> None:
    seen.page.locator(f"#show-{name}").check()
    expect(seen.page.locator(f".layer:has(#show-{name})")).to_have_attribute("data-state", "on")
    seen.page.wait_for_load_state("networkidle")


def test_services_are_shut_until_asked_for_and_nothing_is_brought(page: Visit) -> None:
    topics = page.page.locator("details.topic")
    expect(topics).to_have_count(6)
    assert [topics.nth(i).get_attribute("open") for i in range(6)] == [None] * 6
    assert not any("/circle" in url or "/demand" in url for url in page.asked)
    page.page.locator("details.topic summary", has_text="Ambulance").click()
    expect(page.page.locator("#show-circles_medical")).to_be_visible()
    switch(page, "circles_medical")
    expect(page.page.locator("details.topic summary", has_text="Ambulance").locator("small")).to_have_text("1 shown")
    assert sum("/circles_medical.geojson" in url for url in page.asked) == 1
    assert page.errors == []


@pytest.mark.parametrize(("lang", "size"), [("zh", DESK), ("en", POCKET)])
def test_every_drawing_of_a_service_is_drawn(covered: Served, visit: Open, lang: str, size: tuple[int, int]) -> None:
    seen = opened(covered, visit, lang, size).unfold()
    if size == POCKET:
        seen.page.locator("#open-legend").click()
    for name in ("circles_fire", "circles_fire_normal", "circle_depth_fire", "responsibility_fire", "losses_fire",
                 "homes_fire", "circles_everyday", "homes_everyday", "streets_fire_engine"):  # fmt: skip
        switch(seen, name)
    seen.keep(f"circles-{lang}-{size[0]}")
    assert seen.errors == []
    assert seen.foreign(covered.address) == []


def test_rings_are_seen_through_as_one(page: Visit) -> None:
    """Opaque in their pane, the pane half clear: where rings lie one on another the colour is the inmost one's."""
    switch(page.unfold(), "circles_fire")
    opacity = page.page.evaluate("() => Number(map_plan.getPane('layer-circles_fire').style.opacity)")
    fills = page.page.evaluate("() => Renxing.layers.get('circles_fire').shapes.map((s) => s.options.fillOpacity)")
    assert 0 < opacity < 1
    assert set(fills) == {1}
    below = page.page.evaluate("() => Renxing.layers.get('communities').shapes[0].options.fillOpacity")
    assert below < 0.1


def here(seen: Visit) -> list[str]:
    """What a click in the middle of the smallest ring offers, by title."""
    at = seen.page.evaluate("""() => {
      const ring = Renxing.layers.get("circles_fire").shapes.at(-1);
      map_plan.setView(Renxing.middle(ring), 17, { animate: false });
      const { x, y } = map_plan.latLngToContainerPoint(Renxing.middle(ring));
      const box = map_plan.getContainer().getBoundingClientRect();
      return [box.left + x + 12, box.top + y + 9];
    }""")
    seen.page.mouse.click(*at)
    return seen.page.locator(".leaflet-popup .here button span").all_text_contents()


def test_a_click_names_the_smallest_ring_and_the_community(page: Visit) -> None:
    page.page.locator("#show-shelters").uncheck()
    switch(page.unfold(), "circles_fire")
    assert here(page) == ["Fire engine: reach", HARD]
    page.page.locator(".leaflet-popup .here button").first.click()
    card = page.page.locator(".leaflet-popup .card")
    expect(card.locator(".class")).to_have_text("within 5 min")
    expect(card.locator("tr", has_text="Streets reached").locator("td")).to_have_text("0 km")


def test_a_community_s_card_says_its_services(page: Visit) -> None:
    page.page.locator(".community button").first.click()
    card = page.page.locator(".leaflet-popup .card")
    expect(card.locator(".reason")).to_have_text(
        ["7 are cut off.", "The fire loses 7.", "The medical loses 7.", "The police loses 7."]
    )
    share = card.locator("tr", has_text="Everyday needs complete").locator("td")
    expect(share).to_contain_text("0 %")
    expect(share.locator("small")).to_have_text("normal day 50 %")
    expect(card.locator("tr", has_text="Most people lack").locator("td")).to_have_text("Medical care")
    assert page.errors == []


def test_a_home_says_what_it_lacks(page: Visit) -> None:
    switch(page.unfold(), "homes_everyday")
    cards = page.page.evaluate("""() => {
      const layer = Renxing.layers.get("homes_everyday");
      const field = layer.card.fields.find((one) => one.column === "circle_missing");
      return layer.shapes.map((shape) => Renxing.written(field, shape.feature.properties.circle_missing));
    }""")
    assert sorted(cards) == ["Medical care, Safety", "nothing"]


def test_station_names_are_written_on_their_ground(page: Visit) -> None:
    switch(page.unfold(), "responsibility_fire")
    page.page.evaluate("() => map_plan.setZoom(17, { animate: false })")
    assert set(page.page.locator(".number.called").all_text_contents()) == {HARD, "East"}
    hatched = page.page.evaluate("""() => Renxing.layers.get("responsibility_fire").shapes
      .filter((shape) => shape.options.fillColor instanceof CanvasPattern).length""")
    assert hatched == 1
    assert page.errors == []


def test_circles_of_many_vertices_look_the_same_as_tiles(
    covered: Served, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles.layer, "FETCHED_VERTICES", 0)
    monkeypatch.setattr(Service, "page", Service._page)  # a page that was drawn before is kept otherwise
    seen = opened(covered, visit).unfold()
    for name in ("circles_fire", "circles_fire_normal", "circle_depth_fire", "circles_everyday"):
        switch(seen, name)
    seen.keep("circles-tiled")
    assert not any("/circle" in url and url.endswith(".geojson") for url in seen.asked)
    seen.page.locator("#show-shelters").uncheck()
    for name in ("circles_fire_normal", "circle_depth_fire", "circles_everyday"):
        seen.page.locator(f"#show-{name}").uncheck()
    minutes = seen.page.evaluate("""() => {
      const { lat, lng } = L.latLng(map_plan.options.center), spot = L.latLng(lat, lng);
      return Renxing.layers.get("circles_fire").atTile(spot).map((hit) => hit.properties.minutes);
    }""")
    assert minutes and minutes == sorted(minutes)
    assert seen.errors == []


def cards(seen: Visit, layer: str, which: str) -> list[str]:
    """Title, second line and labels of the card of the features of a layer for which ``which`` holds."""
    seen.page.evaluate(f"""() => {{
      const layer = Renxing.layers.get("{layer}");
      const shape = layer.shapes.find(({{ feature: {{ properties }} }}) => {which});
      Renxing.openCard(map_plan, {{ layer, shape, properties: shape.feature.properties }}, map_plan.getCenter());
    }}""")
    card = seen.page.locator(".leaflet-popup .card").last
    return [text.strip() for text in card.locator("h3, .class, th, td").all_text_contents()]


def test_ground_without_a_station_says_so(page: Visit) -> None:
    switch(page.unfold(), "responsibility_fire")
    told = cards(page, "responsibility_fire", "!properties.facility_id")
    assert told[:2] == ["No station gets there", "Fire engine: areas of responsibility"]
    assert told[2::2] == ["People without a station", "Area"]
    owned = cards(page, "responsibility_fire", "properties.facility_id === 'f2'")
    assert owned[:2] == ["East", "Fire engine: areas of responsibility · East (too large)"]
    assert "Arrival, 95 % within" in owned and "People without a station" not in owned
    assert page.errors == []


@pytest.mark.parametrize("tiled", [False, True])
def test_of_a_normal_day_one_ring_is_drawn_and_can_be_chosen(
    covered: Served, visit: Open, monkeypatch: pytest.MonkeyPatch, tiled: bool
) -> None:
    if tiled:
        monkeypatch.setattr(tiles.layer, "FETCHED_VERTICES", 0)
    seen = opened(covered, visit).unfold()
    switch(seen, "circles_fire_normal")
    hits = """() => {
      const layer = Renxing.layers.get("circles_fire_normal");
      const { lat, lng } = L.latLng(map_plan.options.center);
      const found = layer.card.delivery === "mvt" ? layer.atTile(L.latLng(lat, lng)).map((hit) => hit.properties)
        : layer.shapes.map((shape) => shape.feature.properties);
      return [...new Set(found.map(({ minutes }) => minutes))];
    }"""
    # Tiles may still be on their way when the layer is on.
    seen.page.wait_for_function(f"() => ({hits})().length > 0")
    assert seen.page.evaluate(hits) == [15]
    seen.keep(f"normal-day-{'tiles' if tiled else 'whole'}")
    assert seen.errors == []


def test_people_nobody_knows_are_not_written_as_none(page: Visit) -> None:
    told = page.page.evaluate("""() => {
      const card = Renxing.layers.get("circles_fire").card;
      const field = card.fields.find(({ column }) => column === "people");
      return [Renxing.written(field, null), Renxing.written(field, 0)];
    }""")
    assert told == ["–", "0 people"]

"""Kampen under its flood and Nanjing with its Chinese names, from file to screen; pictures are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import shared_data
from tests.browser.conftest import DESK, POCKET, Open, Served, made, serving

KAMPEN = ("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif")
NANJING = "osm/nanjing-hongtao45_bbox.osm.xml"


def files(*names: str) -> list[Path]:
    if why_not := shared_data.why_not(*names):
        pytest.skip(why_not)
    return [shared_data.folder() / name for name in names]


@pytest.fixture(scope="module")
def kampen(_assets: None, chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    extract, flood = files(*KAMPEN)
    yield from serving(made(tmp_path_factory.mktemp("kampen"), "kampen", extract, name="Kampen", flood=flood))


@pytest.fixture(scope="module")
def nanjing(_assets: None, chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    (extract,) = files(NANJING)
    yield from serving(made(tmp_path_factory.mktemp("nanjing"), "nanjing", extract, name="Nanjing Gulou"))


@pytest.mark.parametrize(("lang", "size"), [("zh", DESK), ("en", DESK), ("zh", POCKET)])
def test_kampen_under_the_flood(kampen: Served, visit: Open, lang: str, size: tuple[int, int]) -> None:
    seen = visit(f"{kampen.address}/studies/kampen?scenario=flood&lang={lang}", size).ready()
    seen.keep(f"kampen-{lang}-{size[0]}")
    assert seen.errors == []
    assert seen.foreign(kampen.address) == []
    statuses = seen.page.locator(".community").evaluate_all("(items) => items.map((item) => item.className)")
    assert "community bad" in statuses
    people = seen.page.locator(".classes small").all_text_contents()
    assert any(text for text in people)


def test_kampen_close_up_with_everything_on(kampen: Served, visit: Open) -> None:
    seen = visit(f"{kampen.address}/studies/kampen?scenario=flood&lang=en").ready()
    seen.page.evaluate("() => void map_plan.setView([52.5575, 5.9135], 16, { animate: false })")
    for name in ("demand", "streets", "facilities"):
        seen.page.locator(f"#show-{name}").check()
        expect(seen.page.locator(f".layer:has(#show-{name})")).to_have_attribute("data-state", "on", timeout=20_000)
    seen.page.wait_for_load_state("networkidle")
    seen.keep("kampen-close-up")
    assert seen.errors == []


def test_chinese_names_reach_the_screen(nanjing: Served, visit: Open) -> None:
    seen = visit(f"{nanjing.address}/studies/nanjing?lang=zh").ready()
    seen.keep("nanjing-zh")
    seen.page.evaluate("""() => {
      const layer = Renxing.layers.get("shelters");
      const shape = layer.shapes.find((one) => /[\\u4e00-\\u9fff]/.test(one.feature.properties.name) && one.getLatLng);
      map_plan.setView(shape.getLatLng(), 17, { animate: false });
      Renxing.openCard(map_plan, { layer, shape, properties: shape.feature.properties }, shape.getLatLng());
    }""")
    seen.page.wait_for_load_state("networkidle")
    seen.keep("nanjing-shelter")
    heading = seen.page.locator(".leaflet-popup h3").text_content() or ""
    assert any("\u4e00" <= sign <= "\u9fff" for sign in heading)
    assert seen.errors == []
    assert seen.foreign(nanjing.address) == []

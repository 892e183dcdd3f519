"""From a run to what a reader sees, on the run made by hand and on small tables of our own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from app import views
from app.showing import Shown
from app.views import GROUPS, STATUS_ORDER
from tests.app.hand_made import HOSTILE, saved
from tiles.layer import Layer, Raster, spoken
from tiles.text import Text


@dataclass
class Tables:
    """A run of nothing but tables."""

    held: dict[str, gpd.GeoDataFrame]
    headline: dict[str, Any] = field(default_factory=dict)
    rasters: dict[str, Raster] = field(default_factory=dict)

    @property
    def names(self) -> Collection[str]:
        return [*self.held, *self.rasters]

    def table(self, name: str) -> gpd.GeoDataFrame:
        return self.held[name]

    def raster(self, name: str) -> Raster:
        return self.rasters[name]


def communities(status: list[str], unserved: list[int]) -> gpd.GeoDataFrame:
    n = len(status)
    return gpd.GeoDataFrame(
        {"community_id": [f"c{i}" for i in range(n)], "name": [f"n{i}" for i in range(n)], "status": status,
         "people": [1000] * n, "people_unserved": unserved, "reason_zh": ["因"] * n, "reason_en": ["why"] * n},
        geometry=[shapely.box(i, 0, i + 1, 1) for i in range(n)], crs="EPSG:4326",
    )  # fmt: skip


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return Shown(saved(tmp_path)[1])


@pytest.fixture
def layers(shown: Shown) -> dict[str, Layer]:
    return {layer.layer_id: layer for layer in shown.layers}


def test_layers_come_group_by_group(shown: Shown) -> None:
    groups = [layer.group for layer in shown.layers]
    assert groups == sorted(groups, key=GROUPS.index)
    assert {layer.layer_id for layer in shown.layers} == {
        "hazard_flood", "communities", "demand", "shelters", "streets", "streets_depth",
    }  # fmt: skip


def test_what_is_seen_first(layers: dict[str, Layer]) -> None:
    assert {name for name, layer in layers.items() if layer.visible} == {"hazard_flood", "communities", "shelters"}
    order = [layers[name].draw_order for name in ("hazard_flood", "communities", "streets", "demand", "shelters")]
    assert order == sorted(order)


def test_every_word_is_in_both_languages(layers: dict[str, Layer]) -> None:
    texts = [t for layer in layers.values() for t in (layer.title, *(f.label for f in layer.fields))]
    texts += [row.label for layer in layers.values() for row in layer.legend]
    assert all(text.zh and text.en for text in texts)


def test_fields_are_columns_that_are_there(layers: dict[str, Layer]) -> None:
    for layer in layers.values():
        if layer.features is not None:
            assert [f.column for f in layer.fields if not set(spoken(f.column)) & set(layer.features.columns)] == []


def test_the_legend_counts_everybody(layers: dict[str, Layer]) -> None:
    assert sum(row.people or 0 for row in layers["communities"].legend) == 12
    assert sum(row.people or 0 for row in layers["demand"].legend) == 12
    assert sum(row.features or 0 for row in layers["shelters"].legend) == 2


def test_no_way_is_a_class_of_its_own(layers: dict[str, Layer]) -> None:
    counts = {row.label.en: row.people for row in layers["demand"].legend if row.people}
    assert counts == {"0–3 min": 5, "No way there": 7}


def test_a_flood_is_drawn_by_depth(layers: dict[str, Layer]) -> None:
    flood = layers["hazard_flood"]
    assert (flood.title, flood.delivery, flood.raster.unit if flood.raster else "") == (
        Text("淹没水深", "Flood depth"),
        "png",
        "m",
    )
    assert flood.legend[0].label.en == "0–0.15 m"
    assert all(row.symbol.fill for row in flood.legend)


def test_empty_tables_are_left_out_but_for_the_main_ones() -> None:
    none = communities([], [])
    run = Tables({"communities": none, "demand": none.assign(walk_s=[]), "shelters": none.assign(usable=[])})
    assert [(layer.layer_id, layer.count) for layer in views.layers(run)] == [("communities", 0), ("shelters", 0)]


def test_water_on_streets_needs_some_that_is_known() -> None:
    streets = communities(["good"], [0]).assign(walk_reason=None, depth_max_m=np.nan)
    assert [layer.layer_id for layer in views.layers(Tables({"streets": streets}))] == ["streets"]


def test_any_hazard_has_a_title_and_classes(tmp_path: Path) -> None:
    path = tmp_path / "h.tif"
    with rasterio.open(path, "w", driver="GTiff", height=1, width=3, count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(1, 0, 0, 0, -1, 1)) as target:  # fmt: skip
        target.write(np.array([[0, 2, 5]], dtype="float32"), 1)
    run = Tables({}, rasters={"hazard_landslide": Raster(path, "class"), "hazard_ash": Raster(path, "kg/m²")})
    ash, slide = views.layers(run)
    assert slide.title == Text("灾害强度：滑坡", "Hazard: landslide")
    assert ash.title == Text("灾害强度：ash", "Hazard: ash")
    assert [row.label.en for row in ash.legend] == ["0–1 kg/m²", "1–2 kg/m²", "2–3 kg/m²", "3–4 kg/m²", "4–5 kg/m²"]


def test_numbers(shown: Shown) -> None:
    found = {number.key: number for number in views.numbers(shown)}
    assert [n.value for n in found.values()] == [12, 5, 7, 7, 1, 125.4]
    assert (found["served"].of, found["served"].normal) == (12, 12)
    assert found["walk"].normal is None
    assert found["shelters"].of == 2


def test_a_number_that_is_not_known_is_not_zero() -> None:
    found = views.numbers(Tables({}, headline={"people": None, "people_served": float("nan")}))
    assert [number.value for number in found] == [None] * 6


def test_standings_weakest_first(shown: Shown) -> None:
    found = views.standings(shown)
    assert [(s.community_id, s.status, s.people_unserved) for s in found] == [("c1", "bad", 7), ("c2", "good", 0)]
    assert found[0].name == Text(HOSTILE, HOSTILE)
    assert found[1].name == Text("核心", "Kern")
    assert found[0].reason == Text("7人被隔断。", "7 are cut off.")
    west, south, east, north = found[0].bounds
    assert west < east
    assert south < north


ROWS = st.lists(st.tuples(st.sampled_from([*STATUS_ORDER, "new"]), st.integers(0, 1000)), max_size=12)


@given(ROWS)
def test_standings_are_in_order_whatever_the_order_of_rows(rows: list[tuple[str, int]]) -> None:
    run = Tables({"communities": communities([s for s, _ in rows], [n for _, n in rows])})
    found = [
        (([*STATUS_ORDER, "new"]).index(s.status), -s.people_unserved, s.community_id) for s in views.standings(run)
    ]
    assert found == sorted(found)
    assert len(found) == len(rows)


def test_bounds_are_those_of_the_communities() -> None:
    assert views.bounds(Tables({"communities": communities(["good", "bad"], [0, 1])})) == (0, 0, 2, 1)
    assert views.bounds(Tables({"communities": communities([], [])})) == (-180, -85, 180, 85)

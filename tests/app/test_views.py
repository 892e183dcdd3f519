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
from app.drawings import DRAWINGS, GROUPS, SERVICES
from app.fields import CUT_OFF, ENGINES, STATION, joined
from app.showing import Shown, limits
from app.texts import codes, words
from app.views import LEGEND_ROWS, STATUS_ORDER
from geo import communities as geo_communities
from geo import services, slowing, tallies
from tests.app import circles_made
from tests.app.hand_made import HOSTILE, saved
from tiles import style
from tiles.layer import Layer, Raster
from tiles.text import Text


@dataclass
class Tables:
    """A run of nothing but tables."""

    held: dict[str, gpd.GeoDataFrame]
    headline: dict[str, Any] = field(default_factory=dict)
    rasters: dict[str, Raster] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)

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
        "hazard_flood", "communities", "demand", "demand_state", "shelters", "streets", "streets_depth",
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
            assert [f.column for f in layer.fields if not set(f.columns) & set(layer.features.columns)] == []


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


def test_hazards_together_are_seen_first_and_two_of_a_kind_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "h.tif"
    with rasterio.open(path, "w", driver="GTiff", height=1, width=3, count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(1, 0, 0, 0, -1, 1)) as target:  # fmt: skip
        target.write(np.array([[0, 2, 5]], dtype="float32"), 1)
    units = {"combined": "level", "waterside": "level", "flood_old": "m", "flood_new": "m", "flood_arrival": "h"}
    found = {
        layer.layer_id.removeprefix("hazard_"): layer
        for layer in views.layers(Tables({}, rasters={f"hazard_{n}": Raster(path, u) for n, u in units.items()}))
    }
    assert [name for name, layer in found.items() if layer.visible] == ["combined"]
    assert {name: (layer.title.zh, layer.title.en) for name, layer in found.items()} == {
        "combined": ("综合灾害等级", "All hazards together"),
        "waterside": ("灾害强度：临水地带", "Hazard: waterside"),
        "flood_old": ("淹没水深 · old", "Flood depth · old"), "flood_new": ("淹没水深 · new", "Flood depth · new"),
        "flood_arrival": ("灾害强度：洪水到达时间", "Hazard: flood arrival"),
    }  # fmt: skip
    for name in ("combined", "waterside"):
        assert [row.label.en for row in found[name].legend] == [f"Level {n}" for n in range(1, 6)]
    assert "one level" in found["combined"].note.en
    assert "一个等级" in found["combined"].note.zh
    assert found["flood_arrival"].legend[0].label.en == "0–1 hours"
    darkest = [style.INTENSITY_COLOURS[-1], style.INTENSITY_COLOURS[-1]]
    assert [found["flood_arrival"].legend[0].symbol.fill, found["waterside"].legend[-1].symbol.fill] == darkest


def test_every_hazard_that_closes_a_street_has_a_line_of_its_own() -> None:
    assert {code for code, *_ in style.HAZARD_CLOSURES} == {*slowing.REASONS.values()} - {"flooded"}


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


# service circles


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Layer]:
    shown = Shown(circles_made.saved(tmp_path_factory.mktemp("covered"))[1])
    return {layer.layer_id: layer for layer in views.layers(shown)}


def test_every_service_is_drawn_under_its_topic(covered: dict[str, Layer]) -> None:
    circles = [layer for layer in covered.values() if layer.group == "circles"]
    topics = {layer.topic.en: [] for layer in circles} | {}
    for layer in circles:
        topics[layer.topic.en].append(layer.short.en)
    engine = ["Reach", "Reach on a normal day", "Stations there in time", "Areas of responsibility",
              "Streets that cost it", "Minutes to each home"]  # fmt: skip
    assert list(topics) == ["Fire engine", "Ambulance", "Police", "Supplies", "Shelters on foot", "Everyday needs"]
    assert [topics[name] for name in ("Fire engine", "Ambulance", "Police")] == [engine] * 3
    assert topics["Supplies"] == topics["Shelters on foot"] == ["Reach", "Reach on a normal day"]
    assert not any(layer.visible for layer in circles)


def test_an_ordinary_day_has_no_losses_and_no_day_before(tmp_path: Path) -> None:
    names = {layer.layer_id for layer in Shown(circles_made.saved(tmp_path, faced=False)[1]).layers}
    assert "circles_fire" in names and "homes_fire" in names
    assert [name for name in names if name.endswith("_normal") or name.startswith("losses_")] == []


def test_the_services_drawn_are_those_that_are_computed() -> None:
    assert ENGINES == tallies.ENGINES
    assert set(SERVICES) == {"fire", "medical", "police", "supplies", services.SHELTER}


def test_layer_ids_are_names_and_each_is_there_once() -> None:
    ids = [drawing.layer_id for drawing in DRAWINGS]
    assert len(ids) == len(set(ids))
    assert all(drawing.short.zh and drawing.short.en for drawing in DRAWINGS)


def test_a_title_that_stands_alone_names_its_service(covered: dict[str, Layer]) -> None:
    assert covered["circles_fire"].title == Text("消防车：可达范围", "Fire engine: reach")
    assert joined(Text("甲", "A"), Text("乙", "Of it")) == Text("甲：乙", "A: of it")


def test_rings_count_the_people_within(covered: dict[str, Layer]) -> None:
    rows = covered["circles_medical"].legend
    assert [(row.label.en, row.people) for row in rows] == [
        ("within 5 min", 0), ("within 10 min", 7), ("within 15 min", 7),
    ]  # fmt: skip


def test_of_a_normal_day_one_outline_is_drawn(covered: dict[str, Layer]) -> None:
    """The ring of the service's own limit, else the largest; the run made by hand has no parameters."""
    (before,) = covered["circles_medical_normal"].legend
    assert (before.label.en, before.people, bool(before.symbol.dash), before.symbol.fill) == (
        "within 15 min", 12, True, "",
    )  # fmt: skip
    table = covered["circles_medical_normal"].features
    assert table is not None
    (layer,) = views.layers(Tables({"circles_medical_normal": table}, limits={"medical": 10.0, "fire": 5.0}))
    assert [row.label.en for row in layer.legend] == ["within 10 min"]


def test_limits_are_those_of_the_runs_parameters() -> None:
    said = {"fire": {"minutes": 5.0}, "walk": {"max_minutes": 15.0}, "circle": {"minutes": [5.0, 10.0]}, "police": {}}
    assert limits(said) == {"fire": 5.0, "shelter": 15.0}
    assert limits({}) == {}


def unknown(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table of a study that knows no people."""
    return table.assign(**{name: np.nan for name in table.columns if name.startswith("people")})


def test_where_no_people_are_known_nothing_says_nobody(covered: dict[str, Layer]) -> None:
    held = {name: unknown(covered[name].features) for name in ("circles_fire", "communities", "responsibility_fire",
                                                               "circle_depth_fire")}  # type: ignore[arg-type] # fmt: skip
    run = Tables(held)
    found = {layer.layer_id: layer for layer in views.layers(run)}
    rings = [(row.people, row.street_km) for row in found["circles_fire"].legend]
    assert rings == [(None, pytest.approx(0.04)), (None, pytest.approx(0.31234, abs=0.001)), (None, pytest.approx(0.6))]
    assert {row.people for layer in found.values() for row in layer.legend} == {None}
    assert {standing.people for standing in views.standings(run)} == {None}
    assert [standing.status for standing in views.standings(run)] == ["bad", "good"]
    told = [f for layer in found.values() for f in layer.fields if f.column.startswith("people")]
    assert told and {f.missing for f in told} == {Text("不详", "–")}


def test_people_known_of_some_only_are_counted_there(covered: dict[str, Layer]) -> None:
    table = covered["circles_fire"].features
    assert table is not None
    (layer,) = views.layers(Tables({"circles_fire": table.assign(people=[7, np.nan, np.nan])}))
    assert [(row.people, row.street_km is None) for row in layer.legend] == [(None, False), (None, False), (7, True)]


def test_no_people_known_is_said_alike() -> None:
    assert words("page.nobody") == words("code.status.empty") == Text("无人口数据", "No people known")


def test_a_stations_state_is_no_evacuation(covered: dict[str, Layer]) -> None:
    assert {f.column: f.label for f in STATION}["state"] == Text("状态", "State")
    assert {f.column: f.label.en for f in covered["demand"].fields}["state"] == "Evacuation"


def test_nobodys_ground_has_fields_of_its_own(covered: dict[str, Layer]) -> None:
    fields = covered["responsibility_fire"].fields
    assert [f.label.en for f in fields if not f.needs] == ["Name", "People without a station", "Area"]
    assert {f.needs for f in fields} == {"", "facility_id"}
    assert "facility_id" in covered["responsibility_fire"].columns


@pytest.mark.parametrize(("said", "zh"), [
    ("OpenStreetMap admin_level 10", "OpenStreetMap 行政区划（10 级）"),
    ("OpenStreetMap admin_level 10, cut off at the edge of the extract",
     "OpenStreetMap 行政区划（10 级），被数据范围截断"),
    ("OpenStreetMap place, cut off at the edge of the extract", "OpenStreetMap 地名区域，被数据范围截断"),
    ("made grid of 500 m squares", "自动生成：500 米网格"), ("people in no community", "不在任何社区内的人口"),
    ("given", "给定表格"), ("民政局 2024", "民政局 2024"),
])  # fmt: skip
def test_sources_of_outlines_are_told_in_words(said: str, zh: str) -> None:
    table = communities(["good", "bad"], [0, 1]).assign(source=[said, None])
    (layer,) = views.layers(Tables({"communities": table}))
    (source,) = (f for f in layer.fields if f.column == "source")
    assert (source.kind, source.codes[said].zh, len(source.codes)) == ("code", zh, 1)


def test_every_source_that_communities_are_given_has_words() -> None:
    source = Path(geo_communities.__file__).read_text(encoding="utf-8")
    assert all(text in source for text in ('"OpenStreetMap place"', "OpenStreetMap admin_level {level:g}", CUT_OFF,
                                           "made grid of {side:g} m squares", '"people in no community"'))  # fmt: skip


def test_levels_of_a_hazard_are_whole(tmp_path: Path) -> None:
    run = Tables({}, rasters={"hazard_landslide": Raster(tmp_path / "not read", "level")})
    (slide,) = views.layers(run)
    assert [row.label.en for row in slide.legend] == [f"Level {n}" for n in range(1, 6)]


@pytest.mark.parametrize("reason", ["fire", "landslide", "debris", "sand"])
def test_a_street_says_which_hazard_closed_it(reason: str) -> None:
    streets = communities(["good"] * 2, [0, 0]).assign(walk_reason=[reason, None])
    (layer,) = views.layers(Tables({"streets": streets}))
    named = codes("street_reason")[reason].en
    assert [row.label.en for row in layer.legend if row.features] == ["Open to walkers", named]
    assert len(layer.legend) == 4


def test_ground_is_named_by_its_station_and_nobodys_is_hatched(covered: dict[str, Layer]) -> None:
    layer = covered["responsibility_fire"]
    assert layer.named
    nobody, first, second = layer.legend
    assert (nobody.label.en, nobody.symbol.hatch, nobody.people) == ("No station gets there", True, 0)
    assert (first.label, first.people) == (Text(HOSTILE, HOSTILE), 7)
    assert (second.label, second.people) == (Text("东站（面积过大）", "East (too large)"), 5)
    assert first.symbol.fill != second.symbol.fill
    assert second.symbol.line != first.symbol.line


def test_a_long_legend_tells_the_rest_in_one_row(covered: dict[str, Layer]) -> None:
    n = LEGEND_ROWS + 5
    shapes = [shapely.box(i, 0, i + 1, 1) for i in range(n)]
    ids = [f"f{i:02}" for i in range(n)]
    table = gpd.GeoDataFrame({"facility_id": ids, "name": ids, "people": range(n), "too_large": False},
                             geometry=shapes, crs="EPSG:4326")  # fmt: skip
    (layer,) = views.layers(Tables({"responsibility_fire": table}))
    assert len(layer.legend) == LEGEND_ROWS + 1
    assert sum(row.people or 0 for row in layer.legend) == sum(range(n))
    assert layer.legend[-1].label.en == "5 others"
    assert layer.legend[0].people == n - 1


def test_homes_are_told_by_time_and_by_what_they_lack(covered: dict[str, Layer]) -> None:
    counts = {row.label.en: row.people for row in covered["homes_medical"].legend if row.people}
    assert counts == {"0–3 min": 5, "Nobody gets there": 7}
    lacking = {row.label.en: row.people for row in covered["homes_everyday"].legend}
    assert lacking == {"Nothing missing": 5, "2 missing": 7}


def test_a_service_that_nobody_gets_any_more_is_still_drawn() -> None:
    homes = gpd.GeoDataFrame({"people": [3], "fire_s": [np.nan], "fire_s_normal": [60.0]},
                             geometry=[shapely.Point(0, 0)], crs="EPSG:4326")  # fmt: skip
    found = {layer.layer_id: layer for layer in views.layers(Tables({"demand": homes.assign(walk_s=np.nan)}))}
    assert {row.label.en: row.people for row in found["homes_fire"].legend if row.people} == {"Nobody gets there": 3}
    assert "homes_medical" not in found


def test_a_community_says_its_services(covered: dict[str, Layer]) -> None:
    fields = {f.column: f for f in covered["communities"].fields}
    assert [name for name, f in fields.items() if f.kind == "sentence"] == [
        "reason", "fire_reason", "medical_reason", "police_reason",
    ]  # fmt: skip
    assert fields["circle_share"].normal == "circle_share_normal"
    assert fields["circle_missing"].codes["medical"] == Text("医疗", "Medical care")


def test_outlines_of_many_vertices_come_as_tiles(covered: dict[str, Layer]) -> None:
    """A circle with a great many vertices goes out in tiles; small ones and whatever carries a name in one piece."""
    angle = np.linspace(0, 6, 60_000)
    round_ = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]))
    table = gpd.GeoDataFrame({"minutes": [5.0], "people": [1]}, geometry=[round_], crs="EPSG:4326")
    (layer,) = views.layers(Tables({"circles_fire": table}))
    assert (layer.delivery, layer.vertices) == ("mvt", 60_001)
    assert {covered[name].delivery for name in ("circles_fire", "responsibility_fire", "communities")} == {"geojson"}


def test_services_stand_in_the_headline_where_they_were_computed(tmp_path: Path) -> None:
    found = {n.key: n for n in views.numbers(Shown(circles_made.saved(tmp_path)[1]))}
    assert len(found) == 8
    assert (found["fire"].value, found["fire"].normal, found["fire"].kind) == (5 / 12, 1.0, "share")
    none = views.numbers(Tables({}, headline={"fire_share": float("nan")}))
    assert [n.value for n in none if n.key == "fire"] == [None]

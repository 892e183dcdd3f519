"""What rules of distance keep away from: drawn places, buffers as the oracle, and laws."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data import rules as data_rules
from data import standards
from geo import pieces, setback_tables, setbacks, tables, uses
from geo.curves import LevelTables
from geo.hazards import Grid, Hazard
from geo.rules import Rule, Rules
from geo.setbacks import SetbackParams, Setbacks
from geo.sources import Ground
from geo.uses import Things

CRS = "EPSG:32631"
STANDARDS = standards.load()
PARAMS = SetbackParams.of(STANDARDS).model_copy(update={"rule_sets": ("drawn",)})
USES = uses.UseParams.of(STANDARDS)
LEVELS = LevelTables.of(STANDARDS)
EXTENT = (0.0, 0.0, 1000.0, 1000.0)
SCHEMAS = {schema.name: schema for schema in tables.ALL}


def rule(layer: str, kinds: str, distance: float | str, **more: Any) -> Rule:
    given: dict[str, Any] = {
        "layer": layer, "kinds": tuple(kinds.split()), "distance": distance, "zone": "let", "applies_to": ("building",),
        "standard": "drawn", "grade": "P", "en": f"Near {kinds}", "zh": "附近",
    }  # fmt: skip
    return Rule(**(given | more))


def rules(**each: Rule) -> Rules:
    return Rules(each, dict.fromkeys(each, "drawn"))


def table(name: str, rows: dict[str, tuple[str, shapely.Geometry]], **more: list[Any]) -> gpd.GeoDataFrame:
    schema = SCHEMAS[name]
    columns: dict[str, Any] = {c.name: [np.nan if c.kind == "float" else None] * len(rows) for c in schema.columns}
    columns |= {
        schema.id_column: list(rows),
        "use" if name == "buildings" else "kind": [kind for kind, _ in rows.values()],
    }
    return gpd.GeoDataFrame(columns | more, geometry=[shape for _, shape in rows.values()], crs=CRS)


def gathered(asked: Rules, params: SetbackParams = PARAMS, **layers: Any) -> Setbacks:
    known = {key: layers.pop(key) for key in ("hazards", "combined", "heights") if key in layers}
    return setbacks.gather(asked, layers, Ground(CRS, EXTENT, LEVELS, **known), params=params)


def houses(count: int, use: str = "house") -> Things:
    return uses.of([use] * count, params=USES)


def array(*shapes: shapely.Geometry | None) -> NDArray[np.object_]:
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    return found


def lacking(found: Setbacks, shapes: NDArray[np.object_], what: Things, on: Any = "standing") -> pd.DataFrame:
    """Every hit as a table."""
    table = pd.DataFrame(setbacks.lacking(found, shapes, what, on=on))
    assert table.columns.tolist() == list(setbacks.HITS)
    return table


def near(found: Setbacks, shape: shapely.Geometry, what: Things, on: Any = "standing") -> pd.DataFrame:
    """Every rule for one shape as a table."""
    return pd.DataFrame(setbacks.asked_of(found, shape, what, on=on), columns=list(setbacks.Row._fields))


def hit(found: Setbacks, *shapes: shapely.Geometry | None, on: Any = "standing") -> list[tuple[Any, ...]]:
    """Thing, rule, source id, metres and required metres of every hit."""
    rows = lacking(found, array(*shapes), houses(len(shapes)), on)
    return [
        (r.thing, found.kept[r.rule].rule_id, found.kept[r.rule].source_id[r.source], r.distance_m, r.required_m)
        for r in rows.itertuples()
    ]


LINES = table(
    "lines",
    {
        "a": ("power_line", shapely.LineString([(100, 0), (100, 1000)])),
        "b": ("power_line", shapely.LineString([(300, 0), (300, 1000)])),
        "c": ("river", shapely.LineString([(500, 0), (500, 1000)])),
    },
    voltage_v=[500_000.0, np.nan, np.nan], name_en=["North line", None, None],
)  # fmt: skip
POWER = rules(
    high=rule("lines", "power_line", 20, where=("voltage_v >= 330000",)),
    low=rule("lines", "power_line", 10, where=("voltage_v < 330000",), assume={"voltage_v": 110_000.0}),
    river=rule("lines", "river", "15", zone="prevent", on=("ground", "planned")),
)


def test_each_line_keeps_its_own_distance() -> None:
    found = gathered(POWER, lines=LINES)
    assert [kept.sources for kept in found.kept] == [1, 1, 1]
    near, exact = shapely.box(110, 10, 115, 20), shapely.box(120, 10, 130, 20)
    assert hit(found, near, exact, shapely.box(309, 0, 320, 5)) == [(0, "high", "a", 10, 20), (2, "low", "b", 9, 10)]
    assert hit(found, None, shapely.Point(), shapely.Point(500, 5)) == []
    assert hit(found, shapely.Point(500, 5), on="planned") == [(0, "river", "c", 0, 15)]


def test_only_things_a_rule_is_for() -> None:
    found = gathered(rules(a=rule("lines", "river", 15, applies_to=("open",))), lines=LINES)
    beside = array(shapely.box(510, 0, 520, 10))
    assert lacking(found, beside, houses(1)).empty and len(lacking(found, beside, houses(1, "park"))) == 1


def test_without_a_distance_only_overlapping_counts() -> None:
    areas = table("areas", {"w": ("water", shapely.box(100, 100, 200, 200))})
    found = gathered(rules(pond=rule("areas", "water", 0)), areas=areas)
    beside, over, within = (
        shapely.box(200, 100, 210, 110),
        shapely.box(199, 100, 210, 110),
        shapely.box(120, 120, 130, 130),
    )
    assert [row[0] for row in hit(found, beside, over, within, shapely.Point(200, 150))] == [1, 2, 3]


def test_of_several_the_one_that_lacks_most() -> None:
    """10 m from a works that asks 12, 30 m from one that asks 40; of two alike the first by id."""
    sources = table(
        "sources",
        {
            "z": ("slope", shapely.Point(0, 0)),
            "y": ("slope", shapely.Point(40, 0)),
            "x": ("slope", shapely.Point(40, 0)),
        },
        height_m=[6.0, 20.0, 20.0],
    )
    found = gathered(rules(slope=rule("sources", "slope", "2H <= 50", where=("height_m > 0",))), sources=sources)
    assert hit(found, shapely.Point(10, 0)) == [(0, "slope", "x", 30, 40)]


def test_what_has_no_distance_is_left_out_and_told() -> None:
    rows = {"a": ("slope", shapely.Point(0, 0)), "b": ("slope", shapely.Point(9, 0))}
    sources = table("sources", rows, height_m=[np.nan, 5.0])
    found = gathered(rules(slope=rule("sources", "slope", "2H <= 50", where=("height_m is unknown",))), sources=sources)
    assert found.kept[0].dropped == 1 and found.kept[0].sources == 0
    assert [(note.code, note.count) for note in found.notes] == [("sources_without_distance", 1)]


def test_no_source_is_not_the_same_as_no_layer() -> None:
    asked = rules(a=rule("lines", "pipeline", 5), b=rule("slopes", "toe", 5), c=rule("hazards", "flood", 0, level=3))
    found = gathered(asked, lines=LINES)
    assert [(len(kept), kept.known) for kept in found.kept] == [(0, True), (0, False), (0, False)]
    assert [note.column for note in found.notes] == ["slopes", "hazards"]
    assert found.notes[1].en == "The study has no hazard of the kind that 1 rule asks for, not asked: Near flood."
    assert found.notes[1].zh == "研究没有1条规则所涉类别的灾害数据，未判断：附近。"
    none = near(found, shapely.Point(0, 0), uses.ORDINARY, "planned")
    assert none["source"].tolist() == [-1] * 3 and none["distance_m"].isna().all() and none["applies"].all()
    assert setback_tables.sources_table(found).empty and setback_tables.layer(found).empty
    assert setbacks.ground(found, zone="let") == []


def test_what_runs_below_ground_is_left_out_but_pipelines() -> None:
    pipes = table(
        "lines",
        {"p": ("pipeline", shapely.LineString([(0, 0), (9, 0)])), "r": ("river", shapely.LineString([(0, 0), (9, 0)]))},
    )
    asked = rules(p=rule("lines", "pipeline", 5), r=rule("lines", "river", 5))
    found = gathered(asked, lines=pipes.assign(tunnel=["yes", "culvert"]))
    assert [kept.sources for kept in found.kept] == [1, 0]
    assert [(note.code, note.count) for note in found.notes] == [("sources_below_ground", 1)]
    streets = pipes.assign(kind=["motorway", "trunk"], tunnel=["yes", "no"])
    both = rules(r=rule("lines", "river", 5), m=rule("streets", "motorway trunk", 5))
    found = gathered(both, lines=pipes.assign(tunnel=[None, "culvert"]), streets=streets)
    assert [kept.sources for kept in found.kept] == [0, 1]
    assert [(note.code, note.count) for note in found.notes] == [("sources_below_ground", 2)]


@pytest.mark.parametrize(("height_m", "levels", "apart", "low", "high"), [
    (10.0, np.nan, 7.5, set(), {9}), (10.0, np.nan, 9.0, set(), set()), (10.0, np.nan, 5.0, {6}, {6, 9}),
    (30.0, np.nan, 7.5, {9}, {9, 13}), (30.0, np.nan, 12.0, set(), {13}), (30.0, np.nan, 13.0, set(), set()),
    (np.nan, 10, 12.0, set(), {13}), (np.nan, 10, 7.5, {9}, {9, 13}),
])  # fmt: skip
def test_fire_separation_hangs_on_both_heights(
    height_m: float, levels: float, apart: float, low: set[float], high: set[float]
) -> None:
    """Our own rules: 6 m between low buildings, 9 m if one of both is a high-rise, 13 m if both are."""
    standing = table("buildings", {"a": ("office", shapely.box(0, 0, 10, 10))}, height_m=[height_m], levels=[levels])
    ours = {name: each for name, each in data_rules.load().rules.items() if name.startswith("fire_separation")}
    found = gathered(rules(**ours), buildings=standing)
    for tall, asked in ((12.0, low), (60.0, high)):
        new = uses.planned("office", height_m=tall, params=USES)
        broken = lacking(found, array(shapely.box(10 + apart, 0, 30, 10)), new, "planned")
        assert set(broken["required_m"]) == asked


def test_a_terrace_is_one_block_and_keeps_away_from_the_next() -> None:
    """a, b and c stand wall to wall; d 4 m further. c is 4 m from d; a is 14 m from c and b 10 m from d."""
    x = (0, 5, 10, 19)
    rows = {name: ("house", shapely.box(left, 0, left + 5, 10)) for name, left in zip("abcd", x, strict=True)}
    buildings = table("buildings", rows)
    found = gathered(rules(fire=rule("buildings", "any", 6)), buildings=buildings)
    shapes = buildings.geometry.tolist()
    assert hit(found, *shapes) == [(2, "fire", "d", 4, 6), (3, "fire", "c", 4, 6)]
    assert [row[0] for row in hit(found, *shapes, on="ground")] == [0, 1, 2, 3]
    at = near(found, shapes[0], houses(1)).iloc[0]
    assert (at["hit"], at["distance_m"], found.kept[0].source_id[at["source"]]) == (False, 14.0, "d")
    assert "wall_to_wall" in {note.code for note in found.notes}


def test_ground_in_a_hazard() -> None:
    values = np.full((10, 10), 0.0, dtype=np.float32)
    values[:5], values[9] = 1.5, np.nan
    flood = Hazard("f100", "flood", "m", Grid(values, (100, 0, 0, 0, -100, 1000), CRS), label_en="Flood")
    asked = rules(
        deep=rule("hazards", "flood", 0, level=4), all=rule("hazards", "combined", 0, level=1),
        rare=rule("hazards", "flood", 0, level=4, where=("return_period_y <= 50",)),
    )  # fmt: skip
    found = gathered(asked, hazards=[flood], combined=Grid(np.ones((1, 1)), (100, 0, 0, 0, -100, 100), CRS))
    assert [kept.sources for kept in found.kept] == [1, 1, 0]
    assert hit(found, shapely.box(10, 510, 20, 520), shapely.box(10, 410, 20, 420)) == [(0, "deep", "f100", 0, 0)]
    (row, shapes), (other, _) = setbacks.ground(found, zone="let")
    assert (row, other) == (0, 1) and shapely.union_all(shapes).area == 500_000


def test_slopes_below_and_above() -> None:
    x = np.arange(0, 1000, 10) + 5.0
    heights = Grid(np.tile(np.clip(x - 500, 0, 20), (100, 1)), (10, 0, 0, 0, -10, 1000), CRS)
    asked = rules(toe=rule("slopes", "toe", "2H <= 50", where=("height_m >= 5",)), top=rule("slopes", "top", 10))
    found = gathered(asked, heights=heights)
    below, above = shapely.box(462, 500, 463, 501), shapely.box(520, 500, 529, 501)
    assert [row[:2] for row in hit(found, below, above)] == [(0, "toe"), (1, "toe"), (1, "top")]


def test_tables_name_every_source_once() -> None:
    found = gathered(POWER, lines=LINES)
    sources = setback_tables.sources_table(found)
    assert sources.columns.tolist() == [*setback_tables.SOURCES, "geometry"]
    assert sources[["source_id", "rules", "distance_m"]].to_numpy().tolist() == [
        ["a", "high", 20],
        ["b", "low", 10],
        ["c", "river", 15],
    ]
    assert sources["name_en"].tolist() == ["North line", None, None]
    assert sources.geometry.geom_equals(LINES.geometry).all()
    drawn = setback_tables.layer(found, within=shapely.box(*EXTENT))
    assert drawn.columns.tolist() == [*setback_tables.LAYER, "geometry"]
    assert drawn["rule_id"].tolist() == ["high", "low", "river"] and drawn["sources"].tolist() == [1, 1, 1]
    assert drawn["area_m2"].tolist() == pytest.approx([40_000, 20_000, 30_000])


COORDINATE = st.integers(0, 60).map(float)


@st.composite
def anything(draw: st.DrawFn) -> shapely.Geometry:
    x, y, w, h = (draw(COORDINATE) for _ in range(4))
    kind = draw(st.sampled_from(["point", "line", "box"]))
    if kind == "point":
        return shapely.Point(x, y)
    return (
        shapely.LineString([(x, y), (w, h), (w, y + 1)])
        if kind == "line"
        else shapely.box(x, y, x + w / 4 + 1, y + h / 4 + 1)
    )


SHAPES = st.lists(anything(), min_size=1, max_size=12)


def of_slopes(shapes: list[shapely.Geometry], height: list[float], distance: str = "2H <= 50") -> Setbacks:
    rows = {f"s{i:02}": ("slope", shape) for i, shape in enumerate(shapes)}
    sources = table("sources", rows, height_m=height[: len(shapes)])
    return gathered(rules(s=rule("sources", "slope", distance, where=("height_m >= 0",))), sources=sources)


HEIGHTS = st.lists(st.sampled_from([0.0, 1.0, 2.5, 4.0]), min_size=12, max_size=12)


@settings(max_examples=60, deadline=None)
@given(SHAPES, HEIGHTS, SHAPES)
def test_hits_are_those_that_brute_force_finds(sources: list[Any], height: list[float], things: list[Any]) -> None:
    """Each pair by itself, in shapely's own words; ``near`` says the same of every thing."""
    found = of_slopes(sources, height)
    rows = hit(found, *things)
    wanted = []
    for i, thing in enumerate(things):
        lacks = []
        for j, source in enumerate(sources):
            far, required = shapely.distance(thing, source), 2 * height[j]
            outside = shapely.get_dimensions(thing) == 2 and shapely.touches(thing, source)
            if far < required - setbacks.EXACT_M or (
                required == 0 and shapely.intersects(thing, source) and not outside
            ):
                lacks.append((round((far - required) * 1e6), f"s{j:02}", far, required))
        wanted += [(i, "s", *min(lacks)[1:])] if lacks else []
    assert [row[:3] for row in rows] == [row[:3] for row in wanted]
    assert np.allclose([row[3:] for row in rows], [row[3:] for row in wanted])
    each = [near(found, thing, houses(1)).iloc[0] for thing in things]
    assert [i for i, row in enumerate(each) if row["hit"]] == [row[0] for row in rows]
    assert [found.kept[0].source_id[row["source"]] for row in each if row["hit"]] == [row[2] for row in rows]
    for row, thing in zip(each, things, strict=True):
        if not row["hit"]:
            assert row["distance_m"] == pytest.approx(shapely.distance(thing, array(*sources)).min())


@settings(max_examples=30, deadline=None)
@given(SHAPES, st.sampled_from([0.0, 1.25, 20.0]), SHAPES)
def test_shortcuts_change_no_answer(sources: list[Any], height: float, things: list[Any]) -> None:
    """Many things and one, sources that all ask the same and sources of which that is not known."""
    found = of_slopes(sources, [height] * 12)
    one_by_one = [(i, *row[1:]) for i, thing in enumerate(things) for row in hit(found, thing)]
    assert one_by_one == hit(found, *things)
    longer = of_slopes(sources, [height] * 12)
    assert longer.kept[0].alike
    longer.kept[0].__dict__["alike"] = False
    for thing in things:
        pd.testing.assert_frame_equal(near(found, thing, houses(1)), near(longer, thing, houses(1)))


@settings(max_examples=30, deadline=None)
@given(SHAPES, HEIGHTS, SHAPES, st.randoms(use_true_random=False))
def test_farther_never_loses_a_hit_and_order_changes_nothing(
    sources: list[Any], height: list[float], things: list[Any], chance: Any
) -> None:
    found = of_slopes(sources, height)
    larger = of_slopes(sources, height, "2H + 1")
    assert {row[0] for row in hit(found, *things)} <= {row[0] for row in hit(larger, *things)}
    order = chance.sample(range(len(sources)), len(sources))
    rows = {f"s{i:02}": ("slope", sources[i]) for i in order}
    asked = Rules({"s": found.kept[0].rule}, {"s": "drawn"})
    other = gathered(asked, sources=table("sources", rows, height_m=[height[i] for i in order]))
    assert hit(other, *things) == hit(found, *things)


@settings(max_examples=40, deadline=None)
@given(SHAPES, HEIGHTS, SHAPES)
def test_a_hit_thing_meets_the_ground_of_the_rule(sources: list[Any], height: list[float], things: list[Any]) -> None:
    found = of_slopes(sources, [h + 1 for h in height])
    ((_, ground),) = setbacks.ground(found, zone="let")
    whole = shapely.union_all(ground)
    hits = {row[0] for row in hit(found, *things)}
    for i, thing in enumerate(things):
        margin = (shapely.distance(thing, array(*sources)) - 2 * (np.array(height[: len(sources)]) + 1)).min()
        if abs(margin) > 0.02:
            assert (i in hits) == shapely.intersects(whole, thing)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(30, 300))
def test_pieces_together_are_the_shape(seed: int, corners: int) -> None:
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    around = np.column_stack([np.cos(turn), np.sin(turn)]) * rng.uniform(50, 100, corners)[:, None]
    area, line = shapely.Polygon(around), shapely.LineString(rng.uniform(0, 100, (corners, 2)))
    parts, of = pieces.cut(array(area, line, shapely.Point(1, 2)))
    assert shapely.get_num_coordinates(parts).max() <= pieces.CORNERS and of.tolist() == sorted(of.tolist())
    assert shapely.area(parts).sum() == pytest.approx(area.area)
    assert shapely.length(parts[of == 1]).sum() == pytest.approx(line.length)
    asked = shapely.points(rng.uniform(-200, 200, (20, 2)))
    for i, shape in enumerate((area, line)):
        together = shapely.distance(asked[:, None], parts[of == i]).min(axis=1)
        assert np.allclose(together, shapely.distance(asked, shape))


def test_blocks_by_way_of_others() -> None:
    boxes = array(shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1), shapely.box(1.05, 0, 2, 1), shapely.box(2, 1, 3, 2))
    block = pieces.blocks(boxes, gap_m=0.1)
    assert block[0] == block[2] == block[3] != block[1]
    assert len(pieces.blocks(array(), gap_m=0.1)) == 0


def test_nothing_asked_of_nothing() -> None:
    found = gathered(POWER, lines=LINES)
    none = lacking(found, array(), houses(0))
    assert none.empty and none.dtypes.tolist() == [np.int64] * 3 + [np.float64] * 2
    pd.testing.assert_frame_equal(none, lacking(gathered(rules()), array(None), houses(1)))

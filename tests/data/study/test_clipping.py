"""A town cut to its outline, on tables of a few rows.

::

    ┌ outline ┐
    │ a     b │ c          a, b, c: homes, shelters, facilities, people; 100 m, 900 m and 1.5 km east
    └─────────┘                  d  d: as well, 5 km east, further than a walk
    ════════════════════════════    one street along all of them, another by d alone
"""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.study.clipping import clipped
from geo import tables
from geo.city import City
from geo.tables import Schema
from tests.geo.drawn import CRS, ORIGIN, ways

OUTLINE = shapely.box(ORIGIN[0] - 50, ORIGIN[1] - 500, ORIGIN[0] + 1000, ORIGIN[1] + 500)
EAST_M = (100, 900, 1500, 5000)
PLACES = {letter: (ORIGIN[0] + x, ORIGIN[1]) for letter, x in zip("abcdef", (*EAST_M, 5100, 5200), strict=True)}


def at(*east_m: float, side: float = 10) -> list[shapely.Polygon]:
    """Squares whose middle lies so far east."""
    return [
        shapely.box(ORIGIN[0] + x - side / 2, ORIGIN[1], ORIGIN[0] + x + side / 2, ORIGIN[1] + side) for x in east_m
    ]


def table(schema: Schema, shapes: list[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    empty = {c.name: [np.nan if c.kind == "float" else None] * len(shapes) for c in schema.columns}
    ids = [f"{schema.name}{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(empty | {schema.id_column: ids} | columns, geometry=shapes, crs=CRS)


def people(*east_m: float, each: float = 10) -> gpd.GeoDataFrame:
    points = [shape.centroid for shape in at(*east_m)]
    return table(tables.DEMAND, points, people=[each] * len(east_m))


def town(**more: object) -> City:
    there = {
        name: table(schema, at(*EAST_M), **({"kind": ["x"] * 4} if name != "buildings" else {}))
        for name, schema in (("buildings", tables.BUILDINGS), ("facilities", tables.FACILITIES),
                             ("shelters", tables.SHELTERS), ("areas", tables.AREAS), ("lines", tables.LINES))
    }  # fmt: skip
    boundaries = table(tables.BOUNDARIES, [shapely.box(*OUTLINE.bounds).buffer(500), at(5000, side=100)[0]])
    streets = ways(PLACES, {"abcd": {}, "ef": {}})
    made = City(crs=CRS, ways=streets, boundaries=boundaries, people={None: people(*EAST_M)}, **there)  # type: ignore[arg-type]
    return replace(made, **more)  # type: ignore[arg-type]


def test_what_stays_and_what_is_counted() -> None:
    found = clipped(town(), OUTLINE)
    sizes = {name: len(getattr(found, name)) for name in ("buildings", "facilities", "shelters", "areas", "lines")}
    assert sizes == {"buildings": 2, "facilities": 2, "shelters": 3, "areas": 3, "lines": 3}
    assert found.ways is not None
    assert found.ways.tags["way_id"].tolist() == [1], "a street that begins inside stays whole"
    assert len(found.ways.x) == 4
    assert len(found.boundaries) == 1
    assert found.outline is OUTLINE
    assert [note.code for note in found.notes] == ["outside_outline", "people_outside_outline"]
    lost = found.notes[0]
    assert lost.en == "Outside the study's outline and left out: 2 buildings, 2 facilities, 1 shelters, 1 streets."
    assert lost.zh == "研究范围外未计入：建筑2、设施2、避难场所1、街道1。"
    assert lost.count == 6  # type: ignore[attr-defined]


def test_communities_are_in_or_out_as_a_whole() -> None:
    across = table(tables.COMMUNITIES, at(900, side=400) + at(1100, side=400), name=["in", "out"])
    found = clipped(town(communities=across), OUTLINE).communities
    assert found is not None
    assert (found["name"].tolist(), found.area.tolist()) == (["in"], [160_000])


def test_people_of_every_time_are_cut() -> None:
    times = {"day": people(100, 5000, each=3), "night": people(100, 900, each=7)}
    found = clipped(town(people=times), OUTLINE)
    assert {time: part["people"].sum() for time, part in found.people.items()} == {"day": 3, "night": 14}
    assert [note.code for note in found.notes].count("people_outside_outline") == 1, "nobody is outside at night"


def test_a_town_of_a_made_lattice_has_no_streets_to_lose() -> None:
    found = clipped(town(ways=None), OUTLINE)
    assert found.ways is None
    assert "streets" not in found.notes[0].en


def test_where_nothing_lies_outside_nothing_is_said() -> None:
    inside = clipped(town(), OUTLINE.buffer(9000))
    assert inside.notes == ()
    assert len(inside.buildings) == 4


def test_cutting_again_changes_nothing() -> None:
    once = clipped(town(), OUTLINE)
    again = clipped(replace(once, notes=()), OUTLINE)
    assert again.notes == ()
    for name in ("buildings", "shelters", "areas", "lines"):
        assert getattr(again, name).equals(getattr(once, name)), name


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-200, 6000), min_size=1, max_size=8), st.integers(50, 5000))
def test_everybody_is_inside_or_outside(east_m: list[int], edge: int) -> None:
    """Cells across the edge are shared by area; both parts together are everybody."""
    west, south, _, north = OUTLINE.bounds
    cells = table(tables.DEMAND, at(*east_m, side=40), people=[7.5] * len(east_m))
    whole = town(people={None: cells})
    left = shapely.box(west, south, ORIGIN[0] + edge, north)
    right = shapely.box(ORIGIN[0] + edge, south, ORIGIN[0] + 9000, north)
    beyond = shapely.box(ORIGIN[0] - 900, south, west, north)
    parts = [clipped(whole, area).people[None]["people"].sum() for area in (left, right, beyond)]
    assert sum(parts) == pytest.approx(cells["people"].sum())

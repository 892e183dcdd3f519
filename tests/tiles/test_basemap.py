"""The base map: what is shown from which zoom on, whose names it carries, and the tiles that are kept."""

from __future__ import annotations

import itertools
import re
from typing import Any

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
import shapely

from tiles import basemap, basepaint
from tiles.basemap import MAX_TILE_ZOOM, BaseMap, build
from tiles.grid import Tile, containing, covering

LON, LAT = 5.915, 52.555


def table(shapes: list[shapely.Geometry], **columns: Any) -> gpd.GeoDataFrame:
    """Shapes in metres about Kampen."""
    names = {name: pd.Series(None, index=range(len(shapes)), dtype="object") for name in basemap.NAMES}
    frame = gpd.GeoDataFrame({**names, **columns}, geometry=shapes, crs="EPSG:32631")
    return _there(frame)


def _there(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    centre = gpd.GeoSeries.from_xy([LON], [LAT], crs="EPSG:4326").to_crs("EPSG:32631").iloc[0]
    moved = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy + np.array([centre.x, centre.y]))
    return frame.set_geometry(moved, crs="EPSG:32631")


def streets() -> gpd.GeoDataFrame:
    """One street of every OSM value, side by side; the first has names and a bridge."""
    values = [value for _, values in basemap.STREETS.values() for value in values]
    lines = [shapely.LineString([(-400, 10 * i), (400, 10 * i)]) for i in range(len(values))]
    rest = [None] * (len(values) - 2)
    return table(
        lines, highway=values, name=["Oudestraat", None, *rest], name_en=["Oudestraat", None, *rest],
        name_zh=["老街", None, *rest], bridge=["yes", "no", *rest], tunnel=[None, None, *rest],
    )  # fmt: skip


def town(**changes: gpd.GeoDataFrame) -> BaseMap:
    """A street of every kind, a house, a park in a residential area, a canal, a town and a hamlet."""
    parts = {
        "streets": streets(),
        "buildings": table([shapely.box(0, 0, 12, 10)]),
        "areas": table([shapely.box(10, 10, 60, 60), shapely.box(-300, -300, 300, 300)], kind=["park", "residential"]),
        "lines": table([shapely.LineString([(-900, 0), (900, 0)])], kind=["canal"]),
        "places": table(
            [shapely.Point(0, 0), shapely.box(90, 90, 110, 110)], kind=["town", "hamlet"], name=["Kampen", "Brunnepe"]
        ),
    } | changes
    return build(**parts)  # type: ignore[arg-type]


def layers(base: BaseMap, tile: Tile) -> dict[str, list[dict[str, Any]]]:
    body = base.tile(tile).body
    decoded = mapbox_vector_tile.decode(body) if body else {}
    return {name: [f["properties"] for f in layer["features"]] for name, layer in decoded.items()}


def at(zoom: int) -> Tile:
    return containing(LON, LAT, zoom)


def test_everything_is_on_the_deepest_tiles() -> None:
    base = town()
    found = [layers(base, tile) for tile in covering(base.bounds, MAX_TILE_ZOOM)]
    kinds = {kind["kind"] for tile in found for kind in tile.get("streets", [])}
    assert kinds == set(basemap.STREETS)
    assert any(tile.get("buildings") for tile in found)
    assert {kind["kind"] for tile in found for kind in tile.get("areas", [])} == {"park", "residential"}


def test_what_is_shown_stays_shown_closer_in() -> None:
    base = town()
    shown = [
        {
            (name, kind.get("kind", ""))
            for tile in covering(base.bounds, z)
            for name, rows in layers(base, tile).items()
            for kind in rows
        }
        for z in range(4, MAX_TILE_ZOOM + 1)
    ]
    assert all(far <= near for far, near in itertools.pairwise(shown))


def test_main_streets_come_first() -> None:
    base = town()
    assert {row["kind"] for row in layers(base, at(9))["streets"]} == {"motorway", "primary", "secondary"}
    assert "buildings" not in layers(base, at(12))


def test_important_streets_are_drawn_last() -> None:
    found = [row["kind"] for row in layers(town(), at(15))["streets"]]
    rank = {kind: i for i, kind in enumerate(basemap.STREETS)}
    assert [rank[kind] for kind in found] == sorted((rank[kind] for kind in found), reverse=True)


def test_a_park_is_drawn_after_the_area_it_lies_in() -> None:
    assert [row["kind"] for row in layers(town(), at(15))["areas"]] == ["residential", "park"]


def test_names_travel_once_for_each_language_that_differs() -> None:
    named = next(row for row in layers(town(), at(14))["streets"] if "name" in row)
    assert named == {"kind": "motorway", "name": "Oudestraat", "name_zh": "老街", "bridge": True}
    assert {row["name"] for row in layers(town(), at(14))["places"]} == {"Kampen", "Brunnepe"}


def test_no_is_no_bridge() -> None:
    assert sum("bridge" in row for row in layers(town(), at(15))["streets"]) == 1


def test_a_street_of_a_new_kind_is_a_path() -> None:
    base = town(streets=table([shapely.LineString([(0, 0), (90, 0)])], highway=["ladder"]))
    assert [row["kind"] for row in layers(base, at(15))["streets"]] == ["path"]


def test_an_empty_extract_is_an_empty_map() -> None:
    none = table([])
    base = build(
        streets=none.assign(highway=[]),
        buildings=none,
        areas=none.assign(kind=[]),
        lines=none.assign(kind=[]),
        places=none.assign(kind=[]),
    )
    assert base.tile(Tile(0, 0, 0)).body == b""
    assert base.bounds[0] == -180


def test_bounds_hold_everything() -> None:
    west, south, east, north = town().bounds
    assert west < LON < east
    assert south < LAT < north
    assert east - west < 0.05


def test_everything_painted_is_something_there_is() -> None:
    kinds = {
        "streets": set(basemap.STREETS),
        "lines": set(basemap.LINES) | {"embankment"},
        "places": set(basemap.PLACES),
    }
    rules = [*basepaint.paints(), *basepaint.labels()]
    assert {rule.layer for rule in rules} <= {source.name for source in town().sources}
    assert [(r.layer, k) for r in rules if r.layer in kinds for k in r.kinds if k not in kinds[r.layer]] == []


def test_colours_and_zooms_of_the_paint() -> None:
    paints = basepaint.paints()
    assert all(re.fullmatch("#[0-9a-f]{6}", c) for rule in paints for c in (rule.fill, rule.line) if c)
    assert all(rule.fill or rule.px for rule in paints)
    stops = [rule.px for rule in [*paints, *basepaint.labels()] if rule.px]
    assert all(a[0] < b[0] and a[1] <= b[1] for some in stops for a, b in itertools.pairwise(some))

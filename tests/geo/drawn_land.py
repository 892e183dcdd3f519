"""A town with everything that rules of distance keep away from, one thing of each, drawn so that a ruler will do.

::

      0   100        200   300       450  550        700   800
  600 ┌────┬──────────┬─────┬─────────┬────┬──────────┬─────┐
  560 ╪════╪══════════╪═════╪═════════╪════╪══════════╪═════╪  power line, 220 kV
  500 ┼────┼──a───────┼─────┼────b────┼────┼───c──────┼─────┤
      │    ~                     450┌─┴────┴─┐ 450    ┆     │
      │    ~                        │  park  │        ┆     │  a place of refuge
      │    ~                     350└─┬────┬─┘ 350    ┆     │
      │    ~ river                                    ┆ fault, intensity 8
  200 ┼────┼──d───────┼─────┼────e────┼────┼───f──────┼─────┤
      │    ~          ░ 0.4 ░                         ┆     │
  100 │    ~          ▓▓▓▓▓▓▓         × fuel (400)    ┆     │
      │    ~          ▓ 2 m ▓                         ┆     │
    0 └────┴──────────┴─────┴─────────┴────┴──────────┴─────┘
           communities: West up to 400, East from there
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

import data.rules
import data.standards
from geo import land, readied, tables, uses
from geo.city import City, PlanParams
from geo.hazards import Grid, Hazard
from geo.land import Land
from geo.readied import Base
from geo.tables import Schema
from geo.uses import Things
from tests.geo.drawn import CRS, ORIGIN, ways

PARAMS = PlanParams.of(data.standards.load())
RULES = data.rules.load()
WIDE, HIGH = 800.0, 600.0
X, Y = ORIGIN[0], ORIGIN[1] - HIGH
"""The south-west corner."""

RIVER = [(100, -200), (100, 800)]
POWER = [(-200, 560), (1000, 560)]
FAULT = [(700, -200), (700, 800)]
FUEL = (400.0, 100.0)
PARK = (450, 350, 550, 450)
CORNERS = {"a": (150, 500), "b": (380, 500), "c": (620, 500), "d": (150, 200), "e": (380, 200), "f": (620, 200)}
STREETS: Mapping[str, Mapping[str, str]] = {
    "ab": {}, "bc": {}, "de": {}, "ef": {}, "ad": {}, "be": {}, "cf": {},
}  # fmt: skip

HOUSES: Mapping[str, tuple[float, float, str, int]] = {
    "at the river": (110, 300, "house", 3),
    "beside the river": (125, 320, "house", 4),
    "off the river": (150, 340, "house", 5),
    "in the strip": (300, 536, "house", 6),
    "at the strip": (320, 535, "house", 7),
    "at the fuel": (408, 95, "house", 8),
    "off the fuel": (414, 80, "house", 9),
    "in deep water": (245, 45, "house", 10),
    "in water": (245, 145, "house", 11),
    "near the fault": (595, 250, "house", 12),
    "off the fault": (590, 270, "house", 13),
    "shed on the fault": (695, 300, "shed", 0),
    "hospital": (560, 310, "hospital", 0),
    "free": (330, 300, "house", 14),
}
"""South-west corner of each (10 m a side), its use, and who lives there."""


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(X + west, Y + south, X + east, Y + north)


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(X + x, Y + y)


def line(corners: list[tuple[float, float]]) -> shapely.LineString:
    return shapely.LineString([(X + x, Y + y) for x, y in corners])


def table(schema: Schema, shapes: list[Any], **columns: object) -> gpd.GeoDataFrame:
    """Rows of a schema: what is not told is missing, ids are numbers with the schema's first letter."""
    lacking = {c.name: [np.nan if c.kind == "float" else None] * len(shapes) for c in schema.columns if c.required}
    ids = [f"{schema.name[0]}{i}" for i in range(len(shapes))]
    told = lacking | {schema.id_column: ids} | columns
    return (
        tables.checked(gpd.GeoDataFrame(told, geometry=shapes, crs=CRS), schema)
        if shapes
        else tables.empty(schema, crs=CRS)
    )


def water(*wet: tuple[float, float, float, float, float], hazard_id: str = "flood", kind: str = "flood") -> Hazard:
    """Cells of 20 m over the town and 200 m round it, depths in boxes of metres (west, south, east, north, depth)."""
    values = np.zeros((50, 60), dtype=np.float32)
    for west, south, east, north, depth in wet:
        rows = slice(int((HIGH + 200 - north) // 20), int((HIGH + 200 - south) // 20))
        values[rows, int((west + 200) // 20) : int((east + 200) // 20)] = depth
    return Hazard(hazard_id, kind, "m", Grid(values, (20, 0, X - 200, 0, -20, Y + HIGH + 200), CRS))


FLOOD = water((200, 0, 300, 100, 2.0), (200, 100, 300, 200, 0.4))


def communities(*shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    names = [f"unit {k}" for k in range(len(shapes))]
    return table(tables.COMMUNITIES, list(shapes), name=names, level=["community"] * len(shapes),
                 source=["drawn"] * len(shapes))  # fmt: skip


def lots(told: Mapping[str, tuple[shapely.Geometry, str | None]]) -> gpd.GeoDataFrame:
    """Lots by id: outline and use."""
    return table(tables.LOTS, [shape for shape, _ in told.values()], lot_id=list(told),
                 use=[use for _, use in told.values()])  # fmt: skip


def city(**changes: Any) -> City:
    """The town; ``changes`` are fields of ``City`` instead."""
    places = {letter: (X + x, Y + y) for letter, (x, y) in CORNERS.items()}
    homes = [box(x, y, x + 10, y + 10) for x, y, *_ in HOUSES.values()]
    people = {home: count for home, (*_, count) in zip(homes, HOUSES.values(), strict=True) if count}
    town = City(
        crs=CRS,
        ways=ways(places, STREETS),
        buildings=table(tables.BUILDINGS, homes, use=[use for _, _, use, _ in HOUSES.values()], name=list(HOUSES)),
        facilities=table(tables.FACILITIES, [point(*FUEL), point(565, 315)], kind=["fuel", "hospital"]),
        shelters=table(tables.SHELTERS, [box(*PARK)], kind=["park"], tier=["emergency"], origin=["official"],
                       area_m2=[10_000.0]),
        areas=table(tables.AREAS, [box(*PARK)], kind=["park"]),
        lines=table(tables.LINES, [line(RIVER), line(POWER)], kind=["river", "power_line"],
                    voltage_v=[np.nan, 220_000.0], name=["Long River", None]),
        boundaries=table(tables.BOUNDARIES, []),
        communities=communities(box(0, 0, 400, HIGH), box(400, 0, WIDE, HIGH)),
        people={None: table(tables.DEMAND, [home.centroid for home in people], people=list(people.values()))},
        hazards={"flood": FLOOD},
        sources=table(tables.SOURCES, [line(FAULT)], kind=["fault"], name=["East Fault"]),
        rules=RULES,
        outline=box(0, 0, WIDE, HIGH),
    )  # fmt: skip
    return replace(town, **changes)


@cache
def ready() -> Base:
    """The town made ready, as it is drawn."""
    return readied.prepare(city(), params=PARAMS)


@cache
def drawn() -> Land:
    """The land of the town as it is drawn."""
    return land.of(ready())


def of(city_: City) -> Land:
    """What becomes of the land of another town."""
    return land.of(readied.prepare(city_, params=PARAMS))


def otherwise(**changes: Any) -> Land:
    """The land with other rules, sources, lines, facilities, lots or hazards: what does not move streets or people."""
    base = ready()
    hazards = changes.get("hazards", base.hazards)
    return land.of(replace(base, city=replace(base.city, **changes), hazards=hazards))


def planned(use: str | None, **told: Any) -> Things:
    return uses.planned(use, **told, params=PARAMS.uses)

"""How the base map looks: a light, quiet paper on which results can be read. Zooms are the screen's.

Rules are painted in their order. Kinds are those of ``tiles.basemap``; none means every kind.
"""

from __future__ import annotations

from dataclasses import dataclass

Stops = tuple[tuple[float, float], ...]
"""Zoom and size in pixels, straight between."""

PAPER = "#f5f4ef"
WATER, WATER_EDGE, WATER_INK = "#c6dbe7", "#aecbdb", "#4f7d96"
WOOD, GREEN, GRASS, FIELD = "#d2e0c5", "#dce8d0", "#e4ecdb", "#f1efe2"
BUILT, WORK, CIVIC, CARE = "#efece7", "#e9e5e8", "#f0ebd9", "#f2e4e1"
GRAVES, SAND, STONE = "#dee5d7", "#f0e8cf", "#e3e0da"
HOUSE, HOUSE_EDGE = "#e0dad2", "#cfc7bc"
CASING, STREET, MAIN, FAST, FAST_EDGE, WALKWAY = "#d2ccc3", "#ffffff", "#fdf0d3", "#f6dcb0", "#d8b684", "#c3b9ab"
RAIL, POWER, DYKE = "#b0aaa3", "#c5bfc6", "#a8b58f"
INK, SOFT_INK, HALO = "#3d474d", "#69737a", "#fbfaf7"


@dataclass(frozen=True)
class Paint:
    """One rule: areas are filled, lines drawn as wide as ``px`` says; ``only`` keeps to bridges or tunnels."""

    layer: str
    kinds: tuple[str, ...] = ()
    fill: str = ""
    line: str = ""
    px: Stops = ()
    dash: tuple[float, ...] = ()
    min_zoom: float = 0
    only: str = ""


@dataclass(frozen=True)
class Label:
    """One rule for names: ``along`` the line, or at the point; earlier rules win where names meet."""

    layer: str
    kinds: tuple[str, ...]
    colour: str
    px: Stops
    weight: int = 400
    min_zoom: float = 0
    along: bool = False


_LAND = (
    (BUILT, ("residential", "commercial", "farmyard", "parking", "square", "pier")),
    (WORK, ("industrial", "railway", "construction", "quarry", "military", "airfield")),
    (FIELD, ("farmland",)), (CIVIC, ("education",)), (CARE, ("medical",)), (SAND, ("sand",)), (STONE, ("rock", "ice")),
    (GRASS, ("grass", "meadow", "scrub", "recreation")), (GREEN, ("park",)), (GRAVES, ("cemetery",)),
    (WOOD, ("forest",)),
)  # fmt: skip
_WIDTHS: tuple[tuple[str, Stops], ...] = (
    ("service", ((14, 0.6), (16, 2.4), (19, 9))), ("minor", ((12, 0.5), (14, 1.6), (16, 5), (19, 18))),
    ("tertiary", ((10, 0.5), (13, 1.8), (16, 7), (19, 22))), ("secondary", ((9, 0.6), (13, 2.4), (16, 8.5), (19, 25))),
    ("ramp", ((10, 0.6), (13, 1.8), (16, 6), (19, 18))), ("primary", ((8, 0.7), (13, 3), (16, 10), (19, 28))),
    ("motorway", ((5, 0.7), (10, 1.8), (13, 3.8), (16, 12), (19, 32))),
)  # fmt: skip
_FILLS = {"primary": MAIN, "secondary": MAIN, "motorway": FAST, "ramp": FAST}
_EDGES = {"motorway": FAST_EDGE, "ramp": FAST_EDGE}


def _wider(stops: Stops, by: float) -> Stops:
    return tuple((zoom, px + by) for zoom, px in stops)


def paints() -> tuple[Paint, ...]:
    """Every rule, from the ground up."""
    land = tuple(Paint("areas", kinds, fill=colour) for colour, kinds in _LAND)
    walkways = Paint("streets", ("path",), line=WALKWAY, px=((14, 0.5), (16, 1.1), (19, 2.2)), dash=(3, 2), min_zoom=15)
    casings = tuple(
        Paint("streets", (kind,), line=_EDGES.get(kind, CASING), px=_wider(stops, 1.4), min_zoom=stops[0][0] + 1)
        for kind, stops in _WIDTHS
    )
    streets = tuple(Paint("streets", (kind,), line=_FILLS.get(kind, STREET), px=stops) for kind, stops in _WIDTHS)
    return (*land, *_water(), *_buildings(), walkways, *casings, *streets, *_rails())


def _water() -> tuple[Paint, ...]:
    return (
        Paint("areas", ("wetland",), fill="#dbe6e3"),
        Paint("areas", ("water",), fill=WATER, line=WATER_EDGE, px=((12, 0.4), (16, 1))),
        Paint("lines", ("river", "canal"), line=WATER, px=((8, 0.8), (13, 2.4), (16, 6))),
        Paint("lines", ("stream", "ditch", "drain"), line=WATER, px=((13, 0.6), (16, 1.6), (19, 4))),
        Paint("lines", ("dyke", "dam", "embankment"), line=DYKE, px=((13, 0.8), (17, 2)), dash=(5, 3)),
    )


def _buildings() -> tuple[Paint, ...]:
    return (
        Paint("buildings", fill=HOUSE),
        Paint("buildings", fill=HOUSE, line=HOUSE_EDGE, px=((16, 0.5), (19, 1)), min_zoom=16),
    )


def _rails() -> tuple[Paint, ...]:
    return (
        Paint("lines", ("railway",), line=RAIL, px=((9, 0.7), (14, 1.6), (18, 3))),
        Paint("lines", ("railway",), line=STREET, px=((13, 0.5), (18, 1.6)), dash=(6, 6), min_zoom=13),
        Paint("lines", ("tram",), line=RAIL, px=((14, 0.7), (18, 1.6))),
        Paint("lines", ("power_line", "pipeline"), line=POWER, px=((13, 0.6), (18, 1.2)), dash=(8, 3), min_zoom=14),
        Paint("lines", ("wall", "coastline"), line=RAIL, px=((14, 0.5), (18, 1.2))),
    )


def labels() -> tuple[Label, ...]:
    """Every rule for names, the important ones first."""
    towns = ("city", "town")
    parts = ("city_district", "district", "borough", "suburb", "village", "subdistrict", "island")
    small = ("quarter", "neighbourhood", "hamlet", "locality", "isolated_dwelling", "square")
    return (
        Label("places", towns, INK, ((8, 12), (12, 16), (15, 19)), 600),
        Label("places", parts, INK, ((11, 11.5), (14, 14)), 500, min_zoom=11),
        Label("places", small, SOFT_INK, ((13, 11), (16, 13)), 400, min_zoom=13),
        Label("lines", ("river", "canal"), WATER_INK, ((12, 11), (16, 13)), min_zoom=12, along=True),
        Label(
            "streets",
            ("motorway", "primary", "secondary", "tertiary"),
            INK,
            ((13, 10.5), (17, 13)),
            min_zoom=14,
            along=True,
        ),
        Label("streets", ("minor",), SOFT_INK, ((15, 10.5), (18, 12.5)), min_zoom=16, along=True),
    )

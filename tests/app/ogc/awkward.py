"""A layer with every awkward value, a run that holds it, and conditions on it for hypothesis to draw.

::

    shapes lie in a square of 2 km; every seventh row has none; texts hold quotes, signs of LIKE, Chinese, case
"""

from __future__ import annotations

import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import strategies as st

from app.ogc.tree import (
    COMPARISONS,
    SPATIAL,
    And,
    Between,
    Casei,
    Compare,
    In,
    Like,
    Literal,
    Missing,
    Node,
    Not,
    Or,
    Property,
    Shape,
    Spatial,
    Truth,
)
from app.store import Outcome, Run, Workspace
from tests.app.hand_made import CRS, EAST, NORTH, outcome, recipe, workspace
from tests.app.hand_made import table as hand_table

ROWS = 70
TEXTS = ["", "坎彭", "Straße", "STRASSE", "ab", "AB", "a%b", "a_b", "it's", 'say "x"', "line\nend", "𠮷野", "<b>&"]
DAYS = [datetime.date(2023, 1, 30), datetime.date(2024, 2, 29), datetime.date(1999, 12, 31)]
KINDS = {"name": "text", "status": "text", "depth_m": "number", "people": "number", "open": "bool", "seen": "date",
         "never": "none"}  # fmt: skip
ALIKE = ["intersects", "within", "contains", "disjoint", "equals", "touches", "crosses", "overlaps"]


def frame() -> gpd.GeoDataFrame:
    """The layer, in metres."""
    random = np.random.default_rng(7)
    x, y = random.integers(0, 20, (2, ROWS)) * 100.0
    kinds = [shapely.Point, lambda p: shapely.LineString([p, (p[0] + 150, p[1] + 90)]),
             lambda p: shapely.box(p[0], p[1], p[0] + 200, p[1] + 100)]  # fmt: skip
    shapes = [None if i % 7 == 6 else kinds[i % 3]((x[i], y[i])) for i in range(ROWS)]
    known = [None if i % 5 == 4 else i for i in range(ROWS)]
    made = hand_table(
        [shape or shapely.Point() for shape in shapes], row_id=[f"行/{i:03d} '" for i in range(ROWS)],
        name=[None if i is None else TEXTS[i % len(TEXTS)] for i in known],
        status=[["good", "bad", "watch"][i % 3] for i in range(ROWS)],
        depth_m=[np.nan if i is None else i / 7 - 3 for i in known], people=[i * i % 23 for i in range(ROWS)],
        open=[i % 2 == 0 for i in range(ROWS)],
        seen=[None if i is None else DAYS[i % 3] for i in known], never=[None] * ROWS,
    )  # fmt: skip
    made.loc[[i for i, shape in enumerate(shapes) if shape is None], "geometry"] = None
    return made


def saved(folder: Path) -> tuple[Workspace, Run]:
    """A workspace with a run that has the layer, ``awkward``, beside those made by hand."""
    made = workspace(folder)
    whole = outcome()
    tables = {**whole.tables, "awkward": frame()}
    run = made.save(recipe(made.study("kampen").file, 1), Outcome(tables, whole.rasters, whole.headline))
    made.mark_latest(run)
    return made, run


def _degrees(x: float, y: float) -> tuple[float, float]:
    point = gpd.GeoSeries([shapely.Point(EAST + x, NORTH + y)], crs=CRS).to_crs(4326).iloc[0]
    return point.x, point.y


WEST, SOUTH = _degrees(-100, -100)
EASTERN, NORTHERN = _degrees(2200, 2200)
lon = st.floats(WEST, EASTERN).map(lambda v: round(v, 6))
lat = st.floats(SOUTH, NORTHERN).map(lambda v: round(v, 6))
texts = st.one_of(st.sampled_from(TEXTS), st.text("ab%_坎'\"\\ß<", max_size=4)).filter(
    lambda text: "\\'" not in text and not text.endswith("\\")
)  # fmt: skip
numbers = st.one_of(st.integers(-5, 25), st.floats(-5, 25), st.floats(allow_nan=False, allow_infinity=False))
VALUES = {"text": texts, "number": numbers, "bool": st.booleans(), "date": st.sampled_from(DAYS)}


def literals(kind: str) -> st.SearchStrategy[Literal]:
    """A value of a kind."""
    return VALUES.get(kind, texts).map(Literal)


def _boxes(corners: tuple[float, float, float, float]) -> shapely.Geometry:
    return shapely.box(min(corners[:2]), min(corners[2:]), max(corners[:2]), max(corners[2:]))


boxes = st.tuples(lon, lon, lat, lat).map(_boxes).filter(lambda box: box.area > 0)
shapes = st.one_of(
    st.tuples(lon, lat).map(shapely.Point), boxes,
    st.lists(st.tuples(lon, lat), min_size=2, max_size=4, unique=True).map(shapely.LineString),
    st.tuples(boxes, st.floats(0.0001, 0.003)).map(lambda both: both[0].centroid.buffer(both[1], 4)),
)  # fmt: skip
columns = st.sampled_from(sorted(KINDS))


@st.composite
def comparisons(draw: st.DrawFn) -> Node:
    """One question about one column."""
    name = draw(columns)
    kind = KINDS[name]
    column = Casei(Property(name)) if kind == "text" and draw(st.booleans()) else Property(name)
    value = literals(kind)
    wanted = [value.map(Casei)] if isinstance(column, Casei) else [value]
    some = st.one_of(*wanted)
    operators = COMPARISONS if kind != "bool" else COMPARISONS[:2]
    made = [
        st.builds(Compare, st.sampled_from(operators), st.just(column), some),
        st.builds(Compare, st.sampled_from(operators), some, st.just(column)),
        st.builds(In, st.just(column), st.lists(some, min_size=1, max_size=4).map(tuple)),
        st.just(Missing(Property(name))),
    ]
    if kind != "bool":
        made.append(st.builds(Between, st.just(column), some, some))
    if kind == "text":
        made.append(st.builds(Like, st.just(column), some))
    return draw(st.one_of(made))


spatial = st.one_of(
    st.builds(Spatial, st.sampled_from(SPATIAL), st.just(Property("geometry")), shapes.map(Shape)),
    st.builds(Spatial, st.sampled_from(SPATIAL), shapes.map(Shape), st.just(Property("geometry"))),
)
leaves = st.one_of(comparisons(), comparisons(), spatial, st.booleans().map(Truth))
conditions: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(And),
        st.lists(inner, min_size=2, max_size=3).map(tuple).map(Or),
    ),
    max_leaves=6,
)

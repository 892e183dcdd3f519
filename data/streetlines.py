"""Streets a person gives as lines (GeoJSON, GeoPackage, Shapefile, …) as ``geo.network.Ways``.

An extract says which points its streets share; lines only have coordinates. Lines are joined where they have a vertex
within ``SAME_M`` of each other, and a line that ends within ``REACH_M`` of another is joined to it: to its vertex when
one is that near, else in mid-line.

::

    ─────┬─────      a vertex of both: joined                ─────────      ends 0.3 m short: joined there
         │                                                       ╷
    ─────│─────      crosses without a vertex: not joined, as under a bridge, and counted

The order of the rows changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from data import headers, vectors
from data.located import Near
from data.osm import kinds
from geo import network
from geo.errors import ColumnError, Fault, UnreadableError, refuse
from geo.network import BARRIER_TAGS, WAY_TAGS, Ways
from geo.reasons import Finding, Sentence

SAME_M = 0.01
"""Vertices this near to each other are one, metres: rounding, not drawing."""
REACH_M = 0.5
"""A line that ends this near to another meets it, metres."""
LINEAR = frozenset({"LineString", "MultiLineString", "LinearRing"})
UNKNOWN_CLASS = "road"
"""OSM's word for a street of unknown class."""
WAY_ID = "way_id"
STREETS_KIND = "streets"

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

NAMED: Mapping[str, tuple[str, ...]] = {tag: said.names for tag, said in headers.usual(STREETS_KIND).items()}
"""Names of columns in files, the likeliest first; the others are called as the tag, with ``_`` for ``:``."""
FLAGS = frozenset({"bridge", "tunnel", "covered", "motorroad", "lit", "ford"})
MEASURES = frozenset({
    "layer", "width", "lanes", "incline", "maxspeed", "maxspeed:forward", "maxspeed:backward", "maxheight", "maxwidth",
    "maxweight",
})  # fmt: skip
"""Tags whose columns may hold numbers; a number in another, such as ``area``, is another thing."""
NOT_ZERO = MEASURES - {"layer", "incline"}
"""Measures whose 0 means not known."""
TRUE, FALSE = frozenset({"t", "true", "yes", "1", "y", "是"}), frozenset({"f", "false", "no", "0", "n", "否"})
FORWARD, BACKWARD, BOTH = "f", "t", "b"
"""How Geofabrik's Shapefiles write ``oneway``."""
GEOFABRIK = "fclass"
"""The column by which those are known."""
STREETS = frozenset({
    *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link"),
    *("tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service", "pedestrian", "track"),
    *("busway", "bus_guideway", "escape", "road", "footway", "bridleway", "steps", "corridor", "path", "cycleway"),
    "platform",
}) | kinds.NOT_A_STREET | kinds.NOT_YET_A_STREET  # fmt: skip
"""OSM's values of ``highway``."""
CLASSES: Mapping[str, str] = {
    "track_grade1": "track", "track_grade2": "track", "track_grade3": "track", "track_grade4": "track",
    "track_grade5": "track", "unknown": UNKNOWN_CLASS, "primary road": "primary", "secondary road": "secondary",
    "tertiary road": "tertiary", "local": "residential", "local road": "residential", "highway": "trunk",
    "高速公路": "motorway", "快速路": "trunk", "主干路": "primary", "主干道": "primary", "次干路": "secondary",
    "次干道": "secondary", "支路": "tertiary", "街坊路": "residential", "步行街": "pedestrian", "人行道": "footway",
}  # fmt: skip
"""Other words for classes of streets."""


# -- the file's table --------------------------------------------------------------------------------------------


def read(
    path: str | Path, *, into: str, crs: str | None = None, columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None, near: Near | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:  # fmt: skip
    """The lines of a file in the metric CRS ``into``, one LineString a row, with ``way_id`` and the tags of ``Ways``.

    ``crs``, ``columns``, ``constants`` and ``near`` as for ``given.read``, to ``WAY_TAGS``; columns not mapped are
    known by their names (``NAMED``). ``way_id`` is 0 where the file has no OSM number for every line. Raises what
    ``vectors.read`` raises, UnreadableError when there is no line, and ColumnError for other geometry and unknown
    targets.
    """
    columns, constants = columns or {}, constants or {}
    refuse(ColumnError, _unknown_targets([*columns, *constants]))
    content = vectors.read(path, crs=crs, columns=columns, into=into, near=near)
    return understood(content, columns=columns, constants=constants)


def understood(
    content: vectors.Read, *, columns: Mapping[str, str], constants: Mapping[str, str]
) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:
    """What ``vectors.read`` gave, in a metric CRS, as lines; the rest as for ``read``."""
    refuse(ColumnError, _unknown_targets([*columns, *constants]))
    frame, path = content.table, content.path
    refuse(ColumnError, _shape_faults(frame, str(path)))
    frame = frame.assign(**constants)
    found = _columns(frame, {*columns, *constants})
    tags, said = _tags(frame, found)
    parts, row = shapely.get_parts(np.asarray(frame.geometry.to_numpy(), dtype=object), return_index=True)
    if not len(parts):
        raise UnreadableError(Fault("lines of streets", "none", str(path), "Give a file of lines."))
    lines = gpd.GeoDataFrame(tags.iloc[row].reset_index(drop=True), geometry=parts, crs=frame.crs)
    return lines, (*content.notes, *_column_notes(frame, found), *said)


def _unknown_targets(targets: Sequence[str]) -> list[Fault]:
    known = (WAY_ID, *WAY_TAGS)
    cure = "Write --map OUR_NAME=YOUR_COLUMN, or --map OUR_NAME:=VALUE."
    bad = [name for name in targets if name not in known and name not in vectors.PLACING]
    return [Fault(f"one of {', '.join(known)}", repr(name), "--map", cure) for name in bad]


def _shape_faults(frame: gpd.GeoDataFrame, where: str) -> list[Fault]:
    found = {str(g) for g in frame.geometry.dropna().geom_type.unique()} - LINEAR
    return [Fault("lines", ", ".join(sorted(found)), where, "Give the streets' middle lines.")] if found else []


def _columns(frame: gpd.GeoDataFrame, mapped: set[str]) -> dict[str, str]:
    """Our name -> the file's column that says it, of those there are."""
    there = {headers.plain(str(name)): str(name) for name in frame.columns if name != frame.geometry.name}
    found = {}
    for tag in (WAY_ID, *WAY_TAGS):
        usual = (tag,) if tag in mapped else NAMED.get(tag, (tag, tag.replace(":", "_"), tag.replace(":", "_")[:10]))
        name = next((there[n] for n in map(headers.plain, usual) if n in there), None)
        if name is not None and (tag in mapped or _may_be(frame[name], tag)):
            found[tag] = name
    return found


def _may_be(values: pd.Series[Any], tag: str) -> bool:
    """Whether a column found by its name can be what the name says: ``area`` in square metres is no ``area=yes``."""
    numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return not numbers or tag in MEASURES | FLAGS | {WAY_ID, "oneway"}


def _tags(frame: gpd.GeoDataFrame, found: Mapping[str, str]) -> tuple[pd.DataFrame, tuple[Sentence, ...]]:
    """``way_id`` and every tag of each row, and what is to be said of the classes of streets."""
    text = {tag: [_text(value) for value in frame[name]] for tag, name in found.items()}
    number = _numbers(text.get(WAY_ID, []))
    columns: dict[str, Any] = {WAY_ID: number if number is not None else np.zeros(len(frame), dtype=np.int64)}
    words = _one_way_words(text.get("oneway", []), geofabrik=found.get("highway", "").lower() == GEOFABRIK)
    for tag in WAY_TAGS:
        values = text.get(tag, [None] * len(frame))
        columns[tag] = pd.Series([_value(tag, value, words) for value in values], dtype=object)
    columns["highway"], notes = _classes(columns["highway"])
    return pd.DataFrame(columns), notes


def _text(value: object) -> str | None:
    """A value as text, whole numbers without ``.0``; None where there is none."""
    if value is None or value is pd.NA or value != value or str(value).strip() == "":
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _numbers(text: Sequence[str | None]) -> Ints | None:
    """OSM numbers (``123``, ``way/123``, ``w123``); None when a row has none."""
    found = [re.fullmatch(r"(?:way/|w)?(\d{1,18})", value or "") for value in text]
    return np.array([int(f[1]) for f in found if f], dtype=np.int64) if found and all(found) else None


def _one_way_words(text: Sequence[str | None], *, geofabrik: bool) -> Mapping[str, str]:
    """What the words for ``oneway`` mean: ``T`` is *against* in a file of Geofabrik's or beside ``B``, else true."""
    if geofabrik or BOTH in {(value or "").lower() for value in text}:
        return {FORWARD: "yes", BACKWARD: "-1", BOTH: "no"}
    return {**dict.fromkeys(TRUE, "yes"), **dict.fromkeys(FALSE, "no")}


def _value(tag: str, text: str | None, one_way: Mapping[str, str]) -> str | None:
    """A tag's value as OSM writes it."""
    if text is None:
        return None
    if tag == "oneway":
        return one_way.get(text.lower(), text.lower())
    if tag in FLAGS and text.lower() in TRUE | FALSE:
        return "yes" if text.lower() in TRUE else None
    return None if tag in NOT_ZERO and text == "0" else text


def _classes(given: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[Sentence, ...]]:
    """The classes in OSM's words, and which were not understood."""
    words = [value.lower() if value is not None else None for value in given]
    known = [word if word in STREETS else CLASSES.get(word or "") for word in words]
    strange = Counter(value for value, word in zip(given, known, strict=True) if word is None)
    count = sum(strange.values())
    named = ", ".join(sorted(value for value in strange if value is not None)[:5])
    said = Sentence(
        "street_class_unknown",
        f"{count:,} of {len(given):,} streets have no class that is understood{f' ({named})' if named else ''} and "
        "count as ordinary roads.",
        f"{len(given):,}条街道中{count:,}条的等级无法识别{f'（{named}）' if named else ''}，按普通道路处理。",
    )
    return pd.Series([word or UNKNOWN_CLASS for word in known], dtype=object), (said,) if count else ()


def _column_notes(frame: gpd.GeoDataFrame, found: Mapping[str, str]) -> tuple[Finding, ...]:
    """Which columns were taken for what, where they are called otherwise."""
    known = {tag: (tag, *NAMED.get(tag, ())) if tag.startswith("name_") else (tag,) for tag in found if tag != WAY_ID}
    return headers.notes({tag: found[tag] for tag, names in known.items() if found[tag].lower() not in names}, {})


# -- from lines to a network's ways --------------------------------------------------------------------------------


def ways(tables: Sequence[gpd.GeoDataFrame]) -> tuple[Ways, tuple[Sentence, ...]]:
    """The streets of one or more tables of lines (``read``, one CRS) as ways, and what was joined and left out.

    Left out and counted: what is no street (being built, a race track), lines without length, lines drawn again (the
    same either way round, unless they are one-way and run against each other). Ways without an OSM number are numbered
    from 1. Raises UnreadableError when nothing is left.
    """
    counts: Counter[str] = Counter()
    lines = _in_order(gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=tables[0].crs))
    lines = _streets(lines, counts)
    lines = _drawn_once(lines, counts)
    if not (lines[WAY_ID] > 0).all():
        lines[WAY_ID] = np.arange(1, len(lines) + 1)
    found = _joined(lines, counts)
    if not len(found):
        raise UnreadableError(Fault("lines of streets", "none that is a street", "streets", "Check --map highway=…"))
    counts["crossings"] = crossings(found)
    return found, tuple(_notes(counts))


def crossings(streets: Ways) -> int:
    """Pairs of streets that cross without a shared point though no bridge, tunnel or layer says why."""
    net = network.build(streets)
    one, other = net.tree.query(net.lines, predicate="crosses")
    later = one < other
    level = pd.Series(net.edge_tag("layer")).fillna("0").to_numpy()
    apart = net.edge_is("bridge") | net.edge_is("tunnel")
    one, other = one[later], other[later]
    return int(((level[one] == level[other]) & ~apart[one] & ~apart[other]).sum())


def _in_order(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lines in an order that depends on nothing but themselves: by number, then by where they begin."""
    shapes = np.asarray(lines.geometry.to_numpy(), dtype=object)
    start = shapely.get_point(shapes, 0)
    said = lines[list(WAY_TAGS)].fillna("").agg("\0".join, axis=1)
    columns = {
        "way": lines[WAY_ID].to_numpy(), "x": shapely.get_x(start), "y": shapely.get_y(start),
        "wkb": shapely.to_wkb(shapes), "said": said.to_numpy(),
    }  # fmt: skip
    order = pd.DataFrame(columns).sort_values(list(columns), kind="stable").index
    return lines.iloc[order].reset_index(drop=True)


def _streets(lines: gpd.GeoDataFrame, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Those that are streets and have a length."""
    shapes = np.asarray(lines.geometry.to_numpy(), dtype=object)
    closed = shapely.is_closed(shapes)
    why_not = [
        kinds.street({"highway": value, "area": area or ""}, closed=bool(shut))
        for value, area, shut in zip(lines["highway"], lines["area"], closed, strict=True)
    ]
    counts.update(why for why in why_not if why)
    street = np.array([why is None for why in why_not], dtype=bool)
    long = shapely.length(shapes) > 0
    counts["without_length"] += int((street & ~long).sum())
    return lines[street & long].reset_index(drop=True)


def _drawn_once(lines: gpd.GeoDataFrame, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Without lines that are drawn a second time: in the same direction, or against it when neither is one-way."""
    shapes = np.asarray(lines.geometry.to_numpy(), dtype=object)
    drawn, either_way = shapely.to_wkb(shapes), shapely.to_wkb(shapely.normalize(shapes))
    one_way = lines["oneway"].isin(["yes", "-1"]).to_numpy()
    again = pd.Series(np.where(one_way, drawn, either_way)).duplicated().to_numpy()
    counts["drawn_twice"] += int(again.sum())
    return lines[~again].reset_index(drop=True)


def _joined(lines: gpd.GeoDataFrame, counts: Counter[str]) -> Ways:
    """The lines over nodes that they share."""
    shapes = np.asarray(lines.geometry.to_numpy(), dtype=object)
    xy, line = shapely.get_coordinates(shapes, return_index=True)
    node = _same(xy, SAME_M)
    xy, line, node = _ends_met(shapes, xy, line, node, counts)
    real = np.r_[True, (line[1:] != line[:-1]) | (node[1:] != node[:-1])] if len(line) else np.zeros(0, dtype=bool)
    size = np.bincount(line[real], minlength=len(lines))
    counts["without_length"] += int((size < 2).sum())
    kept = real & (size[line] > 1)
    node, first = _numbered(node[kept])
    place = xy[kept][first][node - 1]
    tags = pd.DataFrame(lines.loc[size > 1, [WAY_ID, *WAY_TAGS]]).reset_index(drop=True)
    start = np.r_[0, np.cumsum(size[size > 1])].astype(np.int64)
    counts["streets"] = len(tags)
    return Ways(tags, start, node, place[:, 0].copy(), place[:, 1].copy(), _no_barriers(), lines.crs.to_string())


def _no_barriers() -> pd.DataFrame:
    columns = {"node_id": pd.Series(dtype="int64")} | dict.fromkeys(BARRIER_TAGS, pd.Series(dtype="object"))
    return pd.DataFrame(columns)


def _same(xy: Floats, within_m: float) -> Ints:
    """A number for each point (points,); points within reach of each other, also over others, have the same."""
    pairs = cKDTree(xy).query_pairs(within_m, output_type="ndarray") if len(xy) else np.zeros((0, 2), dtype=np.int64)
    return _merged(len(xy), pairs[:, 0], pairs[:, 1])


def _merged(n: int, one: NDArray[np.integer], other: NDArray[np.integer]) -> Ints:
    joins = coo_matrix((np.ones(len(one), dtype=bool), (one, other)), shape=(n, n))
    return np.asarray(connected_components(joins, directed=False)[1], dtype=np.int64)


def _ends_met(shapes: Shapes, xy: Floats, line: Ints, node: Ints, counts: Counter[str]) -> tuple[Floats, Ints, Ints]:
    """Points, lines and nodes after loose ends were joined to the nearest other line within reach."""
    ends = _loose_ends(line, node)
    end, other = shapely.STRtree(shapes).query(shapely.points(xy[ends]), predicate="dwithin", distance=REACH_M)
    away = other != line[ends[end]]
    end, other = end[away], other[away]
    off = shapely.distance(shapely.points(xy[ends[end]]), shapes[other])
    best = np.lexsort((other, off, end))
    best = best[np.r_[True, end[best][1:] != end[best][:-1]]] if len(best) else best
    point, other = ends[end[best]], other[best]
    counts["ends_joined"] += len(point)
    near = _nearest_vertex(xy, line, point, other)
    at_vertex = np.hypot(*(xy[near] - xy[point]).T) <= REACH_M
    node = _merged_nodes(node, point[at_vertex], near[at_vertex])
    return _inserted(shapes, xy, line, node, point[~at_vertex], other[~at_vertex])


def _loose_ends(line: Ints, node: Ints) -> Ints:
    """Positions of the ends of lines at which nothing else is."""
    end = np.r_[True, line[1:] != line[:-1]] | np.r_[line[1:] != line[:-1], True] if len(line) else line.astype(bool)
    return np.flatnonzero(end & (np.bincount(node)[node] == 1))


def _nearest_vertex(xy: Floats, line: Ints, point: Ints, other: Ints) -> Ints:
    """For each point the position of the nearest vertex of the other line; the first of several."""
    first = np.searchsorted(line, other)
    last = np.searchsorted(line, other, side="right")
    found = [
        a + int(np.argmin(np.hypot(*(xy[a:b] - xy[p]).T))) for p, a, b in zip(point, first, last, strict=True)
    ]  # fmt: skip
    return np.array(found, dtype=np.int64)


def _merged_nodes(node: Ints, one: Ints, other: Ints) -> Ints:
    n = int(node.max()) + 1 if len(node) else 0
    return _merged(n, node[one], node[other])[node]


def _inserted(
    shapes: Shapes, xy: Floats, line: Ints, node: Ints, point: Ints, other: Ints
) -> tuple[Floats, Ints, Ints]:
    """With a new vertex on the other line where each point meets it in mid-line, in the point's node."""
    along = shapely.line_locate_point(shapes[other], shapely.points(xy[point]))
    place = shapely.get_coordinates(shapely.line_interpolate_point(shapes[other], along))
    step = np.r_[0.0, np.where(line[1:] == line[:-1], np.hypot(*np.diff(xy, axis=0).T), 0.0)] if len(xy) else xy[:, 0]
    first = np.searchsorted(line, line)
    run = np.cumsum(step) - np.cumsum(step)[first]
    # An inserted vertex comes first among the points of its node, so that the line it lies on keeps its shape.
    order = np.lexsort((np.r_[run, along], np.r_[line, other]))
    moved = xy.copy()
    moved[point] = place
    return np.r_[moved, place][order], np.r_[line, other][order], np.r_[node, node[point]][order]


def _numbered(node: Ints) -> tuple[Ints, Ints]:
    """Nodes numbered from 1 in the order in which they come, and the first position of each."""
    _, first, inverse = np.unique(node, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return rank[inverse], first[order]


SAID: Mapping[str, tuple[str, str]] = {
    "not_built": ("{n} lines are streets planned or being built and not used.", "{n}条线为规划或在建道路，未使用。"),
    "not_a_street": ("{n} lines are no streets and not used.", "{n}条线不是道路，未使用。"),
    "drawn_twice": ("{n} streets are drawn a second time and left out.", "{n}条街道重复绘制，未计入。"),
    "without_length": ("{n} lines have no length and are left out.", "{n}条线长度为零，未计入。"),
    "ends_joined": ("{n} streets that ended up to 0.5 m short of another were joined to it.",
                    "{n}条街道端点距另一街道不足0.5米，已连接。"),
    "crossings": ("{n} pairs of streets cross without a shared point, bridge or tunnel: nobody can turn there. If they "
                  "meet, give the lines a shared vertex.", "{n}对街道相交但无公共点、桥梁或隧道：此处不能转弯。"
                  "若实际相通，请在线上添加公共顶点。"),
}  # fmt: skip
"""What is said of each count."""


def _notes(counts: Mapping[str, int]) -> Iterator[Sentence]:
    for code, (en, zh) in SAID.items():
        if counts.get(code):
            yield Sentence(f"streets_{code}", en.format(n=f"{counts[code]:,}"), zh.format(n=counts[code]))

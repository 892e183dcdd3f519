"""Whether a layer that says WGS 84 sits in GCJ-02 or BD-09: it then fits the map only once it is moved back.

The layer is laid on the map as it stands, moved back from GCJ-02, and moved back from BD-09; and, to know what chance
does, as far in other directions, half and one and a half times as far, and a little beside each of the three. Measured
is the share of it near something on the map: places on buildings, outlines along outlines and streets, places near the
place of the same name. One of the three wins only when it beats every other try by a margin that is the wider the less
evidence there is, and lies ``CLEAR`` standard deviations above what chance does; where nothing wins, nothing is said.
A layer is suspected, never moved.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, in_china_grid, metric_crs, reproject
from geo.reasons import Finding
from geo.shifts import NAMES, SYSTEMS, from_wgs84, to_wgs84

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]
Texts = NDArray[np.object_]
Share = Callable[[Floats], float]
"""From how far each sample is moved, (m, 2) in metres, the share of the layer that is then near the map."""

REFERENCES = {
    "namesakes": (60.0, "the place of the same name", "同名地点"),
    "buildings": (3.0, "a mapped building", "已绘制的建筑"),
    "streets": (10.0, "a mapped street", "已绘制的道路"),
    "boundaries": (30.0, "a mapped boundary", "已绘制的界线"),
}
"""What a layer may be laid on: how near in metres counts, and what it is called in English and Chinese."""
CLEAR = 3.5
"""Standard deviations above the tries that only chance can favour."""
MARGIN = 0.1
"""Share by which the best of these tries must be beaten, and by one over the root of the pieces of evidence if more."""
SQUARE_M = 200.0
"""What lies in one square of this side, a hundred shops at one address, is one piece of evidence."""
PIECES = 5
"""Fewest pieces that can say anything."""
LEAST_NEAR = 4.0
"""Fewest of them that must be near."""
MOST_SAMPLES = 1500
"""Places looked at; of a larger layer a part, evenly taken."""
STEP_M, MOST_OF_ONE = 10.0, 60
"""How far apart the places along an outline are, and how many of one shape at most."""
TURNS_DEG = tuple(range(30, 331, 20))
"""Other directions as far as the shift."""
BESIDE_M = (150.0, 250.0)
"""How far beside each of the three positions a try is made."""
SITE_M = 300.0
"""Width of a site beyond which being on it says too little."""
NAMED_ALIKE = 3
"""Places of one name beyond which it is a chain's."""
DIRECTIONS = (
    ("north", "北"), ("north-east", "东北"), ("east", "东"), ("south-east", "东南"),
    ("south", "南"), ("south-west", "西南"), ("west", "西"), ("north-west", "西北"),
)  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """Something on the map to lay a layer on: ``what`` of ``REFERENCES``, shapes (n,) in the layer's metric CRS.

    ``names`` (n,), None where there is none, are needed for ``namesakes`` only.
    """

    what: str
    shapes: Shapes
    names: Texts | None = None

    def __repr__(self) -> str:
        return f"Reference({self.what}, {len(self.shapes)} shapes)"


@dataclass(frozen=True)
class Offset:
    """A layer suspected to sit in ``system``: it lies ``shift_m`` metres to the ``direction`` of where it belongs.

    ``near_before`` and ``near_after`` are the shares (0-1) of it near ``what`` as it stands and moved back,
    ``near_chance`` of the best of all other tries; ``z`` the standard deviations above chance; ``n`` the pieces of
    evidence: squares of ``SQUARE_M`` that hold some of it.
    """

    system: str
    shift_m: float
    direction_en: str
    direction_zh: str
    what: str
    near_before: float
    near_after: float
    near_chance: float
    z: float
    n: int


@dataclass(frozen=True)
class Fit:
    """How a layer lies on one reference: ``system`` (``wgs84``, ``gcj02``, ``bd09``) that clearly fits, else None.

    ``shares`` by system, ``best_chance`` and ``z`` of the best of the three; ``n`` pieces of evidence.
    """

    what: str
    system: str | None
    shares: dict[str, float]
    best_chance: float
    z: float
    n: int


def suspect(shapes: Shapes, *, reference: Sequence[Reference], crs: str, names: Texts | None = None) -> Offset | None:
    """The Chinese system a layer seems to sit in though it says WGS 84; None: it does not, or nothing can be told.

    ``shapes`` (n,) points, lines or outlines and ``reference`` in ``crs`` (metres); ``names`` (n,) as locals write
    them, None where there is none. None outside China, where WGS 84 fits any reference, and where two disagree.
    """
    fits_ = fits(shapes, reference=reference, crs=crs, names=names)
    found = [fit for fit in fits_ if fit.system is not None]
    if len({fit.system for fit in found}) != 1 or found[0].system == "wgs84":
        return None
    best = max(found, key=lambda fit: fit.z)
    return _offset(best, shapes, crs)


def fits(shapes: Shapes, *, reference: Sequence[Reference], crs: str, names: Texts | None = None) -> list[Fit]:
    """How a layer lies on each reference as it stands and moved back; as ``suspect``, empty outside China."""
    kept = _different(shapes)
    layer = np.asarray(shapes, dtype=object)[kept]
    if not len(layer) or not _in_china(layer, crs):
        return []
    called = None if names is None else np.asarray(names, dtype=object)[kept]
    laid = (_laid(layer, called, each) for each in reference if len(each.shapes))
    return [_fit(each, crs) for each in laid if each is not None and each.n >= PIECES]


@dataclass(frozen=True)
class _Laid:
    """A layer laid on a reference: samples (m, 2) in metres, their share near it when moved, pieces of evidence."""

    what: str
    xy: Floats
    share: Share
    n: int


def _different(shapes: Shapes) -> Ints:
    """Rows with a shape, each place once."""
    rows = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    place = np.round(shapely.get_coordinates(shapely.centroid(np.asarray(shapes, dtype=object)[rows])))
    _, first = np.unique(place, axis=0, return_index=True)
    return rows[np.sort(first)]


def _in_china(layer: Shapes, crs: str) -> bool:
    xmin, ymin, xmax, ymax = shapely.total_bounds(layer)
    lon, lat = reproject(np.array([(xmin + xmax) / 2]), np.array([(ymin + ymax) / 2]), source=crs, target=WGS84)
    return in_china_grid(float(lon[0]), float(lat[0]))


def _laid(layer: Shapes, names: Texts | None, on: Reference) -> _Laid | None:
    """The layer on one reference; None where they cannot be compared."""
    if on.what == "namesakes":
        return None if names is None or on.names is None else _laid_by_name(layer, names, on)
    rows = layer[np.unique(np.linspace(0, len(layer) - 1, MOST_SAMPLES // 2).astype(np.int64))]
    flat = shapely.get_dimensions(rows) == 0
    # A place lies in a building; an outline runs along one.
    whole = on.shapes if flat.all() else _as_lines(on.shapes)
    xy, row = _samples(rows)
    tree, weight = shapely.STRtree(whole), _weights(row)
    near_m = REFERENCES[on.what][0]

    def share(moved: Floats) -> float:
        hit = tree.query(shapely.points(xy + moved), predicate="dwithin", distance=near_m)[0]
        return float(weight[np.unique(hit)].sum())

    return _Laid(on.what, xy, share, _pieces(xy))


def _pieces(xy: Floats) -> int:
    return len(np.unique(np.floor(xy / SQUARE_M), axis=0))


def _as_lines(shapes: Shapes) -> Shapes:
    """Outlines of areas, lines as they are; points go."""
    lines = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
    return np.asarray(lines[shapely.get_dimensions(lines) == 1], dtype=object)


def _samples(rows: Shapes) -> tuple[Floats, Ints]:
    """Places (m, 2) evenly along every outline and line, and points; and the row (m,) of each."""
    flat = np.flatnonzero(shapely.get_dimensions(rows) == 0)
    points, of = shapely.get_coordinates(rows[flat], return_index=True)
    other = np.flatnonzero(shapely.get_dimensions(rows) > 0)
    area = shapely.get_dimensions(rows[other]) == 2
    parts, part_of = shapely.get_parts(np.where(area, shapely.boundary(rows[other]), rows[other]), return_index=True)
    length = shapely.length(parts)
    most = max(min(MOST_OF_ONE, MOST_SAMPLES // max(len(rows), 1)), 2)
    step = np.maximum(STEP_M, np.bincount(part_of, length, len(other)) / most)[part_of]
    count = np.maximum(length // step, 1).astype(np.int64)
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    along = shapely.line_interpolate_point(np.repeat(parts, count), (nth + 0.5) * np.repeat(length / count, count))
    row = np.r_[flat[of], np.repeat(other[part_of], count)]
    return np.vstack([points, shapely.get_coordinates(along)]), row.astype(np.int64)


def _weights(row: Ints) -> Floats:
    """What each sample counts: every row the same, whatever its length; they sum to 1."""
    each = 1 / np.bincount(row)[row]
    return np.asarray(each / each.sum(), dtype=np.float64)


def _laid_by_name(layer: Shapes, names: Texts, on: Reference) -> _Laid | None:
    """Places beside the places of the same name on the map; None where there are none."""
    pairs = np.array(list(_pairs(names, on)), dtype=np.int64).reshape(-1, 2)
    if not len(pairs):
        return None
    rows, mine = np.unique(pairs[:, 0], return_inverse=True)
    xy, sites = shapely.get_coordinates(shapely.point_on_surface(layer[rows])), on.shapes[pairs[:, 1]]
    near_m = REFERENCES[on.what][0]

    def share(moved: Floats) -> float:
        near = shapely.dwithin(shapely.points((xy + moved)[mine]), sites, near_m)
        return len(np.unique(mine[near])) / len(rows)

    return _Laid(on.what, xy, share, _pieces(xy))


def _pairs(names: Texts, on: Reference) -> Iterator[tuple[int, int]]:
    """Rows of the layer and of the reference with one name, save chains and sites too wide to tell."""
    assert on.names is not None
    by_name: dict[str, list[int]] = {}
    for site in np.flatnonzero(_width_m(on.shapes) <= SITE_M).tolist():
        by_name.setdefault(_plain(on.names[site]), []).append(site)
    by_name.pop("", None)
    for row, name in enumerate(names.tolist()):
        sites = by_name.get(_plain(name), [])
        yield from ((row, site) for site in sites if len(sites) <= NAMED_ALIKE)


def _plain(name: object) -> str:
    """A name without spaces, in one width and case of letters; empty where there is none."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split()) if isinstance(name, str) else ""


def _width_m(shapes: Shapes) -> Floats:
    xmin, ymin, xmax, ymax = shapely.bounds(shapes).T
    return np.asarray(np.hypot(xmax - xmin, ymax - ymin), dtype=np.float64)


def _fit(laid: _Laid, crs: str) -> Fit:
    """The three positions against every other try."""
    back = {system: _way_back(laid.xy, crs, system) for system in SYSTEMS}
    shares = {"wgs84": laid.share(np.zeros_like(laid.xy))} | {s: laid.share(moved) for s, moved in back.items()}
    chance = np.array([laid.share(moved) for moved in _tries(list(back.values()))])
    best = max(shares, key=lambda system: shares[system])
    second = max(share for system, share in shares.items() if system != best)
    other, z = max(float(chance.max()), second), _deviations(shares[best], chance, laid.n)
    fit = Fit(laid.what, best, shares, other, z, laid.n)
    margin = max(MARGIN, 1 / float(np.sqrt(laid.n)))
    wins = z >= CLEAR and shares[best] >= other + margin and shares[best] * laid.n >= LEAST_NEAR
    return fit if wins else replace(fit, system=None)


def _deviations(share: float, chance: Floats, n: int) -> float:
    """How many standard deviations a share lies above those of chance; few pieces spread at least as coins do."""
    mean = (float(chance.sum()) * n + 1) / (len(chance) * n + 2)
    return (share - mean) / max(float(chance.std()), float(np.sqrt(mean * (1 - mean) / n)))


def _way_back(xy: Floats, crs: str, system: str) -> Floats:
    """How far, (m, 2) in metres, places move when taken out of ``system``."""
    return _moved(xy, crs, lambda lon, lat: to_wgs84(lon, lat, system)) - xy


def _moved(xy: Floats, crs: str, move: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Floats:
    lon, lat = reproject(xy[:, 0], xy[:, 1], source=crs, target=WGS84)
    x, y = reproject(*move(lon, lat), source=WGS84, target=crs)
    return np.column_stack([x, y])


def _tries(back: list[Floats]) -> Iterator[Floats]:
    """Every way to move the layer that only chance can favour."""
    for moved in back:
        yield from (_turned(moved, turn) for turn in TURNS_DEG)
        yield from (moved * 0.5, moved * 1.5)
    for moved in (np.zeros_like(back[0]), *back):
        for beside_m in BESIDE_M:
            yield from (moved + _turned(np.array([[beside_m, 0.0]]), turn) for turn in range(0, 360, 45))


def _turned(moved: Floats, degrees: float) -> Floats:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray(moved @ np.array([[cos, sin], [-sin, cos]]), dtype=np.float64)


def _offset(fit: Fit, shapes: Shapes, crs: str) -> Offset:
    assert fit.system is not None
    xmin, ymin, xmax, ymax = shapely.total_bounds(shapes)
    east, north = -_way_back(np.array([[(xmin + xmax) / 2, (ymin + ymax) / 2]]), crs, fit.system)[0]
    en, zh = direction(float(east), float(north))
    return Offset(fit.system, float(np.hypot(east, north)), en, zh, fit.what, fit.shares["wgs84"],
                  fit.shares[fit.system], fit.best_chance, fit.z, fit.n)  # fmt: skip


def direction(east_m: float, north_m: float) -> tuple[str, str]:
    """The compass word, in English and Chinese, for metres to the east and north."""
    eighth = round(float(np.degrees(np.arctan2(east_m, north_m))) / 45) % 8
    return DIRECTIONS[eighth]


def shift_at(lon: float, lat: float, system: str) -> tuple[float, str, str]:
    """How far in metres, and to which side in English and Chinese, ``system`` draws a place in WGS 84 degrees."""
    crs = metric_crs(lon, lat)
    xy = np.column_stack(reproject(np.array([lon]), np.array([lat]), source=WGS84, target=crs))
    east, north = (_moved(xy, crs, lambda lon, lat: from_wgs84(lon, lat, system)) - xy)[0]
    return float(np.hypot(east, north)), *direction(float(east), float(north))


def finding(offset: Offset) -> Finding:
    """What a planner is told of a layer that is suspected; never moved without being asked."""
    name = NAMES[offset.system]
    _, what_en, what_zh = REFERENCES[offset.what]
    return Finding(
        f"coordinates_may_be_{offset.system}",
        f"The coordinates look like {name}, not WGS 84: the layer seems to lie {offset.shift_m:.0f} m to the "
        f"{offset.direction_en} of where it belongs. As it stands {offset.near_before:.0%} of it is near {what_en}; "
        f"moved back {offset.near_after:.0%}; moved at random at most {offset.near_chance:.0%}.",
        f"坐标疑似{name}而非WGS 84：图层似乎向{offset.direction_zh}偏移约{offset.shift_m:.0f}米。"
        f"现状有{offset.near_before:.0%}靠近{what_zh}，纠偏后为{offset.near_after:.0%}，随机移动最多{offset.near_chance:.0%}。",
        "warning", count=offset.n,
        do_en="If the data comes from a Chinese map service, give it again: "
        f"renxing add STUDY KIND FILE --crs {offset.system} --replace.",
        do_zh="如数据来自国内地图服务，请重新提供："
        f"renxing add STUDY KIND FILE --crs {offset.system} --replace。",
    )  # fmt: skip


def unknown_origin(lon: float, lat: float) -> Finding:
    """The question to ask of degrees in China whose system nobody states and nothing on the map can tell.

    ``lon``, ``lat`` in degrees: the middle of the layer.
    """
    gcj_m, gcj_en, gcj_zh = shift_at(lon, lat, "gcj02")
    bd_m, _, _ = shift_at(lon, lat, "bd09")
    return Finding(
        "coordinates_origin_unknown",
        f"The coordinates are degrees in China and do not say of which system; they are taken as WGS 84. Were they "
        f"GCJ-02 (Amap, Tencent), everything would lie {gcj_m:.0f} m too far {gcj_en} here; were they BD-09 (Baidu), "
        f"{bd_m:.0f} m.",
        "坐标为中国境内经纬度，未注明坐标系，按WGS 84处理。"
        f"若实为GCJ-02（高德、腾讯），此处将向{gcj_zh}偏移约{gcj_m:.0f}米；若为BD-09（百度），偏移约{bd_m:.0f}米。",
        "warning",
        do_en="Ask where the data comes from; if from Amap or Tencent add --crs gcj02, if from Baidu --crs bd09, "
        "if it is WGS 84 say so with --crs EPSG:4326.",
        do_zh="请确认数据来源：高德、腾讯用 --crs gcj02，百度用 --crs bd09，确为WGS 84则用 --crs EPSG:4326 注明。",
    )  # fmt: skip

"""Whether outlines fit together: what two of them claim, what none of them does, and what is only drawing noise.

::

    ┌─────────┬──────┐      A and B overlap by ▒, which belongs to the smaller of them; ░ is a gap between B, C and D,
    │    A  ▒▒│  B   │      nobody's ground (三不管). Both are slivers where they are nowhere wider than ``sliver_m``:
    ├─────────┼░░────┤      those are counted together, and can be mended. Nothing is mended without being asked.
    │    C    │   D  │
    └─────────┴──────┘
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced
from geo.reasons import Finding, Severity, counted

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]
Ground = shapely.Polygon | shapely.MultiPolygon

LEAST_M2 = 1.0
"""Overlaps and gaps up to this area, square metres, come from rounding coordinates."""
NEAR_M = 0.01
"""Metres. Outlines this near to each other touch."""
OVER_M = 1e-4
"""Metres by which a gap is overfilled, so that it grows together with its neighbour."""
SAME = 1e-6
"""Share of the area by which two outlines may differ and still be the same."""
HA_M2, KM2_M2 = 1e4, 1e6
"""A hectare and a square kilometre in square metres."""
TOLD = 3
"""How many cases a sentence names; the others are in the tables."""
ROWS = 5
"""How many row numbers a finding gives."""
OVERLAPS = ("fault_id", "kind", "one_id", "other_id", "one_name", "other_name", "area_m2", "sliver")
GAPS = ("fault_id", "kind", "beside_ids", "beside_names", "area_m2", "sliver")


class FitParams(Sourced):
    """What counts as a fault of outlines, and what as drawing noise."""

    subject = "community"

    sliver_m: float = Field(
        ge=0, le=100, description="Widest overlap or gap between outlines that is only drawing noise, metres."
    )
    edge_gap_m: float = Field(
        ge=0, le=2000, description="Widest gap between communities that counts though it is open outwards, metres."
    )
    tiny_m2: float = Field(ge=0, le=1e6, description="Area below which an outline is hardly a community, m².")


@dataclass(frozen=True, eq=False)
class Fit:
    """``overlaps`` (columns OVERLAPS, one row a pair) and ``gaps`` (GAPS, one row a gap), largest first; ``findings``.

    Kinds of overlap: ``same`` outline twice, one ``inside`` the other, ``overlap``. Kinds of gap: ``enclosed`` between
    several, ``hole`` in one, ``edge`` open to the outside of all. ``sliver`` marks drawing noise.
    """

    overlaps: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether every bit of ground belongs to exactly one outline."""
        return not len(self.overlaps) and not len(self.gaps)

    def __repr__(self) -> str:
        slivers = int(self.overlaps["sliver"].sum() + self.gaps["sliver"].sum())
        whole = len(self.overlaps) + len(self.gaps) - slivers
        return f"Fit({whole} overlaps and gaps, {slivers} slivers, {len(self.findings)} findings)"


@dataclass(frozen=True, eq=False)
class Mended:
    """``table`` without slivers, ``moved_m2`` the ground that changed hands, ``findings`` that say so."""

    table: gpd.GeoDataFrame
    moved_m2: float
    findings: tuple[Finding, ...]


def faults(communities: gpd.GeoDataFrame, *, params: FitParams, study_outline: Ground | None = None) -> Fit:
    """Everything that is wrong with how the outlines of ``communities`` (COMMUNITIES columns) fit together.

    With a ``study_outline`` in the same metric CRS, gaps are all of it that no outline covers, and outlines wholly
    beyond it are named; without one, gaps are holes, and inlets between two outlines up to ``edge_gap_m`` wide.
    Outlines that cross themselves are made valid first, here only.
    """
    rows = communities.reset_index(drop=True)
    drawn = _shapes(rows)
    shapes = np.where(shapely.is_valid(drawn), drawn, _polygonal(shapely.make_valid(drawn)))
    overlaps = _overlaps(rows, shapes, params)
    gaps = _gaps(rows, shapes, study_outline, params)
    said = (*_shape_findings(rows, drawn, shapes, study_outline, params), *_fit_findings(rows, overlaps, gaps, params))
    return Fit(overlaps, gaps, said)


def mended(communities: gpd.GeoDataFrame, fit: Fit) -> Mended:
    """The communities without the slivers of ``fit``: overlaps stay with the smaller, gaps go to the longest neighbour.

    Real overlaps and gaps stay as they are, and so does ground that only one outline and the study's edge enclose.
    """
    shapes = pd.Series(_shapes(communities), index=communities["community_id"].to_numpy(), dtype=object)
    thin, open_ = fit.overlaps[fit.overlaps["sliver"]], fit.gaps[fit.gaps["sliver"] & _between(fit.gaps)]
    for one, other, piece in zip(thin["one_id"], thin["other_id"], thin.geometry, strict=True):
        loser = max((one, other), key=lambda unit: (shapes[unit].area, unit))
        shapes[loser] = _polygonal(np.array([shapely.difference(shapes[loser], piece)]))[0]
    for beside, pieces in open_.geometry.groupby(open_["beside_ids"].str.split("; ").str[0]):
        shapes[beside] = shapely.union_all([shapes[beside], *shapely.buffer(pieces, OVER_M, join_style="mitre")])
    table = communities.set_geometry(gpd.GeoSeries(shapes.to_numpy(), index=communities.index, crs=communities.crs))
    moved_m2 = float(thin["area_m2"].sum() + open_["area_m2"].sum())
    return Mended(table, moved_m2, tuple(_mended_findings(len(thin), len(open_), moved_m2)))


# -- overlaps ------------------------------------------------------------------------------------------------------


def _overlaps(rows: gpd.GeoDataFrame, shapes: Shapes, params: FitParams) -> gpd.GeoDataFrame:
    """One row a pair, and another for what is only a sliver of the same pair."""
    one, other = _ordered(rows, *shapely.STRtree(shapes).query(shapes, predicate="intersects"))
    pieces, pair = shapely.get_parts(shapely.intersection(shapes[one], shapes[other]), return_index=True)
    real = (shapely.get_dimensions(pieces) == 2) & (shapely.area(pieces) > LEAST_M2)
    pieces, pair = pieces[real], pair[real]
    thin = narrow(pieces, params.sliver_m)
    group, which = np.unique(np.column_stack([pair, thin]), axis=0, return_inverse=True)
    ground = _united(pieces, which.ravel(), len(group))
    one, other = one[group[:, 0]], other[group[:, 0]]
    area = shapely.area(ground)
    columns = {
        "kind": _overlap_kinds(area, shapely.area(shapes[one]), shapely.area(shapes[other])),
        **{f"{side}_id": _column(rows, "community_id", at) for side, at in (("one", one), ("other", other))},
        **{f"{side}_name": _labels(rows)[at] for side, at in (("one", one), ("other", other))},
        "area_m2": area,
        "sliver": group[:, 1].astype(bool),
    }
    return _largest_first(columns, ground, ("one_id", "other_id"), OVERLAPS, rows.crs)


def _ordered(rows: gpd.GeoDataFrame, one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Each pair once, the lesser id first: rows may come in any order."""
    rank = np.argsort(np.argsort(rows["community_id"].to_numpy(dtype=str), kind="stable"), kind="stable")
    once = rank[one] < rank[other]
    return one[once], other[once]


def _overlap_kinds(shared: Floats, one: Floats, other: Floats) -> Shapes:
    inside = shared >= np.minimum(one, other) * (1 - SAME)
    same = shared >= np.maximum(one, other) * (1 - SAME)
    return np.select([same, inside], ["same", "inside"], default="overlap").astype(object)


# -- gaps ----------------------------------------------------------------------------------------------------------


def _gaps(rows: gpd.GeoDataFrame, shapes: Shapes, study: Ground | None, params: FitParams) -> gpd.GeoDataFrame:
    """One row a gap."""
    covered = shapely.union_all(shapes)
    filled = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(covered))))
    whole = study if study is not None else _closed(filled, params.edge_gap_m)
    pieces = shapely.get_parts(shapely.difference(whole, covered))
    pieces = pieces[(shapely.get_dimensions(pieces) == 2) & (shapely.area(pieces) > LEAST_M2)]
    enclosed = shapely.intersects(filled, shapely.point_on_surface(pieces))
    beside = _beside(pieces, shapes, _column(rows, "community_id", np.arange(len(rows))))
    several = np.array([len(units) > 1 for units in beside], dtype=bool)
    # Without an outline of the study, an inlet of one outline is its own shape and no fault.
    kept = np.flatnonzero(enclosed | several if study is None else np.ones(len(pieces), dtype=bool))
    kinds = np.select([enclosed & several, enclosed], ["enclosed", "hole"], default="edge").astype(object)
    columns = {
        "kind": kinds[kept],
        "beside_ids": _joined(_column(rows, "community_id", np.arange(len(rows))), beside, kept),
        "beside_names": _joined(_labels(rows), beside, kept),
        "area_m2": shapely.area(pieces[kept]),
        "sliver": narrow(pieces[kept], params.sliver_m),
    }
    return _largest_first(columns, pieces[kept], ("beside_ids",), GAPS, rows.crs)


def _closed(ground: shapely.Geometry, width_m: float) -> shapely.Geometry:
    """The ground with inlets up to a width filled. Mitred: round joins would fill every corner a little."""
    wide = shapely.buffer(ground, width_m / 2, join_style="mitre")
    return shapely.union(shapely.buffer(wide, -width_m / 2, join_style="mitre"), ground)


def _beside(pieces: Shapes, shapes: Shapes, ids: Shapes) -> list[list[int]]:
    """The outlines each piece has a border with, longest border first."""
    rims = shapely.buffer(pieces, NEAR_M, join_style="mitre")
    piece, unit = shapely.STRtree(shapes).query(rims, predicate="intersects")
    border = shapely.area(shapely.intersection(rims[piece], shapes[unit]))
    order = np.lexsort((ids[unit].astype(str), -border.round(6), piece))
    found: list[list[int]] = [[] for _ in pieces]
    for at in order[border[order] > NEAR_M * NEAR_M * 10]:
        found[piece[at]].append(int(unit[at]))
    return found


def _joined(words: Shapes, beside: list[list[int]], kept: Ints) -> Shapes:
    return np.array([*("; ".join(str(words[unit]) for unit in beside[at]) for at in kept), None], dtype=object)[:-1]


def _between(gaps: gpd.GeoDataFrame) -> pd.Series:
    """Which gaps lie between outlines or in one, rather than at the study's edge."""
    between: pd.Series = gaps["kind"].ne("edge") | gaps["beside_ids"].str.contains("; ", regex=False)
    return between


# -- shapes --------------------------------------------------------------------------------------------------------


def narrow(shapes: Shapes, width_m: float) -> Mask:
    """Which polygons are nowhere wider than ``width_m`` metres, (shapes,)."""
    return np.asarray(shapely.is_empty(shapely.buffer(shapes, -width_m / 2, quad_segs=4)), dtype=bool)


def _polygonal(shapes: Shapes) -> Shapes:
    """What of each shape has an area."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    areal = shapely.get_dimensions(parts) == 2
    return _united(parts[areal], owner[areal], len(shapes))


def _united(pieces: Shapes, group: Ints, n: int) -> Shapes:
    """The union of the pieces of each group, (n,)."""
    order = np.argsort(group, kind="stable")
    split = np.split(pieces[order], np.searchsorted(group[order], np.arange(1, n)))
    return np.array([*(shapely.union_all(part) for part in split), None], dtype=object)[:n]


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)


def _column(rows: gpd.GeoDataFrame, name: str, at: Ints) -> Shapes:
    return np.asarray(rows[name].to_numpy(dtype=object)[at])


def _labels(rows: gpd.GeoDataFrame) -> Shapes:
    """What people call each outline; with its parent where others are called the same."""
    names = rows["name"].where(rows["name"].notna(), rows["community_id"]).astype(str)
    told = names.duplicated(keep=False) & rows["parent_id"].notna()
    return np.asarray(names.where(~told, names + " (" + rows["parent_id"].astype(str) + ")").to_numpy(dtype=object))


def _largest_first(
    columns: dict[str, Shapes | Floats | Mask], ground: Shapes, ids: tuple[str, ...], names: Sequence[str], crs: object
) -> gpd.GeoDataFrame:
    """The table in an order that does not depend on that of the rows, numbered."""
    table = gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(ground, crs=crs), crs=crs)
    x, y = shapely.get_coordinates(shapely.centroid(ground)).T.round(3)
    order = np.lexsort((y, x, *(table[name].to_numpy(dtype=str) for name in ids), -table["area_m2"].round(3)))
    table = table.iloc[order].reset_index(drop=True)
    word = "overlap" if "one_id" in names else "gap"
    table["fault_id"] = np.array([f"{word}_{n}" for n in range(1, len(table) + 1)], dtype=object)
    return gpd.GeoDataFrame(table[[*names, "geometry"]], crs=crs)


# -- what is said --------------------------------------------------------------------------------------------------


def _fit_findings(
    rows: gpd.GeoDataFrame, overlaps: gpd.GeoDataFrame, gaps: gpd.GeoDataFrame, params: FitParams
) -> Iterator[Finding]:
    wide, between = overlaps[~overlaps["sliver"]], gaps[~gaps["sliver"]]
    yield from _same_findings(rows, wide[wide["kind"] == "same"])
    yield from _overlap_findings(rows, wide[wide["kind"] != "same"])
    yield from _gap_findings(between[between["kind"] != "hole"])
    yield from _hole_findings(between[between["kind"] == "hole"])
    yield from _sliver_findings(int(overlaps["sliver"].sum()), int(gaps["sliver"].sum()),
                                float(pd.concat([t.loc[t["sliver"], "area_m2"] for t in (overlaps, gaps)]).sum()),
                                params.sliver_m)  # fmt: skip


def _same_findings(rows: gpd.GeoDataFrame, same: gpd.GeoDataFrame) -> Iterator[Finding]:
    if len(same):
        told = _told([f"{a} = {b}" for a, b in zip(same["one_name"], same["other_name"], strict=True)])
        yield Finding(
            "communities_same",
            f"{counted(len(same), 'pair')} of communities have the same outline: {told[0]}. "
            "All people there belong to the first of each pair.",
            f"{len(same)}对社区轮廓完全相同：{told[1]}。人口计入每对中的前者。",
            "warning", len(same), _numbers(rows, same["other_id"]), "community_id", str(same["other_id"].iloc[0]),
            "Remove the row that is there twice, or give it its own outline.", "请删除重复行，或补上其真实边界。",
        )  # fmt: skip


def _overlap_findings(rows: gpd.GeoDataFrame, wide: gpd.GeoDataFrame) -> Iterator[Finding]:
    if len(wide):
        cases = list(zip(wide["one_name"], wide["other_name"], wide["area_m2"], strict=True))
        told = [_told([f"{a} / {b} {_area(m2)[lang]}" for a, b, m2 in cases])[lang] for lang in (0, 1)]
        area = _area(wide["area_m2"].sum())
        yield Finding(
            "communities_overlap",
            f"{counted(len(wide), 'pair')} of communities overlap, by {area[0]}: {told[0]}. "
            "People there belong to the smaller one.",
            f"{len(wide)}对社区相互重叠，共{area[1]}：{told[1]}。重叠处人口计入较小者。",
            "warning", len(wide), _numbers(rows, wide["one_id"]), "community_id", str(wide["one_id"].iloc[0]),
            "Agree who is responsible, and correct the outlines.", "请明确管辖归属并修正边界。",
        )  # fmt: skip


def _gap_findings(gaps: gpd.GeoDataFrame) -> Iterator[Finding]:
    if len(gaps):
        cases = list(zip(gaps["beside_names"], gaps["area_m2"], strict=True))
        told = _told([f"{_area(m2)[0]} beside {_few(names)}" for names, m2 in cases])
        told_zh = _told([f"{_few(names)}旁{_area(m2)[1]}" for names, m2 in cases])
        area = _area(gaps["area_m2"].sum())
        yield Finding(
            "communities_gaps",
            f"{counted(len(gaps), 'gap')} between communities, {area[0]} in all, that no community answers for: "
            f"{told[0]}.",
            f"社区之间有{len(gaps)}处空白（三不管地带），共{area[1]}：{told_zh[1]}。",
            "warning", len(gaps),
            do_en="Say which community answers for each gap. People there are counted as outside.",
            do_zh="请明确各处空白的管辖社区；其中人口目前计为社区之外。",
        )  # fmt: skip


def _hole_findings(holes: gpd.GeoDataFrame) -> Iterator[Finding]:
    if len(holes):
        cases = list(zip(holes["beside_names"], holes["area_m2"], strict=True))
        told = [_told([f"{n} {_area(m2)[lang]}" for n, m2 in cases])[lang] for lang in (0, 1)]
        yield Finding(
            "communities_holes",
            f"{counted(len(holes), 'hole')} in a community that belong to no other: {told[0]}.",
            f"社区内部有{len(holes)}处不属于任何社区的空洞：{told[1]}。",
            "warning", len(holes), do_en="Fill the hole, or give the community that lies in it.",
            do_zh="请填补空洞，或补充位于其中的社区。",
        )  # fmt: skip


def _sliver_findings(overlaps: int, gaps: int, area: float, width_m: float) -> Iterator[Finding]:
    if overlaps + gaps:
        yield Finding(
            "communities_slivers",
            f"{counted(overlaps, 'overlap')} and {counted(gaps, 'gap')} between communities are narrower than "
            f"{width_m:g} m, {area:,.0f} m² in all: drawing noise, left as it is.",
            f"社区之间有{overlaps}处重叠和{gaps}处缝隙窄于{width_m:g}米，共{area:,.0f}平方米：属制图误差，未作改动。",
            "info", overlaps + gaps,
        )  # fmt: skip


def _mended_findings(overlaps: int, gaps: int, moved_m2: float) -> Iterator[Finding]:
    if overlaps + gaps:
        yield Finding(
            "communities_mended",
            f"{counted(overlaps, 'narrow overlap')} and {counted(gaps, 'narrow gap')} between communities were closed; "
            f"{moved_m2:,.0f} m² changed hands.",
            f"已修补社区之间{overlaps}处窄重叠和{gaps}处窄缝隙，共{moved_m2:,.0f}平方米归属变动。",
            "repaired", overlaps + gaps,
        )  # fmt: skip


def _shape_findings(
    rows: gpd.GeoDataFrame, drawn: Shapes, shapes: Shapes, study: Ground | None, params: FitParams
) -> Iterator[Finding]:
    """What is wrong with single outlines."""
    area, parts = shapely.area(shapes), np.asarray(shapely.get_num_geometries(shapes))
    beyond = np.zeros(len(rows), dtype=bool) if study is None else ~shapely.intersects(shapes, study)
    cases: tuple[tuple[str, Mask, Severity, str, str, str, str], ...] = (
        ("crossing", ~shapely.is_valid(drawn), "repaired", "Outlines that cross themselves, mended for counting",
         "轮廓自相交（统计时已修复）的社区", "Correct the outline.", "请修正轮廓。"),
        ("tiny", area < params.tiny_m2, "warning", f"Outlines smaller than {params.tiny_m2:g} m²",
         f"面积不足{params.tiny_m2:g}平方米的社区", "Remove what is no community.", "请删除并非社区的图斑。"),
        ("parts", parts > 1, "info", "Communities of several parts", "由多块组成的社区", "", ""),
        ("outside_study", beyond, "warning", "Communities wholly outside the study", "完全位于研究范围之外的社区",
         "Remove them, or check the coordinate system.", "请删除，或检查坐标系。"),
        ("names_repeat", _repeated(rows), "warning", "Communities that share their name and parent with another",
         "与同一上级的另一社区同名的社区", "Give each its own name, or say which unit each is part of.",
         "请区分名称，或注明各自的上级。"),
    )  # fmt: skip
    for code, concerned, severity, *words in cases:
        yield from _single(_labels(rows), f"communities_{code}", concerned, severity, *words)


def _repeated(rows: gpd.GeoDataFrame) -> Mask:
    """Rows whose name occurs again under the same parent; unnamed rows share nothing."""
    keys = rows[["name", "parent_id"]].astype(object).where(rows[["name", "parent_id"]].notna(), None)
    return np.asarray(keys.duplicated(keep=False) & rows["name"].notna())


def _single(
    labels: Shapes, code: str, concerned: Mask, severity: Severity, en: str, zh: str, do_en: str, do_zh: str
) -> Iterator[Finding]:
    """One thing said of the outlines it holds for; nothing when it holds for none."""
    at = np.flatnonzero(concerned)
    if len(at):
        told = _told([str(label) for label in labels[at]])
        rows = tuple(int(n) + 1 for n in at[:ROWS])
        yield Finding(
            code, f"{en}: {len(at):,} ({told[0]}).", f"{zh}：{len(at):,}个（{told[1]}）。",
            severity, len(at), rows, "geometry", str(labels[at[0]]), do_en, do_zh,
        )  # fmt: skip


def _numbers(rows: gpd.GeoDataFrame, ids: pd.Series) -> tuple[int, ...]:
    """Row numbers from 1 of the first of some communities."""
    return tuple(int(n) + 1 for n in np.flatnonzero(rows["community_id"].isin(list(ids)))[:ROWS])


def _area(m2: float) -> tuple[str, str]:
    """An area in English and Chinese: square metres, hectares or square kilometres, whichever is easy to read."""
    if m2 >= KM2_M2:
        return f"{m2 / KM2_M2:,.1f} km²", f"{m2 / KM2_M2:,.1f}平方公里"
    if m2 >= HA_M2:
        return f"{m2 / HA_M2:,.1f} ha", f"{m2 / HA_M2:,.1f}公顷"
    return f"{m2:,.0f} m²", f"{m2:,.0f}平方米"


def _few(names: str) -> str:
    """The first few of names joined by semicolons."""
    each = names.split("; ") if names else []
    return ", ".join(each[:TOLD]) + (" …" if len(each) > TOLD else "")


def _told(cases: Sequence[str]) -> tuple[str, str]:
    """The first cases in English and Chinese, and how many more there are."""
    more = len(cases) - TOLD
    rest = (f" and {more:,} more", f"等（另有{more:,}个）") if more > 0 else ("", "")
    return "; ".join(cases[:TOLD]) + rest[0], "；".join(cases[:TOLD]) + rest[1]

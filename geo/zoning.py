"""让 / 防 / 避: what becomes of ground and of everything on it, with all the reasons.

Whatever asks for ground claims it (``Claims``): each rule of distance the ground round its sources, each reserve its
lot, each place of refuge its site. Ground is what its strongest claim says:

::

    let (让)      nothing new is built; what stands there moves away
    avoid (避)    a place of refuge, or what can become one; kept for it
    prevent (防)  built on under conditions: protected, reserved, or forbidden to some uses
    none          nothing claims it

A claim is of a zone for those it holds for. On the ground, which is judged for an ordinary dwelling, what only holds
for others (a hospital, a shelter) makes it ``prevent``. Lots and buildings are judged by their own use: the share of
their ground under the claims that hold for them, each zone beyond the stronger ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

LET, AVOID, PREVENT, NO_ZONE = "let", "avoid", "prevent", "none"
ZONES = (LET, AVOID, PREVENT)
"""Strongest first."""
VERDICTS = (*ZONES, NO_ZONE)
SAID = {
    LET: ("yield (让)", "让"),
    AVOID: ("refuge (避)", "避"),
    PREVENT: ("protect (防)", "防"),
    NO_ZONE: ("free", "无"),
}
"""The verdicts as people read them."""
REASONS = ("reason_id", "zone", "ground_zone", "en", "zh", "standard", "clause", "grade")
"""What is told of each reason.

``zone`` what it makes of whom it holds for, ``ground_zone`` what of the ground; None: it draws nothing.
"""
JUDGED = ("verdict", "let_share", "avoid_share", "prevent_share", "rules", "reason_en", "reason_zh")
"""Columns of a judgement; shares 0-1 of the thing, each beyond the stronger zones; ``rules`` ids joined by ``;``."""
ROUNDING = 1e-9
GRID_M = 0.001
"""Metres. Zones are drawn to the millimetre: what is finer is rounding."""
SHOWN = 3
"""Reasons told in full in a sentence; the others are named by ``rules``."""


class ZoningParams(Sourced):
    """From which share a lot or building is judged whole, and what is too small to draw."""

    subject = "zoning"
    lot_let_share: float = Field(
        gt=0, le=1, description="Share of a lot in 让 ground that makes the whole lot so, 0-1."
    )
    building_let_share: float = Field(ge=0, le=1, description="Share of a building in 让 ground that makes it so, 0-1.")
    avoid_share: float = Field(gt=0, le=1, description="Share of a lot in a place of refuge that keeps it for it, 0-1.")
    least_share: float = Field(ge=0, le=0.1, description="Least share in a zone that counts at all, 0-1.")
    sliver_m2: float = Field(ge=0, le=1e4, description="Smallest piece that is drawn, square metres.")


@dataclass(frozen=True, eq=False)
class Claims:
    """Ground that is claimed.

    ``shapes`` (claims,) polygons in one metric CRS; ``reason`` (claims,) the row in ``reasons`` (``REASONS``) and
    ``source`` (claims,) what is kept away from there, at which ``required_m``; None and 0 where the claim is its own
    ground.
    """

    reasons: pd.DataFrame
    shapes: Shapes
    reason: Ints
    source: Shapes
    source_id: Shapes
    required_m: Floats

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"Claims({len(self)} for {len(self.reasons)} reasons)"

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The shapes, to be asked."""
        return shapely.STRtree(self.shapes)

    def of(self, rows: Mask) -> Claims:
        """Some of the claims."""
        return Claims(self.reasons, self.shapes[rows], self.reason[rows], self.source[rows], self.source_id[rows],
                      self.required_m[rows])  # fmt: skip

    @staticmethod
    def joined(parts: Sequence[Claims]) -> Claims:
        """The claims of all, their reasons one after another; at least one part."""
        before = np.cumsum([0, *(len(part.reasons) for part in parts)])
        reason = [part.reason + first for part, first in zip(parts, before[:-1], strict=True)]
        reasons = pd.concat([part.reasons for part in parts], ignore_index=True)
        arrays = (np.concatenate([getattr(part, name) for part in parts])
                  for name in ("shapes", "source", "source_id", "required_m"))  # fmt: skip
        shapes, source, source_id, required = arrays
        return Claims(reasons, shapes, np.concatenate(reason).astype(np.int64), source, source_id, required)


# -- what stands there -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Judged:
    """``table`` (things,) of ``JUDGED``; ``hits`` a row for each thing and reason that holds for it there.

    ``hits`` has ``thing`` and ``reason`` (rows), ``share`` of the thing, ``source_id``, ``distance_m`` (0 on the source
    itself) and ``required_m`` of the nearest source by its margin; sorted by thing and reason.
    """

    table: pd.DataFrame
    hits: pd.DataFrame

    def __repr__(self) -> str:
        counts = self.table["verdict"].value_counts()
        return f"Judged({', '.join(f'{counts.get(name, 0):,} {name}' for name in VERDICTS)})"


def judge(shapes: Shapes, applies: Mask, claims: Claims, *, whole_share: float, params: ZoningParams) -> Judged:
    """What becomes of things (n,): points, lines or polygons in the claims' CRS.

    ``applies`` (reasons, n) says which reason holds for whom. ``whole_share`` is the share in 让 ground from which the
    whole thing is ``let``; below it what is left may be built on, under conditions: ``prevent``.
    """
    pairs = _meetings(shapes, applies, claims, params)
    zone = claims.reasons["zone"].to_numpy(dtype=object)[pairs.reason]
    rank = np.array([ZONES.index(name) for name in zone], dtype=np.int64)
    upto = np.column_stack([_covered(pairs, rank <= k, len(shapes)) for k in range(len(ZONES))])
    shares = np.diff(upto, axis=1, prepend=0.0)
    verdict = _verdicts(shares, whole_share, params)
    hits = _hits(pairs, claims, shapes)
    words = _sentences(verdict, shares, hits, claims.reasons)
    columns = dict(zip(JUDGED, [verdict, *shares.T, *words], strict=True))
    return Judged(pd.DataFrame(columns), hits)


def _verdicts(shares: Floats, whole_share: float, params: ZoningParams) -> Shapes:
    """The verdict by the shares (n, zones) in let, avoid and prevent ground."""
    let, avoid, prevent = np.where(shares < params.least_share, 0.0, shares).T
    return np.select(
        [(let > 0) & (let >= whole_share), avoid >= params.avoid_share, (let > 0) | (prevent > 0)],
        [LET, AVOID, PREVENT], default=NO_ZONE,
    ).astype(object)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Meetings:
    """Things on claimed ground: ``thing``, ``claim``, its ``reason``, ``part`` the shape they share (None: all of it),
    and ``share`` of the thing."""

    thing: Ints
    claim: Ints
    reason: Ints
    part: Shapes
    share: Floats
    area: Floats


def _meetings(shapes: Shapes, applies: Mask, claims: Claims, params: ZoningParams) -> _Meetings:
    area = shapely.area(shapes)
    thing, claim = claims.tree.query(shapes, predicate="intersects")
    holds = applies[claims.reason[claim], thing]
    thing, claim = thing[holds].astype(np.int64), claim[holds].astype(np.int64)
    within = (area[thing] == 0) | shapely.covered_by(shapes[thing], claims.shapes[claim])
    part = np.full(len(thing), None, dtype=object)
    cut = ~within
    part[cut] = shapely.intersection(shapes[thing[cut]], claims.shapes[claim[cut]])
    share = np.ones(len(thing))
    share[cut] = shapely.area(part[cut]) / area[thing[cut]]
    kept = share > min(params.least_share, ROUNDING)
    order = np.lexsort((claims.reason[claim], thing))
    order = order[kept[order]]
    return _Meetings(thing[order], claim[order], claims.reason[claim[order]], part[order], share[order], area)


def _covered(pairs: _Meetings, rows: Mask, n: int) -> Floats:
    """The share of each thing (n,) under some of the pairs together, 0-1."""
    thing, share = pairs.thing[rows], pairs.share[rows]
    found = np.zeros(n)
    np.maximum.at(found, thing, share)
    several = (np.bincount(thing, minlength=n) > 1) & (found < 1)
    again = np.flatnonzero(several[thing])
    if len(again):
        parts, owner = pairs.part[rows][again], thing[again]
        bounds = np.flatnonzero(np.diff(owner)) + 1
        groups = np.split(parts, bounds)
        owners = owner[np.r_[0, bounds]]
        united = np.array([shapely.area(shapely.union_all(group)) for group in groups])
        found[owners] = np.minimum(united / pairs.area[owners], 1.0)
    return np.where(found > 1 - ROUNDING, 1.0, found)


def _hits(pairs: _Meetings, claims: Claims, shapes: Shapes) -> pd.DataFrame:
    """One row a thing and reason: all its share under it, and the source that is nearest by its margin."""
    required = claims.required_m[pairs.claim]
    source = claims.source[pairs.claim]
    distance = np.zeros(len(source))
    away = np.flatnonzero(required > 0)
    distance[away] = shapely.distance(shapes[pairs.thing[away]], source[away])
    rows = pd.DataFrame({
        "thing": pairs.thing, "reason": pairs.reason, "share": pairs.share, "row": np.arange(len(source)),
        "source_id": claims.source_id[pairs.claim], "distance_m": distance, "required_m": required,
        "margin_m": distance - required,
    })  # fmt: skip
    rows = rows.sort_values(["thing", "reason", "margin_m", "source_id"], kind="stable")
    first = ~rows.duplicated(["thing", "reason"]).to_numpy()
    key = np.cumsum(first) - 1
    total = _covered_by_key(pairs, rows["row"].to_numpy(), key, int(first.sum()))
    kept = rows[first].assign(share=total)
    return kept.drop(columns=["row", "margin_m"]).reset_index(drop=True)


def _covered_by_key(pairs: _Meetings, row: Ints, key: Ints, n: int) -> Floats:
    """The share of a thing under all pairs of each key (n,)."""
    first = np.unique(key, return_index=True)[1]
    area = pairs.area[pairs.thing[row[first]]] if n else np.zeros(0)
    return _covered(_Meetings(key, key, key, pairs.part[row], pairs.share[row], area), np.ones(len(row), bool), n)


def _sentences(verdict: Shapes, shares: Floats, hits: pd.DataFrame, reasons: pd.DataFrame) -> tuple[Shapes, ...]:
    """Rule ids, and why in English and Chinese, (things,) each."""
    n = len(verdict)
    ids, en, zh = (np.full(n, None, dtype=object) for _ in range(3))
    if len(hits):
        zone = reasons["zone"].to_numpy(dtype=object)[hits["reason"]]
        strength = np.array([ZONES.index(name) for name in zone], dtype=np.int64)
        thing, reason, share = (hits[name].to_numpy() for name in ("thing", "reason", "share"))
        order = np.lexsort((reason, -share.round(6), strength, thing))
        rows = hits.iloc[order]
        told = list(_told(rows, reasons))
        thing = rows["thing"].to_numpy()
        bounds = np.flatnonzero(np.diff(thing)) + 1
        for group in np.split(np.arange(len(rows)), bounds):
            at = thing[group[0]]
            ids[at] = ";".join(told[row][0] for row in group)
            en[at] = _joined([told[row][1] for row in group], "; ", "; and {n} more")
            zh[at] = _joined([told[row][2] for row in group], "；", "；另有{n}条")
    for at in range(n):
        partly = verdict[at] == PREVENT and shares[at, 0] > 0
        part = f", {shares[at, 0]:.0%} of it must yield" if partly else ""
        part_zh = f"（其中{shares[at, 0]:.0%}应让出）" if partly else ""
        must = f"{SAID[verdict[at]][0]}{part}"
        en[at] = f"{must}: {en[at]}." if en[at] else f"{must}: no rule holds here."
        zh[at] = f"{SAID[verdict[at]][1]}{part_zh}：{zh[at]}。" if zh[at] else f"{SAID[verdict[at]][1]}：无规则适用。"
    return ids, en, zh


def _joined(words: list[str], between: str, more: str) -> str:
    """The first few, and how many more there are."""
    left = len(words) - SHOWN
    return between.join(words[:SHOWN]) + (more.format(n=left) if left > 0 else "")


def _told(rows: pd.DataFrame, reasons: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Each hit: its reason's id, and in English and Chinese what it is, how near, how far it should be, by what."""
    facts = reasons[["reason_id", "en", "zh", "standard", "clause", "grade"]].to_numpy(dtype=object)
    columns = (rows[name].to_numpy() for name in ("reason", "distance_m", "required_m", "share"))
    for reason, distance, required, share in zip(*columns, strict=True):
        name, en, zh, standard, clause, grade = facts[reason]
        law = f"{standard}{' ' + clause if clause else ''}"
        away = f", {distance:.0f} m away, {required:g} m required" if required else ""
        away_zh = f"，相距{distance:.0f}米，应距{required:g}米" if required else ""
        part = "" if share >= 1 else f", {share:.0%} of it"
        part_zh = "" if share >= 1 else f"，占{share:.0%}"
        yield name, f"{en}{away}{part} ({law}; grade {grade})", f"{zh}{away_zh}{part_zh}（{law}；等级{grade}）"


# -- the ground --------------------------------------------------------------------------------------------------------


def zones(units: gpd.GeoDataFrame, claims: Claims, *, params: ZoningParams) -> gpd.GeoDataFrame:
    """The ground of each unit (``community_id`` and polygon) by zone: pieces that do not overlap, within their unit.

    Columns ``zone_id``, ``zone``, ``community_id``, ``area_m2``, ``rules`` (ids of what claims some of it, joined by
    ``;``), ``reason_en``, ``reason_zh``; sorted by unit, zone and place. Every piece is in one part. Holes in let
    ground smaller than ``sliver_m2`` are filled, pieces of the others smaller than it left out.
    """
    drawn = claims.reasons["ground_zone"].to_numpy(dtype=object)
    by_zone = [claims.of(drawn[claims.reason] == zone) for zone in ZONES]
    shapes = np.asarray(units.geometry.to_numpy(), dtype=object)
    rows = [
        (unit, zone, piece)
        for unit, ground in enumerate(shapes)
        for zone, found in _of_unit(ground, by_zone, params)
        for piece in found
    ]
    return _table(rows, units, by_zone)


def _of_unit(
    ground: shapely.Geometry, by_zone: Sequence[Claims], params: ZoningParams
) -> Iterator[tuple[int, list[shapely.Polygon]]]:
    """The pieces of a unit's ground, zone by zone, strongest first."""
    taken: shapely.Geometry = shapely.Polygon()
    for zone, claims in enumerate(by_zone):
        found = _claimed(ground, claims)
        if zone:
            found = shapely.difference(found, taken, grid_size=GRID_M)
        else:
            found = shapely.intersection(_filled(found, params.sliver_m2), ground, grid_size=GRID_M)
        pieces = _pieces(found, params.sliver_m2 if zone else 0.0)
        taken = shapely.union_all([taken, *pieces], grid_size=GRID_M) if zone + 1 < len(by_zone) else taken
        yield zone, pieces


def _claimed(ground: shapely.Geometry, claims: Claims) -> shapely.Geometry:
    """What of a unit's ground some claims hold together."""
    rows = np.sort(claims.tree.query(ground, predicate="intersects"))
    if not len(rows):
        return shapely.Polygon()
    shapely.prepare(ground)
    shapes = claims.shapes[rows].copy()
    over = ~shapely.covers(ground, shapes)
    if shapely.covers(shapes[over], ground).any():
        return shapely.set_precision(ground, GRID_M)
    shapes[over] = shapely.intersection(shapes[over], ground)
    return shapely.union_all(_polygons(shapes), grid_size=GRID_M)


def _polygons(shapes: Shapes | shapely.Geometry) -> Shapes:
    """The polygons of shapes; lines and points left of a cut are no ground."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    return np.asarray(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON])


def _filled(shape: shapely.Geometry, sliver_m2: float) -> shapely.Geometry:
    """Without holes smaller than so much."""
    parts = _polygons(shape)
    if not shapely.get_num_interior_rings(parts).sum():
        return shape
    closed = [
        shapely.Polygon(part.exterior, [ring for ring in part.interiors if shapely.Polygon(ring).area >= sliver_m2])
        for part in parts
    ]
    return shapely.union_all(closed, grid_size=GRID_M)


def _pieces(shape: shapely.Geometry, least_m2: float) -> list[shapely.Polygon]:
    """The polygons of a shape from so much on, from the north west."""
    parts = _polygons(shape)
    areal = parts[shapely.area(parts) >= max(least_m2, GRID_M)]
    bounds = shapely.bounds(areal)
    return list(areal[np.lexsort((bounds[:, 0], -bounds[:, 3]))]) if len(areal) else []


def _table(
    rows: list[tuple[int, int, shapely.Polygon]], units: gpd.GeoDataFrame, by_zone: Sequence[Claims]
) -> gpd.GeoDataFrame:
    unit, zone = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 1))
    shapes = np.fromiter((row[2] for row in rows), dtype=object, count=len(rows))
    names = units["community_id"].to_numpy(dtype=object)[unit]
    why = _why(shapes, zone, by_zone)
    number = pd.Series(unit).groupby(unit).cumcount().to_numpy() + 1 if len(rows) else unit
    columns = {
        "zone_id": [f"{name}-{k}" for name, k in zip(names, number, strict=True)],
        "zone": np.array(ZONES, dtype=object)[zone],
        "community_id": names,
        "area_m2": shapely.area(shapes).astype(np.float64),
        **{column: [row[k] for row in why] for k, column in enumerate(("rules", "reason_en", "reason_zh"))},
    }
    frame = pd.DataFrame({name: pd.Series(values, dtype=None if name == "area_m2" else object)
                          for name, values in columns.items()})  # fmt: skip
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=units.crs)


def _why(shapes: Shapes, zone: Ints, by_zone: Sequence[Claims]) -> list[tuple[str, str, str]]:
    """Which reasons claim some of each piece: ids, and in words."""
    found: list[tuple[str, str, str]] = [("", "", "")] * len(shapes)
    for at, claims in enumerate(by_zone):
        rows = np.flatnonzero(zone == at)
        inner = shapely.buffer(shapes[rows], -GRID_M)
        piece, claim = claims.tree.query(inner, predicate="intersects")
        told = claims.reasons[["reason_id", "en", "zh"]].to_numpy(dtype=object)
        of = (
            pd.DataFrame({"piece": piece, "reason": claims.reason[claim]})
            .drop_duplicates()
            .sort_values(["piece", "reason"])
        )
        for key, group in of.groupby("piece")["reason"]:
            words = told[group.to_numpy()]
            found[rows[int(str(key))]] = (
                ";".join(words[:, 0]),
                _joined(list(words[:, 1]), "; ", "; and {n} more"),
                _joined(list(words[:, 2]), "；", "；另有{n}条"),
            )
    return found


def areas(found: gpd.GeoDataFrame, ids: pd.Series) -> pd.DataFrame:
    """Square metres of each zone in each unit (ids,): ``let_m2``, ``avoid_m2``, ``prevent_m2``; 0 where none is."""
    sums = found.pivot_table(index="community_id", columns="zone", values="area_m2", aggfunc="sum")
    columns = {
        f"{zone}_m2": sums[zone].reindex(ids).fillna(0.0).to_numpy() if zone in sums else np.zeros(len(ids))
        for zone in ZONES
    }
    return pd.DataFrame(columns, index=ids.index).astype(np.float64)

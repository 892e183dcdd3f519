"""Which unit is part of which: grid < community < subdistrict < district < city.

Tables may come at any of these levels. A unit's parent is the one it names, by id or by name; where it names none, or
one that nobody gave, the finest coarser unit that holds its inner point. Names that occur twice (“RW 01”, two villages
of a name) are told apart by where they lie. What cannot be told, and what contradicts the map, is said.
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
from geo.errors import ColumnError, Fault, refuse
from geo.membership import NONE, smallest_holding
from geo.parts import Parts
from geo.reasons import Finding, Severity
from geo.tables import COMMUNITIES, NAMES

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

LEVELS = ("grid", "community", "subdistrict", "district", "city")
"""What a unit may be, finest first."""
LEVEL_NAMES = {"grid": "网格", "community": "社区", "subdistrict": "街道", "district": "区县", "city": "城市"}
TOLD = 3
"""How many units a sentence names."""
ROWS = 5
"""How many row numbers a finding gives."""
LEAST_M2 = 1e-9
"""Area of an outline that has none."""


class ParentParams(Sourced):
    """When a unit and its parent do not fit."""

    subject = "community"

    stick_out_share: float = Field(
        ge=0, le=1, description="Share of a unit outside its parent beyond which that is told, 0-1."
    )


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """``table`` the finest units, ``parents`` all above them, both COMMUNITIES with ``parent_id`` an id of ``parents``.

    ``findings`` say which parents are not known, guessed, or contradicted by the map.
    """

    table: gpd.GeoDataFrame
    parents: gpd.GeoDataFrame
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        levels = self.parents["level"].value_counts().reindex(LEVELS).dropna()
        above = ", ".join(f"{n:.0f} of {level}" for level, n in levels.items()) or "none"
        return f"Hierarchy({len(self.table)} units, above them {above})"


def linked(tables: Sequence[gpd.GeoDataFrame], *, params: ParentParams) -> Hierarchy:
    """One hierarchy of tables at several levels (COMMUNITIES columns), each table of any mixture of levels.

    ``parent_id`` may hold the id or any name of the parent, or nothing. Parents that the coarsest units name, and that
    nobody gave, are made of these units, outline and all. Ids that occur at two levels get their level in
    front. ColumnError for a level that is none.
    """
    units = _stacked(tables)
    refuse(ColumnError, _level_faults(units))
    units, notes = _with_made(units)
    rank = _ranks(units)
    parent, said = _parents(units, rank)
    ids = np.array([*units["community_id"], None], dtype=object)
    findings = (*notes, *said, *_stick_findings(units, parent, params))
    units = units.assign(parent_id=pd.Series(ids[parent], dtype=object))
    finest = rank == rank.min() if len(units) else rank == 0
    table, above = (units[which].reset_index(drop=True) for which in (finest, ~finest))
    return Hierarchy(table, above, findings)


def ancestors(table: gpd.GeoDataFrame, parents: gpd.GeoDataFrame) -> pd.DataFrame:
    """For each unit (rows of ``table``) and each level above (columns, finest first) the id of its unit, None if none.

    Follows ``parent_id`` upwards; a circle is not followed twice.
    """
    up = dict(zip(parents["community_id"], parents["parent_id"], strict=True))
    level = dict(zip(parents["community_id"], parents["level"], strict=True))
    present = [name for name in LEVELS if name in set(level.values())]
    found = [{level[above]: above for above in _upwards(first, up)} for first in table["parent_id"]]
    columns = {name: pd.Series([row.get(name) for row in found], index=table.index, dtype=object) for name in present}
    return pd.DataFrame(columns, index=table.index)


def _upwards(first: str | None, up: dict[str, str | None]) -> Iterator[str]:
    seen: set[str] = set()
    above = first
    while above in up and above not in seen:
        assert above is not None
        seen.add(above)
        yield above
        above = up[above]


# -- tables --------------------------------------------------------------------------------------------------------


def _stacked(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """All rows in one table, in their order, with ids that are unique; ``given_id`` is the id as given."""
    columns = [column.name for column in COMMUNITIES.columns]
    units = gpd.GeoDataFrame(
        pd.concat([table[[*columns, "geometry"]] for table in tables], ignore_index=True), crs=tables[0].crs
    )
    ids, twice = units["community_id"].astype(str), units["community_id"].duplicated(keep=False)
    units = units.assign(given_id=ids, community_id=ids.where(~twice, units["level"].astype(str) + "_" + ids))
    number = units.groupby("community_id").cumcount()
    again = units["community_id"] + "_" + (number + 1).astype(str)
    return units.assign(community_id=units["community_id"].where(number == 0, again).astype(object))


def _level_faults(units: gpd.GeoDataFrame) -> Iterator[Fault]:
    wrong = units.loc[~units["level"].isin(LEVELS), "level"]
    if len(wrong):
        yield Fault(f"a level of {', '.join(LEVELS)}", ", ".join(sorted({repr(w) for w in wrong})[:TOLD]),
                    "table communities, column level", "Say which level the units are of.")  # fmt: skip


def _ranks(units: gpd.GeoDataFrame) -> Ints:
    """The place of each unit's level in LEVELS."""
    return np.asarray(units["level"].map(LEVELS.index).to_numpy(dtype=np.int64))


def _with_made(units: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The units, and the parents that the coarsest of them name."""
    rank = _ranks(units)
    top = int(rank.max(initial=0))
    coarsest = units[rank == top]
    if top + 1 == len(LEVELS) or not coarsest["parent_id"].notna().any():
        return units, ()
    made, notes = _made(coarsest, LEVELS[top + 1])
    return gpd.GeoDataFrame(pd.concat([units, made], ignore_index=True), crs=units.crs), notes


def _made(units: gpd.GeoDataFrame, level: str) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The parents that units name, each the union of the units that name it."""
    plain = units["parent_id"].map(_plain, na_action="ignore")
    first = {_plain(name): name for name in sorted(set(units["parent_id"].dropna().astype(str)), reverse=True)}
    words = sorted(first)
    kept, outlines = [first[word] for word in words], _shapes(units)
    shapes = [shapely.union_all(outlines[rows]) for rows in Parts.named(plain, pd.Series(words, dtype=object)).rows()]
    columns = {
        "community_id": [f"{level}_{name}" for name in kept],
        **{column: pd.Series(kept if column == "name" else [None] * len(kept), dtype=object) for column in NAMES},
        "parent_id": pd.Series([None] * len(kept), dtype=object),
        "level": level,
        "source": "made of the units that name it",
        "given_id": kept,
    }
    said = Finding(
        "parents_made", f"{len(kept)} units above were made of the units that name them, as none were given: "
        f"{_told(kept)[0]}.", f"未提供上级单元，已由下级名称合成{len(kept)}个：{_told(kept)[1]}。", "info", len(kept),
        column="parent_id",
    )  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=units.crs), (said,)


# -- who is part of whom -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Search:
    """Units by what they are called, and the unit above that holds each one's inner point."""

    rank: Ints
    called: dict[str, list[int]]
    inside: Shapes
    shapes: Shapes
    holder: Ints

    def named(self, unit: int, word: str) -> list[int]:
        """Coarser units that are called so, of the finest level that has one."""
        rows = [row for row in self.called.get(_plain(word), []) if self.rank[row] > self.rank[unit]]
        finest = min((self.rank[row] for row in rows), default=0)
        return [row for row in rows if self.rank[row] == finest]

    def holds(self, above: int, unit: int) -> bool:
        return bool(shapely.intersects(self.shapes[above], self.inside[unit]))


def _parents(units: gpd.GeoDataFrame, rank: Ints) -> tuple[Ints, tuple[Finding, ...]]:
    """The row of each unit's parent (units,), ``NONE`` where there is none, and what must be said."""
    shapes = _shapes(units)
    inside = shapely.point_on_surface(shapes)
    called: dict[str, list[int]] = {}
    for column in ("given_id", "community_id", *NAMES):
        for row, word in enumerate(units[column]):
            if word is not None and word == word and row not in (rows := called.setdefault(_plain(word), [])):
                rows.append(row)
    search = _Search(rank, called, inside, shapes, _holders(rank, inside, shapes))
    found = [_parent(search, unit, word) for unit, word in enumerate(units["parent_id"])]
    parent = np.array([row for row, _ in found], dtype=np.int64)
    how = np.array([why for _, why in found], dtype=object)
    return parent, tuple(_parent_findings(units, how, (parent == NONE) & (rank < rank.max(initial=0))))


def _holders(rank: Ints, inside: Shapes, shapes: Shapes) -> Ints:
    """The finest coarser unit that holds each unit's inner point, (units,)."""
    holder = np.full(len(rank), NONE, dtype=np.int64)
    for level in np.unique(rank)[::-1]:
        above = np.flatnonzero(rank == level)
        below = np.flatnonzero(rank < level)
        held = smallest_holding(inside[below], shapes[above])
        holder[below[held != NONE]] = above[held[held != NONE]]
    return holder


def _parent(search: _Search, unit: int, word: object) -> tuple[int, str]:
    """The row of a unit's parent, and how it was found: named, told apart, by place, unknown, ambiguous, elsewhere."""
    if word is None or word != word:
        return int(search.holder[unit]), "place"
    rows = search.named(unit, str(word))
    if not rows:
        return int(search.holder[unit]), "unknown"
    if len(rows) == 1:
        return rows[0], "named" if search.holds(rows[0], unit) else "elsewhere"
    here = [row for row in rows if search.holds(row, unit)]
    return (here[0], "apart") if len(here) == 1 else (NONE, "ambiguous")


def _plain(word: object) -> str:
    """A name as it is compared: without regard to case, spaces and punctuation."""
    return "".join(letter for letter in str(word).casefold() if letter.isalnum())


# -- what is said --------------------------------------------------------------------------------------------------


def _parent_findings(units: gpd.GeoDataFrame, how: Shapes, orphan: Mask) -> Iterator[Finding]:
    words = units["parent_id"]
    yield from _finding(
        "parents_unknown", how == "unknown", units, "warning", "name a parent that is not among the units above; "
        "the one they lie in was taken", "所称上级不在给定单元之中，已按位置归属", words,
        "Correct the name, or give the unit above.", "请更正名称，或提供该上级单元。",
    )  # fmt: skip
    yield from _finding(
        "parents_ambiguous", how == "ambiguous", units, "warning", "name a parent that several units are called, and "
        "lie in none or several of them", "所称上级有多个同名单元，且无法按位置区分", words,
        "Name the parent by its id.", "请用编号注明上级。",
    )  # fmt: skip
    yield from _finding(
        "parents_elsewhere", how == "elsewhere", units, "warning", "lie outside the parent they name; what they name "
        "was taken", "位于所称上级之外，仍按所称归属", words,
        "Check the outline and the name.", "请核对边界与名称。",
    )  # fmt: skip
    yield from _finding(
        "parents_none", orphan & (how != "ambiguous"), units, "warning", "are part of no unit above",
        "不属于任何上级单元", words, "Give the unit above, or its outline.", "请提供上级单元或其边界。",
    )  # fmt: skip


def _stick_findings(units: gpd.GeoDataFrame, parent: Ints, params: ParentParams) -> Iterator[Finding]:
    """Units of which too much lies outside their parent."""
    shapes = _shapes(units)
    rows = np.flatnonzero(parent != NONE)
    within = shapely.area(shapely.intersection(_valid(shapes[rows]), _valid(shapes[parent[rows]])))
    out = 1 - within / np.maximum(shapely.area(shapes[rows]), LEAST_M2)
    concerned = np.zeros(len(units), dtype=bool)
    concerned[rows[out > params.stick_out_share]] = True
    shares = pd.Series(out, index=rows, dtype=float).reindex(range(len(units)))
    yield from _finding(
        "parents_stick_out", concerned, units, "warning", f"lie more than {params.stick_out_share:.0%} outside their "
        "parent", f"有{params.stick_out_share:.0%}以上的面积在上级之外", shares.map("{:.0%}".format),
        "Check both outlines.", "请核对两级边界。",
    )  # fmt: skip


def _finding(
    code: str, concerned: Mask, units: gpd.GeoDataFrame, severity: Severity, en: str, zh: str, words: pd.Series,
    do_en: str = "", do_zh: str = "",
) -> Iterator[Finding]:  # fmt: skip
    """One finding about some units, by name, each with its word; nothing when there are none."""
    at = np.flatnonzero(concerned)
    if len(at):
        labels = units["name"].where(units["name"].notna(), units["community_id"]).to_numpy(dtype=object)
        told = _told([f"{labels[n]} ({words.iloc[n]})" if words.iloc[n] is not None else str(labels[n]) for n in at])
        yield Finding(
            code, f"{len(at):,} units {en}: {told[0]}.", f"{len(at):,}个单元{zh}：{told[1]}。", severity, len(at),
            tuple(int(n) + 1 for n in at[:ROWS]), "parent_id", str(words.iloc[at[0]] or ""), do_en, do_zh,
        )  # fmt: skip


def _told(cases: Sequence[str]) -> tuple[str, str]:
    more = len(cases) - TOLD
    rest = (f" and {more:,} more", f"等（另有{more:,}个）") if more > 0 else ("", "")
    return "; ".join(cases[:TOLD]) + rest[0], "；".join(cases[:TOLD]) + rest[1]


def _valid(shapes: Shapes) -> Shapes:
    return np.asarray(np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes)))


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)

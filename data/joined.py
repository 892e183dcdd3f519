"""People without a place, laid on the study's own outlines by name or code.

::

    街道      常住人口                     outlines
    鼓楼街道   12,300   name as written  →  鼓楼街道
    Menteng    8,100   usual ending off →  Kelurahan Menteng
    合计      20,400   the sum of all   →  left out, and said
    新城        700   no such outline  →  left out, named with its people

A name that two outlines have is asked about; nobody is lost without being counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data import headers, numbers, rows
from geo.errors import ColumnError, Fault
from geo.reasons import Finding

ID, NAMES = "unit_id", ("name", "name_zh", "name_en")
"""Columns of outlines that a row may be matched to; ``level`` beside them tells units from those above them."""
NAMING = ("name", "community_id")
"""What a mapping may name on its left to say which outline a row is of."""
NONE, SEVERAL = -1, -2
TOLD = 8
"""So many names are told."""
SHORTEST = 2
"""A name without its ending has so many letters, or keeps it."""
SAME = 0.001
"""A total may differ from the sum by this share: tables are rounded."""

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Joined:
    """Rows with the outline each is of, what is to be said, and the columns of the file that named the outlines."""

    frame: gpd.GeoDataFrame
    notes: tuple[Finding, ...]
    columns: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Joined({len(self.frame)} rows by {', '.join(self.columns)})"


@dataclass(frozen=True, eq=False)
class _Match:
    """Which of ``units`` each row's text in ``column`` names (rows,): its position, ``NONE`` or ``SEVERAL``."""

    column: str
    units: gpd.GeoDataFrame
    at: Ints

    @property
    def score(self) -> int:
        return int((self.at != NONE).sum())


def placed(table: pd.DataFrame, columns: Mapping[str, str], *, units: gpd.GeoDataFrame | None, where: str) -> Joined:
    """The rows of a table of people on the outlines they name, in the outlines' CRS.

    ``units`` (``unit_id``, ``name``, ``name_zh``, ``name_en``, ``level``; None: the study has none) are those of all
    levels; the level that most rows name is taken. ``columns`` may say which column names them (``name``,
    ``community_id``: the file's), else the one that most rows fit with is found. Raises ColumnError when nothing fits,
    or a name is that of several.
    """
    if units is None or not len(units):
        raise ColumnError(_no_units(table, where))
    best = max(_matches(table, columns, units), key=lambda match: match.score, default=None)
    if best is None or best.score == 0:
        raise ColumnError(_no_match(table, columns, units, where))
    if (best.at == SEVERAL).any():
        raise ColumnError(_several(table[best.column], best, where))
    people = _people(table, columns)
    total = _totals(table[best.column], best.at)
    notes = (_said(best), *_of_totals(table, total, people, best), *_left_out(table, total, people, best))
    there = best.at >= 0
    shapes = np.asarray(best.units.geometry.to_numpy(), dtype=object)[best.at[there]]
    frame = gpd.GeoDataFrame(table[there], geometry=shapes, crs=units.crs)
    return Joined(frame, (*notes, *_again(table, best), *_empty(best)), (best.column, *NAMING))


# -- which outline -------------------------------------------------------------------------------------------------


def _matches(table: pd.DataFrame, columns: Mapping[str, str], units: gpd.GeoDataFrame) -> Iterator[_Match]:
    """Every column that may name outlines, by each level of them; names before codes, since numbers fit by chance."""
    said = {ours: columns[ours] for ours in NAMING if columns.get(ours) in table.columns}
    by_name = [said["name"]] if "name" in said else [] if said else _texts(table, columns)
    by_code = [said["community_id"]] if "community_id" in said else [] if said else _codes(table)
    levels = [part.reset_index(drop=True) for _, part in units.groupby("level", dropna=False, sort=False)]
    for named, keys in ((by_name, NAMES), (by_code, (ID,))):
        found = [_Match(name, part, _found(table[name], part, keys)) for name in named for part in levels]
        yield from found
        if any(match.score for match in found):
            return


def _texts(table: pd.DataFrame, columns: Mapping[str, str]) -> list[str]:
    free = [str(name) for name in table.columns if name not in columns.values()]
    return [name for name in free if not pd.api.types.is_numeric_dtype(table[name])]


def _codes(table: pd.DataFrame) -> list[str]:
    usual = {headers.plain(name) for name in headers.usual("communities")["community_id"].names}
    return [str(name) for name in table.columns if headers.plain(str(name)) in usual]


def _found(given: pd.Series[Any], units: gpd.GeoDataFrame, keys: Sequence[str]) -> Ints:
    """Position of the outline each value names: as written first, then without usual endings."""
    texts = [text(value) for value in given]
    at = np.full(len(texts), NONE, dtype=np.int64)
    for plain in (_plain, bare):
        known = _index(units, keys, plain)
        for i, written in enumerate(texts):
            if at[i] == NONE and written and (there := known.get(plain(written))):
                at[i] = min(there) if len(there) == 1 else SEVERAL
    return at


def _index(units: gpd.GeoDataFrame, keys: Sequence[str], plain: Callable[[str], str]) -> dict[str, set[int]]:
    known: dict[str, set[int]] = {}
    for key in keys:
        for i, value in enumerate(units[key]):
            if (written := text(value)) and plain(written):
                known.setdefault(plain(written), set()).add(i)
    return known


def text(value: object) -> str:
    """A cell as text, whole numbers without ``.0``; empty for nothing."""
    if numbers.missing(value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _plain(written: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", written)).strip().casefold()


@lru_cache(maxsize=65536)
def bare(written: str) -> str:
    """A name without what only says what kind of unit it is: ``鼓楼街道`` and ``鼓楼``, ``Kelurahan Menteng`` and
    ``menteng``."""
    plain = _plain(written)
    without = _ending().sub("", plain).strip()
    return without if len(without) >= SHORTEST else plain


@lru_cache(maxsize=1)
def _ending() -> re.Pattern[str]:
    said = headers.content()["units_named"]
    after = "|".join(sorted(map(re.escape, said["after"]), key=len, reverse=True))
    around = "|".join(sorted(map(re.escape, said["around"]), key=len, reverse=True))
    return re.compile(rf"^(?:{around})\.?\s+|\s+(?:{around})$|(?:{after})$")


# -- what is refused -----------------------------------------------------------------------------------------------


def _no_units(table: pd.DataFrame, where: str) -> Fault:
    cure = ("Add the outlines first (renxing add STUDY communities FILE) and people find them by name, or name the "
            "columns of places: --map lon=COLUMN --map lat=COLUMN, or --map wkt=COLUMN.")  # fmt: skip
    return Fault("a column lon, or a study with outlines to join names to",
                 f"columns {', '.join(map(str, table.columns))}, and no communities", where, cure)  # fmt: skip


def _no_match(table: pd.DataFrame, columns: Mapping[str, str], units: gpd.GeoDataFrame, where: str) -> Fault:
    known = [name for value in units["name"].fillna(units[ID]) if (name := text(value))]
    told = ", ".join(known[:TOLD]) + (" …" if len(known) > TOLD else "")
    looked = [columns[ours] for ours in NAMING if columns.get(ours) in table.columns] or list(map(str, table.columns))
    cure = (
        "Map the column of names or codes, --map name=COLUMN or --map community_id=COLUMN, or give places (lon, lat)."
    )
    return Fault(f"names or codes of the study's {len(units):,} outlines ({told}), or a column lon",
                 f"none in {len(table):,} rows of {', '.join(looked)}", where, cure)  # fmt: skip


def _several(given: pd.Series[Any], match: _Match, where: str) -> Fault:
    """A name that several outlines have."""
    row = rows.where(given, match.at == SEVERAL)
    first = text(given.loc[row[0]])
    ids = [text(unit) for unit, *names in match.units[[ID, *NAMES]].itertuples(index=False)
           if bare(first) in {bare(text(name)) for name in names}]  # fmt: skip
    cure = "Map the column of codes, --map community_id=COLUMN, or write the names so that they differ."
    found = f"{first!r} in {rows.listed(row)}, which is {len(ids)} ({', '.join(ids[:TOLD])})"
    return Fault("names of one outline each", found, f"{where}, column {given.name}", cure)


# -- what is said --------------------------------------------------------------------------------------------------


def _people(table: pd.DataFrame, columns: Mapping[str, str]) -> NDArray[np.float64]:
    """How many people each row is (rows,), NaN where not known."""
    names = [str(name) for name in table.columns]
    free = {"people", "men", "women"}
    found = headers.guess(names, "population", wanted=free, fits=lambda ours, theirs: True).found
    parts = [part.strip() for part in columns.get("people", found.get("people", "")).split("+")]
    parts = [found[part] for part in ("men", "women") if part in found] if parts == [""] else parts
    counted = [numbers.read(table[part], "people").values * (headers.unit_in(part, "people") or 1.0)
               for part in parts if part in table.columns]  # fmt: skip
    return np.asarray(np.sum(counted, axis=0) if counted else np.full(len(table), np.nan), dtype=np.float64)


def _totals(given: pd.Series[Any], at: Ints) -> Mask:
    """Rows that add others up and are no outline's."""
    words = {_plain(word) for word in headers.content()["units_named"]["totals"]}
    called = np.array([_plain(text(value)).rstrip(":") in words for value in given], dtype=bool)
    return np.asarray(called & (at == NONE), dtype=bool)


def _of_totals(table: pd.DataFrame, total: Mask, people: NDArray[np.float64], match: _Match) -> Iterator[Finding]:
    if not total.any():
        return
    where = rows.where(table, total)
    names, said, added = table[match.column], float(people[total][0]), float(np.nansum(people[~total]))
    same = abs(said - added) <= max(SAME * added, 0.5)
    how, how_zh = "the sum of the others", "为其余各行之和"
    if not same:
        how = f"{said:,.0f}, while the other rows add up to {added:,.0f}"
        how_zh = f"为{said:,.0f}，其余各行合计{added:,.0f}"
    en = f"{{n}} rows are totals ({rows.listed(where)}; {how}) and are left out."
    yield rows.found("totals_left_out", "warning", en, f"{{n}}行为合计行（{how_zh}），未计入。", rows=where,
                     column=match.column, values=names)  # fmt: skip


def _left_out(table: pd.DataFrame, total: Mask, people: NDArray[np.float64], match: _Match) -> Iterator[Finding]:
    """Rows that name no outline: their names, and how many people they are."""
    lost = (match.at == NONE) & ~total
    if not lost.any():
        return
    where, names = rows.where(table, lost), [text(value) or "(empty)" for value in table[match.column][lost]]
    told = ", ".join(names[:TOLD]) + (f" and {len(names) - TOLD:,} more" if len(names) > TOLD else "")
    many = float(np.nansum(people[lost]))
    en = (f"{{n}} rows name no outline of the study ({rows.listed(where)}: {told}): their {many:,.0f} people are left "
          "out.")  # fmt: skip
    zh = f"{{n}}行在研究范围的边界中找不到对应单元（{told}），共{many:,.0f}人未计入。"
    yield rows.found("people_not_joined", "warning", en, zh, rows=where, column=match.column,
                     values=table[match.column],
                     do=("Write the names as the communities have them, or add their outlines.",
                         "请按社区边界中的名称书写，或补充其边界。"))  # fmt: skip


def _said(match: _Match) -> Finding:
    count = int((match.at >= 0).sum())
    return Finding(
        "people_joined", f"The table has no places: {count:,} rows are laid on the study's outlines by {match.column}.",
        f"表中没有位置：{count:,}行按{match.column}列对应到研究范围内的边界。", "info", count, column=match.column,
        do_en="If another column names them, say --map name=COLUMN or --map community_id=COLUMN.",
        do_zh="如应使用其他列，请写 --map name=列名 或 --map community_id=列名。",
    )  # fmt: skip


def _again(table: pd.DataFrame, match: _Match) -> Iterator[Finding]:
    """Rows of an outline that another row is of as well: they may be parts of its people, or the same again."""
    at = pd.Series(match.at, index=table.index)
    where = at.index[(at >= 0) & at.duplicated()]
    if len(where):
        en = f"{{n}} rows are of an outline that a row before is of ({rows.listed(where)}); all are counted."
        yield rows.found("units_repeated", "warning", en, "{n}行与前面的行属于同一单元，均已计入。", rows=where,
                         column=match.column, values=table[match.column])  # fmt: skip


def _empty(match: _Match) -> Iterator[Finding]:
    """Outlines without a row."""
    without = match.units.drop(index=sorted({int(i) for i in match.at if i >= 0}))
    if len(without):
        names = [text(value) for value in without["name"].fillna(without[ID])]
        told = ", ".join(names[:TOLD]) + (f" and {len(names) - TOLD:,} more" if len(names) > TOLD else "")
        yield Finding(
            "units_without_people",
            rows.told("{n} outlines of the study have no row, so nobody is there", len(without)) + f": {told}.",
            f"{len(without):,}个单元在表中没有对应行，按无人计：{told}。", "warning", len(without),
        )  # fmt: skip

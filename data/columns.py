"""The columns of a given table: those that have our names, those that are recognised, those that are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from data import headers, numbers, rows, words
from data.vectors import PLACING
from data.wanted import Kind
from geo.errors import ColumnError, Fault, refuse
from geo.reasons import Finding
from geo.tables import Schema

PEOPLE, MEN, WOMEN = "people", "men", "women"
SOURCE_ID = "source_id"
LON_LAT = ("lon", "lat")
NUMERIC_SHARE = 0.5
"""Share of the written values that must be numbers for a column to be taken for one of numbers."""


@dataclass(frozen=True, eq=False)
class Found:
    """A table whose columns have our names.

    ``taken``: our column -> the file's that was recognised; ``doubtful``: those that could be several; ``used``: the
    file's columns that say something here.
    """

    frame: gpd.GeoDataFrame
    taken: Mapping[str, str]
    doubtful: Mapping[str, tuple[str, ...]]
    used: frozenset[str]
    notes: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"Found({', '.join(f'{ours}={theirs}' for ours, theirs in self.taken.items())})"


def require_known(columns: Iterable[str], constants: Iterable[str], kind: Kind) -> None:
    """ColumnError with every name on the left of ``--map`` that no such table has."""
    known = [*(c.name for c in kind.schema.columns), *kind.extra]
    bad = [name for name in columns if name not in known and name not in PLACING]
    bad += [name for name in constants if name not in known]
    cure = "Write --map OUR_NAME=YOUR_COLUMN."
    refuse(ColumnError, [Fault(f"one of {', '.join(known)}", repr(name), "--map", cure) for name in bad])


def found(
    frame: gpd.GeoDataFrame, kind: str, wanted: Kind, *, said: Collection[str], placing: Collection[str]
) -> Found:
    """The table with our names for its columns, what was recognised, and what is to be said of it.

    ``said`` are ours that a person has named already, ``placing`` the file's that say where rows are.
    """
    frame = _named_alike(frame, wanted)
    free = [str(name) for name in frame.columns if name != frame.geometry.name and str(name) not in placing]
    free = [name for name in free if name not in _ours(wanted)]
    lacking = {name for name in _ours(wanted) if name not in frame.columns and name not in said}
    if PEOPLE in lacking:
        lacking |= {MEN, WOMEN}
    guess = headers.guess(free, kind, wanted=lacking, fits=lambda ours, theirs: _fits(frame[theirs], ours, wanted))
    taken, sums = _without_groups(dict(guess.found), guess.doubtful)
    named = frame.assign(**{ours: frame[theirs] for ours, theirs in taken.items()}, **_summed(frame, sums))
    named, repeated = _with_source_ids(named, free, kind, wanted, taken)
    used = frozenset({*taken.values(), *(part for parts in sums.values() for part in parts)})
    places = dict(zip(LON_LAT, placing, strict=True)) if len(placing) == len(LON_LAT) else {}
    placed = {ours: theirs for ours, theirs in places.items() if ours not in said and theirs.lower() != ours}
    told = {**placed, **taken, **{ours: "+".join(parts) for ours, parts in sums.items()}}
    doubtful = {ours: theirs for ours, theirs in guess.doubtful.items() if ours not in (MEN, WOMEN, *sums)}
    named = named.drop(columns=[name for name in used if name not in _ours(wanted)])
    return Found(named, taken, doubtful, used, (*headers.notes(told, doubtful), *repeated))


def factor(ours: str, theirs: str) -> float:
    """How many of our unit one in a column is, by its header; 1 where it names none."""
    return headers.unit_in(theirs, numbers.dimension(ours)) or 1.0


def _ours(wanted: Kind) -> tuple[str, ...]:
    return (*(c.name for c in wanted.schema.columns), *wanted.extra)


def _named_alike(frame: gpd.GeoDataFrame, wanted: Kind) -> gpd.GeoDataFrame:
    """Columns named as ours but for case take our names."""
    have = {str(name).strip().lower(): name for name in frame.columns}
    ours = _ours(wanted)
    return frame.rename(columns={have[o]: o for o in ours if o not in frame.columns and o in have})


def _fits(given: pd.Series[Any], ours: str, wanted: Kind) -> bool:
    """Whether what stands in a column can be what its header says."""
    there = given[~given.map(numbers.missing).astype(bool)] if len(given) else given
    if not len(there):
        return not len(given)
    if ours == wanted.schema.id_column:
        return len(there) == len(given) and not there.astype(str).duplicated().any()
    if ours in {MEN, WOMEN, *(column.name for column in wanted.numeric)}:
        lost = numbers.read(there, numbers.dimension(ours)).lost.mean()
        return bool(lost < NUMERIC_SHARE)
    if ours in wanted.subjects and ours in wanted.strict:
        subject = wanted.subjects[ours]
        return all(words.ours(str(v), subject, inside=subject in words.INSIDE) is not None for v in there.unique())
    return ours in wanted.measures or ours not in wanted.subjects or not pd.api.types.is_numeric_dtype(given)


def _without_groups(
    taken: dict[str, str], doubtful: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """People are men and women together, where a table tells these and not the people."""
    men, women = taken.pop(MEN, None), taken.pop(WOMEN, None)
    sure = PEOPLE not in taken and PEOPLE not in doubtful and men is not None and women is not None
    return taken, {PEOPLE: [str(men), str(women)]} if sure else {}


def _summed(frame: gpd.GeoDataFrame, sums: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        ours: sum(numbers.read(frame[part], numbers.dimension(ours)).values for part in parts)
        for ours, parts in sums.items()
    }


def _with_source_ids(
    frame: gpd.GeoDataFrame, free: list[str], kind: str, wanted: Kind, taken: Mapping[str, str]
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The frame with the file's own ids where its kind keeps them, and those that cannot name a row."""
    schema = wanted.schema
    if schema.id_column in taken or schema.id_column in frame.columns:
        if SOURCE_ID in wanted.more and SOURCE_ID not in frame.columns and schema.id_column in taken:
            return frame.assign(**{SOURCE_ID: frame[schema.id_column]}), ()
        return frame, ()
    likely = [name for name in free if name in frame.columns and _is_an_id(frame[name], name, kind, schema)]
    return frame, tuple(_repeated(frame[name]) for name in likely[:1])


def _is_an_id(given: pd.Series[Any], name: str, kind: str, schema: Schema) -> bool:
    """Whether a column is called as ids are, and would be one if no value came again."""
    usual = {headers.plain(each) for each in headers.usual(kind)[schema.id_column].names}
    there = given[~given.map(numbers.missing).astype(bool)]
    return headers.plain(name) in usual and bool(there.astype(str).duplicated().any())


def _repeated(given: pd.Series[Any]) -> Finding:
    there = given[~given.map(numbers.missing).astype(bool)].astype(str)
    again = there.index[there.duplicated()]
    en = f"{{n}} values of {given.name} come again ({rows.listed(again)}): it names no row, and is not the id."
    zh = f"{given.name}列有{{n}}个重复值，不能用作编号。"
    return rows.found("ids_repeated", "warning", en, zh, rows=again, column=str(given.name), values=given)

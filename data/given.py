"""Tables a person gives (communities, people, shelters, facilities, buildings) as the tables a plan is made from.

What a file lacks and the plan can do without is filled in as not known; what it cannot do without is asked for, all of
it at once. Column names are matched without regard to case after the mapping was applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data import vectors
from data.osm import kinds, values
from data.repair import repaired
from geo.errors import ColumnError, Fault, refuse
from geo.reasons import Sentence
from geo.tables import BUILDINGS, COMMUNITIES, DEMAND, FACILITIES, SHELTERS, Column, Schema, checked

AREAL = frozenset({"Polygon", "MultiPolygon"})
PLACES = AREAL | {"Point"}


@dataclass(frozen=True)
class Kind:
    """A kind of table: its schema, the geometry it may have, what stands in for a missing column, what it must have.

    ``fills`` maps a column to the value used where the file has no such column or no value in it, ``measures`` a column
    to the reader of values such as ``12 m``; what that does not understand is taken as not known, and said. ``more``
    are columns of text and ``numbers`` columns of numbers that are kept where the file has them; other columns are not
    used, and named.
    """

    schema: Schema
    geometry: frozenset[str]
    fills: Mapping[str, object]
    needed: tuple[str, ...] = ()
    measures: Mapping[str, Callable[[str | None], float]] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    numbers: tuple[Column, ...] = ()

    @property
    def extra(self) -> tuple[str, ...]:
        """Names of the columns kept beside the schema's."""
        return (*self.more, *(column.name for column in self.numbers))


TURNOUT = Column("turnout_s", "float", "A station's own seconds from the call to leaving; NaN: its service's.", False)

WORDS: Mapping[str, Mapping[str, str]] = {
    "tier": {
        "emergency": "emergency", "short": "short", "mid": "mid", "long": "long", "central": "central",
        "紧急": "emergency", "短期": "short", "中期": "mid", "长期": "long", "中心": "central",
    },
    "origin": {"mapped": "mapped", "official": "official", "candidate": "candidate"},
    "level": {
        "grid": "grid", "community": "community", "subdistrict": "subdistrict", "district": "district", "city": "city",
        "网格": "grid", "社区": "community", "街道": "subdistrict", "区": "district", "市": "city",
    },
}  # fmt: skip
"""Columns that hold one of a few words: the word in a file, in any case, and ours."""
LOWER_CASE = ("use", "kind")

KINDS = {
    "communities": Kind(COMMUNITIES, AREAL, {"level": "community", "source": "given"}),
    "population": Kind(DEMAND, PLACES, {}, ("people",), more=("building_id",)),
    "shelters": Kind(SHELTERS, PLACES, {"kind": "shelter", "origin": "official"},
                     more=("valid_for", "invalid_for", "access")),
    "facilities": Kind(FACILITIES, PLACES, {}, ("kind",), numbers=(TURNOUT,)),
    "buildings": Kind(BUILDINGS, AREAL, {"use": "yes"}, measures={"levels": values.levels, "height_m": values.metres}),
}
"""Kinds of tables that can be given, as study.toml names them."""


def read(
    path: str | Path, kind: str, *, into: str, crs: str | None = None, columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:  # fmt: skip
    """A given table in the metric CRS ``into``, with the columns of its kind, and what is to be said of it.

    ``kind`` is one of ``KINDS``; ``crs`` and ``columns`` as for ``vectors.read``; ``constants`` are columns with one
    value in every row, whatever the file has under that name. People stay as given (whole or not, NaN where not
    known): ``geo.population.given`` counts them. Raises what ``vectors.read`` raises, and ColumnError with every column
    that lacks or cannot be understood.
    """
    wanted = KINDS[kind]
    refuse(ColumnError, _unknown_targets(columns or {}, constants or {}, wanted))
    frame = vectors.read(path, crs=crs, columns=columns, into=into)
    frame = _named_alike(frame, wanted.schema).assign(**(constants or {}))
    refuse(ColumnError, _faults(frame, wanted, str(path)))
    frame, notes = _shaped(frame, kind)
    frame, more = _measured(frame, wanted)
    table = _named_in_chinese(_filled(frame, wanted, into))
    if kind == "shelters":
        area = table.geometry.area.where(table.geometry.area > 0)
        table["area_m2"] = table["area_m2"].fillna(area)
    said = (*notes, *more, *_unused(frame, wanted, columns or {}))
    if kind == "facilities":
        said = (*said, *_unknown_kinds(table["kind"]))
    return (table if kind == "population" else checked(table, wanted.schema)), said


PLACING = frozenset({"lon", "lat", "x", "y", "wkt", "geometry"})
"""Columns that say where a row is."""
KNOWN_KINDS = tuple(dict.fromkeys(
    kind for rules in (kinds.FACILITIES, kinds.BUILT_AS) for of_key in rules.values() for kind in of_key.values()
))  # fmt: skip
"""Kinds of facilities that the map can have."""
NAMED_MAX = 8
"""So many columns or kinds are named where they say nothing here."""


def _unknown_targets(columns: Iterable[str], constants: Iterable[str], kind: Kind) -> list[Fault]:
    """Names on the left of ``--map`` that no such table has."""
    known = [*(c.name for c in kind.schema.columns), *kind.extra]
    bad = [name for name in columns if name not in known and name not in PLACING]
    bad += [name for name in constants if name not in known]
    cure = "Write --map OUR_NAME=YOUR_COLUMN."
    return [Fault(f"one of {', '.join(known)}", repr(name), "--map", cure) for name in bad]


def _unused(frame: gpd.GeoDataFrame, kind: Kind, columns: Mapping[str, str]) -> list[Sentence]:
    """Which columns of the file say nothing here; those that say where a row is do."""
    used = {*(c.name for c in kind.schema.columns), *kind.extra, frame.geometry.name}
    used |= {columns[name] for name in PLACING & columns.keys()}
    placing = {*PLACING, *vectors.LONGITUDE, *vectors.LATITUDE}
    names = [str(name) for name in frame.columns if str(name) not in used]
    names = [name for name in names if name.strip().lower() not in placing]
    if not names:
        return []
    told = _told(names)
    return [Sentence("columns_not_used", f"Columns that are not used: {told}.", f"未使用的列：{told}。")]


def _unknown_kinds(given: pd.Series[Any]) -> list[Sentence]:
    """How many facilities are of kinds that nobody asks for."""
    strange = given[given.notna() & ~given.isin(KNOWN_KINDS)]
    if not len(strange):
        return []
    told, known = _told(sorted(set(strange))), ", ".join(KNOWN_KINDS)
    return [Sentence(
        "kinds_not_known",
        f"{len(strange)} rows are of kinds that no service knows unless a parameter names them: {told}; "
        f"known kinds: {known}.",
        f"{len(strange)}行的类别不被任何服务识别（除非在参数中指定）：{told}；可识别的类别：{known}。",
    )]  # fmt: skip


def _told(names: Sequence[str]) -> str:
    """The first of the names."""
    return ", ".join(names[:NAMED_MAX]) + (" …" if len(names) > NAMED_MAX else "")


def _named_alike(frame: gpd.GeoDataFrame, schema: Schema) -> gpd.GeoDataFrame:
    """Columns named as in the schema but for case take its names."""
    have = {str(name).strip().lower(): name for name in frame.columns}
    renames = {have[c.name]: c.name for c in schema.columns if c.name not in frame.columns and c.name in have}
    return frame.rename(columns=renames)


def _faults(frame: gpd.GeoDataFrame, kind: Kind, where: str) -> list[Fault]:
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    faults = [
        Fault(f"a column {name}", f"columns {', '.join(names)}", where, _cure(name))
        for name in kind.needed if name not in names
    ]  # fmt: skip
    for column in (*kind.schema.columns, *kind.numbers):
        if column.kind in ("float", "int") and column.name in names and column.name not in kind.measures:
            faults += _number_faults(frame[column.name], column, where)
        elif column.name in WORDS and column.name in names:
            faults += _word_faults(frame[column.name], WORDS[column.name], f"{where}, column {column.name}")
    found = {str(g) for g in frame.geometry.dropna().geom_type.unique()} - kind.geometry
    if found:
        faults.append(Fault(" or ".join(sorted(kind.geometry)), ", ".join(sorted(found)), where))
    return faults


def _cure(name: str) -> str:
    """How to say what a column lacks; people in every row alike is what nobody means."""
    every = "" if name == "people" else f", or give every row the same with --map {name}:=VALUE"
    return f"Map it with --map {name}=COLUMN{every}."


def _number_faults(given: pd.Series[Any], column: Column, where: str) -> list[Fault]:
    numbers = _numbers(given)
    place = f"{where}, column {column.name}"
    wrong = given[_written(given) & np.isnan(numbers)]
    faults = []
    if len(wrong):
        found = f"{wrong.iloc[0]!r} and {len(wrong) - 1} more" if len(wrong) > 1 else f"{wrong.iloc[0]!r}"
        faults.append(Fault("numbers", found, place, "Leave unknown values empty."))
    if below := int((numbers < 0).sum()):
        faults.append(Fault("0 or more", f"{below} values below", place, "Leave unknown values empty."))
    return faults


def _word_faults(given: pd.Series[Any], words: Mapping[str, str], where: str) -> list[Fault]:
    strange = sorted({str(v) for v in given[_written(given)] if str(v).strip().lower() not in words})
    cure = "Leave unknown ones empty."
    return [Fault(f"one of {', '.join(words)}", ", ".join(strange[:5]), where, cure)] if strange else []


def _written(given: pd.Series[Any]) -> pd.Series[bool]:
    """Whether there is anything in each row."""
    return given.notna() & (given.astype(str).str.strip() != "")


def _numbers(given: pd.Series[Any]) -> np.ndarray:
    """Numbers from numbers or text (``1,200`` is twelve hundred); NaN where there is none."""
    direct = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_numeric_dtype(given):
        return direct
    grouped = np.array([values.count(v) if isinstance(v, str) else np.nan for v in given], dtype=np.float64)
    return np.where(np.isnan(direct), grouped, direct)


def _measured(frame: gpd.GeoDataFrame, kind: Kind) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:
    """Measures as numbers, and how many of them are not understood."""
    notes = []
    for name, read_one in kind.measures.items():
        if name in frame.columns:
            given = frame[name]
            numbers = np.array([read_one(str(v)) if v is not None and v == v else np.nan for v in given])
            if lost := int((_written(given).to_numpy() & np.isnan(numbers)).sum()):
                said = f"{lost} values of {name} are no measure and count as not known."
                notes.append(Sentence("values_not_understood", said, f"{name}列有{lost}个值无法识别，按未知处理。"))
            frame = frame.assign(**{name: numbers})
    return frame, tuple(notes)


def _named_in_chinese(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A name in Chinese characters is the Chinese name too, where none is given."""
    if "name_zh" not in table.columns:
        return table
    pairs = zip(table["name"], table["name_zh"], strict=True)
    chinese = [zh or values.names({"name": name} if name else {})[1] for name, zh in pairs]
    return table.assign(name_zh=pd.Series(chinese, dtype=object))


def _shaped(frame: gpd.GeoDataFrame, kind: str) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:
    """Rows with a sound geometry, and how many had none or had to be repaired."""
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    crossed = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    shapes[crossed] = [repaired(shape) for shape in shapes[crossed]]
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    notes = []
    if lost := int((~there).sum()):
        notes.append(Sentence("rows_without_geometry", f"{lost} rows of {kind} have no place and are left out.",
                              f"{kind}表中{lost}行没有位置，未计入。"))  # fmt: skip
    if int(crossed.sum()):
        notes.append(Sentence("outlines_repaired", f"{int(crossed.sum())} outlines of {kind} cross themselves and were "
                              "repaired.", f"{kind}表中{int(crossed.sum())}个图形自相交，已修复。"))  # fmt: skip
    return frame.set_geometry(shapes, crs=frame.crs)[there].reset_index(drop=True), tuple(notes)


def _filled(frame: gpd.GeoDataFrame, kind: Kind, crs: str) -> gpd.GeoDataFrame:
    """The schema's columns in its order, those of ``kind.more`` that the file has, then the geometry."""
    columns: dict[str, Any] = {c.name: _column(frame, c, kind) for c in kind.schema.columns}
    there = [name for name in kind.more if name in frame.columns]
    columns |= {name: pd.Series([_text(value) for value in frame[name]], dtype=object) for name in there}
    columns |= {c.name: _numbers(frame[c.name]) for c in kind.numbers if c.name in frame.columns}
    return gpd.GeoDataFrame(columns, geometry=frame.geometry.to_numpy(), crs=crs)


def _column(frame: gpd.GeoDataFrame, column: Column, kind: Kind) -> object:
    if column.kind == "id" and column.name not in frame.columns:
        letter = kind.schema.name[0]
        return pd.Series([f"{letter}{row + 1}" for row in range(len(frame))], dtype=object)
    if column.kind in ("float", "int"):
        return _numbers(frame[column.name]) if column.name in frame.columns else np.full(len(frame), np.nan)
    found = frame[column.name] if column.name in frame.columns else [None] * len(frame)
    return pd.Series([_word(_text(v), column.name) or kind.fills.get(column.name) for v in found], dtype=object)


def _text(value: object) -> str | None:
    """A value as text, whole numbers without ``.0``; None where there is none."""
    if value is None or value is pd.NA or value != value or str(value).strip() == "":
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _word(text: str | None, column: str) -> str | None:
    if text is None or column not in (*WORDS, *LOWER_CASE):
        return text
    return WORDS[column][text.lower()] if column in WORDS else text.lower()

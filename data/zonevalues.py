"""How bad each outline of a hazard is: the number, the text or the class in a column, or one value for all."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data import classes as classed
from data import nodata as unknown_values
from data import ranges, rows
from data.hazards import KINDS, require_unit
from data.standards.class_tables import ClassTable, class_tables
from geo.errors import ColumnError, Fault, InputError, ParameterError, refuse
from geo.reasons import Finding

USUAL = frozenset({
    "depth", "depth_m", "level", "class", "rank", "var", "gridcode", "hazard", "value", "intensity", "velocity",
    "水深", "浸水深", "最大浸水深", "浸水深ランク", "ランク", "区域区分", "淹没水深", "积水深度", "等级",
    "级别", "风险等级", "烈度",
})  # fmt: skip
"""Columns that usually say how bad it is, in any case."""
ALL = ("level", "value", "depth")
"""What a value for all outlines may be called."""
NAMED_MAX = 8
"""So many texts are named."""
Floats = NDArray[np.float64]


def valued(
    frame: gpd.GeoDataFrame, *, kind: str, unit: str, column: str | None, classes: Mapping[str, float] | None,
    constants: Mapping[str, str] | None, nodata: unknown_values.Named, where: str,
) -> tuple[Floats, tuple[Finding, ...]]:  # fmt: skip
    """The value of each row (n,) in the kind's unit, NaN where the row has none, and what is to be said.

    Raises ColumnError, ParameterError (unit, constants) and InputError (classes that nobody explained).
    """
    factor = require_unit(kind, unit, where=where)
    if isinstance(classes, ClassTable):
        classed.require_table(classes, kind, where=where)
    if constants:
        values = np.full(len(frame), _for_all(constants, where))
        refuse(InputError, unknown_values.faults(values, KINDS[kind], factor, where, explained=True, what="outline"))
        return values * factor, ()
    name, said = _column(frame, column, kind, where)
    texts, place = _texts(frame[name]), f"{where}, column {name}"
    none = unknown_values.each(nodata)
    there = ~(texts.isna() | texts.map(lambda text: any(_is_number(text, value) for value in none))).to_numpy()
    if not there.any():
        raise InputError(Fault(KINDS[kind].noun, "no outline with a value", place, "Name another column with --map."))
    values = np.full(len(frame), np.nan)
    values[there], more = _read(texts[there], kind, unit, classes, place)
    return values, (*said, *more, *_lacking(there, frame, name))


def _is_number(text: str | None, number: float) -> bool:
    return text is not None and classed.is_number(text) and float(text) == number


def _for_all(constants: Mapping[str, str], where: str) -> float:
    (name, text), *others = constants.items()
    if others or name not in ALL or not classed.is_number(text):
        found = ", ".join(f"{key}:={value}" for key, value in constants.items())
        expected = f"one number for all outlines ({', '.join(f'{key}:=N' for key in ALL)})"
        raise ParameterError(Fault(expected, found, where, "Write --map level:=5."))
    return float(text)


def _column(frame: gpd.GeoDataFrame, given: str | None, kind: str, where: str) -> tuple[str, tuple[Finding, ...]]:
    """The column that says how bad it is: the one named, or the one of a usual name."""
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    there = f"columns {', '.join(names)}" if names else "no columns"
    if given is not None:
        fault = Fault(f"a column {given!r}", there, where, "Check --map.")
        refuse(ColumnError, [] if given in names else [fault])
        return given, ()
    known = {column.lower() for table in class_tables(kind) for column in table.columns} | USUAL
    found = [name for name in names if name.strip().lower() in known]
    if len(found) != 1:
        what = "level" if KINDS[kind].unit == "level" else "value"
        cure = f"Name it with --map {what}=COLUMN, or give all outlines one: --map {what}:=NUMBER.{_zone_hint(where)}"
        raise ColumnError(Fault("one column that says how bad it is", there, where, cure))
    said = Finding("zones_column", f"How bad it is is taken from the column {found[0]}.",
                   f"危险程度取自“{found[0]}”列。",                   column=found[0])  # fmt: skip
    return found[0], (said,)


def _zone_hint(where: str) -> str:
    """What the name of a file of Japanese zones says of all its outlines."""
    for name in ("特別警戒区域", "警戒区域"):
        table = next(table for table in class_tables() if name in table)
        if name in where:
            return f" Its name says {name}: level {table[name]:g} in @{table.name}."
    return ""


def _texts(column: pd.Series) -> pd.Series:
    """The column as texts, None where there is none; whole numbers without decimals."""
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "1", False: "0"})
    if pd.api.types.is_numeric_dtype(column):
        return column.map(lambda value: f"{value:.10g}", na_action="ignore").astype(object).where(column.notna(), None)
    plain = column.astype(object).where(column.notna(), None).map(lambda value: None if value is None else str(value))
    return plain.map(lambda text: text.strip() or None if text is not None else None)


def _read(
    texts: pd.Series, kind: str, unit: str, classes: Mapping[str, float] | None, where: str
) -> tuple[Floats, tuple[Finding, ...]]:
    """Texts as values in the kind's unit: by what classes stand for, as numbers, or as ranges in words."""
    factor = KINDS[kind].units[unit]
    distinct = list(dict.fromkeys(texts))
    if not classes and not all(classed.is_number(text) for text in distinct):
        return _ranged(texts, distinct, kind, unit, where)
    values = _numbers(texts.map(classed.table_meanings(distinct, classes, where)) if classes else texts)
    if not classes:
        refuse(InputError, _class_faults(values, kind, where))
    wrong = unknown_values.faults(values, KINDS[kind], factor, where, explained=bool(classes), what="outline")
    refuse(InputError, wrong)
    return np.maximum(values, 0) * factor, ()


def _numbers(column: pd.Series) -> Floats:
    return np.asarray(column.astype(np.float64), dtype=np.float64)


def _class_faults(values: Floats, kind: str, where: str) -> list[Fault]:
    """Few whole numbers are classes until somebody says otherwise: outlines of a depth seldom hold whole metres."""
    found = classed.few_whole(values)
    if not found or any(value < 0 or value > KINDS[kind].most for value, _ in found):
        return []
    if KINDS[kind].unit == "level":
        return list(classed.order_faults(found, kind, where, what="outline"))
    if KINDS[kind].unit not in ("m", "h"):
        return []
    told = ", ".join(f"{value:g}" for value, _ in found)
    cure = f"Say what each stands for: --map {found[0][0]:g}=VALUE in {KINDS[kind].unit} … {classed.ready_made(kind)}"
    return [Fault(KINDS[kind].noun, f"few whole numbers, which look like classes: {told}", where, cure.strip())]


def _ranged(
    texts: pd.Series, distinct: list[str], kind: str, unit: str, where: str
) -> tuple[Floats, tuple[Finding, ...]]:
    """Ranges in words, each by its upper end."""
    read = {text: _in_words(text, kind, unit) for text in distinct}
    lacking = [text for text, value in read.items() if value is None]
    if lacking:
        named = ", ".join(map(repr, lacking[:NAMED_MAX])) + (" …" if len(lacking) > NAMED_MAX else "")
        expected = f"numbers or ranges in words ({', '.join(KINDS[kind].units)})"
        cure = f"Say what each stands for: --map {lacking[0]}=VALUE. {classed.ready_made(kind)}"
        raise InputError(Fault(expected, named, where, cure.strip()))
    values = {text: value for text, value in read.items() if value is not None}
    return _numbers(texts.map(values)), (_words_told(values, kind), *_open_told(distinct, kind))


def _in_words(text: str, kind: str, unit: str) -> float | None:
    """A text in the kind's unit; None for one that is no number and no range, or in a unit that cannot be."""
    units = KINDS[kind].units
    if classed.is_number(text):
        return float(text) * units[unit]
    found = None if KINDS[kind].unit == "level" else ranges.read(text)
    said = (found.unit or unit) if found else ""
    return found.value * units[said] if found and said in units else None


def _words_told(values: Mapping[str, float], kind: str) -> Finding:
    unit = KINDS[kind].unit
    told = [f"{text} = {value:g} {unit}" for text, value in list(values.items())[:NAMED_MAX]]
    return Finding(
        "zones_ranges", f"{len(values)} ranges in words are read by their upper end: {', '.join(told)}.",
        f"{len(values)}种文字区间按上限读取：{'，'.join(told)}。", count=len(values), value=next(iter(values)),
    )  # fmt: skip


def _open_told(distinct: list[str], kind: str) -> tuple[Finding, ...]:
    """Ranges without an upper end count as less than they may be."""
    endless = [text for text in distinct if (found := ranges.read(text)) and found.open_]
    if not endless:
        return ()
    return (
        Finding(
            "zones_ranges_open", f"{', '.join(endless)}: no upper end, so it counts as its lower end, which may be too "
            "little.", f"{'、'.join(endless)}没有上限，按下限计，可能偏小。", "warning",
            count=len(endless), value=endless[0],
            do_en="Say what it stands for: --map TEXT=NUMBER.", do_zh="请用--map说明其数值。",
        ),
    )  # fmt: skip


def _lacking(there: NDArray[np.bool_], frame: gpd.GeoDataFrame, name: str) -> tuple[Finding, ...]:
    lacking = np.flatnonzero(~there)
    if not len(lacking):
        return ()
    return (
        Finding(
            "zones_without_value",
            rows.told(f"{{n}} outlines have nothing in {name}: how bad it is there is not known.", len(lacking)),
            f"{len(lacking)}个面的“{name}”列为空：其危险程度未知。", "warning",
            count=len(lacking), rows=rows.numbered(frame.index[lacking]), column=name,
        ),
    )  # fmt: skip

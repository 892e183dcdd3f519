"""Tables a person gives (communities, people, shelters, facilities, buildings, lots, supplies, sources of
rules of distance) as the tables a plan is made from.

Columns are found by their usual names (``headers.toml``) unless a mapping names them. What a file lacks and the plan
can do without is filled in as not known; what it cannot do without is asked for, all of it at once. Whatever was
guessed, mended, left out or not understood is said, with the rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data import columns as finding
from data import dates, headers, numbers, rows, validity, vectors, words
from data.columns import Found
from data.located import Near
from data.osm import kinds, values
from data.repair import repaired
from data.vectors import Read
from data.wanted import AREAL as AREAL
from data.wanted import KINDS as KINDS
from data.wanted import LOWER_CASE, Kind
from geo.errors import ColumnError, Fault, refuse
from geo.reasons import Finding
from geo.tables import Column, checked

Table = tuple[gpd.GeoDataFrame, tuple[Finding, ...]]
KNOWN_KINDS = tuple(dict.fromkeys(
    kind for rules in (kinds.FACILITIES, kinds.BUILT_AS) for of_key in rules.values() for kind in of_key.values()
))  # fmt: skip
"""Kinds of facilities that the map can have."""
NAMED_MAX = 8
"""So many columns or kinds are named where they say nothing here."""
SHOWN_MAX = 30
"""So many columns of a file are shown where one lacks."""
LEAST_V = 1000.0
"""Volts below which a line is none that anybody keeps away from."""
LOST_MAX = 0.5
"""When this share of a column's values is no number, or more, the column is refused: it is another thing."""


def read(
    path: str | Path, kind: str, *, into: str, crs: str | None = None, columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None, near: Near | None = None,
) -> Table:  # fmt: skip
    """A given table in the metric CRS ``into``, with the columns of its kind, and what is to be said of it.

    ``kind`` is one of ``KINDS``; ``crs``, ``columns`` and ``near`` as for ``vectors.read``; ``constants`` are columns
    with one value in every row, whatever the file has under that name. People stay as given (whole or not, NaN where
    not known): ``geo.population.given`` counts them. Raises what ``vectors.read`` raises, and ColumnError with every
    column that lacks or cannot be understood.
    """
    columns, constants = columns or {}, constants or {}
    finding.require_known([*columns], [*constants], KINDS[kind])
    content = vectors.read(path, crs=crs, columns=columns, near=near, into=into)
    return understood(content, kind, columns=columns, constants=constants)


def understood(
    content: Read, kind: str, *, columns: Mapping[str, str] | None = None, constants: Mapping[str, str] | None = None
) -> Table:
    """What ``vectors.read`` gave, in a metric CRS, as a table of its kind; the rest as for ``read``."""
    columns, constants, wanted = columns or {}, constants or {}, KINDS[kind]
    finding.require_known([*columns], [*constants], wanted)
    frame, twice = _once(content.table, wanted)
    found = finding.found(frame, kind, wanted, said={*columns, *constants}, placing=content.placing)
    frame, of_hazards = _with_validity(found.frame, kind)
    frame = frame.assign(**constants)
    refuse(ColumnError, _faults(frame, wanted, found, str(content.path)))
    frame, shaped = _shaped(frame, kind)
    scaled, units = _scaled(frame, wanted, {**found.taken, **columns})
    table, mended = _filled(scaled, wanted)
    if kind == "sources":
        table, few = _with_volts(table)
        mended = (*mended, *few)
    table = _named_in_chinese(table)
    if kind == "shelters":
        area = table.geometry.area.where(table.geometry.area > 0)
        table["area_m2"] = table["area_m2"].fillna(area)
    said = (*content.notes, *twice, *found.notes, *of_hazards, *shaped, *units, *mended)
    unused = _unused(content, found, wanted, {*columns.values()})
    more = _people_too(content.table) if kind == "communities" else ()
    return (table if kind == "population" else checked(table, wanted.schema)), (*said, *unused, *more)


# -- rows ----------------------------------------------------------------------------------------------------------


def _once(frame: gpd.GeoDataFrame, wanted: Kind) -> Table:
    """The frame without rows that are there again in every cell and place."""
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    wkb = pd.Series(shapely.to_wkb(shapes), index=frame.index)
    alike = frame[wkb.duplicated(keep=False) & wkb.notna()]
    if not len(alike):
        return frame, ()
    text = wkb[alike.index].map(bytes.hex).astype(object)
    for name in alike.columns.drop(alike.geometry.name):
        text = text + "\0" + alike[name].map(str).astype(object)  # astype(str) keeps gaps, and makes all text one
    again = alike.index[text.duplicated()]
    if not len(again):
        return frame, ()
    if not wanted.once:
        en = f"{{n}} rows are the same as another ({rows.listed(again)}); they are counted."
        return frame, (rows.found("rows_repeated", "warning", en, "{n}行与其他行完全相同，仍计入。", rows=again),)
    en = f"{{n}} rows are the same as another in every cell ({rows.listed(again)}) and are left out."
    return frame.drop(again), (
        rows.found("rows_repeated", "repaired", en, "{n}行与其他行完全相同，已去重。", rows=again),
    )


def _shaped(frame: gpd.GeoDataFrame, kind: str) -> Table:
    """Rows with a sound geometry, and how many had none or had to be repaired."""
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object).copy()
    crossed = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    shapes[crossed] = [repaired(shape) for shape in shapes[crossed]]
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    notes = []
    if not there.all():
        where = rows.where(frame, ~there)
        en = f"{{n}} rows of {kind} have no place ({rows.listed(where)}) and are left out."
        notes.append(
            rows.found("rows_without_geometry", "warning", en, f"{kind}表中{{n}}行没有位置，未计入。", rows=where)
        )
    if crossed.any():
        where = rows.where(frame, crossed)
        en = f"{{n}} outlines of {kind} cross themselves ({rows.listed(where)}) and were repaired."
        zh = f"{kind}表中{{n}}个图形自相交，已修复。"
        notes.append(rows.found("outlines_repaired", "repaired", en, zh, rows=where))
    return frame.set_geometry(shapes, crs=frame.crs)[there], tuple(notes)


def _with_validity(frame: gpd.GeoDataFrame, kind: str) -> Table:
    """Shelters with what columns of marks, or words, say of the hazards they are for."""
    if kind != "shelters":
        return frame, ()
    texts = {name: frame[name].map(validity.listed) for name in ("valid_for", "invalid_for") if name in frame.columns}
    if "valid_for" in texts or (marks := validity.marked(frame)) is None:
        return frame.assign(**texts), ()
    return frame.assign(valid_for=marks.valid_for, invalid_for=marks.invalid_for), marks.notes


# -- what is refused -----------------------------------------------------------------------------------------------


def _faults(frame: gpd.GeoDataFrame, wanted: Kind, found: Found, where: str) -> list[Fault]:
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    there = ", ".join(names[:SHOWN_MAX]) + (" …" if len(names) > SHOWN_MAX else "")
    faults = [
        Fault(f"a column {name}", f"columns {there}", where, _cure(name, found))
        for name in wanted.needed if name not in names
    ]  # fmt: skip
    faults += _id_faults(frame, wanted.schema.id_column, where)
    for column in wanted.numeric:
        if column.name in names:
            faults += _number_faults(frame[column.name], column, where, needed=column.name in wanted.needed)
    for name, subject in wanted.subjects.items():
        if name in names and name in wanted.strict:
            faults += _word_faults(frame[name], subject, f"{where}, column {name}")
    strange = {str(g) for g in frame.geometry.dropna().geom_type.unique()} - wanted.geometry
    if strange:
        faults.append(Fault(" or ".join(sorted(wanted.geometry)), ", ".join(sorted(strange)), where))
    return faults


def _cure(name: str, found: Found) -> str:
    """How to say what a column lacks; people in every row alike is what nobody means."""
    every = "" if name == "people" else f", or give every row the same with --map {name}:=VALUE"
    likely = found.doubtful.get(name, ())
    could = f"{' and '.join(likely)} could both be it: " if likely else ""
    return f"{could}map it with --map {name}={likely[0] if likely else 'COLUMN'}{every}.".replace("map it", "Map it", 1)


def _id_faults(frame: gpd.GeoDataFrame, name: str, where: str) -> list[Fault]:
    """Ids given twice, with their rows."""
    if name not in frame.columns:
        return []
    ids = frame[name].map(_text)
    again = frame.index[ids.isna() | ids.duplicated()]
    if not len(again):
        return []
    found = f"missing or repeated {[ids.loc[row] for row in again[:3]]} in {rows.listed(again)}"
    return [
        Fault("a unique id in every row", found, f"{where}, column {name}", f"Map another with --map {name}=COLUMN.")
    ]


def _number_faults(given: pd.Series[Any], column: Column, where: str, *, needed: bool) -> list[Fault]:
    place, cure = f"{where}, column {column.name}", "Leave unknown values empty."
    of = numbers.dimension(column.name)
    read_ = numbers.read(given, of)
    faults = []
    lost = rows.where(given, read_.lost)
    if len(lost) and (needed or len(lost) >= LOST_MAX * int(_written(given).sum())):
        found = f"{given.loc[lost[0]]!r} in {rows.listed(lost)}"
        faults.append(Fault("numbers", found, place, cure))
    made_up = rows.where(given, numbers.placeholders(given) if of == "people" else np.zeros(len(given), dtype=bool))
    if len(made_up):
        found = f"{_text(given.loc[made_up[0]])} in {rows.listed(made_up)}, which stands for nothing counted"
        faults.append(Fault("numbers", found, place, cure))
    below = rows.where(given, read_.values < 0).difference(made_up)
    if len(below):
        found = f"{len(below)} values below ({_text(given.loc[below[0]])} in {rows.listed(below)})"
        faults.append(Fault("0 or more", found, place, cure))
    return faults


def _word_faults(given: pd.Series[Any], subject: str, where: str) -> list[Fault]:
    def strange(value: object) -> bool:
        text = _text(value)
        return text is not None and words.ours(text, subject, inside=subject in words.INSIDE) is None

    unknown = given[_written(given) & given.map(strange)]
    if not len(unknown):
        return []
    found = f"{', '.join(sorted({str(v) for v in unknown})[:5])} in {rows.listed(unknown.index)}"
    return [Fault(f"one of {', '.join(words.known(subject))}", found, where, "Leave unknown ones empty.")]


# -- values --------------------------------------------------------------------------------------------------------


def _scaled(frame: gpd.GeoDataFrame, wanted: Kind, headers_of: Mapping[str, str]) -> Table:
    """Numbers in our units where the header names another (``面积(公顷)``), and which."""
    notes: list[Finding] = []
    for column in wanted.numeric:
        by = finding.factor(column.name, headers_of.get(column.name, ""))
        if by != 1 and column.name in frame.columns:
            header, given = headers_of[column.name], frame[column.name]
            read_ = numbers.read(given, numbers.dimension(column.name))
            en, zh = f"{column.name} is {header} × {by:g}.", f"{column.name}由{header}乘以{by:g}换算。"
            notes += [Finding("unit_converted", en, zh, "repaired", len(frame), column=header)]
            notes += _told(given, read_.mended, read_.lost)
            frame = frame.assign(**{column.name: read_.values * by})
    return frame, tuple(notes)


def _filled(frame: gpd.GeoDataFrame, wanted: Kind) -> Table:
    """The schema's columns in its order, those of ``more`` that the file has, then the geometry."""
    notes: list[Finding] = []
    columns: dict[str, Any] = {c.name: _column(frame, c, wanted, notes) for c in wanted.schema.columns}
    there = [name for name in wanted.more if name in frame.columns]
    columns |= {name: pd.Series([_text(value) for value in frame[name]], dtype=object) for name in there}
    columns |= {c.name: _numbers(frame[c.name], notes) for c in wanted.numbers if c.name in frame.columns}
    table = gpd.GeoDataFrame(columns, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    if "kind" in table.columns and wanted.schema.name == "facilities":
        notes += _unknown_kinds(table["kind"])
    return table, tuple(notes)


def _with_volts(table: gpd.GeoDataFrame) -> Table:
    """Sources without voltages that must be kilovolts: 110 in a column of volts is not known, and said."""
    low = (table["voltage_v"] < LEAST_V).to_numpy()
    if not low.any():
        return table, ()
    where = rows.where(table, low)
    en = f"{{n}} voltages are below {LEAST_V:,.0f} V ({rows.listed(where)}), as if in kV, and count as not known."
    zh = f"{{n}}个电压值低于{LEAST_V:,.0f}伏，疑为千伏，按未知处理。"
    told = rows.found("voltages_low", "warning", en, zh, rows=where, column="voltage_v", values=table["voltage_v"])
    do_en, do_zh = "Name the unit in the column's header: voltage (kV).", "请在列名中注明单位，如“电压(kV)”。"
    told = dataclasses.replace(told, do_en=do_en, do_zh=do_zh)
    return table.assign(voltage_v=table["voltage_v"].where(~low)), (told,)


def _column(frame: gpd.GeoDataFrame, column: Column, wanted: Kind, notes: list[Finding]) -> object:
    name, there = column.name, column.name in frame.columns
    if column.kind == "id" and not there:
        return pd.Series([f"{wanted.schema.name[0]}{row + 1}" for row in range(len(frame))], dtype=object)
    if column.kind in ("float", "int"):
        if not there:
            return np.full(len(frame), np.nan)
        return _measures(frame[name], wanted, notes) if name in wanted.measures else _numbers(frame[name], notes)
    found = frame[name] if there else pd.Series([None] * len(frame), index=frame.index, name=name, dtype=object)
    if name in wanted.days:
        return _days(found, notes)
    texts = [_text(value) for value in found]
    if name in wanted.subjects:
        texts = _worded(found, texts, wanted.subjects[name], notes)
    return pd.Series([text or wanted.fills.get(name) for text in texts], dtype=object)


def _numbers(given: pd.Series[Any], notes: list[Finding]) -> np.ndarray:
    """Numbers, with how many of them had to be undressed, and how many are none."""
    read_ = numbers.read(given, numbers.dimension(str(given.name)))
    notes += _told(given, read_.mended, read_.lost)
    return read_.values


def _measures(given: pd.Series[Any], wanted: Kind, notes: list[Finding]) -> np.ndarray:
    """Measures as numbers: ``12 m``, ``10+``."""
    read_one = wanted.measures[str(given.name)]
    found = np.array([np.nan if numbers.missing(v) else read_one(_text(v)) for v in given], dtype=np.float64)
    plain = np.array([numbers.missing(v) or _is_plain(v) for v in given], dtype=bool)
    notes += _told(given, ~np.isnan(found) & ~plain, np.isnan(found) & _written(given).to_numpy())
    return found


def _is_plain(value: object) -> bool:
    try:
        return bool(np.isfinite(float(str(value))))
    except ValueError:
        return False


def _told(given: pd.Series[Any], mended: Any, lost: Any) -> list[Finding]:
    notes, name = [], str(given.name)
    if np.any(mended):
        where = rows.where(given, mended)
        en = f"{{n}} values of {name} are numbers with a unit, groups or signs around them ({rows.listed(where)})."
        zh = f"{name}列有{{n}}个数值带有单位、分隔符或其他符号，已识别。"
        notes.append(rows.found("numbers_undressed", "repaired", en, zh, rows=where, column=name, values=given))
    if np.any(lost):
        where = rows.where(given, lost)
        en = f"{{n}} values of {name} are no measure and count as not known ({rows.listed(where)})."
        zh = f"{name}列有{{n}}个值无法识别，按未知处理。"
        notes.append(rows.found("values_not_understood", "warning", en, zh, rows=where, column=name, values=given))
    return notes


def _days(given: pd.Series[Any], notes: list[Finding]) -> pd.Series[Any]:
    found = [None if numbers.missing(value) else dates.day(value) for value in given]
    lost = np.array([day is None for day in found], dtype=bool) & _written(given).to_numpy()
    notes += _told(given, np.zeros(len(given), dtype=bool), lost)
    return pd.Series(found, dtype=object)


def _worded(given: pd.Series[Any], texts: Sequence[str | None], subject: str, notes: list[Finding]) -> list[str | None]:
    """Our words where they are known; the others as they are, small where ours are small."""
    name, inside = str(given.name), subject in words.INSIDE
    ours = [None if text is None else words.ours(text, subject, inside=inside) for text in texts]
    pairs = {text: our for text, our in zip(texts, ours, strict=True) if text and our and text.lower() != our}
    if pairs:
        count = sum(text in pairs for text in texts)
        told = _some([f"{text} = {our}" for text, our in pairs.items()])
        en, zh = f"Words of {name} as ours: {told}.", f"{name}列的词对应：{told}。"
        notes.append(Finding("words_translated", en, zh, "info", count, column=name))
    small = name in LOWER_CASE
    return [our or (text.lower() if text and small else text) for text, our in zip(texts, ours, strict=True)]


def _text(value: object) -> str | None:
    """A value as text, whole numbers without ``.0``; None where there is none."""
    if value is None or value is pd.NA or value != value or str(value).strip() == "":
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _written(given: pd.Series[Any]) -> pd.Series[bool]:
    """Whether anything is said in each row."""
    return ~given.map(numbers.missing).astype(bool)


def _named_in_chinese(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A name in Chinese characters is the Chinese name too, where none is given."""
    if "name_zh" not in table.columns:
        return table
    pairs = zip(table["name"], table["name_zh"], strict=True)
    chinese = [zh or values.names({"name": name} if name else {})[1] for name, zh in pairs]
    return table.assign(name_zh=pd.Series(chinese, dtype=object))


# -- what is said --------------------------------------------------------------------------------------------------


def _unused(content: Read, found: Found, wanted: Kind, mapped: set[str]) -> list[Finding]:
    """Which columns of the file say nothing here; those that say where a row is do."""
    frame = content.table
    ours = {*(c.name for c in wanted.schema.columns), *wanted.extra, frame.geometry.name}
    used = {*ours, *found.used, *mapped, *content.placing, *content.choosing}
    placing = {*vectors.PLACING, *vectors.LONGITUDE, *vectors.LATITUDE}
    marks = validity.columns(frame) if wanted.schema.name == "shelters" else ()
    names = [str(name) for name in frame.columns if str(name) not in (*used, *marks)]
    names = [name for name in names if name.strip().lower() not in (*placing, *ours)]
    if not names:
        return []
    told = _some(names)
    return [
        Finding("columns_not_used", f"Columns that are not used: {told}.", f"未使用的列：{told}。", "info", len(names))
    ]


def _people_too(frame: gpd.GeoDataFrame) -> Iterator[Finding]:
    """Communities that tell their people, which count only when they are added as people."""
    names = [str(name) for name in frame.columns.drop(frame.geometry.name)]

    def counts(_: str, name: str) -> bool:
        return not numbers.read(frame[name], "people").lost.any() and bool(_written(frame[name]).any())

    found = headers.guess(names, "population", wanted={"people"}, fits=counts).found
    if "people" in found:
        column = found["people"]
        yield Finding(
            "communities_have_people", f"The table has people too ({column}); they are not used: add it again as "
            "population.", f"该表还有人口列（{column}），此处未使用：请将同一文件再按population添加。", "info",
            len(frame), column=column, do_en="renxing add STUDY population FILE",
            do_zh="renxing add STUDY population FILE",
        )  # fmt: skip


def _unknown_kinds(given: pd.Series[Any]) -> list[Finding]:
    """How many facilities are of kinds that nobody asks for."""
    strange = given[given.notna() & ~given.isin(KNOWN_KINDS)]
    if not len(strange):
        return []
    count = strange.value_counts()
    told = _some([f"{kind} ({number:,})" for kind, number in count.items()])
    close = (get_close_matches(str(kind), KNOWN_KINDS, n=2, cutoff=0.5) for kind in count.index)
    near = list(dict.fromkeys(known for each in close for known in each))[:NAMED_MAX]
    en, zh = ((f"known kinds near to them: {', '.join(near)}", f"相近的可识别类别：{'、'.join(near)}") if near else
              ("no known kind is near to them", "没有相近的可识别类别"))  # fmt: skip
    return [Finding(
        "kinds_not_known",
        f"{len(strange):,} {'row is' if len(strange) == 1 else 'rows are'} of kinds that no service knows unless a "
        f"parameter names them: {told}; {en} (all: docs/data.md).",
        f"{len(strange):,}行的类别不被任何服务识别（除非在参数中指定）：{told}；{zh}（全部见docs/data.zh-CN.md）。",
        "warning", len(strange), column="kind", value=str(strange.iloc[0]),
    )]  # fmt: skip


def _some(names: Iterable[str]) -> str:
    """The first of the names."""
    every = list(names)
    return ", ".join(every[:NAMED_MAX]) + (f" … (+{len(every) - NAMED_MAX:,})" if len(every) > NAMED_MAX else "")

"""What a person says of a file that is added to a study, and the layer it becomes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app.store import Study
from app.store.ids import is_id, made_id
from data import choosing, given, rasters
from data.classes import is_number
from data.hazards import HAZARDS, unit_named, usual_unit
from data.hazards import KINDS as HAZARD_KINDS
from data.nodata import Named, each
from data.standards.class_tables import class_table
from data.study import Layer
from data.study.definition import ELEVATION, STREETS, TABLES, ZONE_COLUMNS
from geo.errors import Fault, ParameterError, RenxingError, refuse

KINDS = ("hazard", *given.KINDS, STREETS, ELEVATION)
"""What can be added to a study."""
NOTHING = "none"
"""What a class of a hazard stands for where nothing is affected."""
NAMED = "@"
"""How the name of a class table begins."""
PLAIN = (
    "scenario", "hazard", "unit", "crs", "where", "return_period_y", "hours", "uncertainty", "time", "date", "source",
    "licence", "attribution",
)  # fmt: skip
"""What is said of a file in so many words."""
OPTION = re.compile(r"--([a-z][a-z-]*)")
FIELDS = {"return-period": "return_period_y", "hour": "hours", "name": "the layer's id", "replace": "If-Match"}
"""Options of the command line that a form calls otherwise."""
TILE = re.compile(r"[ns]\d\d[ew]\d\d\d")
"""Name of an SRTM tile, which says where it lies."""


@dataclass(frozen=True)
class Addition:
    """What a person says of a file: its kind, and what the file does not say itself.

    ``columns`` are a table's: our name -> the file's; a hazard has there what its values stand for: ``{"1": "2.0", "4":
    "none"}``, and the column of its outlines that says how bad each is, ``{"level": "RANK"}``. ``constants`` are our
    columns with one value in every row. ``where`` are a table's conditions for the rows that are taken
    (``data.choosing``). ``class_table`` names a table of what values stand for. With ``replace`` it
    takes the place of the layer of its name.
    """

    kind: str
    path: Path
    name: str = ""
    scenario: str = ""
    hazard: str = ""
    unit: str = ""
    crs: str | None = None
    nodata: Named = None
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    where: Sequence[str] = ()
    class_table: str | None = None
    return_period_y: float | None = None
    hours: float | None = None
    uncertainty: float | None = None
    time: Literal["day", "night"] | None = None
    date: str | None = None
    source: str | None = None
    licence: str | None = None
    attribution: str | None = None
    replace: bool = False

    @property
    def zone_columns(self) -> dict[str, str]:
        """A hazard's columns among what was mapped, without its classes."""
        return {name: column for name, column in self.columns.items() if name in ZONE_COLUMNS}

    @property
    def classes(self) -> dict[str, str]:
        """A hazard's classes among what was mapped."""
        return {value: meaning for value, meaning in self.columns.items() if value not in ZONE_COLUMNS}

    @property
    def known_unit(self) -> str:
        """The unit of a hazard's values: as said, else that of its class table, else the kind's usual one."""
        if self.unit or self.class_table is None:
            return unit_named(self.unit) or usual_unit(self.hazard)
        return class_table(self.class_table).unit


def option_faults(what: Addition) -> list[Fault]:
    """Options that a kind needs, and those that it has no use for."""
    if what.kind not in KINDS:
        return [Fault(f"a kind of {', '.join(KINDS)}", repr(what.kind), "KIND")]
    faults = [*_time_faults(what), *choosing.faults(what.where, "--where")]
    if what.kind == "hazard":
        return faults + _hazard_faults(what)
    idle = {
        "--hazard": what.hazard, "--unit": "" if what.kind == "population" else what.unit, "--scenario": what.scenario,
        "--return-period": what.return_period_y, "--hour": what.hours, "--uncertainty": what.uncertainty,
        "--map @": what.class_table,
    }  # fmt: skip
    faults += [
        Fault("it only with a hazard", f"{name} {value}", f"kind {what.kind}") for name, value in idle.items() if value
    ]
    if (what.columns or what.constants) and what.kind not in TABLES:
        faults.append(Fault("--map only with a table or a hazard", f"kind {what.kind}", "--map"))
    if what.where and what.kind not in TABLES:
        faults.append(Fault("--where only with a table", f"kind {what.kind}", "--where"))
    return faults


def _time_faults(what: Addition) -> list[Fault]:
    if what.time is None or what.kind == "population":
        return []
    return [Fault("it only with population", f"--time {what.time}", f"kind {what.kind}")]


def _hazard_faults(what: Addition) -> list[Fault]:
    faults = []
    units = HAZARD_KINDS[what.hazard].units if what.hazard in HAZARDS else {}
    if what.hazard not in HAZARDS:
        faults.append(Fault(f"a hazard of {', '.join(HAZARDS)}", repr(what.hazard or "none"), "--hazard"))
    if what.known_unit not in units:
        known = tuple(units) or tuple(dict.fromkeys(unit for kind in HAZARD_KINDS.values() for unit in kind.units))
        found = repr(what.known_unit or "none")
        cure = f"Ask who made the file, and write --unit {known[0]}, for example: a wrong guess is a wrong plan."
        faults.append(Fault(f"the unit of the file's values: {', '.join(known)}", found, "--unit", cure))
    cure = f"Write --map 1=2.0 --map 4={NOTHING}: each value of the file and what it stands for, in --unit."
    expected = f"VALUE=NUMBER, from 0 on, or VALUE={NOTHING}"
    wrong = [f"{value}={meaning}" for value, meaning in what.classes.items() if not _explains(meaning)]
    wrong += [f"{value}:={text}" for value, text in what.constants.items() if value not in ZONE_COLUMNS]
    faults += [Fault(expected, written, "--map", cure) for written in wrong]
    return faults + twice((value, "=", meaning) for value, meaning in what.classes.items() if is_number(value))


def _explains(meaning: str) -> bool:
    """Whether this can be what a value stands for."""
    return meaning == NOTHING or (is_number(meaning) and float(meaning) >= 0)


def twice(said: Iterable[tuple[str, str, str]]) -> list[Fault]:
    """What is said more than once of one column or one class: ``1=1`` and ``1.0=2``."""
    by_name: dict[str, list[str]] = {}
    for name, mark, value in said:
        by_name.setdefault(_class(name), []).append(f"{name}{mark}{value}")
    return [
        Fault(f"{name} explained once", " and ".join(each), "--map", "Keep one of them.")
        for name, each in by_name.items() if len(each) > 1
    ]  # fmt: skip


def layer_faults(layer: Layer, what: Addition, of: Study) -> list[Fault]:
    """What does not fit the study, or would not be found in it again."""
    faults = []
    heights = [there.layer_id for there in of.file.of_kind(ELEVATION)]
    if layer.kind == ELEVATION and heights and not (what.replace and layer.layer_id in heights):
        there = heights[0]
        faults.append(Fault("one layer of heights", f"{there} in the study already", "KIND", "Merge them beforehand."))
    if what.path.suffix.lower() == rasters.SRTM_ENDING and not TILE.fullmatch(layer.layer_id):
        cure = "Leave --name out, or give the tile in a zip."
        faults.append(Fault("an SRTM tile under its own name, such as N42E001.hgt", layer.layer_id, "--name", cure))
    return faults


def layer_of(what: Addition) -> Layer:
    """The layer that an addition becomes; its file is not yet there."""
    hazard, table = what.kind == "hazard", what.kind in TABLES
    title = what.name or what.path.name.split(".")[0]
    return Layer(
        layer_id=made_id(title, what=what.kind),
        title=None if is_id(title) else title,
        kind=what.kind,
        file=f"inputs/{what.kind}",
        source=what.source,
        licence=what.licence,
        attribution=what.attribution,
        hazard=what.hazard if hazard else None,
        unit=what.known_unit if hazard else what.unit or None,
        classes=_classes(what.classes) if hazard else {},
        class_table=what.class_table,
        crs=what.crs,
        nodata=_one_or_more(each(what.nodata)),
        return_period_y=what.return_period_y,
        hours=what.hours,
        uncertainty=what.uncertainty,
        time=what.time,
        date=what.date,
        columns=dict(what.columns) if table else what.zone_columns,
        constants=dict(what.constants),
        **({"where": list(what.where)} if what.where else {}),  # study.toml does not tell of rows that are all taken
    )


def _one_or_more(values: Sequence[float]) -> float | list[float] | None:
    """Values as study.toml has them: one by itself, several as a list."""
    return None if not values else values[0] if len(values) == 1 else list(values)


def nodata_of(said: Iterable[str]) -> tuple[float, ...]:
    """The values that ``--nodata`` named; ParameterError with each that is no number, and how to write several."""
    texts = list(said)
    bad = [text for text in texts if not is_number(text)]
    cure = "Write --nodata -9999 --nodata 999 for several."
    refuse(ParameterError, [Fault("one number, in the file's unit", repr(text), "--nodata", cure) for text in bad])
    return tuple(float(text) for text in texts)


def _classes(said: Mapping[str, str]) -> dict[str, float]:
    """Values of a hazard, each with the number it stands for."""
    return {_class(value): 0.0 if meaning == NOTHING else float(meaning) for value, meaning in said.items()}


def _class(value: str) -> str:
    """A value of a hazard as study.toml has it: ``1.0`` is ``1``; texts as they are."""
    return f"{float(value):.9g}" if is_number(value) else value


@dataclass(frozen=True)
class Mapped:
    """What ``--map`` said: our columns (or values) -> the file's (or what they stand for), values for all rows, and the
    name of a class table."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    class_table: str | None


def mapping(said: Iterable[str]) -> Mapped:
    """``field=column`` texts, ``field:=value`` texts, and ``@name`` of a class table.

    ParameterError names each text that is none of these, and each field or class of which something is said twice.
    """
    texts = list(said)
    tables = [text.removeprefix(NAMED) for text in texts if text.startswith(NAMED)]
    parts = [_parted(text) for text in texts if not text.startswith(NAMED)]
    cure = "Write --map people=POP, or --map kind:=clinic for all rows."
    bad = [Fault("field=column or field:=value", repr(f"{name}{mark}{value}"), "--map", cure)
           for name, mark, value in parts if not (name and value)]  # fmt: skip
    if len(tables) > 1:
        bad.append(Fault("one class table", ", ".join(NAMED + name for name in tables), "--map", "Keep one of them."))
    refuse(ParameterError, [*bad, *twice(part for part in parts if part[0])])
    named = class_table(tables[0]).name if tables else None
    columns = {n: v for n, mark, v in parts if mark == "="}
    return Mapped(columns, {n: v for n, mark, v in parts if mark == ":="}, named)


def _parted(text: str) -> tuple[str, str, str]:
    """Field, mark and value of ``field=column`` or ``field:=value``, whichever mark comes first."""
    field_, mark, value = text.partition("=")
    if field_.endswith(":"):
        field_, mark = field_[:-1], ":="
    return field_.strip(), mark, value.strip()


def as_said(said: Mapping[str, Any], path: Path, *, replace: bool) -> Addition:
    """What a form says of a file, as the command line would: fields of an ``Addition``, ``map`` and ``nodata`` as they
    are written, and ``layer_id`` for its name."""
    mapped = mapping(said["map"])
    return Addition(
        said["kind"], path, name=said["layer_id"], nodata=nodata_of(said["nodata"]), columns=mapped.columns,
        constants=mapped.constants, class_table=mapped.class_table, replace=replace,
        **{name: said[name] for name in PLAIN},
    )  # fmt: skip


@contextmanager
def as_form() -> Iterator[None]:
    """Say of a fault where it is and what to do by the fields of a form, not by the options of the command line."""
    try:
        yield
    except RenxingError as error:
        raise error.retold(
            Fault(*(_in_a_form(text) for text in (f.expected, f.found, f.where, f.fix))) for f in error.faults
        ) from None


def _in_a_form(text: str) -> str:
    return OPTION.sub(lambda found: FIELDS.get(found[1], found[1]), text)

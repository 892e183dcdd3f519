"""What a study is: the models of ``study.toml``.

Every field says what it is; a key that is not here is refused with the line it stands on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints

import data.study.text as text
from data import choosing, rules
from data.given import KINDS
from data.hazards import HAZARDS, unit_named
from data.hazards import KINDS as HAZARD_KINDS
from data.limits import DEFINITION
from geo.derived import KINDS as DERIVED
from geo.errors import Fault, InputError, refuse

FORMAT = 1
STREETS, ELEVATION = "streets", "elevation"
LATTICE = "lattice"
"""Streets that are made where nobody has any."""
LEVEL, VALUE = "level", "value"
"""What the column of a hazard's outlines that says how bad it is may be called here."""
ZONE_COLUMNS = frozenset({LEVEL, VALUE, "table"})
"""Columns of ours that a hazard's outlines may name."""
TABLES = (*KINDS, STREETS)
"""Kinds of layers that are tables."""
OF_HAZARDS = ("hazard", "return_period_y", "classes", "class_table", "hours", "uncertainty")
"""What only a hazard can say."""
IDLE: Mapping[str, tuple[str, ...]] = {"hazard": ("time",), "population": OF_HAZARDS}
"""What layers of a kind cannot say; the kinds not named: nothing of hazards, no unit and no time."""
OF_FILES = ("file", "unit", "classes", "class_table", "crs", "nodata", "time", "columns", "constants", "where")
"""What only a layer with a file can say."""
HASHED = re.compile(r"[a-z]+-[0-9a-f]{8}")
"""Id made of a title in another script (``app.store.ids``)."""
FROZEN = ConfigDict(frozen=True, extra="forbid")
NAME, LINE, TEXT = 200, 500, 4000
"""So many characters a name, one line (a path, a key), and any other text have at most."""
LAYERS, SCENARIOS, ENTRIES, DEEP = 500, 200, 1000, 8
"""So many there are at most; ENTRIES of any other list or table, which are DEEP in each other at most."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that steer a terminal; a text over several lines may break them and indent."""
CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _plain(said: str, most: int, steering: re.Pattern[str]) -> str:
    if len(said) > most:
        raise ValueError(f"must be text of at most {most:,} characters, not {len(said):,}")
    if found := steering.search(said):
        raise ValueError(f"must be text without control characters, such as U+{ord(found[0]):04X}")
    return said


def _bounded(held: Any, deep: int = DEEP) -> Any:
    """A table or list of anything, none of it too long, too many or too deep."""
    if isinstance(held, str):
        return _plain(held, TEXT, CONTROL_IN_TEXT)
    if not isinstance(held, dict | list | tuple):
        return held
    if not deep:
        raise ValueError(f"must be tables in at most {DEEP} others")
    if len(held) > ENTRIES:
        raise ValueError(f"must be at most {ENTRIES:,} entries, not {len(held):,}")
    for key in held if isinstance(held, dict) else ():
        _plain(str(key), LINE, CONTROL_IN_TEXT)
    for value in held.values() if isinstance(held, dict) else held:
        _bounded(value, deep - 1)
    return held


def _text(most: int, steering: re.Pattern[str]) -> tuple[AfterValidator, Any]:
    return AfterValidator(partial(_plain, most=most, steering=steering)), Field(json_schema_extra={"maxLength": most})


Name = Annotated[str, *_text(NAME, CONTROL)]
Line = Annotated[str, *_text(LINE, CONTROL)]
Said = Annotated[str, *_text(TEXT, CONTROL_IN_TEXT)]
Bounded = AfterValidator(_bounded)
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
Kind = Literal[
    "osm", "hazard", "communities", "population", "shelters", "facilities", "buildings", "streets", "elevation",
    "lots", "supplies", "sources",
]  # fmt: skip
Time = Literal["day", "night"]


class Layer(BaseModel):
    """One input: a file in the study's folder, what it is, and where it comes from."""

    model_config = FROZEN

    layer_id: Id = Field(description="Name of the layer, unique in the study (a-z, 0-9, _, -).")
    title: Line | None = Field(default=None, description="What the layer is called, e.g. its file's own name (text).")
    kind: Kind = Field(description="osm, hazard, communities, population, shelters, facilities, buildings, "
                      "streets, elevation, lots, supplies or sources.")  # fmt: skip
    file: Line = Field(default="", description="The file, relative to the study's folder, e.g. inputs/town.osm.pbf.")
    sha256: Sha256 = Field(default="", description="SHA-256 of the file when it was added (hex code).")
    source: Said | None = Field(default=None, description="Who made the data.")
    licence: Line | None = Field(default=None, description="Under what licence, e.g. ODbL-1.0.")
    attribution: Said | None = Field(default=None, description="How the source wants to be named on a map.")
    date: Day | None = Field(default=None, description="When the data was current: 2024, 2024-05 or 2024-05-01.")
    hazard: Line | None = Field(default=None, description=f"Hazard only: what it is ({', '.join(HAZARDS)}).")
    derived: bool = Field(
        default=False, description="Hazard only: made from the study's own map and heights, without a file (yes or no)."
    )
    unit: Line | None = Field(
        default=None, description="Hazards and rasters of people: unit of the file's values (m, cm, m/s, level, "
        "people, people/km2, …)."
    )  # fmt: skip
    classes: Annotated[dict[str, float], Bounded] = Field(
        default_factory=dict, description="Hazard only: value or text in the file = what it stands for, in unit."
    )
    class_table: Line | None = Field(
        default=None, description="Hazard only: name of a known class table, e.g. japan-flood-rank (docs/manual.md)."
    )
    crs: Line | None = Field(default=None, description="Coordinate system of the file, if it says none or a wrong one.")
    nodata: float | Annotated[list[float], Field(max_length=ENTRIES)] | None = Field(
        default=None, description="Rasters only: value that means not known, or a list of them (file unit)."
    )
    return_period_y: float | None = Field(default=None, gt=0, description="Hazard only: return period, years.")
    hours: float | None = Field(
        default=None, ge=0, description="Hazard only: hours after the beginning at which it is like this (time frame)."
    )
    uncertainty: float | None = Field(
        default=None, ge=0, description="Hazard only: how far the true value may lie above or below (unit of the file)."
    )
    time: Time | None = Field(default=None, description="Population only: day or night (word; none: at any time).")
    conversions: list[Said] = Field(
        default_factory=list,
        max_length=ENTRIES,
        description="What was done to the file's content when it was read (text).",
    )
    columns: Annotated[dict[str, str], Bounded] = Field(
        default_factory=dict, description="Tables only: our column = the file's column."
    )
    constants: Annotated[dict[str, str], Bounded] = Field(
        default_factory=dict, description="Tables only: our column = what every row has."
    )
    where: list[Said] = Field(
        default_factory=list, max_length=ENTRIES, description="Tables only: rows that are "
        "taken, each COLUMN=VALUE[,VALUE…] or "
        "COLUMN!=VALUE as the file names them; all must hold (text)."
    )  # fmt: skip

    @property
    def called(self) -> str:
        """What people are shown: the id, or the title where the id is made of a hash because nobody can read that."""
        return self.title if self.title and HASHED.fullmatch(self.layer_id) else self.layer_id


class Scenario(BaseModel):
    """A state of the city and the hazards in force."""

    model_config = FROZEN

    scenario_id: Id = Field(description="Name of the scenario, unique in the study (a-z, 0-9, _, -).")
    name: Name = Field(description="Title of the scenario.")
    name_zh: Name | None = Field(default=None, description="Title in Chinese.")
    state: Literal["normal", "alert", "emergency"] = Field(
        default="normal", description="normal (平时), alert (急时) or emergency (战时)."
    )
    time: Time = Field(default="night", description="day or night: where people are (word).")
    hazards: tuple[Line, ...] = Field(default=(), max_length=LAYERS, description="Layer ids of the hazards in force.")
    closures: tuple[int, ...] = Field(
        default=(), max_length=0, description="An empty list: streets cannot be closed by hand (OSM way numbers, code)."
    )


class StudyFile(BaseModel):
    """``study.toml``: one place and its plan, the whole definition."""

    model_config = FROZEN

    format: Literal[1] = Field(default=1, description="Form of the file (number).")
    study_id: Id = Field(description="Name of the study's folder (a-z, 0-9, _, -).")
    name: Name = Field(description="Title of the study.")
    name_zh: Name | None = Field(default=None, description="Title in Chinese.")
    crs: Line = Field(description="Metric coordinate system everything is computed in, e.g. EPSG:32631.")
    boundary: Line | None = Field(default=None, description="File with the study's outline, relative to its folder.")
    boundary_crs: Line | None = Field(
        default=None, description="Coordinate system of the outline's file, if it says none or a wrong one."
    )
    streets: Literal["map", "lattice"] = Field(
        default="map", description="Where streets come from: the map or layers of streets, or a made lattice where "
        "nobody has any (word)."
    )  # fmt: skip
    layers: list[Layer] = Field(default_factory=list, max_length=LAYERS, description="The inputs.")
    scenarios: list[Scenario] = Field(
        default_factory=list, max_length=SCENARIOS, description="The scenarios to compute."
    )
    parameters: Annotated[dict[str, bool | int | float | str | list[str]], Bounded] = Field(
        default_factory=dict, description="Parameters that differ from the defaults, by dotted name."
    )
    rules: Annotated[dict[str, dict[str, Any]], Bounded] = Field(
        default_factory=dict, description="Rules of distance by id: what differs from ours, or all of a new one "
        "(fields of docs/rules.md)."
    )  # fmt: skip
    _text: str = PrivateAttr(default="")

    @classmethod
    def load(cls, path: Path) -> StudyFile:
        """The definition in a file; every fault in it at once, each with its line.

        Raises FileMissingError, UnreadableError (not TOML) and InputError.
        """
        return cls.understood(text.read(path), str(path))

    @classmethod
    def understood(cls, written: str, where: str) -> StudyFile:
        """The definition that a text says; ``where`` names it in faults. Raises UnreadableError and InputError."""

        def of_rules(values: Mapping[str, Any]) -> Iterator[Fault]:
            said = values.get("rules", {})
            many = len(said) if isinstance(said, dict) else 0
            if many <= ENTRIES:  # more of them are refused as they are
                yield from rules.faults(
                    said, text=written if many * len(written) <= text.LOOKED_FOR else "", where=where
                )

        study = text.validated(cls, written, where, of_rules)
        refuse(InputError, _faults(study, where))
        study._text = written
        return study

    def dump(self) -> str:
        """The definition as TOML. Comments and order of the file it was loaded from are kept.

        Raises LimitError when it says more than may be read again.
        """
        DEFINITION.require(len(self.model_dump_json(exclude_none=True, exclude_unset=True)), self.study_id)
        said = self.model_dump(mode="json", exclude_none=True, exclude_unset=True)
        return text.merged(self._text, {"format": self.format} | said)

    def __eq__(self, other: object) -> bool:
        # The text it was read from is how it is written, not what it says.
        return isinstance(other, StudyFile) and self.model_dump() == other.model_dump()

    def hazard_layers(self) -> dict[str, Layer]:
        """The hazards by layer id."""
        return {layer.layer_id: layer for layer in self.layers if layer.kind == "hazard"}

    def frames(self, scenario: Scenario) -> tuple[Layer, ...]:
        """The hours that are known of the hazards in force: layers of one's kind and return period that say an hour.

        A hazard in force that says no hour itself has none.
        """
        timed = [layer for layer in self.hazard_layers().values() if layer.hours is not None]
        series = {(one.hazard, one.return_period_y) for one in timed if one.layer_id in scenario.hazards}
        return tuple(one for one in timed if (one.hazard, one.return_period_y) in series)

    def counted(self, scenario: Scenario) -> tuple[Layer, ...]:
        """The layers that decide what comes out in a scenario: of hazards those in force and their other hours."""
        hazards = {*scenario.hazards, *(layer.layer_id for layer in self.frames(scenario))}
        return tuple(layer for layer in self.layers if layer.kind != "hazard" or layer.layer_id in hazards)

    def of_kind(self, kind: str) -> tuple[Layer, ...]:
        """The layers of one kind."""
        return tuple(layer for layer in self.layers if layer.kind == kind)


def _faults(study: StudyFile, where: str) -> Iterator[Fault]:
    """What no single field can tell: names used twice, names of nothing, paths out of the folder."""
    for what, names in (
        ("layer_id", [layer.layer_id for layer in study.layers]),
        ("scenario_id", [scenario.scenario_id for scenario in study.scenarios]),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        yield from (Fault(f"each {what} once", f"{name!r} more than once", where) for name in twice)
    for layer in study.layers:
        yield from _layer_faults(layer, f"{where}, layer {layer.layer_id}")
    if study.boundary is not None and not inside(study.boundary):
        yield Fault("a path inside the study's folder", repr(study.boundary), f"{where}, boundary")
    known = study.hazard_layers()
    for scenario in study.scenarios:
        there = ", ".join(known) or "none yet"
        place = f"{where}, scenario {scenario.scenario_id}"
        strange = [name for name in scenario.hazards if name not in known]
        yield from (Fault(f"layer ids of hazards ({there})", repr(name), place) for name in strange)


def _layer_faults(layer: Layer, where: str) -> Iterator[Fault]:
    if layer.derived:
        yield from _derived_faults(layer, where)
        return
    if not inside(layer.file):
        yield Fault("a path inside the study's folder, such as inputs/flood.tif", repr(layer.file), f"{where}, file")
    if layer.kind == "hazard":
        yield from _hazard_faults(layer, where)
    for name in IDLE.get(layer.kind, (*OF_HAZARDS, "unit", "time")):
        if getattr(layer, name) not in (None, {}):
            yield Fault(f"no {name} on a layer of kind {layer.kind}", repr(getattr(layer, name)), where)
    yield from choosing.faults(layer.where, f"{where}, where")
    for name in ("columns", "constants", "where"):
        if getattr(layer, name) and layer.kind not in (*TABLES, "hazard"):
            yield Fault(f"{name} only on tables and hazards", f"{name} on {layer.kind}", where)


def _derived_faults(layer: Layer, where: str) -> Iterator[Fault]:
    if layer.kind != "hazard" or layer.hazard not in DERIVED:
        found = f"{layer.kind} {layer.hazard or ''}".strip()
        yield Fault(f"a derived hazard of {', '.join(DERIVED)}", found, f"{where}, hazard")
    for name in OF_FILES:
        if getattr(layer, name) not in ("", None, {}, []):
            yield Fault(f"no {name} of a derived hazard", repr(getattr(layer, name)), where)


def _hazard_faults(layer: Layer, where: str) -> Iterator[Fault]:
    if layer.hazard not in HAZARDS:
        yield Fault(f"a hazard of {', '.join(HAZARDS)}", repr(layer.hazard), f"{where}, hazard")
    elif unit_named(layer.unit or "") not in HAZARD_KINDS[layer.hazard].units:
        units = ", ".join(HAZARD_KINDS[layer.hazard].units)
        yield Fault(f"a unit of {units}", repr(layer.unit), f"{where}, unit")
    for value, meaning in layer.classes.items():
        if not 0 <= meaning < math.inf:
            found = f"{value} = {meaning:g}"
            yield Fault("a value in the file = 0 or more, in unit", found, f"{where}, classes")
    strange = [*({*layer.columns} - ZONE_COLUMNS), *({*layer.constants} - {LEVEL, VALUE})]
    yield from (Fault(f"{', '.join(sorted(ZONE_COLUMNS))} of a hazard", repr(name), where) for name in strange)


def inside(path: str) -> bool:
    """Whether a path stays in the folder it is relative to."""
    parts = PurePosixPath(path.replace("\\", "/"))
    return bool(path) and not parts.is_absolute() and ".." not in parts.parts and not re.match(r"[A-Za-z]:", path)

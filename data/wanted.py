"""What is wanted of each kind of table that a person gives: columns, geometry, what stands in for what is missing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from data import numbers
from data.osm import values
from geo.groups import COLUMNS as GROUPS
from geo.tables import BUILDINGS, COMMUNITIES, DEMAND, FACILITIES, LOTS, SHELTERS, SOURCES, SUPPLIES, Column, Schema

AREAL = frozenset({"Polygon", "MultiPolygon"})
PLACES = AREAL | {"Point"}
DRAWN = PLACES | {"LineString", "MultiLineString", "MultiPoint"}
STRICT = frozenset({"tier", "level", "origin", "state"})
"""Columns of which every word must be known, in most kinds."""


@dataclass(frozen=True)
class Kind:
    """A kind of table: its schema, the geometry it may have, what stands in for a missing column, what it must have.

    ``fills`` maps a column to the value used where the file has no such column or no value in it, ``measures`` a column
    to the reader of values such as ``12 m``; what that does not understand is taken as not known, and said. ``more``
    are columns of text and ``numbers`` columns of numbers that are kept where the file has them; other columns are not
    used, and named. ``subjects`` maps columns of words to the subject of ``data.words``: of those that are ``strict``
    a word that is not known is refused, in others it stays. ``days`` hold dates. ``once``: the same row again is left
    out; otherwise it may be meant (two households at one place), and is only said.
    """

    schema: Schema
    geometry: frozenset[str]
    fills: Mapping[str, object]
    needed: tuple[str, ...] = ()
    measures: Mapping[str, Callable[[str | None], float]] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    numbers: tuple[Column, ...] = ()
    subjects: Mapping[str, str] = field(default_factory=dict)
    strict: frozenset[str] = STRICT
    days: tuple[str, ...] = ()
    once: bool = True

    @property
    def extra(self) -> tuple[str, ...]:
        """Names of the columns kept beside the schema's."""
        return (*self.more, *(column.name for column in self.numbers))

    @property
    def numeric(self) -> tuple[Column, ...]:
        """The columns of numbers that are not read as measures."""
        schema = (column for column in self.schema.columns if column.kind in ("float", "int"))
        return tuple(column for column in (*schema, *self.numbers) if column.name not in self.measures)


TURNOUT = Column("turnout_s", "float", "A station's own seconds from the call to leaving; NaN: its service's.", False)


_CLASSES = {**dict(zip("一二三四五", range(1, 6), strict=True)), "I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}


def _levels(text: str | None) -> float:
    """Storeys from OSM's forms and from ``10+``, ``6层``, ``3階``."""
    return values.levels(None if text is None or numbers.missing(text) else numbers.undressed(text))


def _class(text: str | None) -> float:
    """The class of a station or works: ``2``, ``二级``, ``Ⅱ级``."""
    plain = "" if text is None else unicodedata.normalize("NFKC", text).strip().removesuffix("级").upper()
    if plain in _CLASSES:
        return float(_CLASSES[plain])
    return float(plain) if plain.isdecimal() else np.nan


def _metres(text: str | None) -> float:
    return values.metres(None if text is None or numbers.missing(text) else numbers.undressed(text))


KINDS = {
    "communities": Kind(COMMUNITIES, AREAL, {"level": "community", "source": "given"}, subjects={"level": "level"}),
    "population": Kind(DEMAND, PLACES, {}, ("people",), more=("building_id",), numbers=GROUPS, once=False),
    "shelters": Kind(SHELTERS, PLACES, {"kind": "shelter", "origin": "official"},
                     more=("valid_for", "invalid_for", "access", "source_id"),
                     subjects={"kind": "kind", "tier": "tier", "origin": "origin", "state": "state"}),
    "facilities": Kind(FACILITIES, PLACES, {}, ("kind",), numbers=(TURNOUT,), subjects={"kind": "kind"}),
    "buildings": Kind(BUILDINGS, AREAL, {"use": "yes"}, measures={"levels": _levels, "height_m": _metres},
                      subjects={"use": "use"}),
    "lots": Kind(LOTS, AREAL, {}, subjects={"use": "use"}),
    "sources": Kind(SOURCES, DRAWN, {}, ("kind",), measures={"height_m": _metres, "grade": _class},
                    subjects={"kind": "source"}, strict=STRICT | {"kind"}),
    "supplies": Kind(SUPPLIES, PLACES, {}, ("item",), more=("pack",), subjects={"tier": "supply_tier"},
                     days=("expiry", "agreement_until"), once=False),
}  # fmt: skip
"""Kinds of tables that can be given, as study.toml names them."""
LOWER_CASE = ("use", "kind")
"""Columns whose words are written small."""

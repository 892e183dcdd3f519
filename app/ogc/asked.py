"""What an address asks of a collection: which page of which features, in which coordinates; faults told at once."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Literal, TypeVar

from app.ogc.crs import CRS84, CRS84_URI, Crs, chosen
from app.ogc.parser import CORNERS, instant, parse
from app.ogc.table import GEOMETRY, Described, Kind
from app.ogc.tree import Compare, Node, Property, Shape, Spatial, Value, all_of, moved, written
from app.ogc.tree import Literal as Given
from geo.errors import Fault, QueryError, refuse

Form = Literal["json", "html"]
T = TypeVar("T")
LIMIT_DEFAULT = 10
OFFSET_MAX = 10**9
FAULTS_MAX = 20
"""So many parameters that are not known are told."""
OF_PAGES = ("f", "lang")
"""Parameters that every address takes."""
OF_ITEM = (*OF_PAGES, "crs")
OF_ITEMS = (
    *OF_ITEM, "limit", "offset", "bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs",
)  # fmt: skip
"""Those that the features of a collection take beside the names of its columns."""
CQL2 = ("cql2-text", "cql-text")
"""The language of filters, and the draft's name, by which alone GDAL asks: what GDAL writes is the same in both."""
DAY = r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?"
DATETIME = re.compile(rf"{DAY}|({DAY}|\.\.)?/({DAY}|\.\.)?", re.IGNORECASE)
READ: dict[str, Callable[[str], Value]] = {
    "number": float, "integer": float, "date": date.fromisoformat, "instant": instant,
}  # fmt: skip
TRUTHS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Limits:
    """What may be asked: features on a page (count), characters of a filter (count) and its depth (brackets)."""

    page: int
    chars: int
    depth: int


@dataclass(frozen=True)
class Asked:
    """A page: ``limit`` features (count) from ``offset`` on, of those a condition is true of, in ``crs``."""

    limit: int
    offset: int
    crs: Crs
    condition: Node | None

    @property
    def key(self) -> str:
        """What decides which features these are, whatever page of them."""
        return "" if self.condition is None else written(self.condition)


Pairs = Sequence[tuple[str, str]]


def known(pairs: Pairs, names: Sequence[str]) -> dict[str, str]:
    """The parameters by name; QueryError for any not among ``names``, and for any given twice."""
    counted = Counter(name for name, _ in pairs)
    expected = f"a parameter among {', '.join(names)}"
    faults = [Fault(expected, repr(name[:80])) for name in counted if name not in names]
    faults += [Fault("a parameter once", f"{times} times", name[:80]) for name, times in counted.items() if times > 1]
    refuse(QueryError, faults[:FAULTS_MAX])
    return dict(pairs)


def form(given: Mapping[str, str], accept: str) -> Form:
    """JSON or a page: as ``f`` says, else what the reader (header Accept) would rather have."""
    asked = given.get("f", "")
    if asked in ("json", "html"):
        return "html" if asked == "html" else "json"
    if asked:
        raise QueryError(Fault("json or html", repr(asked[:80]), "f"))
    return "html" if _liked(accept, "text/html") > max(_liked(accept, part) for part in JSONS) else "json"


JSONS = ("application/json", "application/geo+json", "application/*", "*/*")


def _liked(accept: str, media_type: str) -> float:
    """How much a reader likes a form (0-1)."""
    found = re.search(rf"(?:^|,)\s*{re.escape(media_type)}\s*(?:;[^,]*?q=([0-9.]+))?", accept)
    return float(found[1] or 1) if found and re.fullmatch(r"[01]?(\.\d*)?", found[1] or "1") else 0.0


def asked(
    pairs: Pairs, layer: Described, offers: Sequence[Crs], *, limits: Limits
) -> Asked:  # fmt: skip
    """What is asked of a layer; QueryError with every fault, LimitError for a filter too long or too deep."""
    given = known(pairs, (*OF_ITEMS, *(name for name in layer.columns if name not in OF_ITEMS)))
    faults: list[Fault] = []

    def read(make: Callable[[], T], otherwise: T) -> T:
        try:
            return make()
        except QueryError as error:
            faults.extend(error.faults)
            return otherwise

    page = read(lambda: _whole(given, "limit", LIMIT_DEFAULT, 1, OFFSET_MAX), LIMIT_DEFAULT)
    offset = read(lambda: _whole(given, "offset", 0, 0, OFFSET_MAX), 0)
    crs = read(lambda: crs_of(given, offers), CRS84)
    read(lambda: _datetime(given), None)
    parts = [read(lambda: _box(given, offers), None), read(lambda: _filter(given, offers, limits), None)]
    parts += [read(partial(_equal, name, given[name], layer.columns[name]), None) for name in _columns(given, layer)]
    refuse(QueryError, faults)
    return Asked(min(page, limits.page), offset, crs, all_of([part for part in parts if part is not None]))


def crs_of(given: Mapping[str, str], offers: Sequence[Crs]) -> Crs:
    """The system that answers come in."""
    return chosen(given.get("crs", CRS84_URI), offers, where="crs")


def _columns(given: Mapping[str, str], layer: Described) -> list[str]:
    return [name for name in given if name in layer.columns and name not in OF_ITEMS]


def _whole(given: Mapping[str, str], name: str, otherwise: int, least: int, most: int) -> int:
    said = given.get(name, str(otherwise))
    if not re.fullmatch(r"[0-9]{1,10}", said) or not least <= int(said) <= most:
        raise QueryError(Fault(f"a whole number from {least}", repr(said[:80]), name))
    return int(said)


def _datetime(given: Mapping[str, str]) -> None:
    """Features have no time of their own, so any time has them all; only how it is written can be wrong."""
    said = given.get("datetime")
    if said is not None and (not DATETIME.fullmatch(said) or said == "/"):
        raise QueryError(
            Fault("an instant such as 2023-01-30T12:00:00Z, or two and / between", repr(said[:80]), "datetime")
        )


def _box(given: Mapping[str, str], offers: Sequence[Crs]) -> Node | None:
    if "bbox" not in given:
        chosen(given.get("bbox-crs", CRS84_URI), offers, where="bbox-crs")
        return None
    crs = chosen(given.get("bbox-crs", CRS84_URI), offers, where="bbox-crs")
    try:
        edges = [float(edge) for edge in given["bbox"].split(",")]
        corners = [edges[i] for i in CORNERS[len(edges)]]
    except (ValueError, LookupError):
        corners = [math.nan]
    if not all(map(math.isfinite, corners)):
        raise QueryError(Fault("4 or 6 numbers with commas between", repr(given["bbox"][:80]), "bbox"))
    return Spatial("INTERSECTS", Property(GEOMETRY), Shape(crs.box(*corners)))


def _filter(given: Mapping[str, str], offers: Sequence[Crs], limits: Limits) -> Node | None:
    crs = chosen(given.get("filter-crs", CRS84_URI), offers, where="filter-crs")
    if given.get("filter-lang", CQL2[0]) not in CQL2:
        raise QueryError(Fault(" or ".join(CQL2), repr(given["filter-lang"][:80]), "filter-lang"))
    if "filter" not in given:
        return None
    return moved(parse(given["filter"], chars=limits.chars, depth=limits.depth), crs.to_degrees)


def _equal(name: str, said: str, kind: Kind) -> Node:
    return Compare("=", Property(name), Given(_value(name, said, kind)))


def _value(name: str, said: str, kind: Kind) -> Value:
    if kind in ("text", "none"):
        return said
    value = _parsed(said, kind)
    if value is None:
        raise QueryError(Fault(f"a value of this {kind}", repr(said[:80]), name))
    return value


def _parsed(said: str, kind: Kind) -> Value | None:
    if kind == "bool":
        return TRUTHS.get(said.lower())
    try:
        value = READ[kind](said)
    except ValueError:
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Which rows a condition is true of: columns at a time, with the logic of TRUE, FALSE and not known.

Texts are compared once per different text, not once per row; LIKE is answered by RE2, whose time is linear in the text
whatever the pattern. Only shapes whose box meets the asked shape's are looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from app.ogc.table import GEOMETRY, Kind, Rows, Table
from app.ogc.tree import (
    And,
    Between,
    Casei,
    Compare,
    In,
    Like,
    Literal,
    Missing,
    Node,
    Not,
    Or,
    Property,
    Scalar,
    Shape,
    Spatial,
    Truth,
    Value,
)
from geo.errors import Fault, QueryError

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal, "<>": pc.not_equal, "<": pc.less, ">": pc.greater, "<=": pc.less_equal, ">=": pc.greater_equal,
}  # fmt: skip
FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
INVERSE = {"WITHIN": "CONTAINS", "CONTAINS": "WITHIN"}
"""What a second shape is to a first, where that is not the same as the first to the second."""
LIKE_KINDS: dict[Kind, str] = {"integer": "number"}
TYPES: dict[str, pa.DataType] = {"number": pa.float64(), "text": pa.string(), "bool": pa.bool_()}


def matching(condition: Node | None, table: Table) -> Rows:
    """The rows (from 0, in their order) of which a condition is true; all without one.

    Shapes in it are in longitude and latitude. QueryError names columns that are not there and kinds that cannot be
    compared.
    """
    if condition is None:
        return np.arange(len(table))
    found = _truth(condition, _Remembering(table.columns, table.wkb, table.boxes, table.key))
    return np.flatnonzero(found.fill_null(False).to_numpy(zero_copy_only=False))


@dataclass(frozen=True, eq=False)
class _Remembering(Table):
    """A layer during one search: a shape is decoded once and a column folded once, however often a filter names it."""

    def shapes(self, rows: Rows) -> NDArray[np.object_]:
        fresh = rows[~self._seen[rows]]
        self._decoded[fresh] = super().shapes(fresh)
        self._seen[fresh] = True
        return self._decoded[rows]

    def folded(self, name: str) -> pa.DictionaryArray:
        """A text column without its case."""
        if name not in self._folded:
            column = self.columns[name]
            texts = pa.array([text.casefold() for text in column.dictionary.to_pylist()], pa.string())
            self._folded[name] = pa.DictionaryArray.from_arrays(column.indices, texts)
        return self._folded[name]

    @cached_property
    def _decoded(self) -> NDArray[np.object_]:
        return np.full(len(self), None, dtype=object)

    @cached_property
    def _seen(self) -> NDArray[np.bool_]:
        return np.zeros(len(self), dtype=bool)

    @cached_property
    def _folded(self) -> dict[str, pa.DictionaryArray]:
        return {}


def _truth(node: Node, table: _Remembering) -> pa.BooleanArray:
    match node:
        case And(parts):
            return reduce(pc.and_kleene, (_truth(part, table) for part in parts))
        case Or(parts):
            return reduce(pc.or_kleene, (_truth(part, table) for part in parts))
        case Not(part):
            return pc.invert(_truth(part, table))
        case Truth(value):
            return pa.repeat(pa.scalar(value), len(table))
        case Missing(value):
            return _missing(value.name, table)
        case Spatial():
            return _spatial(node, table)
        case _:
            return _compared(node, table)


def _compared(node: Compare | Like | Between | In, table: _Remembering) -> pa.BooleanArray:
    match node:
        case Compare(operator, left, right):
            return _compare(operator, _operand(left, table), _operand(right, table), len(table))
        case Between(value, low, high):
            whole, sides = _operand(value, table), (_operand(low, table), _operand(high, table))
            first, last = (
                _compare(sign, whole, side, len(table)) for sign, side in zip((">=", "<="), sides, strict=True)
            )
            return pc.and_kleene(first, last)
        case Like(value, pattern):
            return _like(_operand(value, table), _operand(pattern, table), len(table))
        case In(value, among):
            return _among(_operand(value, table), [_operand(each, table) for each in among], len(table))


@dataclass(frozen=True)
class Operand:
    """One side of a comparison: a column (``values``), or a ``literal``."""

    kind: str
    values: pa.Array | None = None
    literal: Value | None = None

    @property
    def flat(self) -> Any:
        """The column, or the literal, as Arrow compares it."""
        if self.values is None:
            return pa.scalar(self.literal)
        return self.values.dictionary_decode() if pa.types.is_dictionary(self.values.type) else self.values

    def over(self, call: Callable[[Any], pa.BooleanArray]) -> pa.BooleanArray:
        """A question put to a text column, once for each different text."""
        assert self.values is not None
        return call(self.values.dictionary).take(self.values.indices)


def _operand(node: Scalar, table: _Remembering) -> Operand:
    match node:
        case Property(name):
            column = column_of(name, table)
            kind = table.kind(name)
            return Operand(LIKE_KINDS.get(kind, kind), _instants(column) if kind == "instant" else column)
        case Casei(of):
            return _folded(of, table)
        case Literal(value):
            return Operand(_kind(value), literal=value)


def column_of(name: str, table: _Remembering) -> pa.Array:
    """A column; QueryError names those there are."""
    if name not in table.columns:
        raise QueryError(
            Fault(f"a property of this collection ({', '.join(table.columns)})", repr(name[:80]), "filter")
        )
    return table.columns[name]


def _kind(value: Value) -> str:
    kinds = {bool: "bool", str: "text", datetime: "instant", date: "date"}
    return kinds.get(type(value), "number")


def _instants(column: pa.Array) -> pa.Array:
    zoned = column if column.type.tz else pc.assume_timezone(column, "UTC")
    return zoned.cast(pa.timestamp("us", "UTC"))


def _folded(of: Scalar, table: _Remembering) -> Operand:
    plain = _operand(of, table)
    if plain.kind == "none":
        return plain
    if plain.kind != "text":
        raise QueryError(Fault("a text in CASEI", f"a {plain.kind}", "filter"))
    if isinstance(of, Property):
        return Operand("text", table.folded(of.name))
    return plain if isinstance(of, Casei) else Operand("text", literal=str(plain.literal).casefold())


def _refuse_unlike(first: Operand, second: Operand) -> None:
    if first.kind != second.kind and "none" not in (first.kind, second.kind):
        raise QueryError(Fault("two values of one kind to compare", f"{first.kind} and {second.kind}", "filter"))


def _compare(operator: str, left: Operand, right: Operand, n: int) -> pa.BooleanArray:
    _refuse_unlike(left, right)
    if "none" in (left.kind, right.kind):
        return pa.nulls(n, pa.bool_())
    if left.kind == "bool" and operator not in ("=", "<>"):
        raise QueryError(Fault("= or <> between truths", operator, "filter"))
    if left.values is None and right.values is not None:
        left, right, operator = right, left, FLIPPED.get(operator, operator)
    call = CALLS[operator]
    if left.kind == "text" and left.values is not None and right.values is None:
        return left.over(lambda texts: call(texts, pa.scalar(right.literal, texts.type)))
    return _spread(call(left.flat, right.flat), n)


def _spread(found: Any, n: int) -> pa.BooleanArray:
    return pa.repeat(found, n) if isinstance(found, pa.Scalar) else found


def _like(value: Operand, pattern: Operand, n: int) -> pa.BooleanArray:
    if value.kind == "none":
        return pa.nulls(n, pa.bool_())
    if (value.kind, pattern.kind) != ("text", "text") or pattern.values is not None:
        raise QueryError(Fault("a text LIKE a pattern in quotes", f"{value.kind} LIKE {pattern.kind}", "filter"))
    try:
        if value.values is None:
            return _spread(pc.match_like(value.flat, pattern.literal), n)
        return value.over(lambda texts: pc.match_like(texts, pattern.literal))
    except pa.ArrowInvalid:
        raise QueryError(Fault("a simpler pattern", repr(str(pattern.literal)[:80]), "filter")) from None


def _among(value: Operand, among: list[Operand], n: int) -> pa.BooleanArray:
    for each in among:
        _refuse_unlike(value, each)
    if value.values is None or any(each.values is not None for each in among):
        return reduce(pc.or_kleene, (_compare("=", value, each, n) for each in among))
    if value.kind == "none":
        return pa.nulls(n, pa.bool_())
    wanted = [each.literal for each in among]
    if value.kind == "text":
        return value.over(lambda texts: pc.is_in(texts, pa.array(wanted, texts.type)))
    type_ = TYPES.get(value.kind, value.values.type)
    plain, looked_for = value.values.cast(type_), pa.array(wanted, type_)
    if value.kind == "number":  # is_in tells 0.0 from -0.0, which are one number
        plain, looked_for = pc.add(plain, 0.0), pc.add(looked_for, 0.0)
    found = pc.is_in(plain, looked_for)
    return pc.if_else(value.values.is_valid(), found, pa.scalar(None, pa.bool_()))


def _missing(name: str, table: _Remembering) -> pa.BooleanArray:
    if name == GEOMETRY and name not in table.columns:
        return pa.array(np.isnan(table.boxes[0]))
    return column_of(name, table).is_null()


def _spatial(node: Spatial, table: _Remembering) -> pa.BooleanArray:
    shape, relation = _asked(node)
    near, around = _near(shape, table)
    found = around if relation in ("INTERSECTS", "DISJOINT") else np.zeros(len(table), dtype=bool)
    edge = np.flatnonzero(near & ~found)
    shapely.prepare(shape)
    call = getattr(shapely, "intersects" if relation == "DISJOINT" else relation.lower())
    found[edge] = call(shape, table.shapes(edge))
    return pa.array(~found if relation == "DISJOINT" else found, mask=np.isnan(table.boxes[0]))


def _asked(node: Spatial) -> tuple[shapely.Geometry, str]:
    """The shape that is asked about and what it should be to each row's."""
    match node.left, node.right:
        case Property(name), Shape(shape) if name == GEOMETRY:
            return shape, INVERSE.get(node.relation, node.relation)
        case Shape(shape), Property(name) if name == GEOMETRY:
            return shape, node.relation
    raise QueryError(Fault(f"the property {GEOMETRY} and a shape", f"something else in S_{node.relation}", "filter"))


def _near(shape: shapely.Geometry, table: _Remembering) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows have a box (n,) that meets that of a shape; which of them surely meet it: it is a box around them."""
    west, south, east, north = shapely.bounds(shape)
    left, bottom, right, top = table.boxes
    near = (left <= east) & (right >= west) & (bottom <= north) & (top >= south)
    if not shapely.equals(shape, shapely.box(west, south, east, north)):
        return near, np.zeros(len(table), dtype=bool)
    return near, (left >= west) & (right <= east) & (bottom >= south) & (top <= north)

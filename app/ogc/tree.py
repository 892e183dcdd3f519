"""A condition on features as a typed tree: what a filter of CQL2 text says, and what a box or ``?status=bad`` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeAlias

import shapely

Value: TypeAlias = str | bool | int | float | datetime | date
COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = ("INTERSECTS", "WITHIN", "CONTAINS", "DISJOINT", "EQUALS", "TOUCHES", "CROSSES", "OVERLAPS")
"""What a shape may be to another; in CQL2 each with ``S_`` before it."""
WKT_DIGITS = 17


@dataclass(frozen=True)
class Property:
    """The value of a column."""

    name: str


@dataclass(frozen=True)
class Literal:
    """A value as it is written."""

    value: Value


@dataclass(frozen=True)
class Casei:
    """A text without its case."""

    of: Scalar


@dataclass(frozen=True)
class Shape:
    """A geometry; what its coordinates mean is said beside the filter."""

    geometry: shapely.Geometry


@dataclass(frozen=True)
class Truth:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True)
class Compare:
    """``left`` against ``right``."""

    operator: str
    left: Scalar
    right: Scalar


@dataclass(frozen=True)
class Like:
    """A text against a pattern: % for any letters, _ for one, a backslash before either for the sign itself."""

    value: Scalar
    pattern: Scalar


@dataclass(frozen=True)
class Between:
    """From ``low`` to ``high``, both included."""

    value: Scalar
    low: Scalar
    high: Scalar


@dataclass(frozen=True)
class In:
    """One of several values."""

    value: Scalar
    among: tuple[Scalar, ...]


@dataclass(frozen=True)
class Missing:
    """IS NULL: the value is not known."""

    value: Property


@dataclass(frozen=True)
class Spatial:
    """What ``left`` is to ``right``."""

    relation: str
    left: Property | Shape
    right: Property | Shape


@dataclass(frozen=True)
class Not:
    """The opposite; of what is not known nothing is known."""

    part: Node


@dataclass(frozen=True)
class And:
    """All of at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Any of at least two."""

    parts: tuple[Node, ...]


Scalar: TypeAlias = Property | Literal | Casei
Node: TypeAlias = Truth | Compare | Like | Between | In | Missing | Spatial | Not | And | Or


def all_of(parts: list[Node]) -> Node | None:
    """One condition of several; None of none."""
    return And(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)


def nodes(node: Node) -> Iterator[Node]:
    """A condition and all its parts."""
    yield node
    below = node.parts if isinstance(node, And | Or) else (node.part,) if isinstance(node, Not) else ()
    for part in below:
        yield from nodes(part)


def moved(node: Node, move: Callable[[shapely.Geometry], shapely.Geometry]) -> Node:
    """The same condition with every shape in it moved."""
    match node:
        case And(parts) | Or(parts):
            return type(node)(tuple(moved(part, move) for part in parts))
        case Not(part):
            return Not(moved(part, move))
        case Spatial(left=left, right=right):
            return replace(node, left=_moved(left, move), right=_moved(right, move))
    return node


def _moved(side: Property | Shape, move: Callable[[shapely.Geometry], shapely.Geometry]) -> Property | Shape:
    return Shape(move(side.geometry)) if isinstance(side, Shape) else side


def written(node: Node | Scalar | Shape) -> str:
    """The condition as CQL2 text; parsed, it gives the same tree.

    CQL2 has no way to write a text in which a backslash stands before a quote or at the end.
    """
    match node:
        case And(parts):
            return " AND ".join(map(_inside, parts))
        case Or(parts):
            return " OR ".join(map(_inside, parts))
        case Not(part):
            return f"NOT ({written(part)})"
        case Truth(value):
            return str(value).upper()
        case Compare(operator, left, right):
            return f"{written(left)} {operator} {written(right)}"
        case Like(value, pattern):
            return f"{written(value)} LIKE {written(pattern)}"
        case Between(value, low, high):
            return f"{written(value)} BETWEEN {written(low)} AND {written(high)}"
        case In(value, among):
            return f"{written(value)} IN ({', '.join(map(written, among))})"
        case Missing(value):
            return f"{written(value)} IS NULL"
        case Spatial(relation, left, right):
            return f"S_{relation}({written(left)}, {written(right)})"
        case _:
            return _operand(node)


def _inside(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, And | Or) else written(node)


def _operand(node: Scalar | Shape) -> str:
    match node:
        case Property(name):
            return '"' + name.replace('"', '""') + '"'
        case Casei(of):
            return f"CASEI({written(of)})"
        case Shape(geometry):
            return shapely.to_wkt(geometry, rounding_precision=WKT_DIGITS)
        case Literal(value):
            return _literal(value)


def _literal(value: Value) -> str:
    match value:
        case bool():
            return str(value).upper()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"TIMESTAMP('{value.isoformat().removesuffix('+00:00')}Z')"
        case date():
            return f"DATE('{value.isoformat()}')"
        case _:
            return repr(value)

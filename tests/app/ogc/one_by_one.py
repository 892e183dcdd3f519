"""What a condition is of one row, worked out a value at a time with plain Python and Shapely: True, False or None."""

from __future__ import annotations

import math
import operator
import re
from typing import Any

import shapely

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
    Shape,
    Spatial,
    Truth,
)

CALLS = {"=": operator.eq, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
MISSING = (None,)


def true_of(node: Node, row: dict[str, Any]) -> bool | None:
    """Whether a condition is true of a row; None: not known."""
    match node:
        case Truth(value):
            return value
        case Not(part):
            found = true_of(part, row)
            return None if found is None else not found
        case And(parts):
            return every([true_of(part, row) for part in parts])
        case Or(parts):
            found = every([true_of(Not(part), row) for part in parts])
            return None if found is None else not found
        case Missing(Property(name)):
            return value_of(Property(name), row) is None
        case Spatial(relation, left, right):
            sides = [shape_of(left, row), shape_of(right, row)]
            return None if None in sides else bool(getattr(shapely, relation.lower())(*sides))
    return compared(node, row)


def every(found: list[bool | None]) -> bool | None:
    """AND of what is known and not."""
    return False if False in found else None if None in found else True


def compared(node: Node, row: dict[str, Any]) -> bool | None:
    """A question about values."""
    match node:
        case Compare(sign, left, right):
            return called(CALLS[sign], value_of(left, row), value_of(right, row))
        case Between(value, low, high):
            whole = value_of(value, row)
            return every(
                [called(operator.ge, whole, value_of(low, row)), called(operator.le, whole, value_of(high, row))]
            )
        case In(value, among):
            one = value_of(value, row)
            return None if one is None else any(one == value_of(each, row) for each in among)
        case Like(value, pattern):
            return called(like, value_of(value, row), value_of(pattern, row))
    raise TypeError(node)


def called(call: Any, *values: Any) -> bool | None:
    """A call, not known when a value is not."""
    return None if any(value is None for value in values) else bool(call(*values))


def value_of(node: Any, row: dict[str, Any]) -> Any:
    """A value; None when it is not known."""
    match node:
        case Literal(value):
            return value
        case Casei(of):
            inner = value_of(of, row)
            return None if inner is None else inner.casefold()
        case Property(name):
            value = row[name]
            return None if isinstance(value, float) and math.isnan(value) else value
    raise TypeError(node)


def shape_of(node: Property | Shape, row: dict[str, Any]) -> shapely.Geometry | None:
    """A shape; None when there is none."""
    return node.geometry if isinstance(node, Shape) else row[node.name]


def like(text: str, pattern: str) -> bool:
    """LIKE by Python's own regular expressions."""
    parts = re.findall(r"\\.|.|\n", pattern, re.DOTALL)
    signs = {"%": ".*", "_": "."}
    said = "".join(signs.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(said, text, re.DOTALL) is not None

"""Shapes in shapes: what is nested too deep is not read at all, since readers in C lose their stack over it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from data.limits import DEPTH

PARENTHESIS = re.compile(r"[()]")
POINT, LINE, POLYGON, MULTI = 1, 2, 3, range(4, 8)
"""Types of WKB: those of 4 to 7 are made of other shapes."""
HEAD_BYTES = 9
"""Of a shape made of shapes: the order of its bytes, its type, how many."""
SRID, Z, M = 0x20000000, 0x80000000, 0x40000000
"""Flags on a type in EWKB."""


def require_shallow(shapes: Iterable[object], where: str) -> None:
    """LimitError when a shape in WKB (bytes) or WKT (text) is nested deeper than any that a person drew."""
    for shape in shapes:
        if isinstance(shape, bytes) and len(shape) > HEAD_BYTES * DEPTH.most:
            DEPTH.require(of_wkb(shape), where)
        elif isinstance(shape, str) and shape.count("(") > DEPTH.most:
            DEPTH.require(of_wkt(shape), where)


def of_wkt(text: str) -> int:
    """How many parentheses stand open at most."""
    depth = deepest = 0
    for found in PARENTHESIS.finditer(text):
        depth += 1 if found[0] == "(" else -1
        deepest = max(deepest, depth)
    return deepest


def of_wkb(shape: bytes) -> int:
    """How many shapes are in each other at most, up to one more than is allowed; no WKB is left to its reader."""
    at, left, deepest = 0, [1], 0
    try:
        while left and deepest <= DEPTH.most:
            if not left[-1]:
                left.pop()
                continue
            left[-1] -= 1
            deepest = max(deepest, len(left))
            at, parts = _stepped(shape, at)
            if parts:
                left.append(parts)
    except struct.error:
        pass  # cut off: the reader says so
    return deepest


def _stepped(shape: bytes, at: int) -> tuple[int, int]:
    """Where the next shape begins, and of how many this one is made; behind the end for a type that nobody knows."""
    order = "<" if shape[at : at + 1] == b"\1" else ">"
    (said,) = struct.unpack_from(f"{order}I", shape, at + 1)
    kind, thousands = (said & 0xFFFF) % 1000, (said & 0xFFFF) // 1000
    numbers = 2 + (bool(said & Z) + bool(said & M) or (0, 1, 1, 2)[min(thousands, 3)])
    at += 5 + (4 if said & SRID else 0)
    if kind == POINT:
        return at + 8 * numbers, 0
    (count,) = struct.unpack_from(f"{order}I", shape, at)
    if kind == LINE:
        return at + 4 + 8 * numbers * count, 0
    if kind == POLYGON:
        return _past_rings(shape, at + 4, count, f"{order}I", 8 * numbers), 0
    return (at + 4, count) if kind in MULTI else (len(shape), 0)


def _past_rings(shape: bytes, at: int, rings: int, form: str, size: int) -> int:
    for _ in range(rings):
        at += 4 + size * struct.unpack_from(form, shape, at)[0]
    return at

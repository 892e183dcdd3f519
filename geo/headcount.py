"""Whole persons: fractions and totals become counts without a person gained or lost, whatever the order of the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

NOBODY = -1
"""The unit of a place that takes no part."""
MILLION = 1_000_000
"""Shares are counted in so many parts, as whole numbers: rounding must not give a place one more than it has."""


def whole(people: Floats, ids: Shapes) -> Ints:
    """Whole persons (n,) from fractions (n,) of at least 0: their sum is the rounded sum, each is off by less than one.

    Fractions are handed on in the order of the ids; the order of the rows changes nothing.
    """
    order = np.argsort(ids, kind="stable")
    counted = np.floor(np.cumsum(people[order]) + 0.5)
    result = np.empty(len(people), dtype=np.int64)
    result[order] = np.diff(counted, prepend=0).astype(np.int64)
    return result


def portion(people: Ints, share: Floats, ids: Shapes, *, part: Shapes) -> Ints:
    """A share (0-1) of the people of each place (n,) as whole persons: none more than there are.

    Fractions are handed on in the order of the ids within each ``part`` (n,), whose sum is therefore its rounded sum;
    shares count to the millionth.
    """
    kind = np.unique(part.astype(str), return_inverse=True)[1]
    order = np.argsort(ids, kind="stable")
    order = order[np.argsort(kind[order], kind="stable")]
    first, heaped = _heaped(people[order] * np.rint(share[order] * MILLION).astype(np.int64), kind[order])
    counted = (2 * heaped + MILLION) // (2 * MILLION)
    result = np.zeros(len(people), dtype=np.int64)
    result[order] = np.where(first, counted, np.diff(counted, prepend=0))
    return result


def capped(people: Floats, most: Ints, ids: Shapes) -> Ints:
    """Whole persons (n,) as ``whole`` gives them, but nowhere more than ``most`` (n,).

    Who finds no room goes to the first place with room, by id; the sum is the rounded sum unless all is full.
    """
    counted = whole(people, ids)
    result = np.minimum(counted, most)
    over = int((counted - result).sum())
    order = np.argsort(ids, kind="stable")
    room = (most - result)[order]
    before = np.cumsum(room) - room
    result[order] += np.clip(over - before, 0, room)
    return result


def shared(total: Ints, unit: Ints, weight: Floats | Ints, ids: Shapes) -> Ints:
    """The whole persons of each unit (units,) over its places (places,) by weight, complete within each unit.

    ``unit`` is the row of each place's unit, ``NOBODY`` where it has none. A unit whose places weigh nothing gives
    nothing. With whole weights no place gets more than its weight where a unit's total is at most their sum.
    """
    order = np.argsort(ids, kind="stable")
    order = order[(unit[order] != NOBODY) & (weight[order] > 0)]
    order = order[np.argsort(unit[order], kind="stable")]
    first, heaped = _heaped(weight[order], unit[order])
    all_of_it = np.zeros(len(total), dtype=heaped.dtype)
    all_of_it[unit[order]] = heaped  # the last place of a unit, which has all of it, is written last
    of, here = all_of_it[unit[order]], total[unit[order]]
    counted = ((2 * here * heaped + of) // (2 * of)).astype(np.int64)
    result = np.zeros(len(unit), dtype=np.int64)
    result[order] = np.where(first, counted, np.diff(counted, prepend=0))
    return result


def _heaped(values: Floats | Ints, part: Ints) -> tuple[NDArray[np.bool_], Floats | Ints]:
    """Whether each row is the first of its part, and the sum of its part's values so far; parts lie together."""
    first = np.diff(part, prepend=part[:1] - 1) != 0
    heaped = np.cumsum(values)
    before = (heaped - values)[first]
    return first, heaped - np.repeat(before, np.diff(np.append(np.flatnonzero(first), len(part))))

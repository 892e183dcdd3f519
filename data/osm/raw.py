"""What one pass through an OpenStreetMap file gives, before any of it is interpreted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.osm.tagging import Tagging, Tags

Shapes = NDArray[np.object_]
Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]

NODE, WAY, RELATION = 0, 1, 2
"""Forms of an object, by their places in ``FORMS``."""
FORMS = "nwr"
PARTS_OF_DEGREE = 10_000_000
"""Coordinates of a map are whole multiples of 1e-7 degrees."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself: its box in degrees (west, south, east, north) and its date; None when silent."""

    bounds: tuple[float, float, float, float] | None
    date: str | None


@dataclass(frozen=True)
class Chains:
    """Stretches of known nodes: stretch ``i`` is a part of object ``of[i]`` and runs over ``first[i]:first[i + 1]``.

    ``lon`` and ``lat`` are in 1e-7 degrees (WGS 84), ``node`` numbers of nodes. A node by itself is a stretch of one, a
    way cut by missing nodes is several.
    """

    of: Ints
    first: Ints
    lon: Int32s
    lat: Int32s
    node: Ints

    def __len__(self) -> int:
        return len(self.of)

    @property
    def size(self) -> Ints:
        """Nodes of each stretch."""
        return np.diff(self.first)

    def degrees(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes and latitudes in degrees."""
        return self.lon / PARTS_OF_DEGREE, self.lat / PARTS_OF_DEGREE

    def take(self, stretches: NDArray[np.bool_]) -> Chains:
        """Some of the stretches."""
        if stretches.all():
            return self
        points = np.repeat(stretches, self.size)
        first = np.r_[0, np.cumsum(self.size[stretches])].astype(np.int64)
        node = self.node[points] if len(self.node) else self.node
        return Chains(self.of[stretches], first, self.lon[points], self.lat[points], node)


@dataclass(frozen=True)
class Things:
    """Objects as mapped, (n,): ``form``, ``number``, ``tags``; ``closed``: an outline is whole.

    Nodes come first, then ways in the order of the file, then relations that enclose something. ``chains`` are the
    coordinates of nodes and ways, ``areas`` the MultiPolygons in degrees of the relations, which are the last rows.
    """

    form: NDArray[np.int8]
    number: Ints
    tags: Tagging
    closed: NDArray[np.bool_]
    chains: Chains
    areas: Shapes

    def __len__(self) -> int:
        return len(self.number)

    def ids(self, rows: Sequence[int] | Ints | NDArray[np.bool_] | slice = slice(None)) -> list[str]:
        """Names of some objects (n1, w2, r3), all unless said."""
        pairs = zip(self.form[rows].tolist(), self.number[rows].tolist(), strict=True)
        return [f"{FORMS[form]}{number}" for form, number in pairs]


@dataclass(frozen=True)
class CutOff:
    """Relations kept as lines, most since the extract lacks a part: name, tags, all lines there are, in degrees."""

    ids: list[str]
    tags: list[Tags]
    shape: Shapes

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class TurnRule:
    """A relation of type ``restriction``: its number, tags, and members (``n`` or ``w``, number, role) in order."""

    number: int
    tags: Tags
    members: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Raw:
    """What was read, before any of it is interpreted.

    ``streets`` are stretches of highways, each of a row of ``things``. What the extract cuts off is kept as lines:
    ``shores`` round water, and ``borders`` of administrative units. ``routes`` lead to safety. ``outlines`` gives, for
    the number of a way that is the outer line of relations that became areas, their tags. ``barriers`` are node numbers
    with tags, ``turns`` relations.
    """

    header: Header
    things: Things
    streets: Chains
    shores: CutOff
    borders: CutOff
    routes: CutOff
    outlines: dict[int, list[Tags]]
    barriers: list[tuple[int, Tags]]
    turns: list[TurnRule]
    counts: Counter[str]

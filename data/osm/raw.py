"""What one pass through an OpenStreetMap file gives, before any of it is interpreted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tags = dict[str, str]
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Header:
    """What a file says of itself: its box in degrees (west, south, east, north) and its date; None when silent."""

    bounds: tuple[float, float, float, float] | None
    date: str | None


@dataclass(frozen=True)
class Things:
    """Objects as mapped: ``ids`` (n1, w2, r3), ``tags``, ``shape`` in degrees, WGS 84, ``closed``: an outline is whole.

    A node is a Point, a way a LineString (MultiLineString when cut by missing nodes), a relation a MultiPolygon.
    """

    ids: list[str]
    tags: list[Tags]
    shape: Shapes
    closed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Streets:
    """Pieces of highways: ``row`` of Things, the way's number, the nodes passed, and the line in degrees."""

    row: list[int]
    way: list[int]
    nodes: list[list[int]]
    shape: Shapes


@dataclass(frozen=True)
class TurnRule:
    """A relation of type ``restriction``: its number, tags, and members (``n`` or ``w``, number, role) in order."""

    number: int
    tags: Tags
    members: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Raw:
    """What was read, before any of it is interpreted.

    What the extract cuts off is kept as lines, each relation with all of its lines there are: ``shores`` round water,
    and ``borders`` of administrative units. ``outlines`` gives, for a way that is the outer
    line of relations that became areas, their tags. ``barriers`` are node numbers with tags, ``turns`` relations.
    """

    header: Header
    things: Things
    streets: Streets
    shores: Things
    borders: Things
    outlines: dict[str, list[Tags]]
    barriers: list[tuple[int, Tags]]
    turns: list[TurnRule]
    counts: Counter[str]

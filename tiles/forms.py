"""Long outlines in several forms, from exact to coarse: kept as bytes, and open while they are looked at."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.ragged import Ragged

Geometries = NDArray[np.object_]
LONG = 200
"""Outlines of more vertices have coarser forms."""
ZOOMS = (14, 12, 10, 8, 6, 4, 2, 0)
"""Zooms with a form of their own; those between take the finer one."""
DETAIL = 1 / 4096
"""Detail finer than this share of a tile's side is left out of a coarser form; it adds to that of the forms before."""
VERTEX_BYTES = 24
"""About what an open shape takes for each vertex."""
OPEN_BYTES = 48 * 2**20
"""Forms that a process keeps open, bytes; the one in use is always open."""
NUMBERS = itertools.count()


def as_bytes(shapes: Geometries) -> Ragged:
    """Shapes as WKB, a row each; an empty row for a missing one."""
    listed = [body or b"" for body in shapely.to_wkb(shapes)]
    return Ragged.of(np.frombuffer(b"".join(listed), dtype=np.uint8), np.array(list(map(len, listed)), dtype=np.int64))


def from_bytes(rows: Ragged) -> Geometries:
    """The shapes of rows of WKB; None for an empty row."""
    body, start = rows.flat.tobytes(), rows.start.tolist()
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = shapely.from_wkb([body[a:b] or None for a, b in itertools.pairwise(start)])
    return shapes


@dataclass(frozen=True, eq=False)
class Forms:
    """Outlines (h,) as they are, then as each of ``ZOOMS`` shows them."""

    levels: tuple[Ragged, ...]
    number: int = field(default_factory=NUMBERS.__next__)

    def __repr__(self) -> str:
        return f"Forms({len(self.levels[0])} outlines)"

    @property
    def nbytes(self) -> int:
        """Memory of the bytes that are not mapped from files."""
        return sum(level.nbytes for level in self.levels)

    @classmethod
    def of(cls, shapes: Geometries) -> Forms:
        """Every form of some outlines."""
        levels = [as_bytes(shapes)]
        form = shapes
        for zoom in ZOOMS:
            form = shapely.simplify(form, DETAIL * 0.5**zoom, preserve_topology=False)
            levels.append(as_bytes(form))
        return cls(tuple(levels))

    def true_to(self, tolerance: float) -> Geometries:
        """The outlines in the coarsest form that is true to ``tolerance`` world units."""
        level = sum(DETAIL * 0.5**zoom <= tolerance for zoom in ZOOMS)
        return OPEN.get((self.number, level), self.levels[level])


class Open:
    """The forms that are open, the least used let go. Safe to use from many threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[tuple[int, int], tuple[Geometries, int]] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Open({len(self._kept)} forms)"

    def get(self, key: tuple[int, int], rows: Ragged) -> Geometries:
        """The shapes of some bytes that go by the name of ``key``."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        shapes = from_bytes(rows)
        with self._lock:
            self._kept[key] = shapes, VERTEX_BYTES * int(shapely.get_num_coordinates(shapes).sum())
            while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        return shapes


OPEN = Open(OPEN_BYTES)


def are_long(shapes: Geometries) -> NDArray[np.int64]:
    """The rows of lines and areas with many vertices."""
    return np.flatnonzero((shapely.get_num_coordinates(shapes) > LONG) & (shapely.get_dimensions(shapes) > 0))

"""Bytes of Mapbox Vector Tiles 2.1, written for all features of a layer at once.

A tile is a Protocol Buffers message: nearly everything in it is a whole number, seven bits a byte. So all numbers of a
layer are laid into one array in the order they are written, lengths counted ahead, and turned into bytes in one go.
Specification: mapbox/vector-tile-spec 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.ragged import Ragged, column, joined, stacked, starts

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Numbers = NDArray[np.uint64]
Bools = NDArray[np.bool_]
NOTHING = np.zeros(0, dtype=np.int64)
NOTHING_STARTS = np.zeros(1, dtype=np.int64)
POINT, LINE, AREA = 1, 2, 3
"""Types of a feature."""
MOVE_ONE, CLOSE = 9, 15
MOVE, GO = 1, 2
"""Commands; how often one is obeyed stands in the bits above the third."""
TAGS, TYPE, GEOMETRY = 0x12, 0x18, 0x22
LAYER, NAME, FEATURE, KEY, VALUE, EXTENT, VERSION_2 = 0x1A, 0x0A, 0x12, 0x1A, 0x22, 0x28, b"\x78\x02"
"""What comes next in the message: number of the field and how it is written."""


def length(numbers: NDArray[np.integer]) -> Ints:
    """Bytes that each number takes, seven bits a byte."""
    whole = numbers.astype(np.uint64)
    took = np.ones(len(whole), dtype=np.int64)
    for bits in range(7, 64, 7):
        more = whole >= np.uint64(1) << np.uint64(bits)
        if not more.any():
            break
        took += more
    return took


def varints(rows: Ragged) -> Ragged:
    """The bytes of whole numbers, the lowest seven bits first; row by row."""
    numbers, took = rows.flat.astype(np.uint64), length(rows.flat)
    start = starts(took)
    out = np.empty(start[-1], dtype=np.uint8)
    for i in range(int(took.max(initial=0))):
        there = took > i
        low = (numbers[there] >> np.uint64(7 * i)).astype(np.uint8) & np.uint8(0x7F)
        out[start[:-1][there] + i] = low | ((took[there] > i + 1).astype(np.uint8) << np.uint8(7))
    return Ragged(out, start[rows.start])


def zigzag(values: Ints) -> Numbers:
    """Signed numbers as unsigned ones, small where they are near 0."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def said(field: int, body: bytes) -> bytes:
    """A field of bytes with its length before it."""
    return b"".join((_bytes([field, len(body)]), body))


def _bytes(numbers: list[int]) -> bytes:
    return varints(column(np.array(numbers, dtype=np.uint64))).flat.tobytes()


@dataclass(frozen=True, eq=False)
class Features:
    """What is drawn of a layer: ``row`` (n,) of each among the shapes given, its ``kind``, its commands."""

    row: Ints
    kind: Ints
    commands: Ragged

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"Features({len(self)}, {len(self.commands.flat)} numbers)"

    def take(self, which: Ints) -> Features:
        """The given features in the given order."""
        return Features(self.row[which], self.kind[which], self.commands.take(which))


def layer(name: str, extent: int, features: Features, tags: Ragged, keys: list[str], values: bytes) -> bytes:
    """A tile's layer, or nothing without features.

    ``tags`` are pairs of places among ``keys`` and ``values``, a row for each feature; ``values`` are written out.
    """
    if not len(features):
        return b""
    named = b"".join(said(KEY, key.encode()) for key in keys)
    head = VERSION_2 + said(NAME, name.encode())
    return said(LAYER, b"".join((head, _features(features, tags), named, values, _bytes([EXTENT, extent]))))


def _features(features: Features, tags: Ragged) -> bytes:
    tagged = _packed(TAGS, tags)
    kind = column(np.column_stack((np.full(len(features), TYPE), features.kind)).astype(np.uint64))
    body = joined([tagged, kind, _packed(GEOMETRY, features.commands)])
    size = body.summed(length(body.flat))
    head = column(np.column_stack((np.full(len(features), FEATURE), size)).astype(np.uint64))
    return varints(joined([head, body])).flat.tobytes()


def _packed(field: int, rows: Ragged) -> Ragged:
    """A field of numbers with its length in bytes before it; nothing where a row has none."""
    size = rows.summed(length(rows.flat))
    head = column(np.column_stack((np.full(len(rows), field), size)).astype(np.uint64))
    return joined([head.kept(np.repeat(size > 0, 2)), rows])


@dataclass(frozen=True, eq=False)
class Paths:
    """Points, lines or rings in the order they are drawn: ``xy`` (v, 2), a row of ``start`` for each, whose it is."""

    xy: Ints
    start: Ints
    owner: Ints

    def __len__(self) -> int:
        return len(self.owner)

    def __repr__(self) -> str:
        return f"Paths({len(self)}, {len(self.xy)} vertices)"

    @property
    def count(self) -> Ints:
        """Vertices of each path."""
        return np.diff(self.start)

    def take(self, which: NDArray[np.bool_]) -> Paths:
        """Only the paths for which ``which`` is true."""
        rows = Ragged(np.arange(len(self.xy)), self.start).take(np.flatnonzero(which))
        return Paths(self.xy[rows.flat], rows.start, self.owner[which])

    def kept(self, which: NDArray[np.bool_]) -> Paths:
        """Only the vertices for which ``which`` is true."""
        rows = Ragged(np.arange(len(self.xy)), self.start).kept(which)
        return Paths(self.xy[rows.flat], rows.start, self.owner)

    def moved(self) -> Bools:
        """Whether a vertex is the first of its path or elsewhere than the one before it."""
        new = np.ones(len(self.xy), dtype=bool)
        new[1:] = (self.xy[1:] != self.xy[:-1]).any(axis=1)
        new[self.start[:-1][self.count > 0]] = True
        return new

    def steps(self) -> Numbers:
        """From vertex to vertex (v, 2), zigzag; the first of a shape from the tile's corner."""
        before = np.zeros_like(self.xy)
        before[1:] = self.xy[:-1]
        first = np.flatnonzero(np.diff(self.owner, prepend=-1))
        before[self.start[first]] = 0
        return zigzag(self.xy - before)


@dataclass(frozen=True)
class Grid:
    """A tile's whole numbers: ``(xy - corner) * scale``, rounded; detail below ``tolerance`` (units of xy) is lost."""

    corner: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    tolerance: float = 0.0

    def on(self, xy: NDArray[np.float64]) -> Ints:
        """Coordinates (n, 2) on the grid."""
        return np.rint((xy - self.corner) * self.scale).astype(np.int64)

    def coarse(self, lines: Geometries) -> Geometries:
        """Lines and rings without the detail that is lost."""
        if not self.tolerance:
            return lines
        return np.asarray(shapely.simplify(lines, self.tolerance, preserve_topology=False), dtype=object)


def drawn(shapes: Geometries, grid: Grid) -> Features:
    """The commands that draw shapes (n,) on a grid.

    Vertices that repeat are left out, and so are lines of no length and rings without an area, with their holes; what
    then has nothing left is not drawn. Outer rings turn clockwise on the screen, holes against it.
    """
    dimension = shapely.get_dimensions(shapes)
    found = [
        make(shapes[rows], rows, grid)
        for number, make in enumerate((_points, _lines, _areas))
        if len(rows := np.flatnonzero((dimension == number) & ~shapely.is_empty(shapes)))
    ]
    if len(found) < 2:
        return found[0] if found else Features(NOTHING, NOTHING, Ragged(NOTHING.view(np.uint64), NOTHING_STARTS))
    row, kind = np.concatenate([f.row for f in found]), np.concatenate([f.kind for f in found])
    return Features(row, kind, stacked([f.commands for f in found])).take(np.argsort(row, kind="stable"))


def _points(shapes: Geometries, rows: Ints, grid: Grid) -> Features:
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    count = np.bincount(owner, minlength=len(shapes))
    paths = Paths(grid.on(xy), starts(count), np.arange(len(shapes)))
    steps = Ragged(paths.steps().ravel(), 2 * paths.start)
    return _of(POINT, rows, paths.owner, joined([_command(MOVE, count), steps]))


def _lines(shapes: Geometries, rows: Ints, grid: Grid) -> Features:
    parts, owner = shapely.get_parts(shapes, return_index=True)
    paths = _paths(parts, owner, grid)
    paths = paths.kept(paths.moved())
    paths = paths.take(paths.count > 1)
    return _of(LINE, rows, paths.owner, joined(_strokes(paths)))


def _areas(shapes: Geometries, rows: Ints, grid: Grid) -> Features:
    # Rings are simplified one by one: GEOS would check each area afterwards, which takes longer than all else, and
    # rounding could undo what it mended.
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    paths = _paths(rings, owner[part], grid)
    outer = np.diff(part, prepend=-1) > 0
    area = _area(paths)
    seen = area != 0
    seen &= seen[np.flatnonzero(outer)][np.cumsum(outer) - 1]
    paths = _turned(paths, (area > 0) != outer).take(seen)
    paths = paths.kept(paths.moved())
    last = np.zeros(len(paths.xy), dtype=bool)
    last[paths.start[1:] - 1] = True
    paths = paths.kept(~last)
    return _of(AREA, rows, paths.owner, joined([*_strokes(paths), column(np.full(len(paths), CLOSE, dtype=np.uint64))]))


def _paths(lines: Geometries, owner: Ints, grid: Grid) -> Paths:
    xy, line = shapely.get_coordinates(grid.coarse(lines), return_index=True)
    return Paths(grid.on(xy), starts(np.bincount(line, minlength=len(lines))), owner)


def _area(rings: Paths) -> Ints:
    """Twice the area by the surveyor's formula; greater than 0 where a ring turns clockwise on the screen."""
    xy = rings.xy
    part = np.zeros(len(xy), dtype=np.int64)
    part[:-1] = xy[:-1, 0] * xy[1:, 1] - xy[1:, 0] * xy[:-1, 1]
    part[rings.start[1:] - 1] = 0
    return np.asarray(Ragged(part, rings.start).summed(part))


def _turned(rings: Paths, which: Bools) -> Paths:
    """The rings, those of ``which`` the other way round."""
    at = np.arange(len(rings.xy))
    path = np.repeat(np.arange(len(rings)), rings.count)
    other = (rings.start[:-1] + rings.start[1:] - 1)[path] - at
    return Paths(rings.xy[np.where(which[path], other, at)], rings.start, rings.owner)


def _strokes(paths: Paths) -> list[Ragged]:
    """Go to where a path starts, then along it."""
    steps = paths.steps()
    later = np.ones(len(steps), dtype=bool)
    later[paths.start[:-1]] = False
    rest = Ragged(steps.ravel(), 2 * paths.start).kept(np.repeat(later, 2))
    start = column(np.full(len(paths), MOVE_ONE, dtype=np.uint64))
    return [start, column(steps[paths.start[:-1]]), _command(GO, paths.count - 1), rest]


def _command(command: int, times: Ints) -> Ragged:
    return column((command | times << 3).astype(np.uint64))


def _of(kind: int, rows: Ints, owner: Ints, commands: Ragged) -> Features:
    """Features of paths: those of one owner, which follow each other, are one."""
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    start = np.append(commands.start[first], len(commands.flat))
    return Features(rows[owner[first]], np.full(len(first), kind), Ragged(commands.flat, start))

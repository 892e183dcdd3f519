"""A layer made ready for tiles: projected, with what travels, in arrays that cost little while nobody looks.

Shapes are kept as bytes (WKB) and opened for the rows of a tile only. Long outlines are kept in coarser forms as well,
each for the zooms at which nobody could tell: a view of the whole city then does not wait for every corner of a coast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.carried import Carried, Read, carried
from tiles.forms import Forms, are_long, as_bytes, from_bytes
from tiles.grid import MAX_LAT, MAX_ZOOM, to_degrees, to_world
from tiles.ragged import Ragged, held

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
TILE_PX = 512
"""A vector tile is shown at this width; sizes in pixels are meant at its own zoom."""
EVERY = slice(None)


@dataclass(frozen=True, eq=False)
class Source:
    """A layer made ready for tiles.

    ``box`` (n, 4) left, top, right, bottom of each shape in world units, ``min_zoom`` (n,) the first zoom at which
    each is shown, ``place`` (n,) its place among the heaviest, which stay when there are too many. ``shapes`` has the
    bytes of each shape but of the rows ``long`` (h,), which ``forms`` has.
    """

    name: str
    shapes: Ragged
    box: Floats
    min_zoom: Ints
    place: Ints
    carried: Carried
    long: Ints
    forms: Forms

    def __post_init__(self) -> None:
        parts = (self.shapes, self.box, self.carried, self.min_zoom, self.place)
        if len({len(part) for part in parts}) > 1:
            raise ValueError(f"layer {self.name}: one set of properties, zoom and weight for every shape")

    def __len__(self) -> int:
        return len(self.box)

    def __repr__(self) -> str:
        return f"Source({self.name}: {len(self)} shapes, {self.nbytes / 2**20:.1f} MiB)"

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, bytes, but for what is mapped from files."""
        arrays = (self.box, self.min_zoom, self.place, self.long)
        return self.shapes.nbytes + self.carried.nbytes + self.forms.nbytes + sum(map(held, arrays))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees; the whole web map where nothing is."""
        if not len(self):
            return -180.0, -MAX_LAT, 180.0, MAX_LAT
        first, last = self.box[:, :2].min(axis=0), self.box[:, 2:].max(axis=0)
        lon, lat = to_degrees(np.array([first[0], last[0]]), np.array([last[1], first[1]]))
        return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])

    @property
    def first_zoom(self) -> int:
        """The first zoom at which any shape is shown; 0 where there is none."""
        return int(self.min_zoom.min(initial=MAX_ZOOM)) if len(self) else 0

    def within(self, box: tuple[float, float, float, float], zoom: int) -> Ints:
        """Rows of the shapes whose boxes touch ``box`` and that are shown at the zoom, in their order."""
        return np.flatnonzero(self.touch(box) & (self.min_zoom <= zoom))

    def touch(self, box: tuple[float, float, float, float], rows: Ints | slice = EVERY) -> NDArray[np.bool_]:
        """Whether the boxes of some rows touch ``box``."""
        left, top, right, bottom = box
        own = self.box[rows]
        return np.asarray((own[:, 0] <= right) & (own[:, 2] >= left) & (own[:, 1] <= bottom) & (own[:, 3] >= top))

    def heaviest(self, rows: Ints, most: int) -> Ints:
        """At most ``most`` of the rows, the heaviest, in their order."""
        if len(rows) <= most:
            return rows
        return np.sort(rows[np.argpartition(self.place[rows], most)[:most]]) if most else rows[:0]

    def opened(self, rows: Ints, *, tolerance: float = 0.0) -> Geometries:
        """The shapes of some rows in world units, in the coarsest form that is true to ``tolerance`` world units."""
        shapes = from_bytes(self.shapes.take(rows))
        kept = np.flatnonzero(np.isin(rows, self.long))
        if len(kept):
            shapes[kept] = self.forms.true_to(tolerance)[np.searchsorted(self.long, rows[kept])]
        return shapes


def prepare(
    name: str, frame: gpd.GeoDataFrame, *, columns: Sequence[str] = (),
    min_zoom: Ints | Callable[[Geometries], Ints] | None = None, weight: Floats | None = None, read: Read | None = None,
) -> Source:  # fmt: skip
    """Project a table in any CRS to world units; rows without a shape inside the web map are left out.

    ``columns`` travel with the shapes, missing values do not; ``read`` gives them where the table has only shapes.
    ``min_zoom`` (n,), or what gives it for shapes in world units. Without ``weight``, larger shapes come first; of
    equals, those that lie far from each other.
    """
    shapes = _of_one_kind(_projected(frame))
    there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    shapes = shapes[there]
    if not callable(min_zoom):
        first = np.zeros(len(there), dtype=np.int64) if min_zoom is None else min_zoom[there]
    else:
        first = min_zoom(shapes)
    box = np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(-1, 4)
    long = are_long(shapes)
    forms = Forms.of(shapes[long])
    place = _places(box, _size(shapes) if weight is None else weight[there])
    shapes[long] = None
    body = as_bytes(shapes)
    del shapes
    travels = carried(read or frame.__getitem__, [c for c in columns if read or c in frame.columns], there)
    return Source(name, body, box, first, place, travels, long, forms)


def _projected(frame: gpd.GeoDataFrame) -> Geometries:
    """Shapes in world units. What lies beyond the web map is cut away before it is projected."""
    degrees = np.asarray(frame.geometry.to_crs("EPSG:4326").to_numpy(), dtype=object)
    box = shapely.bounds(degrees)
    outside = (box[:, 1] < -MAX_LAT) | (box[:, 3] > MAX_LAT) | (box[:, 0] < -180) | (box[:, 2] > 180)
    if outside.any():
        degrees[outside] = shapely.clip_by_rect(degrees[outside], -180, -MAX_LAT, 180, MAX_LAT)
    return np.asarray(shapely.transform(degrees, lambda xy: np.column_stack(to_world(xy[:, 0], xy[:, 1]))))


def _of_one_kind(shapes: Geometries) -> Geometries:
    """A mixed collection becomes its parts of the highest dimension: a tile's feature is of one kind."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
    for i in mixed:
        parts = shapely.get_parts(shapes[i])
        shapes[i] = shapely.union_all(parts[shapely.get_dimensions(parts) == shapely.get_dimensions(shapes[i])])
    return shapes


def _size(shapes: Geometries) -> Floats:
    """Area, then length: whatever makes one shape more to be seen than another."""
    return np.asarray(shapely.area(shapes) + 1e-9 * shapely.length(shapes), dtype=np.float64)


def _places(box: Floats, weight: Floats) -> Ints:
    """The place of each shape among the heaviest, from 0; equals in an order whose every beginning is spread evenly."""
    place = np.empty(len(box), dtype=np.int64)
    place[np.lexsort((_spread(box), -weight))] = np.arange(len(box))
    return place


def _spread(box: Floats) -> Ints:
    """Ranks of the middles of boxes such that those below any number lie all over the ground.

    Along a curve through all of them (Morton's), ranks are places with their bits in reverse: 0, half, a quarter, …
    """
    middle = np.clip((box[:, :2] + box[:, 2:]) / 2, 0, 1)
    along = np.empty(len(box), dtype=np.int64)
    along[np.argsort(_morton((middle * (2**31 - 1)).astype(np.uint64)), kind="stable")] = np.arange(len(box))
    bits = max(int(len(box) - 1).bit_length(), 1)
    back = np.zeros(len(box), dtype=np.int64)
    for bit in range(bits):
        back |= ((along >> bit) & 1) << (bits - 1 - bit)
    return back


def _morton(xy: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The bits of x and y in turn."""
    parts = xy.copy()
    for shift, mask in ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
                        (2, 0x3333333333333333), (1, 0x5555555555555555)):  # fmt: skip
        parts = (parts | parts << np.uint64(shift)) & np.uint64(mask)
    return np.asarray(parts[:, 0] | parts[:, 1] << np.uint64(1))


def zoom_for(size_px: Floats, *, at_least: float, dimension: int) -> Ints:
    """The first zoom at which a length (dimension 1) or area (2) in world units covers ``at_least`` px or px²."""
    wanted = np.log2(at_least ** (1 / dimension) / TILE_PX) - np.log2(np.maximum(size_px, 1e-30)) / dimension
    return np.asarray(np.clip(np.ceil(wanted - 1e-9), 0, MAX_ZOOM + 1), dtype=np.int64)

"""The outline of what is reached: a polygon that holds every reached stretch of street and no other street.

Ground is claimed in cells::

    ║   │  ║   = a street that is reached; it claims the cells it touches and floods the free ground round it
    ║   ┊  ║   ┊ ground goes to the nearer of reached and other streets, ties to the others, up to ``fill_m``
    ║ ≈≈≈≈ ║   ≈ barriers (shores, railways, walls) are not crossed, only along a reached street itself
    ║   ┊  │   │ another street claims nothing; where it meets a reached one, cells an eighth as wide decide

So the reached length inside is all of it, and other streets are inside only over the width of a fine cell where they
begin, or cross on another level. Rings of one place that are drawn together (``outlines``) contain each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo import cells, rings
from geo.curves import Sourced
from geo.errors import Fault, InputError, refuse
from geo.reach import Drawn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NOTHING = Drawn(np.zeros(0), np.zeros(0), np.zeros(1, dtype=np.int64))
"""No lines at all."""
NOWHERE = np.zeros((0, 2))
STEPS = np.array([1.0, 1.5])
"""Cells grow by these and their doubles, so that places of like size have the same cells."""


class OutlineParams(Sourced):
    """How finely ground is claimed round streets, and how far from them."""

    subject = "outline"

    cell_m: float = Field(default=8.0, ge=1, le=100, description="Side of the smallest cells, in metres.")
    max_cells: int = Field(
        default=1_000_000, ge=10_000, le=50_000_000, description="Most cells of a drawing (count); beyond, cells grow."
    )
    fill_m: float = Field(
        default=80.0, ge=0, le=1000, description="Farthest ground from a reached street that is claimed, in metres."
    )
    bank_cell_m: float = Field(
        default=8.0, ge=0, le=100, description="Largest cells at which the outline follows barriers closely, in metres."
    )


DEFAULT = OutlineParams()


@dataclass(frozen=True)
class Streets:
    """Stretches of street as lines in metres, cut where the time runs out.

    ``reached`` on the ground, ``above`` reached on a bridge or in a tunnel (they claim no ground beside them),
    ``others`` what cannot be reached of every street that the profile may use, closed ones included.
    """

    reached: Drawn
    others: Drawn
    above: Drawn = NOTHING


def outline(
    reached: Drawn,
    others: Drawn,
    barriers: Drawn,
    *,
    above: Drawn = NOTHING,
    places: Floats = NOWHERE,
    params: OutlineParams = DEFAULT,
) -> shapely.MultiPolygon:
    """The polygon of what is reached, in the lines' coordinates (metres); empty when nothing is.

    ``reached``, ``others`` and ``above`` as ``Streets``; ``barriers`` are lines that ground is not claimed across:
    outlines of water, rivers, railways, walls. ``places`` (n, 2) are points that are inside in any case: the
    facilities. InputError when a coordinate is not finite.
    """
    return outlines([Streets(reached, others, above)], barriers, places=places, params=params)[0]


def outlines(
    streets: Sequence[Streets], barriers: Drawn, *, places: Floats = NOWHERE, params: OutlineParams = DEFAULT
) -> list[shapely.MultiPolygon]:
    """As ``outline`` for several rings of one place, on the same cells.

    Of two rings over the same streets, the one that reaches more contains the other.
    """
    refuse(InputError, _faults(streets, barriers, places))
    # A place is a street without length: it touches the ground it stands on.
    x, y = np.repeat(np.asarray(places, dtype=float).reshape(-1, 2), 2, axis=0).T
    stands = Drawn(x, y, 2 * np.arange(len(places) + 1))
    window = _window([stands, *(line for ring in streets for line in (ring.reached, ring.above))], params=params)
    if window is None:
        return [shapely.MultiPolygon() for _ in streets]
    return [_draw(window, ring, barriers, stands, params=params) for ring in streets]


@dataclass(frozen=True)
class _Window:
    """The cells of a drawing: the south-west corner in metres, the side of a cell, how many."""

    x: float
    y: float
    cell_m: float
    rows: int
    cols: int

    def cells(self, lines: Sequence[Drawn]) -> tuple[Ints, Floats, Floats]:
        """Lines one after the other: where each starts, columns and rows with fractions."""
        offset = np.cumsum([0, *(len(line.x) for line in lines)])
        start = np.concatenate([line.start[:-1] + at for line, at in zip(lines, offset, strict=False)] + [offset[-1:]])
        x, y = np.concatenate([line.x for line in lines]), np.concatenate([line.y for line in lines])
        return start.astype(np.int64), (x - self.x) / self.cell_m, (y - self.y) / self.cell_m


def _window(lines: Sequence[Drawn], *, params: OutlineParams) -> _Window | None:
    """The smallest cells with which what is claimed fits; their corners are multiples of their side."""
    x, y = np.concatenate([line.x for line in lines]), np.concatenate([line.y for line in lines])
    if not len(x):
        return None
    for factor in np.outer(2.0 ** np.arange(40), STEPS).ravel():
        side = params.cell_m * float(factor)
        margin = _layers(side, params=params) + 2
        west, south = np.floor(x.min() / side) - margin, np.floor(y.min() / side) - margin
        cols = int(np.floor(x.max() / side) + margin - west) + 1
        rows = int(np.floor(y.max() / side) + margin - south) + 1
        if rows * cols <= params.max_cells:
            return _Window(float(west * side), float(south * side), side, rows, cols)
    return None


def _layers(side_m: float, *, params: OutlineParams) -> int:
    """How many cells deep the ground is filled."""
    return round(params.fill_m / side_m)


def _draw(
    window: _Window, streets: Streets, barriers: Drawn, places: Drawn, *, params: OutlineParams
) -> shapely.MultiPolygon:
    """Mark what touches the cells, flood, look again at the cells where streets meet, and trace."""
    kinds = {
        cells.GROUND: [streets.reached, places],
        cells.ABOVE: [streets.above],
        cells.OTHER: [streets.others],
        cells.BARRIER: [barriers],
    }
    sizes = [sum(map(len, lines)) for lines in kinds.values()]
    bits = np.repeat(np.array([*kinds], dtype=np.uint8), sizes)
    start, col, row = window.cells([line for lines in kinds.values() for line in lines])
    touch = np.zeros((window.rows, window.cols), dtype=np.uint8)
    cells.mark(touch, bits, start, col, row)
    label = cells.flood(touch, _layers(window.cell_m, params=params))
    claim, count = cells.refine(touch, label, window.cell_m <= params.bank_cell_m)
    fine_touch = np.zeros((count, cells.FINE, cells.FINE), dtype=np.uint8)
    cells.mark_fine(fine_touch, claim, bits, start, col, row)
    ground = rings.Ground(claim, cells.flood_fine(fine_touch, claim), touch, fine_touch)
    found = rings.trace(ground)
    metres = found.xy * (window.cell_m / cells.FINE) + np.array([window.x, window.y])
    return rings.polygon(rings.Rings(metres, found.start))


def _faults(streets: Sequence[Streets], barriers: Drawn, places: Floats) -> list[Fault]:
    given = {"places": [np.asarray(places, dtype=float)], "barriers": [barriers.x, barriers.y]}
    for name in ("reached", "others", "above"):
        given[f"{name} streets"] = [at for ring in streets for at in (getattr(ring, name).x, getattr(ring, name).y)]
    return [
        Fault("finite coordinates", "NaN or infinity", where)
        for where, arrays in given.items()
        if not all(np.isfinite(array).all() for array in arrays)
    ]

"""How much streets rise, from a raster of heights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.hazards import Grid
from geo.network import Network

Floats = NDArray[np.float64]


def climb(network: Network, heights: Grid) -> Floats:
    """The rise of each street in metres from where its drawing begins to where it ends, (edges,).

    The height of a junction lies between those of the four cells round it, weighted by distance (bilinear). NaN where
    a height is not known. Bridges and tunnels rise evenly between their ends: only the ends are asked.
    """
    at = height(heights, network.x, network.y, crs=network.crs)
    return np.asarray(at[network.v] - at[network.u])


def height(heights: Grid, x: Floats, y: Floats, *, crs: str) -> Floats:
    """The height at points (n,) in ``crs``, bilinear between cell centres; NaN where not known or beyond the raster."""
    col, row = heights.cells(x, y, crs=crs)
    rows, cols = heights.values.shape
    inside = (col >= 0) & (col <= cols) & (row >= 0) & (row <= rows)
    col, row = (np.where(inside, at, 0.5) - 0.5 for at in (col, row))
    left, top = np.floor(col).astype(np.int64), np.floor(row).astype(np.int64)
    found = np.zeros(len(col))
    for c, share_c in ((left, left + 1 - col), (left + 1, col - left)):
        for r, share_r in ((top, top + 1 - row), (top + 1, row - top)):
            value = heights.values[np.clip(r, 0, rows - 1), np.clip(c, 0, cols - 1)]
            # A cell without weight says nothing, not even that it is not known.
            found += np.where(share_c * share_r > 0, value * (share_c * share_r), 0.0)
    return np.where(inside, found, np.nan)

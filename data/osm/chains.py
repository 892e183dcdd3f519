"""Ways as stretches of known nodes, and shapes made of them."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from data.osm.blocks import Objects
from data.osm.raw import PARTS_OF_DEGREE, Chains, Ints, Shapes

EAST_MAX, NORTH_MAX = 180 * PARTS_OF_DEGREE, 90 * PARTS_OF_DEGREE
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


def known(objects: Objects) -> Mask:
    """Whether the place of each node is in the file, and on this earth, (nodes,)."""
    lon, lat = objects.lon, objects.lat
    return (lon >= -EAST_MAX) & (lon <= EAST_MAX) & (lat >= -NORTH_MAX) & (lat <= NORTH_MAX)


def stretches(ways: Objects, there: Mask) -> Chains:
    """The stretches of two or more nodes in a row that are ``there``, in order; ``of`` is the row of the way."""
    size = np.diff(ways.first)
    if there.all() and (size > 1).all():
        return Chains(np.arange(len(ways)), ways.first, ways.lon, ways.lat, ways.node)
    begins = np.zeros(len(there) + 1, dtype=bool)
    begins[ways.first[:-1]] = True
    begins = there & (begins[:-1] | ~np.r_[False, there[:-1]])
    run = np.cumsum(begins)[there] - 1
    length = np.bincount(run, minlength=int(begins.sum()))
    long = length > 1
    points = np.flatnonzero(there)[long[run]]
    of = np.searchsorted(ways.first, np.flatnonzero(begins)[long], side="right") - 1
    first = np.r_[0, np.cumsum(length[long])].astype(np.int64)
    return Chains(of, first, ways.lon[points], ways.lat[points], ways.node[points])


def lines(chains: Chains, x: Floats, y: Floats, rows: Ints) -> Shapes:
    """Each of the objects ``rows`` (ascending) as a LineString, a MultiLineString where it is cut; in x and y."""
    picked = np.isin(chains.of, rows)
    points = np.repeat(picked, chains.size)
    indices = np.repeat(np.arange(int(picked.sum())), chains.size[picked])
    parts = shapely.linestrings(np.column_stack([x[points], y[points]]), indices=indices)
    return gathered(np.asarray(parts, dtype=object), np.searchsorted(rows, chains.of[picked]), len(rows))


def gathered(parts: Shapes, of: Ints, n: int) -> Shapes:
    """The lines of each of ``n`` objects as one shape: a line itself, several as a MultiLineString, None of none."""
    whole = np.full(n, None, dtype=object)
    size = np.bincount(of, minlength=n)
    alone = size[of] == 1
    whole[of[alone]] = parts[alone]
    several = np.flatnonzero(size > 1)
    if len(several):
        whole[several] = shapely.multilinestrings(parts[~alone], indices=np.searchsorted(several, of[~alone]))
    return whole

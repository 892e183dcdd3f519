"""Areas side by side, numbered so that neighbours differ: a few colours are then enough to tell them apart."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray


def numbered(areas: ArrayLike) -> NDArray[np.int64]:
    """A number for each polygon (n,), 0 and up; two that touch have different ones.

    Each takes the smallest number that no neighbour has yet, those with most neighbours first, equals in their order.
    """
    shapes = np.asarray(areas, dtype=object)
    near: list[set[int]] = [set() for _ in shapes]
    for one, other in shapely.STRtree(shapes).query(shapes, predicate="intersects").T:
        if one != other:
            near[one].add(int(other))
    number = np.full(len(shapes), -1, dtype=np.int64)
    for row in sorted(range(len(shapes)), key=lambda i: (-len(near[i]), i)):
        taken = {int(number[other]) for other in near[row]}
        number[row] = next(n for n in range(len(shapes)) if n not in taken)
    return number

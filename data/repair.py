"""Outlines that cross themselves, made sound."""

from __future__ import annotations

import shapely
from shapely.errors import GEOSException

from data.limits import MEMORY
from geo.errors import Fault, UnreadableError


def repaired(area: shapely.Geometry) -> shapely.Geometry | None:
    """The polygons of a repaired area; None when nothing of it encloses anything.

    LimitError when it crosses itself in more places than memory holds, UnreadableError when it cannot be repaired.
    """
    try:
        parts = shapely.get_parts(shapely.make_valid(area))
    except GEOSException as error:
        if "bad_alloc" in str(error):
            raise MEMORY.exceeded("an outline that crosses itself too often", "") from error
        found = f"one of {shapely.get_num_coordinates(area):,} vertices that cannot be repaired (“{error}”)"
        raise UnreadableError(Fault("sound outlines", found, "", "Draw it anew, or simplify it.")) from error
    polygons = parts[shapely.get_dimensions(parts) == 2]
    if len(polygons) == 0:
        return None
    return polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)

"""Outlines that cross themselves, made sound."""

from __future__ import annotations

import shapely


def repaired(area: shapely.Geometry) -> shapely.Geometry | None:
    """The polygons of a repaired area; None when nothing of it encloses anything."""
    parts = shapely.get_parts(shapely.make_valid(area))
    polygons = parts[shapely.get_dimensions(parts) == 2]
    if len(polygons) == 0:
        return None
    return polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)

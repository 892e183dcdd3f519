"""Where a layer lies, in degrees, and whether that is where the study is."""

from __future__ import annotations

from pyproj import Geod, Transformer
from pyproj.exceptions import ProjError

from geo.crs import WGS84
from geo.errors import CrsError, Fault, NoOverlapError

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""
_EARTH = Geod(ellps="WGS84")


def in_degrees(bounds: Bounds, *, crs: str, where: str) -> Bounds:
    """Bounds in ``crs`` (smallest x and y, largest x and y) as west, south, east, north in degrees, WGS 84.

    Raises CrsError when the coordinates cannot be such in ``crs``: degrees taken for metres, or the wrong zone.
    """
    cure = "Name the coordinate system with --crs EPSG:N."
    try:
        west, south, east, north = Transformer.from_crs(crs, WGS84, always_xy=True).transform_bounds(*bounds)
    except ProjError as error:
        raise CrsError(Fault(f"coordinates of {crs}", _text(bounds), where, cure)) from error
    found = (float(west), float(south), float(east), float(north))
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise CrsError(Fault(f"coordinates of {crs}", _text(bounds), where, cure))
    return found


def in_metres(bounds: Bounds, *, crs: str) -> Bounds:
    """Bounds in degrees as smallest x and y, largest x and y in the metric CRS ``crs``."""
    xmin, ymin, xmax, ymax = Transformer.from_crs(WGS84, crs, always_xy=True).transform_bounds(*bounds)
    return float(xmin), float(ymin), float(xmax), float(ymax)


def overlap(one: Bounds, other: Bounds) -> bool:
    """Whether two extents in degrees have more than an edge in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def require_overlap(layer: Bounds, study: Bounds, *, where: str) -> None:
    """Both extents in degrees; NoOverlapError says where each lies and how far apart they are."""
    if overlap(layer, study):
        return
    found = f"one at {_text(layer)}, {distance_km(layer, study):,.0f} km away"
    cure = "Check the file, or name its coordinate system with --crs EPSG:N."
    raise NoOverlapError(Fault(f"a layer that meets the study at {_text(study)}", found, where, cure))


def distance_km(one: Bounds, other: Bounds) -> float:
    """Shortest way between two extents in degrees, kilometres; 0 when they meet."""
    lon = _nearest(one[0], one[2], other[0], other[2])
    lat = _nearest(one[1], one[3], other[1], other[3])
    return float(_EARTH.inv(lon[0], lat[0], lon[1], lat[1])[2]) / 1000


def _nearest(low: float, high: float, other_low: float, other_high: float) -> tuple[float, float]:
    """The values of two ranges that lie nearest to each other."""
    if high < other_low:
        return high, other_low
    if other_high < low:
        return low, other_high
    middle = (max(low, other_low) + min(high, other_high)) / 2
    return middle, middle


def _text(bounds: Bounds) -> str:
    return f"{bounds[0]:.6g}…{bounds[2]:.6g}, {bounds[1]:.6g}…{bounds[3]:.6g}"

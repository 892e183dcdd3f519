"""Chinese map coordinates: GCJ-02 and BD-09, and the way back to WGS 84.

Maps published in China are drawn 300 to 700 m away from where things are (GCJ-02, "Mars coordinates"); Baidu moves
them a second time (BD-09, 900 to 1,350 m in all). The shift is a known formula of the place. Back there is no formula:
the place is sought whose shift ends where the point is (fixed-point iteration), to less than a thousandth of a
millimetre. Source: the formula every open implementation uses; CGCS2000 and WGS 84 differ by less than planning sees.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import CrsError, Fault

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Pair = tuple[Floats, Floats]

SYSTEMS = ("gcj02", "bd09")
"""The systems by the codes a layer's ``crs`` may hold."""
NAMES = {"gcj02": "GCJ-02", "bd09": "BD-09"}
"""How they are called in every language."""
BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north in degrees: a point outside is not shifted; one on the edge is."""
MIDDLE = (105.0, 35.0)
"""The place in degrees from which the formula counts."""
AXIS_M, ECCENTRICITY2 = 6378245.0, 0.00669342162296594323
"""Krassovsky's ellipsoid: half its great axis in metres, and its eccentricity squared."""
TWIST = np.pi * 3000.0 / 180.0
"""Radians per degree of Baidu's ripples."""
TWIST_BY = (0.0065, 0.006)
"""How far Baidu moves every point east and north, in degrees."""
SETTLED_DEG = 1e-10
"""A step no longer than this, a hundredth of a millimetre, is the last: what it leaves is less than 3 % of it."""
ROUNDS = 20
"""Steps after which the search ends anyway; the fifth is mostly the last."""
BLOCK = 16_384
"""Places moved at a time, so that what is in between stays near the processor."""


def from_wgs84(lon: Floats, lat: Floats, system: str) -> Pair:
    """Where ``system`` (``gcj02``, ``bd09``) draws places given in WGS 84 degrees; any shape, float64.

    A place outside ``BOX`` stays, NaN stays NaN. Raises CrsError for a system that is not known.
    """
    return _inside_only(_FORWARD[_known(system)], lon, lat)


def to_wgs84(lon: Floats, lat: Floats, system: str) -> Pair:
    """Places in WGS 84 degrees from what ``system`` (``gcj02``, ``bd09``) draws; any shape, float64.

    The inverse of ``from_wgs84`` to less than 0.001 mm. A point outside ``BOX`` stays, NaN stays NaN. Raises CrsError
    for a system that is not known.
    """
    return _inside_only(_BACK[_known(system)], lon, lat)


def shapes_to_wgs84(shapes: Shapes, system: str) -> Shapes:
    """Every vertex of geometries (n,) in degrees of ``system`` moved to WGS 84; heights are dropped, None stays."""

    def move_rows(xy: Floats) -> Floats:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], system))

    done = shapely.transform(np.asarray(shapes, dtype=object), move_rows)
    return np.asarray(done, dtype=object)


def _known(system: str) -> str:
    if system not in SYSTEMS:
        raise CrsError(Fault(f"one of {', '.join(SYSTEMS)}", repr(system), "Chinese map coordinates"))
    return system


def _inside_only(move: Callable[[Floats, Floats], Pair], lon: Floats, lat: Floats) -> Pair:
    """Move what lies in the box; anything else, NaN included, comes back as it was."""
    x, y = (np.array(each, dtype=np.float64, order="C") for each in np.broadcast_arrays(lon, lat))
    across, up = x.reshape(-1), y.reshape(-1)
    inside = np.flatnonzero((across >= BOX[0]) & (across <= BOX[2]) & (up >= BOX[1]) & (up <= BOX[3]))
    for first in range(0, len(inside), BLOCK):
        rows = inside[first : first + BLOCK]
        across[rows], up[rows] = move(across[rows], up[rows])
    return x, y


def _gcj(lon: Floats, lat: Floats) -> Pair:
    """GCJ-02 from WGS 84."""
    x, y = lon - MIDDLE[0], lat - MIDDLE[1]
    east_m, north_m = _shift_m(x, y)
    phi = np.radians(lat)
    flat = 1 - ECCENTRICITY2 * np.sin(phi) ** 2
    across_m = AXIS_M / np.sqrt(flat) * np.cos(phi)
    along_m = AXIS_M * (1 - ECCENTRICITY2) / (flat * np.sqrt(flat))
    return lon + np.degrees(east_m / across_m), lat + np.degrees(north_m / along_m)


def _shift_m(x: Floats, y: Floats) -> Pair:
    """How far a place ``x``, ``y`` degrees from the middle is moved east and north, in metres."""
    third = np.sin(np.pi / 3 * x)
    half_turn, cosine = _of_three_times(third), -_of_three_times(np.cos(np.pi / 3 * x))
    turn = 2 * half_turn * cosine
    ripple = 20 * (_of_three_times(turn) + turn)
    wave_x = ripple + 20 * half_turn + 40 * third
    wave_x += 150 * np.sin(np.pi / 12 * x) + 300 * np.sin(np.pi / 30 * x)
    third = np.sin(np.pi / 3 * y)
    wave_y = ripple + 20 * _of_three_times(third) + 40 * third
    wave_y += 160 * np.sin(np.pi / 12 * y) + 320 * np.sin(np.pi / 30 * y)
    root, product = np.sqrt(np.abs(x)), 0.1 * x * y
    east_m = 300 + x + 2 * y + 0.1 * x**2 + product + 0.1 * root + wave_x * (2 / 3)
    north_m = -100 + 2 * x + 3 * y + 0.2 * y**2 + product + 0.2 * root + wave_y * (2 / 3)
    return east_m, north_m


def _of_three_times(sine: Floats) -> Floats:
    """The sine of three times the angle; of a cosine, that cosine with its sign turned. Cheaper than another sine."""
    return sine * (3 - 4 * sine * sine)


def _baidu(lon: Floats, lat: Floats) -> Pair:
    """BD-09 from GCJ-02: a little farther from the origin of degrees, turned a little, and moved."""
    radius = np.hypot(lon, lat)
    longer = 1 + 0.00002 * np.sin(lat * TWIST) / radius
    turn = 0.000003 * np.cos(lon * TWIST)
    sin, cos = np.sin(turn), np.cos(turn)
    return longer * (lon * cos - lat * sin) + TWIST_BY[0], longer * (lat * cos + lon * sin) + TWIST_BY[1]


def _gcj_back(lon: Floats, lat: Floats) -> Pair:
    return _sought(_gcj, lon, lat, start=(lon, lat))


def _baidu_back(lon: Floats, lat: Floats) -> Pair:
    """WGS 84 from BD-09: both shifts undone one after the other."""
    return _gcj_back(*_sought(_baidu, lon, lat, start=(lon - TWIST_BY[0], lat - TWIST_BY[1])))


def _sought(move: Callable[[Floats, Floats], Pair], lon: Floats, lat: Floats, *, start: Pair) -> Pair:
    """The places that ``move`` takes to ``lon``, ``lat``: what is still missing is added until nothing is.

    Both shifts change by less than 3 % of the way between two places, so a step leaves less than that to the next.
    """
    x, y = start
    for _ in range(ROUNDS):
        there_x, there_y = move(x, y)
        dx, dy = lon - there_x, lat - there_y
        x, y = x + dx, y + dy
        if max(np.abs(dx).max(initial=0), np.abs(dy).max(initial=0)) <= SETTLED_DEG:
            break
    return x, y


_FORWARD: dict[str, Callable[[Floats, Floats], Pair]] = {
    "gcj02": _gcj,
    "bd09": lambda lon, lat: _baidu(*_gcj(lon, lat)),
}
_BACK = {"gcj02": _gcj_back, "bd09": _baidu_back}

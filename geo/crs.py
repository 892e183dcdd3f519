"""Which metric coordinate system a place is computed in.

China: CGCS2000 3-degree zones (EPSG:4534-4554, central meridian 3 * round(lon / 3)), elsewhere UTM.
Every length, area and distance in Renxing is measured in the study's metric CRS.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.errors import CrsError, Fault

WGS84 = "EPSG:4326"
CHINA_LON_LAT = (73.5, 3.8, 135.1, 53.6)
"""Rough outline of China's mapping area (degrees): used only to choose the zone system."""
# Neighbours that lie inside the rectangle; a study there is better served by UTM.
NOT_CHINA_LON_LAT = (
    (73.5, 3.8, 97.3, 27.5),
    (97.3, 3.8, 108.5, 21.0),
    (116.5, 3.8, 135.1, 20.0),
    (124.5, 33.0, 132.0, 38.6),
    (128.0, 29.0, 135.1, 36.0),
    (119.9, 21.7, 122.2, 25.5),
    (87.5, 49.3, 116.0, 53.6),
    (98.5, 45.0, 110.0, 53.6),
)


def _inside(lon: float, lat: float, box: tuple[float, float, float, float]) -> bool:
    return box[0] <= lon <= box[2] and box[1] <= lat <= box[3]


def in_china_grid(lon: float, lat: float) -> bool:
    """Whether the CGCS2000 zones serve this place (degrees, WGS 84); approximate near borders."""
    return _inside(lon, lat, CHINA_LON_LAT) and not any(_inside(lon, lat, box) for box in NOT_CHINA_LON_LAT)


def metric_crs(lon: float, lat: float) -> str:
    """The metric CRS for a place given in degrees (WGS 84): ``"EPSG:4549"`` for Nanjing, ``"EPSG:32631"`` for Kampen.

    Raises CrsError for coordinates that are not degrees, and beyond 84 degrees where neither system is defined.
    """
    if not (np.isfinite(lon) and np.isfinite(lat) and abs(lon) <= 180 and -80 <= lat <= 84):
        raise CrsError(Fault("a place between 80°S and 84°N, longitude within ±180°", f"lon {lon}, lat {lat}"))
    if in_china_grid(lon, lat):
        # The grid's first and last meridians serve what lies beyond them: 73.5 is nearer to none that there is.
        meridian = min(max(3 * round(lon / 3), 75), 135)
        return f"EPSG:{4534 + (meridian - 75) // 3}"
    zone = min(int((lon + 180) // 6) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def known(code: str, *, where: str = "") -> CRS:
    """The CRS a person named (``EPSG:28992``, WKT, …); CrsError says what was expected."""
    try:
        return CRS.from_user_input(code)
    except CRSError:
        fault = Fault("a coordinate system such as EPSG:28992", repr(code), where, "Give --crs EPSG:N.")
        raise CrsError(fault) from None


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def reproject(
    x: NDArray[np.float64], y: NDArray[np.float64], *, source: str, target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates (n,) from one CRS to another, x before y always. What cannot be projected becomes inf."""
    if source == target:
        return x, y
    tx, ty = _transformer(source, target).transform(x, y)
    return np.asarray(tx, dtype=np.float64), np.asarray(ty, dtype=np.float64)

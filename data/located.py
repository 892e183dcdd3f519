"""Where a table lies: its coordinate system found, its coordinates mended, or refused with what would be right.

Nothing is assumed that could be otherwise: a file without a coordinate system is refused, with those that would put it
on the study. What can only be one thing is mended and said: longitude and latitude the wrong way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from data import rows
from data.extents import Bounds, distance_km, in_degrees
from geo import shifts
from geo.crs import WGS84, in_china_grid, known
from geo.errors import CrsError, Fault
from geo.reasons import Finding

Mask = NDArray[np.bool_]
Near = Bounds | tuple[float, float]
"""Where the study is, in degrees: west, south, east, north, or a longitude and latitude."""

ON_STUDY_KM = 5.0
"""A layer this near to the study lies on it."""
TOLD = 4
"""So many coordinate systems are proposed."""
FOOT_M = 0.3048
WIDE_DEG = 40.0
"""Systems for more than this of the earth's longitude are for continents, not for cities."""
CURRENT = re.compile(r"CGCS2000|JGD2011|WGS 84|ETRS89|JGD2000")
"""Systems in use today: the others, some hundred metres off, are proposed only where none of these fits."""
WEB_MERCATOR = "3857"


@dataclass(frozen=True, eq=False)
class Located:
    """A table whose coordinate system is known, what is to be said of it, and what was done to its coordinates."""

    frame: gpd.GeoDataFrame
    notes: tuple[Finding, ...] = ()
    conversions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Located({len(self.frame)} rows, {self.frame.crs})"


@dataclass(frozen=True)
class _Layer:
    """What is known of where a layer lies: bounds as written, the study, its metric CRS, the file."""

    bounds: Bounds
    near: Bounds | None
    into: str | None
    where: str

    def away(self, crs: str, bounds: Bounds | None = None) -> float | None:
        """Kilometres from the study when the coordinates were of ``crs``; None when they cannot be."""
        try:
            lies = in_degrees(bounds or self.bounds, crs=crs, where=self.where)
        except CrsError:
            return None
        return 0.0 if self.near is None else distance_km(lies, self.near)

    def on_study(self, crs: str, bounds: Bounds | None = None) -> bool:
        """Whether the coordinates would put it on the study."""
        km = self.away(crs, bounds)
        return self.near is not None and km is not None and km <= ON_STUDY_KM


def located(
    frame: gpd.GeoDataFrame, *, crs: str | None, near: Near | None = None, into: str | None = None, where: str
) -> Located:
    """The frame in the CRS that was given (``EPSG:N``, ``gcj02``, ``bd09``), else in its own.

    Coordinates of ``gcj02`` and ``bd09`` become EPSG:4326. With ``near``, longitude and latitude the wrong way round
    are put right where that puts the layer on the study. Raises CrsError when there is no CRS or one that cannot be,
    with those that would put the layer on the study.
    """
    system = crs.lower() if crs is not None and crs.lower() in shifts.SYSTEMS else None
    if crs is not None:
        frame = frame.set_crs(known(WGS84 if system else crs, where=where), allow_override=True)
    frame, notes = on_earth(frame)
    if not _there(frame).any():
        return Located(_named(frame, where), notes)
    layer = _Layer(_bounds(frame), _box(near), into, where)
    if frame.crs is None:
        raise CrsError(_unnamed(layer))
    if _fits(layer, _code(frame.crs)):
        return _unshifted(frame, system, notes)
    turned = _turned(layer.bounds)
    if not layer.on_study(_code(frame.crs), turned):
        raise CrsError(_misplaced(layer, frame.crs))
    said = (*notes, _swapped(int(_there(frame).sum())))
    done = _unshifted(_with_axes_swapped(frame), system, said)
    return Located(done.frame, done.notes, ("x, y -> y, x", *done.conversions))


def _fits(layer: _Layer, crs: str) -> bool:
    """Whether the CRS can be right: on the study, or elsewhere without anything that would explain it better."""
    if layer.near is None:
        in_degrees(layer.bounds, crs=crs, where=layer.where)
        return True
    if layer.on_study(crs):
        return True
    known_ = layer.away(crs) is not None
    return known_ and not layer.on_study(crs, _turned(layer.bounds)) and not _better(layer, crs)


def _better(layer: _Layer, crs: str) -> list[str]:
    """What would put the layer on the study: systems by code, or the coordinates in feet."""
    found = _current([code for code, km in candidates(layer) if km <= ON_STUDY_KM])
    if CRS.from_user_input(crs).is_projected:
        scaled = {f"{crs} in feet": FOOT_M, f"{crs} in metres": 1 / FOOT_M}
        found += [name for name, by in scaled.items() if layer.on_study(crs, _scaled(layer.bounds, by))]
    return [code for code in found if code != crs]


def _unshifted(frame: gpd.GeoDataFrame, system: str | None, notes: tuple[Finding, ...]) -> Located:
    if system is None:
        return Located(frame, notes)
    shapes = shifts.shapes_to_wgs84(np.asarray(frame.geometry.to_numpy(), dtype=object), system)
    return Located(frame.set_geometry(shapes, crs=frame.crs), notes, (f"{system} -> {WGS84}",))


# -- rows ----------------------------------------------------------------------------------------------------------


def on_earth(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The frame without rows that lie nowhere: at 0, 0, at infinity, or beyond 180 and 90 degrees; and how many.

    When that holds for half of the rows or more, it is not they that are wrong, and they stay.
    """
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    there = _there(frame)
    bounds = shapely.bounds(shapes)
    off = there & (~np.isfinite(bounds).all(axis=1) | (bounds == 0).all(axis=1))
    if frame.crs is None or frame.crs.is_geographic:
        off |= there & _beyond(bounds, frame.crs is not None)
    if not off.any() or off.sum() * 2 >= there.sum():
        return frame, ()
    where = rows.where(frame, off)
    en = f"{{n}} rows lie nowhere on earth ({rows.listed(where)}) and are left out."
    return frame[~off], (rows.found(
        "rows_off_earth", "warning", en, "{n}行的坐标不在地球上，未计入。", rows=where,
        values=frame.geometry.to_wkt().astype(object),
        do=("Give them their coordinates.", "请补充正确坐标。"),
    ),)  # fmt: skip


def _beyond(bounds: NDArray[np.float64], degrees: bool) -> Mask:
    """Bounds (rows, 4) that degrees cannot have, in whichever order; of no use where they may be metres."""
    if not degrees and not (np.abs(bounds) <= 180).all(axis=1).sum() * 2 > len(bounds):
        return np.zeros(len(bounds), dtype=bool)
    either = np.abs(bounds).reshape(-1, 2, 2)
    return np.asarray((either.max(axis=(1, 2)) > 180) | (either.min(axis=2).max(axis=1) > 90), dtype=bool)


def _there(frame: gpd.GeoDataFrame) -> Mask:
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    return np.asarray(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)), dtype=bool)


def _with_axes_swapped(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    return frame.set_geometry(shapely.transform(shapes, lambda xy: xy[:, ::-1]), crs=frame.crs)


def _swapped(count: int) -> Finding:
    return Finding(
        "axes_swapped", f"Longitude and latitude (x and y) of {count:,} rows are the wrong way round; put right.",
        f"{count:,}行的经度与纬度（x与y）颠倒，已纠正。", "repaired", count,
    )  # fmt: skip


# -- what would be right -------------------------------------------------------------------------------------------


def candidates(layer: _Layer) -> list[tuple[str, float]]:
    """Codes of coordinate systems used around the study, with how far from it each would put the layer (or the
    layer with x and y the other way round, which is mended once the system is named); nearest first.

    Empty when nobody said where the study is.
    """
    if layer.near is None:
        return []
    codes = dict.fromkeys([*([layer.into] if layer.into else []), WGS84, *_used_near(layer.near)])
    both = {code: (layer.away(code), layer.away(code, _turned(layer.bounds))) for code in codes}
    away = [(code, min(km for km in each if km is not None)) for code, each in both.items() if each != (None, None)]
    return sorted(away, key=lambda each: max(each[1] - ON_STUDY_KM, 0.0))


def _used_near(near: Bounds) -> Iterator[str]:
    """Projected systems made for this part of the earth, those in use today first."""
    around = AreaOfInterest(near[0], near[1], near[2], near[3])
    found = query_crs_info(auth_name="EPSG", pj_types=PJType.PROJECTED_CRS, area_of_interest=around, contains=True)
    local = [
        info for info in found
        if info.code == WEB_MERCATOR or (info.area_of_use and info.area_of_use.east - info.area_of_use.west < WIDE_DEG)
    ]  # fmt: skip
    for info in sorted(local, key=lambda info: (not CURRENT.search(info.name), "JGD2000" in info.name)):
        yield f"EPSG:{info.code}"


def _current(codes: list[str]) -> list[str]:
    """Those in use today, or all where none is."""
    return [code for code in codes if CURRENT.search(CRS.from_user_input(code).name)] or codes


def _unnamed(layer: _Layer) -> Fault:
    """No CRS: which would put the layer on the study."""
    if layer.near is None:
        cure = "Name it with --crs EPSG:N (GPS and OpenStreetMap: EPSG:4326)."
        return Fault("a coordinate system", "none in the file", layer.where, cure)
    ranked = candidates(layer)
    on = _current([code for code, km in ranked if km <= ON_STUDY_KM])
    told = [_would(code, km) for code, km in ranked if code in on or not on][:TOLD]
    found = f"none in the file: {'; '.join(told)}" if told else "none in the file, and none that puts it near the study"
    return Fault("a coordinate system", found, layer.where, _naming(on, layer.near))


def _would(code: str, km: float) -> str:
    place = "on the study" if km <= ON_STUDY_KM else f"{km:,.0f} km from the study"
    return f"{code} ({CRS.from_user_input(code).name}) would put it {place}"


def _naming(codes: list[str], near: Bounds) -> str:
    if not codes:
        return "Ask who made it, and name it with --crs EPSG:N."
    cure = f"Name it with --crs {codes[0]}" + (f", or {', '.join(codes[1:TOLD])}" if len(codes) > 1 else "")
    if codes[0] == WGS84 and in_china_grid(*_middle(near)):
        return f"{cure}; with --crs gcj02 or bd09 if the places come from a Chinese web map (Amap, Tencent; Baidu)."
    return f"{cure}."


def _misplaced(layer: _Layer, crs: CRS) -> Fault:
    """A CRS that cannot be right: which would."""
    code = _code(crs)
    km = layer.away(code)
    text = "{:.6g}…{:.6g}, {:.6g}…{:.6g}".format(*(layer.bounds[i] for i in (0, 2, 1, 3)))
    place = "which it cannot have" if km is None else f"{km:,.0f} km from the study"
    better = _better(layer, code)
    told = f"; {better[0]} would put it on the study" if better else ""
    named = [name for name in better if " in " not in name]
    cure = "Scale its coordinates, or name its system with --crs EPSG:N."
    if named or not better:
        cure = _naming(named, layer.near) if layer.near else "Name the coordinate system with --crs EPSG:N."
    return Fault(f"coordinates of {code} near the study", f"{text}, {place}{told}", layer.where, cure)


# -- bounds --------------------------------------------------------------------------------------------------------


def _bounds(frame: gpd.GeoDataFrame) -> Bounds:
    west, south, east, north = (float(edge) for edge in frame.total_bounds)
    return west, south, east, north


def _box(near: Near | None) -> Bounds | None:
    if near is None:
        return None
    return near if len(near) == 4 else (near[0], near[1], near[0], near[1])


def _middle(box: Bounds) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _turned(bounds: Bounds) -> Bounds:
    return bounds[1], bounds[0], bounds[3], bounds[2]


def _scaled(bounds: Bounds, by: float) -> Bounds:
    west, south, east, north = (edge * by for edge in bounds)
    return west, south, east, north


def _code(crs: CRS) -> str:
    """The CRS as ``EPSG:N`` where it is one."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_string())


def _named(frame: gpd.GeoDataFrame, where: str) -> gpd.GeoDataFrame:
    """A frame without any place lies nowhere, in whichever system; it needs one all the same."""
    if frame.crs is None:
        raise CrsError(_unnamed(_Layer((0.0, 0.0, 0.0, 0.0), None, None, where)))
    return frame

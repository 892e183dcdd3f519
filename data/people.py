"""Rasters of people: as persons in each cell or per area, never guessed where both could be true.

A raster of people seldom says what its numbers count. Read as persons where they are persons per square kilometre, a
city is emptied or filled a hundredfold, and every number after it is wrong without looking wrong. So a unit is asked
for unless the file says it, or one reading alone gives a city.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from pyproj.exceptions import ProjError

from data import nodata as unknown_values
from data import rasters
from data.limits import CELLS
from geo.crs import WGS84, known
from geo.errors import CrsError, Fault, InputError, ParameterError, refuse
from geo.reasons import Finding, counted

PEOPLED = dataclasses.replace(CELLS, most=2_000_000, of="cells with people")
"""Each cell with people becomes a row."""
PERSONS = "people"
AREAS_M2: Mapping[str, float] = {"km2": 1e6, "ha": 1e4, "m2": 1.0}
"""Areas that people may be counted in, square metres."""
ASKED = (PERSONS, "people/km2", "people/ha")
"""Readings that are tried where no unit is given."""
UNITS = f"{', '.join(ASKED)}, people/<N>m2"
"""What a unit may be, in words."""
PEOPLE_PER_KM2 = (500.0, 60_000.0)
"""People per square kilometre, where anybody is, between which a place is a city beyond doubt."""
WIDE = 10.0
"""A reading is out of the question where it lies beyond those by this factor."""
DENSE = 4.0
"""People are said to be too many when they lie beyond those by this factor all over a raster."""
SAME = 0.01
"""Readings whose totals differ by less than this share are one."""
FOUND: Mapping[str, str] = {
    PERSONS: r"(?<![a-z])(ppp|ghs_pop|popcount|landscan)(?![a-z])|pop(ulation)?[_ ]count|number of people|"
             r"(count|number|persons?|people) per (grid ?)?(cell|pixel)",
    "people/km2": r"(?<![a-z])pd(?![a-z])|(per|/) ?(km2|km²|sq\.? ?km|square kilomet)|_km2|density",
    "people/ha": r"(per|/) ?(ha|hectare)(?![a-z])|_ha(?![a-z])",
}  # fmt: skip
"""What file names and tags of common sources say, by the unit it means: WorldPop, GHSL, LandScan, GPW."""
EARTH = Geod(ellps="WGS84")
NAMED_MAX = 5
"""So many cells are named."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """What a raster would say in a unit: everybody, and how many a square kilometre where anybody is."""

    unit: str
    people: float
    per_km2: float

    @property
    def possible(self) -> bool:
        """Whether no city could be ruled out by it."""
        return PEOPLE_PER_KM2[0] / WIDE <= self.per_km2 <= PEOPLE_PER_KM2[1] * WIDE

    @property
    def likely(self) -> bool:
        """Whether it is a city beyond doubt."""
        return PEOPLE_PER_KM2[0] <= self.per_km2 <= PEOPLE_PER_KM2[1]

    def __str__(self) -> str:
        return f"{self.people:,.0f} as {self.unit} ({self.per_km2:,.0f} a km² where anybody is)"


def read(
    path: str | Path, *, into: str, unit: str | None = None, crs: str | None = None, nodata: unknown_values.Named = None
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """A population raster (GeoTIFF or ASCII grid) as its cells in the CRS ``into``, and what is to be said of it.

    Columns ``demand_id`` (``r3c7``: row and column from 0) and ``people`` (not whole: ``geo.population.given`` counts
    them), one square a cell with people. ``unit`` is ``people`` (persons in each cell), ``people/km2``, ``people/ha``
    or ``people/<N>m2``; areas are those on the ground, whatever the projection. ``crs`` replaces what the file says,
    ``nodata`` names more values that mean not known. Cells below 0 are taken as not known, and said. Raises what
    ``rasters.opened`` raises, ParameterError (unit), LimitError and InputError (no value, or a unit must be named).
    """
    path = Path(path)
    per_m2 = None if unit is None else area_m2(unit)
    band = rasters.opened(path, crs, nodata, dtype=np.float64)
    refuse(InputError, _value_faults(band.values, str(path)))
    said = tuple(_negative(band.values))
    row, column = np.nonzero(band.values > 0)
    PEOPLED.require(len(row), str(path))
    value, cell_m2 = band.values[row, column], _cell_m2(band, row, column)
    if unit is None and len(row):
        unit, why = _chosen(_readings(value, cell_m2), _hinted(path, band.tags), str(path))
        per_m2, said = area_m2(unit), (*said, *why)
    elif unit is not None and len(row):
        said = (*said, *_doubted(_readings(value, cell_m2), value, cell_m2, unit))
    people = value if per_m2 is None else value * cell_m2 / per_m2
    ids = pd.Series([f"r{r}c{k}" for r, k in zip(row, column, strict=True)], dtype=object)
    cells = gpd.GeoDataFrame({"demand_id": ids, "people": people}, geometry=_squares(band, row, column), crs=band.crs)
    return cells.to_crs(into), (*said, _read(unit or PERSONS, people, cell_m2))


def area_m2(unit: str) -> float | None:
    """The area in square metres that a unit counts people in; None for persons in each cell. Else ParameterError."""
    text = unit.strip().lower().replace("²", "2").replace(" ", "")
    if text == PERSONS:
        return None
    found = re.fullmatch(r"people/(\d+(?:\.\d+)?|)(km2|ha|m2)", text)
    number = float(found[1] or 1) if found else 0.0
    if found is None or number <= 0:
        cure = "Give --unit people for persons in each cell, people/km2, people/ha or, for example, people/1000m2."
        raise ParameterError(Fault(f"a unit of {UNITS}", repr(unit), "population", cure))
    return number * AREAS_M2[found[2]]


def _value_faults(values: Floats, where: str) -> Iterator[Fault]:
    """No value at all, and values that look like undeclared nodata above all others; below 0 is told elsewhere."""
    there = values[~np.isnan(values)]
    if not len(there):
        yield Fault("people", "no cell with a value", where, "Check its nodata value.")
        return
    for value, cells in unknown_values.suspects(there[there >= 0].astype(np.float32)):
        named = unknown_values.said(value)
        cure = f"Give --nodata {named} if it means not known; people are never so many."
        yield Fault("a declared nodata value", f"{named} in {counted(cells, 'cell')}, undeclared", where, cure)


def _negative(values: Floats) -> Iterator[Finding]:
    """Cells below 0, named: nobody knows how many people they stand for, so they are not known."""
    row, column = np.nonzero(values < 0)
    if not len(row):
        return
    first = list(zip(row[:NAMED_MAX], column[:NAMED_MAX], strict=True))
    more = len(row) - len(first)
    en = "; ".join(f"row {r + 1}, column {c + 1}: {values[r, c]:,.6g}" for r, c in first)
    zh = "；".join(f"第{r + 1}行第{c + 1}列：{values[r, c]:,.6g}" for r, c in first)
    yield Finding(
        "people_below_zero",
        f"{len(row):,} cells hold fewer than 0 people, which cannot be; they are taken as not known ({en}"
        f"{f'; {more:,} more' if more else ''}).",
        f"{len(row):,}个单元的人口小于0，不可能，按未知处理（{zh}{f'；另有{more:,}个' if more else ''}）。",
        severity="warning", count=len(row), rows=tuple(int(r) + 1 for r, _ in first),
        column=f"column {first[0][1] + 1}", value=f"{values[first[0]]:.6g}",
        do_en="If one value stands for not known, name it with --nodata N.",
        do_zh="若某个值表示未知，请用--nodata N指明。",
    )  # fmt: skip


def _readings(value: Floats, cell_m2: Floats) -> list[Reading]:
    """What the raster would say in each of ``ASKED``, those alike once."""
    found: list[Reading] = []
    for unit in ASKED:
        per_m2 = area_m2(unit)
        people = float((value if per_m2 is None else value * cell_m2 / per_m2).sum())
        if not any(abs(other.people - people) <= SAME * other.people for other in found):
            found.append(Reading(unit, people, people / float(cell_m2.sum()) * AREAS_M2["km2"]))
    return found


def _doubted(readings: list[Reading], value: Floats, cell_m2: Floats, unit: str) -> Iterator[Finding]:
    """A unit that was said and gives what no city is, with what the others would give."""
    per_m2 = area_m2(unit)
    people = float((value if per_m2 is None else value * cell_m2 / per_m2).sum())
    said = Reading(unit, people, people / float(cell_m2.sum()) * AREAS_M2["km2"])
    thin = said.per_km2 < PEOPLE_PER_KM2[0] / WIDE and any(other.likely for other in readings)
    if not thin and said.per_km2 <= PEOPLE_PER_KM2[1] * DENSE:
        return
    others = "; ".join(str(other) for other in readings if abs(other.people - people) > SAME * people)
    yield Finding(
        "people_density_impossible",
        f"The raster read as said gives {said}, which no city has; else {others}.",
        f"按所给单位读取人口栅格得{said}，与任何城市都不符；其他理解：{others}。", "warning", value=unit,
        do_en="Look up in which unit the source counts, and say it with --unit.",
        do_zh="请查明数据来源的计数单位，并用--unit注明。",
    )  # fmt: skip


def _hinted(path: Path, tags: Mapping[str, str]) -> str | None:
    """The unit that the file's name and its tags agree on; None where they say nothing, or two things."""
    text = " ".join([path.stem, *tags, *tags.values()]).lower()
    found = [unit for unit, words in FOUND.items() if re.search(words, text)]
    return found[0] if len(found) == 1 else None


def _chosen(readings: list[Reading], hint: str | None, where: str) -> tuple[str, tuple[Finding, ...]]:
    """The unit that the file says or that alone gives a city, and why; InputError with every total where none is."""
    told = [reading for reading in readings if reading.unit == hint and reading.possible]
    alone = [reading for reading in readings if reading.possible]
    for found, en, zh in ((told, "as its name or tags say", "依据文件名或标签"),
                          (alone, "no other reading gives a city", "其他理解方式均不可能")):  # fmt: skip
        if len(found) == 1 and (found is told or found[0].likely):
            return found[0].unit, (_taken(found[0], readings, en, zh),)
    listed = "; ".join(map(str, readings))
    cure = ("Say which with --unit people (persons in each cell), people/km2, people/ha, or people/<N>m2 "
            "(persons in each N square metres).")  # fmt: skip
    raise InputError(Fault("a unit of the raster of people", f"numbers that may be people: {listed}", where, cure))


def _taken(reading: Reading, readings: list[Reading], en: str, zh: str) -> Finding:
    others = "; ".join(str(other) for other in readings if other is not reading)
    return Finding(
        "people_unit_taken",
        f"The raster does not say in which unit it counts; it is read as {reading.unit}, {en} (else {others}).",
        f"人口栅格未注明单位，按{reading.unit}读取，{zh}（否则：{others}）。",
        severity="warning", value=reading.unit, do_en=f"Say it with --unit ({UNITS}).",
        do_zh=f"请用--unit注明（{UNITS}）。",
    )  # fmt: skip


def _read(unit: str, people: Floats, cell_m2: Floats) -> Finding:
    total, km2 = float(people.sum()), float(cell_m2.sum()) / AREAS_M2["km2"]
    dense = f"{total / km2:,.0f}" if km2 else "0"
    return Finding(
        "people_read",
        f"The population raster is read as {unit}: {total:,.0f} people in {len(people):,} cells, {dense} a km² there.",
        f"人口栅格按{unit}读取：{len(people):,}格共{total:,.0f}人，格内每平方公里{dense}人。",
        count=len(people), value=unit,
    )  # fmt: skip


def _corners(band: rasters.Opened, row: Ints, column: Ints) -> tuple[Floats, Floats]:
    """x and y of the four corners of cells, (cells, 4), in the raster's CRS."""
    a, b, c, d, e, f = band.transform
    k, r = column[:, None] + np.array([0, 1, 1, 0]), row[:, None] + np.array([0, 0, 1, 1])
    return a * k + b * r + c, d * k + e * r + f


def _squares(band: rasters.Opened, row: Ints, column: Ints) -> NDArray[np.object_]:
    x, y = _corners(band, row, column)
    ring = np.stack([x, y], axis=-1)
    return np.asarray(shapely.polygons(ring), dtype=object)


def _cell_m2(band: rasters.Opened, row: Ints, column: Ints) -> Floats:
    """The area of cells on the ground, square metres, (cells,): on the ellipsoid, whatever the projection.

    The corners in a projection that keeps areas (longitude, and the area up to each parallel) make polygons: exact for
    cells of degrees, and to a millionth for cells of metres up to some kilometres.
    """
    x, y = _corners(band, row, column)
    crs = known(band.crs, where="population")
    try:
        lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(x, y)
    except ProjError as error:
        cure = "Name the coordinate system with --crs EPSG:N."
        raise CrsError(Fault("a coordinate system with a place on earth", band.crs[:80], "population", cure)) from error
    east = np.radians((lon - lon[:, :1] + 180) % 360 - 180)
    north = _up_to_parallel(np.radians(lat)) - _up_to_parallel(np.radians(lat[:, :1]))
    return np.asarray(np.abs((east * np.roll(north, -1, axis=1) - np.roll(east, -1, axis=1) * north).sum(axis=1)) / 2)


def _up_to_parallel(latitude: Floats) -> Floats:
    """The area between the equator and a parallel (radians) for each radian of longitude on WGS 84, square metres."""
    e, sine = float(np.sqrt(EARTH.es)), np.sin(latitude)
    return np.asarray(EARTH.b**2 / 2 * (sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e))

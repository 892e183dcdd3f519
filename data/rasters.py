"""Rasters of hazards, people and heights: read once, with the unknown kept apart from nothing.

A raster's own nodata value and mask become NaN. Values that look like an undeclared nodata value (-9999, 999, 255 far
above all others), negative depths and depths no flood has are refused until someone says what they mean: read as water
they would drown a city, read as dry they would hide that nobody measured. A raster of classes is read by what each
class stands for; a class that nobody explained is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from data import vectors
from data.hazards import KINDS, Kind
from geo.crs import known
from geo.errors import (
    CrsError,
    Fault,
    FileMissingError,
    InputError,
    LimitError,
    ParameterError,
    UnreadableError,
    refuse,
)
from geo.hazards import Grid
from geo.reasons import Sentence

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How a GeoTIFF begins: little or big end first, classic or big."""
ASCII_GRID = b"ncols"
SRTM, SRTM_ENDING, ZIP = "SRTMHGT", ".hgt", b"PK\x03\x04"
CELLS_MAX = 200_000_000
PEOPLED_CELLS_MAX = 2_000_000
NOISE = 0.001
"""A negative depth (m) or velocity (m/s) up to this is a model's rounding and counts as 0."""
HEIGHTS_M = (-500.0, 9000.0)
"""Lowest and highest ground on earth, with room to spare, metres above the sea."""
USUAL_NODATA = (-9999.0, -999.0, -99.0, -32768.0, -1.0, 255.0, 999.0, 9999.0, 32767.0, 65535.0, 99999.0)
FAR_ABOVE = 2.0
"""A usual nodata value is suspicious when it is this many times the largest other value."""
CLASSES_MAX = 6
"""Up to so many different whole numbers look like classes."""
FILM_M, FILM_SHARE = 0.01, 0.25
"""Water shallower than this, metres, in more than this share of the wet cells is said: rain that runs off."""
NAMED_MAX = 12
"""So many values of a raster are named where their meaning is asked for."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def read(
    path: str | Path, *, unit: str, kind: str = "flood", crs: str | None = None, nodata: float | None = None,
    classes: Mapping[str, float] | None = None,
) -> tuple[Grid, tuple[Sentence, ...]]:  # fmt: skip
    """A hazard raster (GeoTIFF or ASCII grid, one band) as a Grid in its own CRS, and what to say of it.

    ``kind`` is one of ``data.hazards.KINDS``; the Grid is in that kind's unit (depths in metres). ``unit`` is that of
    the file. ``crs`` replaces what the file says; ``nodata`` names a value, in the file's unit, that means not known,
    beside what the file declares. ``classes`` says what the file's values stand for, in ``unit``: ``{"1": 2.0, "4":
    0}``; then each value must be one of them. Raises FileMissingError, UnreadableError, LimitError (more than
    ``CELLS_MAX`` cells), CrsError, ParameterError (unit) and InputError (values as above).
    """
    path, of = Path(path), KINDS[kind]
    if unit not in of.units:
        raise ParameterError(Fault(f"a unit of {', '.join(of.units)}", repr(unit), str(path), "Give --unit."))
    values, whole, transform, found_crs = _opened(path, crs, nodata)
    if classes:
        values, whole = _explained(values, classes, str(path)), False
    refuse(InputError, _value_faults(values, of, of.units[unit], str(path), explained=bool(classes)))
    values *= np.float32(of.units[unit])
    notes = tuple(_notes(values, of, whole=whole, metres=of.units[unit], explained=bool(classes)))
    np.maximum(values, 0, out=values)
    return Grid(values, transform, found_crs), notes


def _explained(values: Floats, classes: Mapping[str, float], where: str) -> Floats:
    """Each value replaced by what it stands for; InputError names the values that nobody explained."""
    meaning = {np.float32(value): stands_for for value, stands_for in classes.items()}
    found = np.unique(values[~np.isnan(values)])
    lacking = [value for value in found if value not in meaning]
    if lacking:
        named = ", ".join(f"{value:g}" for value in found[:NAMED_MAX]) + (" …" if len(found) > NAMED_MAX else "")
        cure = f"Add --map {lacking[0]:g}=VALUE, or --nodata {lacking[0]:g} if it means not known."
        expected = f"values that --map explains ({', '.join(f'{value:g}' for value in meaning)})"
        raise InputError(Fault(expected, f"{named}", where, cure))
    result = np.full(values.shape, np.nan, dtype=np.float32)
    for value in found:
        result[values == value] = meaning[value]
    return result


def heights(
    path: str | Path, *, crs: str | None = None, nodata: float | None = None
) -> tuple[Grid, tuple[Sentence, ...]]:
    """Heights of the ground in metres (GeoTIFF, ASCII grid, or an SRTM tile .hgt, also in a zip), in the file's CRS.

    A .hgt says by its name (``N42E001.hgt``) where it lies. Raises what ``read`` raises; InputError for heights that no
    ground has, which are undeclared nodata values or feet.
    """
    path = Path(path)
    values, _, transform, found_crs = _opened(path, crs, nodata)
    refuse(InputError, _height_faults(values, str(path)))
    unknown = float(np.isnan(values).mean())
    said = Sentence("elevation_unknown", f"{unknown:.0%} of the elevation raster are not known.",
                    f"高程栅格有{unknown:.0%}无数据。")  # fmt: skip
    return Grid(values, transform, found_crs), (said,) if unknown else ()


def _height_faults(values: Floats, where: str) -> Iterator[Fault]:
    low, high = HEIGHTS_M
    if np.isnan(values).all():
        yield Fault("heights", "no cell with a value", where, "Check its nodata value.")
    wrong = values[(values < low) | (values > high)]
    if len(wrong):
        found = f"{len(wrong):,} cells beyond, from {wrong.min():g} to {wrong.max():g}"
        cure = "Give --nodata N if it means not known."
        yield Fault(f"heights in metres from {low:g} to {high:g}", found, where, cure)


def _opened(path: Path, crs: str | None, nodata: float | None) -> tuple[Floats, bool, Any, str]:
    """Values with NaN for unknown, whether the file holds whole numbers, transform, and CRS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below, with what to do
        try:
            name, driver = _source(path)
            with rasterio.open(name, driver=driver) as source:
                _check(source, path)
                named = _crs(source, crs, path)
                values = _values(source, nodata)
                whole = np.issubdtype(np.dtype(source.dtypes[0]), np.integer) and tuple(source.scales) == (1.0,)
                return values, bool(whole), tuple(source.transform)[:6], named
        except RasterioError as error:
            cure = "Export it again as GeoTIFF; it may be cut off."
            raise UnreadableError(Fault("a whole GeoTIFF or ASCII grid", f"“{error}”", str(path), cure)) from error


def people(
    path: str | Path, *, into: str, crs: str | None = None, nodata: float | None = None
) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:
    """A population raster (persons in each cell) as points at the cells' middles in the CRS ``into``.

    Columns ``demand_id`` (``r3c7``: row and column from 0) and ``people`` (not whole: ``geo.population.given`` counts
    them). Cells without people or without a value have no row. Raises what ``read`` raises; cells below 0 are refused.
    """
    path = Path(path)
    values, _, transform, found_crs = _opened(path, crs, nodata)
    refuse(InputError, _people_faults(values, str(path)))
    row, column = np.nonzero(values > 0)
    a, b, c, d, e, f = transform
    x = a * (column + 0.5) + b * (row + 0.5) + c
    y = d * (column + 0.5) + e * (row + 0.5) + f
    ids = pd.Series([f"r{r}c{k}" for r, k in zip(row, column, strict=True)], dtype=object)
    count = values[row, column].astype(np.float64)
    table = gpd.GeoDataFrame({"demand_id": ids, "people": count}, geometry=shapely.points(x, y), crs=found_crs)
    total = f"{count.sum():,.0f}"
    said = Sentence("people_per_cell", f"The population raster is read as persons in each cell: {total} in all.",
                    f"人口栅格按每格人数读取，合计{total}人。")  # fmt: skip
    return table.to_crs(into), (said,)


def _people_faults(values: Floats, where: str) -> Iterator[Fault]:
    below = int((values < 0).sum())
    if below:
        found = f"{below:,} cells below, down to {np.nanmin(values):g}"
        yield Fault("0 people or more in each cell", found, where, "Give --nodata N if it means not known.")
    if (cells := int((values > 0).sum())) > PEOPLED_CELLS_MAX:
        cure = "Cut it to the study, or make its cells larger."
        yield Fault(f"at most {PEOPLED_CELLS_MAX:,} cells with people", f"{cells:,}", where, cure)


def _source(path: Path) -> tuple[str, str]:
    """The raster as GDAL names it, and the one driver that may open it, chosen by its first bytes."""
    if not path.is_file():
        raise FileMissingError(Fault("a raster file", "none there", str(path), "Check the path."))
    with path.open("rb") as stream:
        start = stream.read(64)
    if start.startswith(TIFF):
        return str(path), "GTiff"
    if start.lstrip().lower().startswith(ASCII_GRID):
        return str(path), "AAIGrid"
    if path.suffix.lower() == SRTM_ENDING:
        return str(path), SRTM
    if start.startswith(ZIP):
        return vectors.in_zip(path, (SRTM_ENDING,)), SRTM
    cure = "A hazard is a raster: export it as GeoTIFF. Outlines of hazards cannot be read yet."
    found = f"something else, beginning {start[:12]!r}" if start else vectors.EMPTY
    raise UnreadableError(Fault("a GeoTIFF or ASCII grid", found, str(path), cure))


def _check(source: rasterio.DatasetReader, path: Path) -> None:
    """Refuse before anything is read: more than one band, too many cells, complex numbers, no place on earth."""
    cells = source.width * source.height
    if cells > CELLS_MAX:
        cure = "Cut it to the study, or make its cells larger."
        raise LimitError(Fault(f"at most {CELLS_MAX:,} cells", f"{cells:,}", str(path), cure))
    faults = []
    if source.count != 1:
        faults.append(Fault("one band of values", f"{source.count} bands", str(path), "Save the band alone."))
    if np.issubdtype(np.dtype(source.dtypes[0]), np.complexfloating):
        faults.append(Fault("numbers", "complex numbers", str(path)))
    if source.transform.is_identity:
        cure = "Give a GeoTIFF that says where it lies (a .tfw file beside it will do)."
        faults.append(Fault("a raster with a place on earth", "none: rows and columns only", str(path), cure))
    refuse(UnreadableError, faults)


def _crs(source: rasterio.DatasetReader, given: str | None, path: Path) -> str:
    """The CRS given, else the file's, as ``EPSG:N`` where it has a number."""
    if given is not None:
        return str(known(given, where=str(path)).to_string())
    if source.crs is None:
        cure = "Name it with --crs EPSG:N."
        raise CrsError(Fault("a coordinate system", "none in the file", str(path), cure))
    code = source.crs.to_epsg()
    return f"EPSG:{code}" if code else str(known(source.crs.to_wkt(), where=str(path)).to_string())


def _values(source: rasterio.DatasetReader, nodata: float | None) -> Floats:
    raw = source.read(1)
    unknown = source.read_masks(1) == 0
    if nodata is not None:
        unknown |= raw == np.array(nodata).astype(np.float64)
    values = raw.astype(np.float32)
    unknown |= ~np.isfinite(values)
    if source.scales[0] != 1 or source.offsets[0] != 0:
        values = (values * source.scales[0] + source.offsets[0]).astype(np.float32)
    values[unknown] = np.nan
    return np.asarray(values, dtype=np.float32)


def _value_faults(values: Floats, of: Kind, factor: float, where: str, *, explained: bool) -> Iterator[Fault]:
    """What cannot be; ``values`` in the file's unit, each ``factor`` of the kind's. Values a person explained are."""
    known_ = values[~np.isnan(values)]
    if not len(known_):
        yield Fault(of.noun, "no cell with a value", where, "Check its nodata value.")
        return
    cure = "Give --nodata N if it means not known, or the right --unit."
    suspects = [] if explained else [n for n in USUAL_NODATA if _stands_apart(known_, n)]
    for suspect in suspects:
        cells = int((known_ == np.float32(suspect)).sum())
        yield Fault("a declared nodata value", f"{suspect:g} in {cells:,} cells, undeclared", where, cure)
    rest = known_[~np.isin(known_, np.array(suspects, dtype=np.float32))] if suspects else known_
    below, above = rest[rest * factor < -NOISE], rest[rest * factor > of.most]
    if len(below):
        yield Fault(f"{of.noun} of 0 and more", f"{len(below):,} cells below, down to {below.min():g}", where, cure)
    if len(above):
        limit = f"{of.noun} up to {of.most / factor:g}"
        if of.unit == "level":
            cure = "Say what each value stands for: --map VALUE=LEVEL (0 none, 5 worst)."
        yield Fault(limit, f"{len(above):,} cells above, up to {above.max():g}", where, cure)


def _stands_apart(values: Floats, suspect: float) -> bool:
    """Whether a usual nodata value occurs and lies beyond all other values: below 0, or far above the largest."""
    here = values == np.float32(suspect)
    if not here.any():
        return False
    others = values[~here]
    return suspect < 0 or not len(others) or suspect > FAR_ABOVE * max(float(others.max()), 1.0)


def _notes(values: Floats, of: Kind, *, whole: bool, metres: float, explained: bool) -> Iterator[Sentence]:
    """What a reader of the plan must know of this raster; ``values`` in the kind's unit, NaN unknown."""
    unknown = np.isnan(values)
    if whole and (of.unit, metres) == ("m", 1):
        yield Sentence("raster_whole_metres", "The hazard raster holds whole metres: depths under 1 m are not told.",
                       "灾害栅格以整米记录，1米以下的水深无法分辨。")  # fmt: skip
    if whole and of.unit != "level" and len(np.unique(values[~unknown])) <= CLASSES_MAX:
        yield Sentence("raster_classes", "The hazard raster holds few different whole numbers: they may be classes; "
                       "then say what each stands for (--map VALUE=DEPTH).",
                       "灾害栅格只有少数整数值，可能是等级而不是水深；若是等级，请用--map说明。")  # fmt: skip
    if of.unit == "level" and not explained:
        yield Sentence("raster_levels", "The hazard raster is read as levels from 0 (none) to 5 (worst); if its "
                       "classes run otherwise, say what each stands for (--map VALUE=LEVEL).",
                       "灾害栅格按0（无）至5（最重）级读取；若等级方向相反，请用--map说明。")  # fmt: skip
    wet = values[values > 0]
    film = float((wet < FILM_M).mean()) if len(wet) else 0.0
    if of.unit == "m" and film > FILM_SHARE:
        yield Sentence("raster_film", f"{film:.0%} of the cells with water hold less than 1 cm; "
                       "exposure.affected_above sets from which depth on ground counts as wet.",
                       f"有水单元中{film:.0%}的水深不足1厘米；"
                       "可用exposure.affected_above设定起算水深。")  # fmt: skip
    if of.unit == "m" and not explained and not unknown.any():
        yield Sentence("raster_all_known", "The hazard raster declares no unknown cells: within it, 0 counts as dry.",
                       "灾害栅格未标明无数据单元，其范围内0视为无水。")  # fmt: skip
    if not (values[~unknown] > 0).any():
        yield Sentence("raster_all_dry", "The hazard raster has no cell above 0: nothing is affected.",
                       "灾害栅格没有大于0的单元，无任何影响。")  # fmt: skip

"""Rasters of hazards and heights: read once, with the unknown kept apart from nothing.

A raster's own nodata value and mask become NaN. What looks like an undeclared nodata value, negative depths and depths
no flood has are refused until someone says what they mean (``data.nodata``), and classes until someone says what each
stands for (``data.classes``).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import DTypeLike, NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from data import asciigrids, geopackages, signatures
from data import classes as classed
from data import nodata as unknown_values
from data.archives import in_zip
from data.forms import EMPTY, broken
from data.hazards import KINDS, Kind, require_unit
from data.limits import CELLS
from data.nodata import Named
from geo.crs import known
from geo.errors import CrsError, Fault, FileMissingError, InputError, UnreadableError, refuse
from geo.hazards import Grid
from geo.reasons import Finding, counted

SRTM, SRTM_ENDING = "SRTMHGT", ".hgt"
ONE_VARIABLE = "Save the one variable and time that matters as GeoTIFF (QGIS: Export, Save as)."
FOREIGN: Mapping[bytes, tuple[str, str]] = {
    signatures.VRT: ("a VRT, which names other files", "Give the rasters themselves: gdal_translate in.vrt out.tif."),
    signatures.NETCDF: ("netCDF", ONE_VARIABLE),
    signatures.HDF: ("HDF5 or netCDF 4", ONE_VARIABLE),
    signatures.GRIB: ("GRIB", "Save the one field and time that matters as GeoTIFF."),
    signatures.PNG: ("a picture (PNG)", "A picture has colours, not values: bring the raster it was drawn from."),
    signatures.JPEG: ("a picture (JPEG)", "A picture has colours, not values: bring the raster it was drawn from."),
    signatures.PDF: ("a printed map (PDF)", "A print has no values: ask for the raster it was drawn from."),
    signatures.IMAGINE: ("an ERDAS IMAGINE file", "Export it as GeoTIFF."),
    signatures.SQLITE: ("a GeoPackage with a raster", "Export the raster as GeoTIFF: gdal_translate in.gpkg out.tif."),
}
"""How rasters begin that are not read, what each is, and what to do with it."""
ALONE: Mapping[str, str] = {"GDAL_PAM_ENABLED": "NO"}
"""GDAL's .aux.xml beside a raster is not read: a study does not keep it, so a run would not have what it says."""
HEIGHTS_M = (-500.0, 9000.0)
"""Lowest and highest ground on earth, with room to spare, metres above the sea."""
FILM_M, FILM_SHARE = 0.01, 0.25
"""Water shallower than this, metres, in more than this share of the wet cells is said: rain that runs off."""
COARSE_M = 100.0
"""Cells wider than this, metres, take in whole blocks of houses with the streets between them."""
DEGREE_M = 111_320.0
"""Metres of a degree of latitude."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def read(
    path: str | Path, *, unit: str, kind: str = "flood", crs: str | None = None, nodata: Named = None,
    classes: Mapping[str, float] | None = None,
) -> tuple[Grid, tuple[Finding, ...]]:  # fmt: skip
    """A hazard raster (GeoTIFF or ASCII grid, one band) as a Grid in its own CRS, and what to say of it.

    ``kind`` is one of ``data.hazards.KINDS``; the Grid is in that kind's unit (depths in metres). ``unit`` is that of
    the file. ``crs`` replaces what the file says; ``nodata`` names values, in the file's unit, that mean not known,
    beside what the file declares. ``classes`` says what the file's values stand for, in ``unit``: ``{"1": 2.0, "4":
    0}``; then each value must be one of them. Raises FileMissingError, UnreadableError, LimitError (more than
    ``limits.CELLS``), CrsError, ParameterError (unit) and InputError (values that cannot be, or may mean something
    else).
    """
    where, of = str(path), KINDS[kind]
    factor = require_unit(kind, unit, where=where)
    band = opened(path, crs, nodata)
    values = classed.explained(band.values, classes, where) if classes else band.values
    if not classes:
        refuse(InputError, _class_faults(band, kind, where))
    if not classes:
        refuse(InputError, unknown_values.scaled_faults(values, band.scale, where))
    refuse(InputError, unknown_values.faults(values, of, factor, where, explained=bool(classes)))
    values *= np.float32(factor)
    said = tuple(_findings(values, of, band, factor=factor, explained=bool(classes)))
    np.maximum(values, 0, out=values)
    return Grid(values, band.transform, band.crs), said


def _class_faults(band: Opened, kind: str, where: str) -> Iterator[Fault]:
    """What must be explained before it can be read: classes with a palette, and levels that may run either way."""
    found = classed.few_whole(band.values)
    if band.palette and (KINDS[kind].unit != "level" or not found):
        yield classed.picture_fault(found, kind, where)
    elif not any(value < 0 or value > KINDS[kind].most for value, _ in found):
        yield from classed.order_faults(found, kind, where)


def heights(path: str | Path, *, crs: str | None = None, nodata: Named = None) -> tuple[Grid, tuple[Finding, ...]]:
    """Heights of the ground in metres (GeoTIFF, ASCII grid, or an SRTM tile .hgt, also in a zip), in the file's CRS.

    A .hgt says by its name (``N42E001.hgt``) where it lies. Raises what ``read`` raises; InputError for heights that no
    ground has, which are undeclared nodata values or feet.
    """
    path = Path(path)
    band = opened(path, crs, nodata)
    values = band.values
    refuse(InputError, _height_faults(values, str(path)))
    unknown = int(np.isnan(values).sum())
    share = unknown / values.size
    said = Finding("elevation_unknown", f"{share:.0%} of the elevation raster are not known.",
                   f"高程栅格有{share:.0%}无数据。", count=unknown)  # fmt: skip
    return Grid(values, band.transform, band.crs), (said,) if unknown else ()


def _height_faults(values: Floats, where: str) -> Iterator[Fault]:
    low, high = HEIGHTS_M
    if np.isnan(values).all():
        yield Fault("heights", "no cell with a value", where, "Check its nodata value.")
    wrong = values[(values < low) | (values > high)]
    if len(wrong):
        found = f"{counted(len(wrong), 'cell')} beyond, from {wrong.min():g} to {wrong.max():g}"
        cure = "Give --nodata N if it means not known."
        yield Fault(f"heights in metres from {low:g} to {high:g}", found, where, cure)


@dataclass(frozen=True, eq=False)
class Opened:
    """One band of a raster file as it is, before anybody says what its values mean.

    ``values`` (rows, columns) has NaN where not known; ``whole`` is True where the file holds whole numbers;
    ``transform`` is GDAL's (a, b, c, d, e, f) in ``crs``; ``tags`` are the texts the file and its band carry;
    ``palette``: whether each value has a colour; ``scale``: what the file's numbers were multiplied by, and what added.
    """

    values: NDArray[Any]
    whole: bool
    transform: tuple[float, float, float, float, float, float]
    crs: str
    tags: Mapping[str, str]
    palette: bool = False
    scale: tuple[float, float] = (1.0, 0.0)

    def __repr__(self) -> str:
        rows, columns = self.values.shape
        return f"Opened({rows} × {columns} cells, {self.crs})"


def opened(path: str | Path, crs: str | None = None, nodata: Named = None, *, dtype: DTypeLike = np.float32) -> Opened:
    """The band of a GeoTIFF, ASCII grid or SRTM tile; ``crs`` replaces the file's, ``nodata`` names more values.

    ``dtype`` is that of the values: float64 where they are added up. Raises FileMissingError, UnreadableError (not one
    band of numbers with a place on earth), LimitError (more than ``limits.CELLS`` cells) and CrsError.
    """
    path = Path(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below, with what to do
        try:
            name, driver = _source(path)
            with rasterio.Env(**ALONE), rasterio.open(name, driver=driver, **_options(driver, dtype)) as source:
                _check(source, path)
                return _band(source, _crs(source, crs, path), nodata, dtype)
        except RasterioError as error:
            cure = "Export it again as GeoTIFF; it may be cut off."
            raise UnreadableError(Fault("a whole GeoTIFF or ASCII grid", broken(error), str(path), cure)) from error


def _options(driver: str, dtype: DTypeLike) -> dict[str, str]:
    """An ASCII grid is never read as whole numbers: GDAL would take ``nan`` among them for 0."""
    wide = np.dtype(dtype) == np.float64
    return {"DATATYPE": "Float64" if wide else "Float32"} if driver == "AAIGrid" else {}


def _band(source: rasterio.DatasetReader, crs: str, nodata: Named, dtype: DTypeLike) -> Opened:
    scale = float(source.scales[0]), float(source.offsets[0])
    values = _values(source, nodata, scale, dtype)
    whole = scale == (1.0, 0.0) and _is_whole(source, values)
    tags = {str(key): str(value) for key, value in {**source.tags(), **source.tags(1)}.items()}
    palette = source.colorinterp[0] == ColorInterp.palette
    return Opened(values, whole, tuple(source.transform)[:6], crs, tags, palette, scale)


def _is_whole(source: rasterio.DatasetReader, values: NDArray[Any]) -> bool:
    """Whether the file holds whole numbers: by its type, and an ASCII grid, which has none, by what stands in it."""
    if source.driver == "AAIGrid":
        known_ = values[~np.isnan(values)]
        return bool(np.array_equal(known_, np.rint(known_)))
    return bool(np.issubdtype(np.dtype(source.dtypes[0]), np.integer))


def is_raster(path: Path) -> bool:
    """Whether a hazard's file is one for ``read`` (a raster, or a picture to be refused), not outlines."""
    start = _start(path)
    if start.startswith(signatures.SQLITE):
        return not _has_features(path)
    return (
        start.startswith((*signatures.TIFF, *FOREIGN)) or asciigrids.begins(start) or path.suffix.lower() == SRTM_ENDING
    )


def _has_features(path: Path) -> bool:
    """Whether a GeoPackage holds a table of features; what is no GeoPackage is left to the reader of tables."""
    try:
        kinds = geopackages.contents(path, where=str(path))
    except UnreadableError:
        return True
    return "features" in kinds or not kinds


def _start(path: Path) -> bytes:
    if not path.is_file():
        raise FileMissingError(Fault("a raster file", "none there", str(path), "Check the path."))
    try:
        with path.open("rb") as stream:
            return stream.read(64)
    except OSError as error:
        found = error.strerror or "one that cannot be read"
        raise UnreadableError(Fault("a raster file", found, str(path), "Check the path.")) from error


def _source(path: Path) -> tuple[str, str]:
    """The raster as GDAL names it, and the one driver that may open it, chosen by its first bytes."""
    start = _start(path)
    if start.startswith(signatures.TIFF):
        return str(path), "GTiff"
    if asciigrids.begins(start):
        asciigrids.require_whole(path)
        return str(path), "AAIGrid"
    if path.suffix.lower() == SRTM_ENDING:
        return str(path), SRTM
    if start.startswith(signatures.ZIP):
        return in_zip(path, (SRTM_ENDING,)), SRTM
    found, cure = next(
        (said for magic, said in FOREIGN.items() if start.startswith(magic)),
        (f"something else, beginning {start[:12]!r}" if start else EMPTY, "Export it as GeoTIFF."),
    )
    raise UnreadableError(Fault("a GeoTIFF or ASCII grid", found, str(path), cure))


def _check(source: rasterio.DatasetReader, path: Path) -> None:
    """Refuse before anything is read: more than one band, too many cells, complex numbers, no place on earth."""
    CELLS.require(source.width * source.height, str(path))
    faults = []
    if source.count != 1:
        faults += _band_faults(source, path)
    if np.issubdtype(np.dtype(source.dtypes[0]), np.complexfloating):
        faults.append(Fault("numbers", "complex numbers", str(path)))
    if source.transform.is_identity:
        cure = "Give a GeoTIFF that says where it lies (a .tfw file beside it will do)."
        faults.append(Fault("a raster with a place on earth", "none: rows and columns only", str(path), cure))
    refuse(UnreadableError, faults)


def _band_faults(source: rasterio.DatasetReader, path: Path) -> list[Fault]:
    """More than one band: colours, or several results in one file. A second band that only says where is none."""
    looks = source.colorinterp
    if source.count == 2 and looks[1] == ColorInterp.alpha:
        return []
    if {ColorInterp.red, ColorInterp.green, ColorInterp.blue} <= set(looks):
        cure = "Bring the raster that the picture was drawn from."
        return [Fault("one band of values", "a picture of a map in colours, not values", str(path), cure)]
    names = ", ".join(name for name in source.descriptions if name)
    found = f"{source.count} bands" + (f" ({names})" if names else "")
    cure = "Save the one that is meant alone: gdal_translate -b N in.tif out.tif. Frames in time are layers each."
    return [Fault("one band of values", found, str(path), cure)]


def _crs(source: rasterio.DatasetReader, given: str | None, path: Path) -> str:
    """The CRS given, else the file's, as ``EPSG:N`` where it has a number."""
    if given is not None:
        return str(known(given, where=str(path)).to_string())
    if source.crs is None:
        cure = "Name it with --crs EPSG:N."
        raise CrsError(Fault("a coordinate system", "none in the file", str(path), cure))
    code = source.crs.to_epsg()
    return f"EPSG:{code}" if code else str(known(source.crs.to_wkt(), where=str(path)).to_string())


def _values(
    source: rasterio.DatasetReader, nodata: Named, scale: tuple[float, float], dtype: DTypeLike
) -> NDArray[Any]:
    raw = source.read(1)
    unknown = source.read_masks(1) == 0
    for value in unknown_values.each(nodata):
        unknown |= unknown_values.meant(raw, value)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large for the type is not known
        values = raw.astype(dtype, copy=False)
    unknown |= ~np.isfinite(values)
    if scale != (1.0, 0.0):
        values = (values * scale[0] + scale[1]).astype(dtype)
    values[unknown] = np.nan
    return np.asarray(values, dtype=dtype)


def _findings(values: Floats, of: Kind, band: Opened, *, factor: float, explained: bool) -> Iterator[Finding]:
    """What a reader of the plan must know of this raster; ``values`` in the kind's unit, NaN not known."""
    if band.scale != (1.0, 0.0):
        times, plus = (f"{number:g}" for number in band.scale)
        yield Finding("raster_scaled", f"The file says that its numbers are to be multiplied by {times}, and {plus} "
                      "added: that was done.", f"按文件说明，数值已乘以{times}并加{plus}。",
                      count=values.size)  # fmt: skip
    if not explained:
        yield from _precision(values, of, whole=band.whole, factor=factor)
    yield from _film(values, of)
    yield from unknown_values.findings(values, of)
    unknown = np.isnan(values)
    if of.unit == "m" and not explained and not unknown.any():
        yield Finding("raster_all_known", "The hazard raster declares no unknown cells: within it, 0 counts as dry.",
                      "灾害栅格未标明无数据单元，其范围内0视为无水。")  # fmt: skip
    if not (values[~unknown] > 0).any() and of.worse == "more":
        yield Finding("raster_all_dry", "The hazard raster has no cell above 0: nothing is affected.",
                      "灾害栅格没有大于0的单元，无任何影响。", "warning")  # fmt: skip
    yield from _coarse(band)


def _precision(values: Floats, of: Kind, *, whole: bool, factor: float) -> Iterator[Finding]:
    """Whole metres, whole numbers that may be classes, and levels taken as they are."""
    if whole and (of.unit, factor) == ("m", 1):
        yield Finding(
            "raster_whole_metres",
            "The hazard raster holds whole metres: each may be off by 0.5 m if it was rounded, by up to 1 m if it was "
            "cut, and depths under 1 m are not told apart.",
            "灾害栅格以整米记录：四舍五入时误差可达0.5米，截断时可达1米，1米以下的水深无法分辨。", "warning",
            do_en="Bring the depths with decimals, or say --uncertainty 0.5.",
            do_zh="请提供带小数的水深，或说明--uncertainty 0.5。",
        )  # fmt: skip
    if whole and of.unit != "level" and (few := classed.few_whole(values / np.float32(factor))):
        yield Finding(
            "raster_classes", "The hazard raster holds few different whole numbers: they may be classes.",
            "灾害栅格只有少数整数值，可能是等级而不是测量值。", "warning", count=len(few), value=f"{few[0][0]:g}",
            do_en="If they are, say what each stands for (--map VALUE=NUMBER).",
            do_zh="若是等级，请用--map说明各值的含义。",
        )  # fmt: skip
    if of.unit == "level":
        yield Finding("raster_levels", "The hazard raster is read as levels from 0 (none) to 5 (worst).",
                      "灾害栅格按0（无）至5（最重）级读取。",
                      do_en="If they run otherwise, say what each stands for (--map VALUE=LEVEL).",
                      do_zh="若等级方向相反，请用--map说明。")  # fmt: skip


def _film(values: Floats, of: Kind) -> Iterator[Finding]:
    wet = values[values > 0]
    film = wet < FILM_M
    if of.unit == "m" and len(wet) and film.mean() > FILM_SHARE:
        yield Finding("raster_film", f"{film.mean():.0%} of the cells with water hold less than 1 cm; "
                      "exposure.affected_above sets from which depth on ground counts as wet.",
                      f"有水单元中{film.mean():.0%}的水深不足1厘米；"
                      "可用exposure.affected_above设定起算水深。", count=int(film.sum()))  # fmt: skip


def _coarse(band: Opened) -> Iterator[Finding]:
    """Cells that are larger than the blocks between streets."""
    a, b, _, d, e, f = band.transform
    x, y = float(np.hypot(a, d)), float(np.hypot(b, e))
    if known(band.crs).is_geographic:
        x, y = x * DEGREE_M * float(np.cos(np.radians(f))), y * DEGREE_M
    size = max(x, y)
    if size > COARSE_M:
        yield Finding("raster_coarse", f"Each cell of the hazard raster is some {size:,.0f} m wide: it cannot tell one "
                      "street or house from the next.", f"灾害栅格的单元宽约{size:.0f}米，无法区分相邻的街道和建筑。",
                      "warning", do_en="Bring a finer raster if there is one.",
                      do_zh="如有更精细的栅格，请使用。")  # fmt: skip

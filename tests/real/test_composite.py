"""Hazards as one level on real places: Tacloban's flood and landslides, Kampen by its map, Andorra by its heights."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import rasterio.warp

from data import osm, rasters, standards
from data.osm import Extract
from geo import composite, derived
from geo.city import PlanParams
from geo.composite import RULES, Combined
from geo.crs import reproject
from geo.frames import Frame
from geo.hazards import Grid, Hazard
from tests import shared_data

PARAMS = PlanParams.of(standards.load())
Extent = tuple[float, float, float, float]


def there(*names: str) -> list[Path]:
    if why_not := shared_data.why_not(*names):
        pytest.skip(why_not)
    return [shared_data.folder() / name for name in names]


def projected(bounds: Extent, source: str, target: str) -> Extent:
    x, y = reproject(np.array(bounds)[[0, 2, 0, 2]], np.array(bounds)[[1, 1, 3, 3]], source=source, target=target)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def combined(faced: list[Hazard], frame: Frame, rule: str = "worst") -> Combined:
    begin = time.perf_counter()
    found = composite.combined(
        faced, frame=frame, rules=PARAMS, params=PARAMS.composite.model_copy(update={"rule": rule})
    )
    said(f"{rule}, {len(faced)} hazards", found.level, begin)
    return found


def said(what: str, grid: Grid, begin: float) -> None:
    """Cells per level, of unknown level last, and the time it took."""
    counts = np.bincount(np.nan_to_num(grid.values, nan=6).astype(int).ravel(), minlength=7)
    print(f"\n{what}: {counts.tolist()} of {grid.values.size:,} cells, {time.perf_counter() - begin:.2f} s")


def made(kind: str, town: Extract, elevation: Grid | None = None) -> tuple[Hazard, list[str]]:
    begin = time.perf_counter()
    hazard, findings = derived.derive(
        kind, areas=town.areas, lines=town.lines, facilities=town.facilities, buildings=town.buildings,
        elevation=elevation, extent=projected(town.bounds, "EPSG:4326", town.crs), crs=town.crs, params=PARAMS.derived,
    )  # fmt: skip
    said(kind, hazard.grid, begin)
    print(*(finding.en for finding in findings), sep="\n")
    return hazard, [finding.code for finding in findings]


def test_tacloban_floods_and_landslides_together() -> None:
    names = "noah-Leyte_TaclobanCity_Flood_100year.tif", "Landslide-Leyte_LandslideHazards.tif"
    flood_tif, slide_tif = there(*(f"tacloban/{name}" for name in names))
    depth, _ = rasters.read(flood_tif, unit="m", classes={"1": 2.0, "2": 1.0, "3": 0.3, "4": 0.0})
    slide, _ = rasters.read(slide_tif, unit="level", kind="landslide", classes={"1": 5, "2": 3, "3": 2, "4": 0})
    faced = [
        Hazard("flood", "flood", "m", depth, uncertainty=0.25), Hazard("slide", "landslide", "level", slide),
    ]  # fmt: skip
    frame = Frame.over(
        projected(depth.bounds, depth.crs, "EPSG:32651"), cell_m=10, crs="EPSG:32651", cells_max=20_000_000
    )
    worst, weighted, joint = (combined(faced, frame, rule) for rule in RULES)
    each = [combined([hazard], frame) for hazard in faced]
    alone = np.fmax(*(one.level.values for one in each))
    assert np.array_equal(worst.level.values, alone, equal_nan=True)
    assert np.all((weighted.level.values <= alone) & (joint.level.values >= alone) | np.isnan(alone))
    assert worst.level_high is not None and np.nanmax(worst.level_high.values - worst.level.values) > 0
    assert 0 < worst.unknown[0] < 0.05, "the flood raster does not fill the box round it in metres"
    assert (worst.level.values == 5).mean() == pytest.approx(0.172, abs=0.005), "2 m deep, or landslide class 1"


def test_kampen_by_its_flood_and_its_map() -> None:
    pbf, tif = there("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif")
    town = osm.read(pbf)
    depth, _ = rasters.read(tif, unit="m")
    near = {kind: made(kind, town) for kind in ("waterside", "fuel_industry", "power_line", "old_dense")}
    assert near["old_dense"][1] == ["age_unknown"] and near["power_line"][1] == []
    faced = [Hazard("flood", "flood", "m", depth), *(hazard for hazard, _ in near.values())]
    frame = Frame.over(projected(town.bounds, "EPSG:4326", town.crs), cell_m=10, crs=town.crs, cells_max=20_000_000)
    one, all_ = combined(faced[:1], frame), combined(faced, frame)
    assert (all_.level.values >= one.level.values).all() and all_.share_unknown == 0
    middles = town.buildings.geometry.centroid
    at = {"x": middles.x.to_numpy(), "y": middles.y.to_numpy(), "crs": town.crs}
    homes = composite.by_level(all_, **at, weights={"buildings": np.ones(len(middles))})["buildings"]
    print(f"buildings {homes.astype(int).tolist()}")
    assert homes.sum() == len(town.buildings)


def test_kampen_in_another_coordinate_system_is_the_same_within_a_cell() -> None:
    """Turned into UTM at 3 m, no cell of 5 m is lost, but what lies on an edge may fall to the cell beside.

    So neither may be worse than the worst of the other's nine cells. A lower bound by the least of nine would be wrong:
    of two neighbours only one may still touch a single deep spot.
    """
    (tif,) = there("kampen/1in100_inundation_map.tif")
    depth, _ = rasters.read(tif, unit="m")
    frame = Frame.over(projected(depth.bounds, depth.crs, "EPSG:32631"), cell_m=50, crs="EPSG:32631", cells_max=1e6)
    fine = Frame.over(projected(depth.bounds, depth.crs, "EPSG:32631"), cell_m=3, crs="EPSG:32631", cells_max=3e7)
    turned = np.full(fine.shape, np.nan, dtype=np.float32)
    rasterio.warp.reproject(
        depth.values, turned, src_transform=rasterio.Affine(*depth.transform), src_crs=depth.crs, src_nodata=np.nan,
        dst_transform=rasterio.Affine(*fine.transform), dst_crs=fine.crs, dst_nodata=np.nan,
    )  # fmt: skip
    one, other = (
        np.nan_to_num(combined([Hazard("flood", "flood", "m", grid)], frame).level.values, nan=-1)
        for grid in (depth, fine.grid(turned))
    )
    inner = (slice(1, -1), slice(1, -1))
    assert (other <= around(one))[inner].all() and (one <= around(other))[inner].all()
    print(f"{(one != other).sum()} of {one.size:,} cells differ")
    assert (one == other).mean() > 0.99


def around(level: np.ndarray) -> np.ndarray:
    """The worst of each cell and the eight round it."""
    return np.max([np.roll(level, (r, c), axis=(0, 1)) for r in (-1, 0, 1) for c in (-1, 0, 1)], axis=0)


def test_andorra_is_as_steep_as_a_warped_raster_says() -> None:
    """Shares of slopes against heights warped to 80 m cells in metres and their plain gradient."""
    pbf, zipped = there("osm/valhalla-andorra-latest.osm.pbf", "dem/srtm_N42E001.hgt.zip")
    town, (heights, _) = osm.read(pbf), rasters.heights(zipped)
    _, codes = made("steep_slope", town, heights)
    assert codes == ["slope_coarse", "slope_unknown"]
    frame = Frame.over(projected(town.bounds, "EPSG:4326", town.crs), cell_m=80, crs=town.crs, cells_max=1e7)
    flat = np.full(frame.shape, np.nan, dtype=np.float32)
    rasterio.warp.reproject(
        heights.values, flat, src_transform=rasterio.Affine(*heights.transform), src_crs=heights.crs, src_nodata=np.nan,
        dst_transform=rasterio.Affine(*frame.transform), dst_crs=frame.crs, dst_nodata=np.nan,
        resampling=rasterio.warp.Resampling.cubic,
    )  # fmt: skip
    slopes = np.degrees(np.arctan(np.hypot(*np.gradient(flat.astype(np.float64), 80.0))))
    told, _ = derived.slope(heights, crs=town.crs)
    inside = heights.cells(*centres(frame), crs=town.crs)
    rows = inside[1].astype(int).clip(0, 1200), inside[0].astype(int).clip(0, 1200)
    here = told[rows].reshape(frame.shape)
    known = ~np.isnan(here) & ~np.isnan(slopes)
    for degrees in (15, 25, 30, 40):
        ours, theirs = (here[known] >= degrees).mean(), (slopes[known] >= degrees).mean()
        print(f"{degrees}°: {ours:.3f} of the ground, {theirs:.3f} by the warped raster")
        assert ours == pytest.approx(theirs, abs=0.03)


def centres(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    col, row = np.meshgrid(np.arange(frame.cols) + 0.5, np.arange(frame.rows) + 0.5)
    return frame.west + frame.cell_m * col.ravel(), frame.north - frame.cell_m * row.ravel()

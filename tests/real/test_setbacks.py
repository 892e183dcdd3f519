"""Rules of distance on real places: Kampen with every rule we have and its flood, Andorra's slopes by their heights."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from data import osm, rasters, rules, standards
from data.osm import Extract
from geo import setbacks, steep, uses
from geo.crs import reproject
from geo.curves import LevelTables
from geo.hazards import Grid, Hazard
from geo.setbacks import SetbackParams, Setbacks
from geo.sources import Ground
from tests import shared_data

STANDARDS = standards.load()
PARAMS = SetbackParams.of(STANDARDS)


def there(*names: str) -> list[Path]:
    if why_not := shared_data.why_not(*names):
        pytest.skip(why_not)
    return [shared_data.folder() / name for name in names]


def extent(town: Extract) -> tuple[float, float, float, float]:
    west, south, east, north = town.bounds
    x, y = reproject(
        np.array([west, east, west, east]), np.array([south, south, north, north]), source="EPSG:4326", target=town.crs
    )
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def gathered(town: Extract, flood: Grid) -> Setbacks:
    begin = time.perf_counter()
    hazard = Hazard("flood", "flood", "m", flood, return_period_y=100)
    ground = Ground(town.crs, extent(town), LevelTables.of(STANDARDS), (hazard,))
    layers = {"lines": town.lines, "areas": town.areas, "facilities": town.facilities, "buildings": town.buildings}
    found = setbacks.gather(rules.load(), layers, ground, params=PARAMS)
    print(
        f"\n{found!r}: gathered in {time.perf_counter() - begin:.2f} s", *(note.en for note in found.notes), sep="\n  "
    )
    return found


def test_kampen_by_every_rule() -> None:
    """What stands too near to river, railway, power lines and deep water; oracle: plain buffers."""
    pbf, tif = there("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif")
    town, (flood, _) = osm.read(pbf), rasters.read(tif, unit="m")
    found = gathered(town, flood)
    shapes, ids = town.buildings.geometry.to_numpy(), town.buildings["building_id"].tolist()
    things = uses.of(
        town.buildings["use"], height_m=town.buildings["height_m"].to_numpy(), params=uses.UseParams.of(STANDARDS)
    )
    begin = time.perf_counter()
    hits = pd.DataFrame(setbacks.lacking(found, shapes, things, on="standing"))
    print(f"{len(hits):,} hits of {len(shapes):,} buildings in {time.perf_counter() - begin:.2f} s")
    for row, count in hits["rule"].value_counts().sort_index().items():
        kept = found.kept[int(str(row))]
        print(f"  {kept.rule_id}: {count:,} by {kept.sources:,} sources")
    assert hits["thing"].nunique() > 500
    for row, kept in enumerate(found.kept):
        alone = len(set(ids) & set(kept.source_id)) == 0
        if len(kept) and kept.rule.layer in ("lines", "facilities", "areas") and alone and kept.distance_m.min() > 0:
            _as_buffered(kept, shapes, things, np.flatnonzero(hits["rule"] == row), hits["thing"].to_numpy())
    _near_agrees(found, shapes, things, hits.groupby("thing")["rule"].agg(set).to_dict())


def _as_buffered(
    kept: setbacks.Kept, shapes: np.ndarray, things: uses.Things, rows: np.ndarray, thing: np.ndarray
) -> None:  # type: ignore[type-arg]
    """The same things as a union of buffers meets, but for what is within the buffers' own tolerance."""
    around = shapely.union_all(shapely.buffer(kept.shapes, kept.distance_m, quad_segs=64))
    asked = things.meets(kept.rule.applies_to) & ("standing" in kept.rule.on)
    shapely.prepare(around)
    differ = set(np.flatnonzero(asked & shapely.intersects(around, shapes))) ^ set(thing[rows])
    far = [abs(shapely.distance(kept.shapes, shapes[i]).min() - kept.most_m) for i in differ]
    assert max(far, default=0.0) < 2e-3 * kept.most_m, kept


def _near_agrees(
    found: Setbacks,
    shapes: np.ndarray,
    things: uses.Things,
    hits: dict[int, set[int]],  # type: ignore[type-arg]
) -> None:
    took = []
    for i in range(0, len(shapes), len(shapes) // 60):
        one = uses.Things({tag: mask[i : i + 1] for tag, mask in things.tags.items()}, things.class_[i : i + 1])
        begin = time.perf_counter()
        near = setbacks.asked_of(found, shapes[i], one, on="standing")
        took.append(time.perf_counter() - begin)
        assert {row.rule for row in near if row.hit} == hits.get(i, set())
    print(f"near: {np.median(took) * 1e3:.1f} ms in the middle, {max(took) * 1e3:.1f} ms at most, {len(near)} rules")


def test_andorra_is_steep_where_its_heights_say() -> None:
    """A quarter and more of Andorra is steeper than 30 degrees on cells of 80 m, and the cells are told as coarse."""
    pbf, zipped = there("osm/valhalla-andorra-latest.osm.pbf", "dem/srtm_N42E001.hgt.zip")
    town, (heights, _) = osm.read(pbf), rasters.heights(zipped)
    begin = time.perf_counter()
    table, findings = steep.slopes(heights, extent=extent(town), crs=town.crs)
    face = table[table["kind"] == "face"]
    west, south, east, north = extent(town)
    share = face.area.sum() / ((east - west) * (north - south))
    print(
        f"\n{len(face):,} slopes, {share:.0%} of the ground, {time.perf_counter() - begin:.2f} s",
        *(f.en for f in findings),
    )
    assert 0.2 < share < 0.4 and face.geometry.is_valid.all() and table["height_m"].min() >= 5
    assert "steep_coarse" in {finding.code for finding in findings}

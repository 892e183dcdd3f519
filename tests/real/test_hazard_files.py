"""Hazards as their makers publish them: classes the wrong way round, ranges in words, outlines without a .prj."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from data import rasters, zones
from data.filenames import Named, told
from data.standards.class_tables import class_table
from geo.errors import ColumnError, CrsError, InputError, UnreadableError
from geo.hazards import Hazard, expose_areas

YAIZU = "EPSG:6676"


def test_classes_of_tacloban_are_asked_about_and_read_by_name(shared_data: Path) -> None:
    flood = shared_data / "tacloban/noah-Leyte_TaclobanCity_Flood_100year.tif"
    slide = shared_data / "tacloban/Landslide-Leyte_LandslideHazards.tif"
    with pytest.raises(InputError, match=r"a palette, not values: 1, 2, 3, 4.* @philippines-noah-flood"):
        rasters.read(flood, unit="m")
    with pytest.raises(InputError, match=r"If 1 is the worst: .* --map 4=none"):
        rasters.read(slide, unit="level", kind="landslide")
    water, _ = rasters.read(flood, unit="m", classes=class_table("@philippines-noah-flood"))
    assert np.unique(water.values, return_counts=True)[1].tolist() == [162_369, 8_318, 6_508, 2_005]
    levels, notes = rasters.read(
        slide, unit="level", kind="landslide", classes=class_table("philippines-noah-landslide")
    )
    assert np.unique(levels.values).tolist() == [0, 2, 3, 5]
    assert [note.code for note in notes] == ["raster_coarse"]


def test_frames_of_marikina_say_what_they_do_not_know(shared_data: Path) -> None:
    for path in sorted((shared_data / "marikina/flood").glob("*.tif")):
        _, notes = rasters.read(path, unit="m")
        assert [(note.code, note.count) for note in notes if note.code != "raster_film"] == [("raster_unknown", 743)]
        assert told(path.name) == Named(hours=float(path.stem.split("-")[1]))


@pytest.mark.parametrize(
    ("scale", "column", "hectares"), [("計画規模", "F6Lebel", 400.3), ("想定最大規模", "Max_Rank", 643.6)]
)
def test_flood_zones_of_yaizu(shared_data: Path, scale: str, column: str, hectares: float) -> None:
    path = shared_data / f"yaizu/木屋川_洪水浸水想定区域（{scale}）.shp"
    said: dict[str, Any] = {"kind": "flood", "unit": "m", "into": YAIZU, "column": column}
    with pytest.raises(CrsError):
        zones.read(path, **said)
    with pytest.raises(InputError, match="look like classes: 1, 2, 3, 4"):
        zones.read(path, crs="EPSG:4326", **said)
    grid, notes = zones.read(path, crs="EPSG:4326", classes=class_table("japan-flood-rank"), **said)
    assert (grid.values > 0).sum() * 25 / 10_000 == pytest.approx(hectares, rel=0.002)
    assert {"zones_small", "zones_area"} <= {note.code for note in notes}


def test_inland_water_in_words_and_slides_by_their_name(shared_data: Path) -> None:
    grid, _ = zones.read(shared_data / "yaizu/内水浸水想定区域.geojson", kind="flood", unit="m", into=YAIZU)
    assert np.unique(grid.values).tolist() == pytest.approx([0, 0.3, 0.5, 1, 3, 5, 10])
    west, south, east, north = grid.bounds
    twice = np.array([shapely.box(west, south, 2 * east - west, north)], dtype=object)
    found = expose_areas(twice, crs=YAIZU, hazard=Hazard("inland", "flood", "m", grid))
    assert found["share_unknown"].tolist() == pytest.approx([0.5])
    path = next((shared_data / "yaizu").glob("土砂災害*土石流.geojson"))
    with pytest.raises(ColumnError, match="level 5 in @japan-landslide-zone"):
        zones.read(path, kind="debris_flow", unit="level", into=YAIZU)
    slides, _ = zones.read(path, kind="debris_flow", unit="level", into=YAIZU, constants={"level": "5"})
    assert np.unique(slides.values).tolist() == [0, 5]


@pytest.mark.parametrize("name", ["floods", "aqueduct_floods"])
def test_points_a_degree_apart_are_no_hazard_of_a_city(shared_data: Path, name: str) -> None:
    path = shared_data / f"hazard-china/{name}.geojson"
    assert not rasters.is_raster(path)
    with pytest.raises(UnreadableError, match=r"points some \d+\.\d km apart, for a study 10 km wide"):
        zones.read(path, kind="flood", unit="m", into="EPSG:4549", extent=(600_000, 3_500_000, 610_000, 3_510_000))

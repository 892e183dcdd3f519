"""A new study's files are looked at in a process of their own: where they put it, and whether it can be read."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from data.study import Layer, StudyFile
from data.study.opening import Place, place_of, require_city, require_outline
from geo.errors import CrsError, InputError, RenxingError, UnreadableError
from tests.data.osm.drawn import CRS, EAST, NORTH, street

OSM = Layer(layer_id="osm", kind="osm", file="inputs/a.osm")


def outline(path: Path, *shapes: shapely.Geometry) -> Path:
    moved = [shapely.affinity.translate(shape, EAST, NORTH) for shape in shapes]
    gpd.GeoDataFrame(geometry=moved, crs=CRS).to_file(path)
    return path


def study(**more: object) -> StudyFile:
    return StudyFile(study_id="s", name="S", crs=CRS, **more)  # type: ignore[arg-type]


def folder_of(tmp_path: Path) -> Path:
    (tmp_path / "inputs").mkdir()
    street().write(tmp_path / "inputs/a.osm")
    return tmp_path


def test_a_map_says_where_a_study_lies_with_and_without_bounds_in_its_head(tmp_path: Path) -> None:
    plain = street().write(tmp_path / "plain.osm")
    told = street().write(
        tmp_path / "told.osm", head='<bounds minlat="1.2" minlon="103.6" maxlat="1.5" maxlon="104.0"/>'
    )
    assert place_of(plain, None, None) == Place(CRS, None)
    assert place_of(told, None, None).crs == "EPSG:32648", "its head is believed: nothing else is read"


def test_a_boundary_says_it_before_the_map_does(tmp_path: Path) -> None:
    town = street().write(tmp_path / "town.osm")
    nanjing = gpd.GeoSeries([shapely.box(118.7, 32.0, 118.8, 32.1)], crs="EPSG:4326")
    nanjing.to_file(tmp_path / "nanjing.geojson")
    assert place_of(town, tmp_path / "nanjing.geojson", None).crs == "EPSG:4549"
    assert place_of(None, tmp_path / "nanjing.geojson", None) == Place("EPSG:4549", None)


def test_a_boundary_without_a_coordinate_system_is_asked_for_it(tmp_path: Path) -> None:
    path = outline(tmp_path / "b.shp", shapely.box(0, 0, 900, 900))
    path.with_suffix(".prj").unlink()
    assert place_of(None, path, CRS) == Place(CRS, None)
    with pytest.raises(CrsError, match=r"b\.shp"):
        place_of(None, path, None)


@pytest.mark.parametrize("content", [b"", b"not a map at all", b"\x1f\x8bcut off"])
def test_what_is_no_map_or_outline_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("a.osm", "a.geojson"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RenxingError, match=r"a\.osm"):
        place_of(tmp_path / "a.osm", None, None)
    with pytest.raises(RenxingError, match=r"a\.geojson"):
        place_of(None, tmp_path / "a.geojson", None)


def test_an_outline_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(UnreadableError, match=r"b\.geojson"):
        place_of(None, tmp_path / "b.geojson", None)


def test_a_study_that_can_be_read_is_read_and_its_map_is_kept(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    require_city(study(layers=[OSM]), folder)
    assert list((folder / "cache").iterdir()), "the first run finds the map read already"
    with pytest.raises(InputError, match="one layer of kind osm"):
        require_city(study(layers=[OSM, OSM.model_copy(update={"layer_id": "two"})]), folder)


def test_an_outline_must_have_an_area_or_points(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    outline(folder / "inputs/b.gpkg", shapely.box(0, 0, 900, 900))
    outline(folder / "inputs/line.gpkg", shapely.LineString([(0, 0), (9, 9)]))
    require_outline(study(boundary="inputs/b.gpkg"), folder)
    with pytest.raises(UnreadableError, match="an outline"):
        require_outline(study(boundary="inputs/line.gpkg"), folder)
    assert not (folder / "cache").exists()

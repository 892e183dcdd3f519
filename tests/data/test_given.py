from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given as examples
from hypothesis import strategies as st

from data import given
from geo import population
from geo.errors import ColumnError
from geo.tables import checked

CRS = "EPSG:32631"
POINT, BOX = shapely.Point(3, 52), shapely.box(3, 52, 3.01, 52.01)


def file(folder: Path, *shapes: shapely.Geometry | None, **columns: list[Any]) -> Path:
    path = folder / "a.gpkg"
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326").to_file(path)
    return path


def test_communities(tmp_path: Path) -> None:
    path = file(tmp_path, BOX, BOX, NAME=["鼓楼社区", "B"], CODE=[7, 8], LEVEL=["街道", None])
    table, notes = given.read(path, "communities", into=CRS, columns={"community_id": "CODE"})
    assert table[["community_id", "name", "name_zh", "level", "source"]].to_numpy().tolist() == [
        ["7", "鼓楼社区", "鼓楼社区", "subdistrict", "given"], ["8", "B", None, "community", "given"],
    ]  # fmt: skip
    assert table["parent_id"].tolist() == [None, None]
    assert (table.crs, notes) == (CRS, ())


def test_shelters_take_their_area_from_their_outline(tmp_path: Path) -> None:
    path = file(tmp_path, BOX, POINT, capacity=["1,200", None], tier=["紧急", "LONG"], name=["A", "B"], floors=[2, 3])
    table, notes = given.read(path, "shelters", into=CRS)
    assert [note.en for note in notes] == ["Columns that are not used: floors."]
    assert table["shelter_id"].tolist() == ["s1", "s2"]
    assert table["area_m2"].tolist()[0] == pytest.approx(table.area[0])
    assert table["area_m2"].isna().tolist() == [False, True]
    assert table["capacity"].astype(object).where(table["capacity"].notna(), None).tolist() == [1200, None]
    assert table["tier"].tolist() == ["emergency", "long"]
    assert table["origin"].tolist() == ["official", "official"]
    assert "floors" not in table.columns  # what else the file has is not used, and said


def test_buildings_keep_what_is_understood(tmp_path: Path) -> None:
    columns = {"use": ["House", "", None], "levels": ["2", "10+", None], "height_m": ["6 m", "tall", "9"]}
    path = file(tmp_path, BOX, BOX, BOX, **columns)
    table, notes = given.read(path, "buildings", into=CRS)
    assert table["use"].tolist() == ["house", "yes", "yes"]
    assert np.array_equal(table["levels"], [2, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(table["height_m"], [6, np.nan, 9], equal_nan=True)
    assert [note.en.split()[0] for note in notes] == ["1", "1"]


@pytest.mark.parametrize(("kind", "name"), [("population", "people"), ("facilities", "kind")])
def test_what_a_kind_cannot_do_without_is_asked_for(tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(ColumnError, match=f"a column {name}.*columns (NAME|name).*--map {name}=COLUMN"):
        given.read(file(tmp_path, POINT, NAME=["A"]), kind, into=CRS)


def test_all_faults_at_once(tmp_path: Path) -> None:
    path = file(tmp_path, POINT, BOX.boundary, capacity=["many", "-3"], tier=["huge", None])
    with pytest.raises(ColumnError) as raised:
        given.read(path, "shelters", into=CRS)
    said = str(raised.value)
    assert len(raised.value.faults) == 4
    assert all(word in said for word in ("'many'", "1 values below", "huge", "LineString"))


def test_one_value_for_every_row(tmp_path: Path) -> None:
    path = file(tmp_path, POINT, POINT, category=["health", "health"], kind=["a", "b"])
    table, _ = given.read(path, "facilities", into=CRS, constants={"kind": "fire_station"})
    assert table["kind"].tolist() == ["fire_station"] * 2
    bare = file(tmp_path, POINT, category=["health"])
    with pytest.raises(ColumnError, match=r"--map kind=COLUMN, or give every row the same with --map kind:=VALUE"):
        given.read(bare, "facilities", into=CRS)
    with pytest.raises(ColumnError, match="'knd'"):
        given.read(bare, "facilities", into=CRS, constants={"knd": "clinic"})
    people = given.read(bare, "population", into=CRS, constants={"people": "12"})[0]
    assert people["people"].tolist() == [12]


@pytest.mark.parametrize("names", [("longitude", "latitude"), ("经度", "纬度"), ("Lon", "Lat")])
def test_columns_that_place_the_rows_are_used(tmp_path: Path, names: tuple[str, str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"kind,{','.join(names)},floors\nclinic,3,52,2\n", encoding="utf-8")
    _, notes = given.read(path, "facilities", into=CRS, crs="EPSG:4326")
    assert [note.en for note in notes] == ["Columns that are not used: floors."]


def test_columns_mapped_as_places_are_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("kind,east,north\nclinic,3,52\n", encoding="utf-8")
    assert given.read(path, "facilities", into=CRS, crs="EPSG:4326", columns={"lon": "east", "lat": "north"})[1] == ()


def test_kinds_that_nobody_knows_are_kept_and_said(tmp_path: Path) -> None:
    path = file(tmp_path, *[POINT] * 5, kind=["消防站", "消防站", "<script>", "Hospital", "fire_station"])
    table, (note,) = given.read(path, "facilities", into=CRS)
    assert table["kind"].tolist() == ["消防站", "消防站", "<script>", "hospital", "fire_station"]
    assert note.code == "kinds_not_known"
    assert note.en.startswith("3 rows are of kinds that no service knows unless a parameter names them: <script>, 消")
    assert "known kinds: fire_station, hospital, clinic," in note.en
    assert note.zh.startswith("3行") and "hospital" in note.zh
    constant = given.read(path, "facilities", into=CRS, constants={"kind": "nonsense"})[1]
    assert [each.en.split(" ")[0] for each in constant] == ["5"]


@pytest.mark.parametrize("kind", ["communities", "buildings"])
def test_points_are_no_areas(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ColumnError, match="MultiPolygon or Polygon, found Point"):
        given.read(file(tmp_path, POINT, name=["A"]), kind, into=CRS)


def test_ids_given_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="unique id"):
        given.read(file(tmp_path, BOX, BOX, community_id=["a", "a"]), "communities", into=CRS)


def test_rows_without_place_and_crossed_outlines_are_said(tmp_path: Path) -> None:
    bow = shapely.Polygon([(3, 52), (3.01, 52.01), (3.01, 52), (3, 52.01)])
    table, notes = given.read(file(tmp_path, bow, None, BOX, name=["A", "B", "C"]), "communities", into=CRS)
    assert table["name"].tolist() == ["A", "C"]
    assert [note.code for note in notes] == ["rows_without_geometry", "outlines_repaired"]


@pytest.mark.parametrize("kind", sorted(given.KINDS))
def test_an_empty_file_gives_an_empty_table_with_the_right_columns(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    if given.KINDS[kind].needed:
        with pytest.raises(ColumnError):
            given.read(path, kind, into=CRS)
    else:
        assert len(checked(given.read(path, kind, into=CRS)[0], given.KINDS[kind].schema)) == 0


@examples(st.lists(st.one_of(st.none(), st.floats(0, 1000)), min_size=1, max_size=8))
def test_people_are_conserved_to_the_person(
    tmp_path_factory: pytest.TempPathFactory, people: list[float | None]
) -> None:
    path = file(tmp_path_factory.mktemp("p"), *[POINT] * len(people), people=np.array(people, dtype=float))
    table, _ = given.read(path, "population", into=CRS)
    assert population.given(table).total == np.floor(np.nansum(np.array(people, dtype=float)) + 0.5)


def test_a_stations_own_turnout_is_kept_and_must_be_a_number(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_text("lon,lat,kind,turnout_s\n5.9,52.5,fire_station,240\n5.91,52.5,fire_station,\n", encoding="utf-8")
    table, _ = given.read(path, "facilities", into=CRS, crs="EPSG:4326")
    assert table["turnout_s"].tolist() == pytest.approx([240, np.nan], nan_ok=True)
    path.write_text("lon,lat,kind,turnout_s\n5.9,52.5,fire_station,soon\n", encoding="utf-8")
    with pytest.raises(ColumnError, match="soon"):
        given.read(path, "facilities", into=CRS, crs="EPSG:4326")

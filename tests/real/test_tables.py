"""Real tables as their makers left them: how many rows come in, what is recognised, mended, asked for."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest

from data import given, vectors
from geo import shelters
from geo.errors import ColumnError, CrsError
from geo.reasons import Finding

YAIZU, CHENGDU = (138.25, 34.79, 138.35, 34.91), (103.9, 30.5, 104.2, 30.8)
Table = tuple[gpd.GeoDataFrame, dict[str, Finding]]


def told(read: tuple[gpd.GeoDataFrame, tuple[Finding, ...]]) -> Table:
    return read[0], {note.code: note for note in read[1]}


def test_yaizus_emergency_sites(shared_data: Path) -> None:
    table, notes = told(given.read(shared_data / "yaizu/222127_evacuation_space.csv", "shelters", into="EPSG:6676",
                                   crs="EPSG:4326", near=YAIZU))  # fmt: skip
    assert (len(table), notes["columns_guessed"].en) == (
        31,
        "Columns recognised by their names: lon=経度, lat=緯度, shelter_id=NO, name=名称.",
    )
    assert [int(shelters.declared_valid(table, [hazard]).sum()) for hazard in ("flood", "earthquake", "landslide")] == [
        0, 26, 5,
    ]  # fmt: skip


def test_yaizus_shelters(shared_data: Path) -> None:
    path = shared_data / "yaizu/222127_hinannjo.csv"
    with pytest.raises(CrsError, match=r"EPSG:4326 \(WGS 84\) would put it on the study"):
        given.read(path, "shelters", into="EPSG:6676", near=YAIZU)
    table, _ = told(given.read(path, "shelters", into="EPSG:6676", crs="EPSG:4326", near=YAIZU))
    assert (len(table), int(table["area_m2"].sum()), int(table["area_m2"].isna().sum())) == (56, 68445, 1)
    assert [int(shelters.declared_valid(table, [h]).sum()) for h in ("flood", "tsunami", "landslide")] == [54, 47, 5]


@pytest.mark.parametrize(("name", "rows", "kind", "of_it"), [
    ("222127_fire_hydrant.csv", 193, "hydrant", 92), ("222127_kyuugobyouinn.csv", 3, "hospital", 3),
    ("消防施設.geojson", 26, "fire_station", 3), ("警察署・交番.geojson", 9, "police", 9),
])  # fmt: skip
def test_yaizus_services(shared_data: Path, name: str, rows: int, kind: str, of_it: int) -> None:
    table, _ = told(given.read(shared_data / "yaizu" / name, "facilities", into="EPSG:6676", crs="EPSG:4326"))
    assert (len(table), int((table["kind"] == kind).sum())) == (rows, of_it)


def test_a_shapefile_in_shift_jis(shared_data: Path) -> None:
    found = vectors.read(shared_data / "yaizu/自主防災会区域更新.shp", near=YAIZU)
    assert found.table["SAFIELD001"].iloc[0] == "高新田第2自主防災会"
    assert (found.conversions, found.notes) == (("CP932 -> UTF-8",), ())
    with pytest.raises(CrsError, match="which it cannot have; EPSG:6676 would put it on the study"):
        vectors.read(shared_data / "yaizu/自主防災会区域更新.shp", crs="EPSG:4326", near=YAIZU, into="EPSG:6676")


def test_chengdus_shelters_and_people(shared_data: Path) -> None:
    path = shared_data / "chengdu/supply_facilities_CLEAN.csv"
    table, _ = told(given.read(path, "shelters", into="EPSG:4544", crs="gcj02", near=CHENGDU))
    assert table["kind"].value_counts().to_dict() == {"school": 680, "park": 265, "sports": 109}
    apart = table.distance(given.read(path, "shelters", into="EPSG:4544", crs="EPSG:4326", near=CHENGDU)[0])
    assert apart.between(200, 700).all()
    for name in ("daytime", "nighttime"):
        table, _ = told(given.read(shared_data / f"chengdu/demand_grids_{name}_CLEAN.csv", "population",
                                   into="EPSG:4544", crs="EPSG:4326"))  # fmt: skip
        assert (len(table), table["people"].sum()) == (4857, pytest.approx(7e6, rel=0.02))


def test_hotels_with_three_capacities_are_asked(shared_data: Path) -> None:
    table, notes = told(given.read(shared_data / "chengdu/hotel_facilities_filtered.csv", "shelters", into="EPSG:4544",
                                   crs="gcj02", columns={"floor_m2": "rooms"}))  # fmt: skip
    assert (len(table), set(table["kind"]), table["capacity"].notna().any()) == (2264, {"hotel"}, False)
    assert notes["columns_ambiguous"].value == "capacity_0.6"


def test_jakartas_communities_and_buildings(shared_data: Path) -> None:
    table, _ = told(given.read(shared_data / "jakarta/boundaries/rw_jakarta.shp", "communities", into="EPSG:32748"))
    assert table[["name", "parent_id"]].iloc[0].tolist() == ["RW 01", "KEBON BAWANG"]
    path = shared_data / "jakarta/exposure/jakarta_building.gpkg"
    table, notes = told(given.read(path, "buildings", into="EPSG:32748"))
    assert (len(table), int((table["levels"] == 10).sum())) == (7688, 142)
    # Of five pairs at one spot one is the same in every cell; the others name a school that its twin leaves out.
    assert (notes["rows_repeated"].count, notes["values_not_understood"].value) == (1, ">7")


def test_jakartas_shelters_and_facilities_of_one_file_of_buildings(shared_data: Path) -> None:
    path, into = shared_data / "jakarta/exposure/jakarta_building.gpkg", "EPSG:32748"
    types = "TYPE=School,Sports Facility,Government,University/College,Place of Worship - Islam"
    said = {"kind": "TYPE", "capacity": "CAPACITY"}
    content = vectors.read(path, columns=said, into=into, only=[types])
    table, notes = told(given.understood(content, "shelters", columns=said, constants={"origin": "candidate"}))
    assert table["kind"].value_counts().to_dict() == {
        "place_of_worship": 580, "school": 376, "townhall": 243, "sports": 24, "university": 17,
    }  # fmt: skip
    assert notes["rows_chosen"].en == f"Rows with {types}: 1,241 of 7,689 taken, 6,448 left out."
    # "100 Orang" is read; "Lebih dari 150 orang" (more than), "200 0rang", "Besar" (large) and 32 more are told.
    assert (int(table["capacity"].notna().sum()), table["capacity"].median()) == (569, 300)
    assert (notes["numbers_undressed"].count, notes["values_not_understood"].count) == (131, 35)
    content = vectors.read(path, columns={"kind": "AMENITY"}, into=into, only=["amenity=hospital,clinic,police"])
    table, _ = told(given.understood(content, "facilities", columns={"kind": "AMENITY"}))
    assert table["kind"].value_counts().to_dict() == {"clinic": 78, "hospital": 31, "police": 20}
    with pytest.raises(ColumnError, match=r"TYPE is Residential \(6,120\), Place of Worship - Islam \(580\)"):
        vectors.read(path, only=["TYPE=Mosque"])


def test_pontianaks_people_are_asked_for(shared_data: Path) -> None:
    path = shared_data / "pontianak/region.geojson"
    with pytest.raises(ColumnError, match="POP2016 and Pop2017_UD could both be it"):
        given.read(path, "population", into="EPSG:32749")
    table, _ = told(given.read(path, "population", into="EPSG:32749", columns={"people": "MALE+FEM"}))
    assert (len(table), table["people"].sum()) == (29, 591_392)


@pytest.mark.parametrize(("name", "rows", "bare", "again"), [
    ("mca_511900", 14, 3, 0), ("mca_510100", 28, 0, 0), ("mca_110000", 23, 1, 0),
])  # fmt: skip  # 巴中市 has the outline of its 巴州区 and stays: it says another name and code
def test_ministry_outlines(shared_data: Path, name: str, rows: int, bare: int, again: int) -> None:
    table, notes = told(given.read(shared_data / f"boundaries-china/{name}.json", "communities", into="EPSG:4545"))
    assert len(table) == rows
    counts = [notes[code].count if code in notes else 0 for code in ("rows_without_geometry", "rows_repeated")]
    assert counts == [bare, again]

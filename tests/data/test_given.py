from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from data import given
from geo import population
from geo.errors import ColumnError
from geo.reasons import Finding
from geo.tables import checked

CRS = "EPSG:32631"
POINT, BOX = shapely.Point(3, 52), shapely.box(3, 52, 3.01, 52.01)


def file(folder: Path, *shapes: shapely.Geometry | None, **columns: list[Any]) -> Path:
    path = folder / "a.gpkg"
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326").to_file(path)
    return path


def test_communities(tmp_path: Path) -> None:
    path = file(tmp_path, BOX, BOX, NAME=["鼓楼社区", "B"], CODE=[7, 8], LEVEL=["街道", None])  # CODE is mapped
    table, notes = given.read(path, "communities", into=CRS, columns={"community_id": "CODE"})
    assert table[["community_id", "name", "name_zh", "level", "source"]].to_numpy().tolist() == [
        ["7", "鼓楼社区", "鼓楼社区", "subdistrict", "given"], ["8", "B", None, "community", "given"],
    ]  # fmt: skip
    assert table["parent_id"].tolist() == [None, None]
    assert (table.crs, [note.code for note in notes]) == (CRS, ["words_translated"])


def said(notes: tuple[Finding, ...], code: str) -> Finding:
    return next(note for note in notes if note.code == code)


def test_shelters_take_their_area_from_their_outline(tmp_path: Path) -> None:
    path = file(tmp_path, BOX, POINT, capacity=["1,200", None], tier=["紧急", "LONG"], name=["A", "B"], floors=[2, 3])
    table, notes = given.read(path, "shelters", into=CRS)
    assert [note.code for note in notes] == ["words_translated", "numbers_undressed", "columns_not_used"]
    assert notes[-1].en == "Columns that are not used: floors."
    assert table["shelter_id"].tolist() == ["s1", "s2"]
    assert table["area_m2"].tolist()[0] == pytest.approx(table.area[0])
    assert table["area_m2"].isna().tolist() == [False, True]
    assert table["capacity"].astype(object).where(table["capacity"].notna(), None).tolist() == [1200, None]
    assert table["tier"].tolist() == ["emergency", "long"]
    assert table["origin"].tolist() == ["official", "official"]
    assert "floors" not in table.columns  # what else the file has is not used, and said


def test_buildings_keep_what_is_understood(tmp_path: Path) -> None:
    columns = {"use": ["House", "", None], "levels": ["2", "10+", ">7"], "height_m": ["6 m", "tall", "9"]}
    path = file(tmp_path, BOX, BOX, BOX, **columns)
    table, notes = given.read(path, "buildings", into=CRS)
    assert table["use"].tolist() == ["house", "yes", "yes"]
    assert np.array_equal(table["levels"], [2, 10, np.nan], equal_nan=True)
    assert np.array_equal(table["height_m"], [6, np.nan, 9], equal_nan=True)
    assert [(note.code, note.column, note.rows, note.value) for note in notes] == [
        ("numbers_undressed", "levels", (2,), "10+"), ("values_not_understood", "levels", (3,), ">7"),
        ("numbers_undressed", "height_m", (1,), "6 m"), ("values_not_understood", "height_m", (2,), "tall"),
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [("population", "people"), ("facilities", "kind")])
def test_what_a_kind_cannot_do_without_is_asked_for(tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(ColumnError, match=f"a column {name}.*columns (NAME|name).*--map {name}=COLUMN"):
        given.read(file(tmp_path, POINT, NAME=["A"]), kind, into=CRS)


def test_all_faults_at_once(tmp_path: Path) -> None:
    path = file(tmp_path, POINT, BOX.boundary, capacity=["many", "-3"], tier=["huge", None])
    with pytest.raises(ColumnError) as raised:
        given.read(path, "shelters", into=CRS)
    text = str(raised.value)
    assert len(raised.value.faults) == 4
    assert all(word in text for word in ("'many' in row 1", "1 values below (-3 in row 2)", "huge in row 1", "LineStr"))


def test_one_value_for_every_row(tmp_path: Path) -> None:
    path = file(tmp_path, POINT, POINT, category=["health", "health"], kind=["a", "b"])
    table, _ = given.read(path, "facilities", into=CRS, constants={"kind": "fire_station"})
    assert table["kind"].tolist() == ["fire_station"] * 2
    bare = file(tmp_path, POINT, sort=["health"])
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
    pairs = f"lon={names[0]}, lat={names[1]}"
    placed = [] if names[0] == "Lon" else [f"Columns recognised by their names: {pairs}."]
    assert [note.en for note in notes] == [*placed, "Columns that are not used: floors."]


def test_columns_mapped_as_places_are_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("kind,east,north\nclinic,3,52\n", encoding="utf-8")
    assert given.read(path, "facilities", into=CRS, crs="EPSG:4326", columns={"lon": "east", "lat": "north"})[1] == ()


def test_kinds_that_nobody_knows_are_kept_and_said(tmp_path: Path) -> None:
    path = file(tmp_path, *[POINT] * 5, kind=["消防站", "屯所", "<script>", "Hospital", "fire_station"])
    table, notes = given.read(path, "facilities", into=CRS)
    assert table["kind"].tolist() == ["fire_station", "屯所", "<script>", "hospital", "fire_station"]
    assert "消防站 = fire_station" in said(notes, "words_translated").en
    note = said(notes, "kinds_not_known")
    assert note.en.startswith("2 rows are of kinds that no service knows unless a parameter names them: 屯所 (1), <sc")
    assert "no known kind is near to them (all: docs/data.md)" in note.en and note.zh.startswith("2行")
    for name in ("data.md", "data.zh-CN.md"):
        text = (Path(__file__).parents[2] / "docs" / name).read_text(encoding="utf-8")
        assert not [kind for kind in given.KNOWN_KINDS if f"`{kind}`" not in text]
    constant = given.read(path, "facilities", into=CRS, constants={"kind": "nonsense"})[1]
    assert [each.en.split(" ")[0] for each in constant] == ["5"]
    near = given.read(file(tmp_path, POINT, POINT, kind=["clinik", "clinik"], name=["a", "b"]), "facilities", into=CRS)[
        1
    ]
    assert "clinik (2); known kinds near to them: clinic" in said(near, "kinds_not_known").en


@pytest.mark.parametrize("kind", ["communities", "buildings"])
def test_points_are_no_areas(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ColumnError, match="MultiPolygon or Polygon, found Point"):
        given.read(file(tmp_path, POINT, name=["A"]), kind, into=CRS)


def test_ids_given_twice_are_refused(tmp_path: Path) -> None:
    path = file(tmp_path, BOX, BOX, community_id=["a", "a"], CODE=[1, 2])
    with pytest.raises(ColumnError, match=r"unique id.*'a'.* in row 2"):
        given.read(path, "communities", into=CRS)
    other = file(tmp_path, BOX, BOX, CODE=["a", "a"], NAME=["A", "B"])
    table, notes = given.read(other, "communities", into=CRS)
    assert table["community_id"].tolist() == ["c1", "c2"]
    assert (said(notes, "ids_repeated").rows, said(notes, "ids_repeated").value) == ((2,), "a")


def test_rows_without_place_and_crossed_outlines_are_said(tmp_path: Path) -> None:
    bow = shapely.Polygon([(3, 52), (3.01, 52.01), (3.01, 52), (3, 52.01)])
    table, notes = given.read(file(tmp_path, bow, None, BOX, name=["A", "B", "C"]), "communities", into=CRS)
    assert table["name"].tolist() == ["A", "C"]
    assert [(note.code, note.rows) for note in notes] == [("rows_without_geometry", (2,)), ("outlines_repaired", (1,))]


def test_the_same_row_again_is_left_out_but_people_are_counted(tmp_path: Path) -> None:
    path = file(tmp_path, POINT, POINT, POINT, kind=["school", "school", "park"], people=[3, 3, 3])
    table, notes = given.read(path, "facilities", into=CRS)
    assert table["kind"].tolist() == ["school", "park"]
    assert (said(notes, "rows_repeated").rows, said(notes, "rows_repeated").severity) == ((2,), "repaired")
    people, notes = given.read(path, "population", into=CRS)
    assert (people["people"].sum(), said(notes, "rows_repeated").severity) == (9, "warning")


@pytest.mark.parametrize(("cells", "found"), [
    (["-9999", "3"], "-9999 in row 1"), (["3", "999999"], "999999 in row 2"), (["3", "-3"], "-3 in row 2"),
    (["3", "viele"], "'viele' in row 2"),
])  # fmt: skip
def test_people_that_nobody_counted_are_refused(tmp_path: Path, cells: list[str], found: str) -> None:
    with pytest.raises(ColumnError, match=found):
        given.read(file(tmp_path, POINT, POINT, people=cells), "population", into=CRS)


def test_columns_are_recognised_in_three_languages(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "序号,避难场所名称,经度(°),纬度(°),场所面积（公顷）,可容纳人数,类型,电话\n"
        '1,鼓楼公园,3,52,1.5,"1,200人",紧急避难场所,025\n2,五台山体育馆,3.01,52,２,不明,固定,025\n',
        encoding="gb18030",
    )
    table, notes = given.read(path, "shelters", into=CRS, crs="EPSG:4326")
    assert table[["shelter_id", "name_zh"]].to_numpy().tolist() == [["1", "鼓楼公园"], ["2", "五台山体育馆"]]
    assert table["area_m2"].tolist() == [15_000, 20_000]
    assert table["capacity"].tolist() == pytest.approx([1200, np.nan], nan_ok=True)
    assert table["tier"].isna().all()  # 固定 may be short, mid or long
    assert "name=避难场所名称" in said(notes, "columns_guessed").en
    assert (said(notes, "unit_converted").column, said(notes, "unit_converted").severity) == (
        "场所面积（公顷）", "repaired",
    )  # fmt: skip
    assert "电话" in said(notes, "columns_not_used").en


def test_a_mapping_goes_before_a_guess_and_two_alike_are_asked(tmp_path: Path) -> None:
    path = file(tmp_path, POINT, POINT, POP2016=[1, 2], Pop2017_UD=[3, 4])
    with pytest.raises(ColumnError, match=r"POP2016 and Pop2017_UD could both be it: Map it with --map people=POP2016"):
        given.read(path, "population", into=CRS)
    table, notes = given.read(path, "population", into=CRS, columns={"people": "Pop2017_UD"})
    assert (table["people"].sum(), [note.code for note in notes]) == (7, ["columns_not_used"])
    capacity = file(tmp_path, POINT, **{"capacity_0.6": [1], "capacity_0.7": [2]})
    table, notes = given.read(capacity, "shelters", into=CRS)
    assert table["capacity"].isna().all()
    assert said(notes, "columns_ambiguous").do_en == "Write --map capacity=capacity_0.6, or another of them."


def test_men_and_women_are_the_people_where_nobody_counted_them(tmp_path: Path) -> None:
    columns = {"男": [10, 5], "女": [12, 6], "60岁以上": [4, None], "share_80plus": [0.1, 0.2]}
    table, notes = given.read(file(tmp_path, POINT, BOX, **columns), "population", into=CRS)
    assert table["people"].tolist() == [22, 11]
    assert "people=男+女" in said(notes, "columns_guessed").en
    assert table["people_60plus"].tolist() == pytest.approx([4, np.nan], nan_ok=True)
    assert table["share_80plus"].tolist() == [0.1, 0.2]


def test_lots_and_supplies(tmp_path: Path) -> None:
    lots = file(tmp_path, BOX, 地块编号=["A-01"], 用地性质=["商业"], 用地面积=["1.2万"])
    table, _ = given.read(lots, "lots", into=CRS)
    assert table[["lot_id", "use", "area_m2"]].to_numpy().tolist() == [["A-01", "commercial", 12_000]]
    columns = {"物资名称": ["水", "米"], "数量": ["3,000", "2"], "单位": ["瓶", "吨"], "储备层级": ["社区", "家庭"],
               "有效期": ["2027年5月", "令和9年3月1日"]}  # fmt: skip
    table, _ = given.read(file(tmp_path, POINT, POINT, **columns), "supplies", into=CRS)
    assert table[["supply_id", "tier", "item", "quantity", "unit", "expiry"]].to_numpy().tolist() == [
        ["s1", "community", "水", 3000, "瓶", "2027-05"], ["s2", "household", "米", 2, "吨", "2027-03-01"],
    ]  # fmt: skip


def test_a_planners_register_of_supplies(tmp_path: Path) -> None:
    path = tmp_path / "物资.csv"
    path.write_text(
        "名称,物资,规格,数量,单位,保质期,协议到期,层级,经度,纬度\n一小,矿泉水,550ml*24,20,箱,2028/5,2029年6月30日,学校,3.0,52.0\n"
        "一小,棉被,,30,床,,,学校,3.0,52.0\n一小,急救包,,4,个,,,学校,3.0,52.0\n", encoding="utf-8")  # fmt: skip
    table, notes = given.read(path, "supplies", into=CRS, crs="EPSG:4326")
    assert table[["item", "pack", "quantity", "expiry", "agreement_until", "tier"]].to_numpy().tolist() == [
        ["矿泉水", "550ml*24", 20, "2028-05", "2029-06-30", "school"], ["棉被", None, 30, None, None, "school"],
        ["急救包", None, 4, None, None, "school"],
    ]  # fmt: skip
    assert [note.code for note in notes] == ["columns_guessed", "words_translated"], "no row is the same as another"


def test_rows_of_one_place_with_empty_cells_are_not_the_same(tmp_path: Path) -> None:
    path = file(tmp_path, POINT, POINT, POINT, name=["A", "B", "B"], capacity=[10, 20, 20], tier=[None, None, None])
    assert given.read(path, "shelters", into=CRS)[0]["name"].tolist() == ["A", "B"]


@pytest.mark.parametrize("kind", sorted(given.KINDS))
def test_an_empty_file_gives_an_empty_table_with_the_right_columns(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    if given.KINDS[kind].needed:
        with pytest.raises(ColumnError):
            given.read(path, kind, into=CRS)
    else:
        assert len(checked(given.read(path, kind, into=CRS)[0], given.KINDS[kind].schema)) == 0


@settings(max_examples=20, deadline=None)
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


def test_what_a_list_says_of_a_shelters_state_and_use(tmp_path: Path) -> None:
    path = tmp_path / "shelters.csv"
    path.write_text(
        "名称,避难场所等级,使用状态,平时功能,转换时间,出入口数量,开放时间,经度,纬度\n"
        "一中,短期,开放,学校,2小时,4个,全天,3.0,52.0\n人民公园,中心,维修中,公园,30分钟,6,,3.1,52.0\n"
        "老礼堂,紧急,损毁,,1天,,,3.2,52.0\n", encoding="utf-8")  # fmt: skip
    table, _ = given.read(path, "shelters", into=CRS, crs="EPSG:4326")
    assert table[["tier", "state", "normal_use", "opening"]].to_numpy().tolist() == [
        ["short", "open", "学校", "全天"], ["central", "closed", "公园", None], ["emergency", "damaged", None, None],
    ]  # fmt: skip
    assert table["conversion_h"].tolist() == pytest.approx([2, 0.5, 24])
    assert table["entrances"].tolist() == pytest.approx([4, 6, np.nan], nan_ok=True)


def test_a_list_in_japanese_or_english_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "shelters.csv"
    path.write_text(
        "施設名,開設状況,平常時の用途,緯度,経度\n公民館,閉鎖中,集会所,52.0,3.0\n小学校,開設中,,52.1,3.0\n",
        encoding="utf-8",
    )
    table, _ = given.read(path, "shelters", into=CRS, crs="EPSG:4326")
    assert table[["state", "normal_use"]].to_numpy().tolist() == [["closed", "集会所"], ["open", None]]
    path.write_text(
        "name,status,conversion_hours,lat,lon\nHall,Damaged,1.5,52.0,3.0\nGym,,,52.1,3.0\n", encoding="utf-8"
    )
    table, _ = given.read(path, "shelters", into=CRS, crs="EPSG:4326")
    assert table["state"].tolist() == ["damaged", None]
    assert table["conversion_h"].tolist() == pytest.approx([1.5, np.nan], nan_ok=True)


def test_a_column_that_is_no_state_is_not_taken_for_one(tmp_path: Path) -> None:
    path = tmp_path / "shelters.csv"
    path.write_text("name,status,lat,lon\nHall,North,52.0,3.0\n", encoding="utf-8")
    table, _ = given.read(path, "shelters", into=CRS, crs="EPSG:4326")
    assert table[["state", "normal_use", "opening"]].isna().all(axis=None)
    with pytest.raises(ColumnError, match="one of open, closed, damaged"):
        given.read(path, "shelters", into=CRS, crs="EPSG:4326", columns={"state": "status"})

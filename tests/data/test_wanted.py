"""Sources of rules of distance as people give them: kinds in their words, heights, voltages and classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import given, words
from geo.errors import ColumnError

CRS = "EPSG:4549"
LINE, POINT, BOX = shapely.LineString([(120, 32), (120.1, 32.1)]), shapely.Point(120, 32), shapely.box(120, 32, 121, 33)


def file(folder: Path, *shapes: shapely.Geometry, **columns: list[Any]) -> Path:
    path = folder / "a.geojson"
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326").to_file(path)
    return path


def test_lines_outlines_and_points_are_sources(tmp_path: Path) -> None:
    points = shapely.MultiPoint([(120, 32), (121, 33)])
    said: dict[str, list[Any]] = {"类型": ["断层", "蓝线", "油库", "滑坡"], "名称": ["F1", None, None, "X"]}
    path = file(tmp_path, LINE, BOX, POINT, points, **said)
    table, notes = given.read(path, "sources", into=CRS)
    assert table["kind"].tolist() == ["fault", "blue_line", "hazardous_works", "landslide"]
    assert table["source_id"].tolist() == ["s1", "s2", "s3", "s4"] and table["name"][0] == "F1"
    assert np.isnan(table["voltage_v"]).all() and table.crs == CRS
    assert "words_translated" in [note.code for note in notes]


@pytest.mark.parametrize(("said", "ours"), [
    ("活动断裂", "fault"), ("龙门山断裂带", "fault"), ("active fault", "fault"), ("非活动断裂", "inactive_fault"),
    ("堤防", "dyke"), ("城市蓝线", "blue_line"), ("泥石流沟", "debris_fan"), ("危岩体", "rockfall"),
    ("危化品仓库", "hazardous_works"),
    ("输气管线", "pipeline"), ("220kV输电线路", "power_line"), ("储油罐", "storage_tank"), ("加油站", "fuel"),
    ("地裂缝", "fissure"), ("采空区", "subsidence"), ("高边坡", "slope"),
])  # fmt: skip
def test_words_of_sources(tmp_path: Path, said: str, ours: str) -> None:
    table, _ = given.read(file(tmp_path, LINE, kind=[said]), "sources", into=CRS)
    assert table["kind"].tolist() == [ours]


def test_an_unknown_kind_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(ColumnError) as raised:
        given.read(file(tmp_path, LINE, LINE, kind=["fault", "anticline"]), "sources", into=CRS)
    said = str(raised.value)
    assert f"one of {', '.join(words.known('source'))}" in said and "anticline in row 2" in said
    with pytest.raises(ColumnError, match=r"a column kind, .*kind:=VALUE"):
        given.read(file(tmp_path, LINE, Type=["thrust"]), "sources", into=CRS)
    table, _ = given.read(file(tmp_path, LINE, Type=["thrust"]), "sources", into=CRS, constants={"kind": "断层"})
    assert table["kind"].tolist() == ["fault"]


def test_voltages_classes_and_measures(tmp_path: Path) -> None:
    path = file(tmp_path, *[LINE] * 4, kind=["power_line"] * 4, 电压等级=["110kV", "500千伏", "220", "35000"],
                等级=["一级", "Ⅱ", "3", None], 坡高=["12 m", None, "30", "8.5"], 设防烈度=["8度", "7", None, "9"],
                覆盖层厚度=[65, None, 10, 0], 容积=["1000立方米", "1.2万", None, "5"])  # fmt: skip
    table, notes = given.read(path, "sources", into=CRS)
    assert table["voltage_v"].tolist()[:2] == [110_000, 500_000] and table["voltage_v"][3] == 35_000
    assert np.isnan(table["voltage_v"][2])  # 220: volts or kilovolts
    assert table["grade"].tolist()[:3] == [1, 2, 3] and np.isnan(table["grade"][3])
    assert [table[name][0] for name in ("height_m", "intensity", "cover_m", "volume_m3")] == [12, 8, 65, 1000]
    told = {note.code: note for note in notes}
    assert (told["voltages_low"].count, told["voltages_low"].rows) == (1, (3,))


def test_kilovolts_in_the_header(tmp_path: Path) -> None:
    path = file(tmp_path, LINE, LINE, kind=["power_line"] * 2, **{"电压(kV)": [110, 10]})
    assert given.read(path, "sources", into=CRS)[0]["voltage_v"].tolist() == [110_000, 10_000]

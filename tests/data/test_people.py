"""Rasters of people: counts and densities, told apart or asked about; everybody there, wherever it lies."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import Geod
from rasterio.transform import Affine

from data import people
from geo import population
from geo.errors import InputError, LimitError, ParameterError

CRS, INTO = "EPSG:28992", "EPSG:32631"
HECTARES = Affine(100, 0, 190_000, 0, -100, 505_000)
CELLS_50_M = Affine(50, 0, 190_000, 0, -50, 505_000)


def tif(path: Path, values: object, *, crs: str = CRS, transform: Affine = CELLS_50_M, nodata: float | None = None,
        tags: dict[str, str] | None = None) -> Path:  # fmt: skip
    array = np.asarray(values, dtype="float64")
    with rasterio.open(path, "w", driver="GTiff", height=array.shape[0], width=array.shape[1], count=1, dtype="float64",
                       crs=crs, transform=transform, nodata=nodata) as target:  # fmt: skip
        target.write(array, 1)
        target.update_tags(**(tags or {}))
    return path


def read(path: Path, unit: str | None = "people", **how: Any) -> Any:
    return people.read(path, into=INTO, unit=unit, **how)


def codes(notes: tuple[people.Finding, ...]) -> list[str]:
    return [note.code for note in notes]


def test_cells_with_people_are_squares(tmp_path: Path) -> None:
    table, notes = read(tif(tmp_path / "a.tif", [[0, 2.5, -1], [7, 0, np.nan]], nodata=-1))
    assert table[["demand_id", "people"]].to_numpy().tolist() == [["r0c1", 2.5], ["r1c0", 7]]
    assert codes(notes) == ["people_read"]
    back = table.to_crs(CRS)
    assert np.allclose(back.total_bounds, [190_000, 504_900, 190_100, 505_000])
    assert np.allclose(back.area, 2500)


@pytest.mark.parametrize(("unit", "of_m2"), [
    ("people/km2", 1e6), ("people/ha", 1e4), ("people/m2", 1), ("people/100000m2", 1e5), ("People / km²", 1e6),
    ("people/0.25km2", 250_000),
])  # fmt: skip
def test_people_per_area(tmp_path: Path, unit: str, of_m2: float) -> None:
    path = tif(tmp_path / "a.tif", [[4.0, 8.0]], transform=HECTARES)
    # The national grid's areas are 0.02 % off those on the ground here.
    assert read(path, unit)[0]["people"].tolist() == pytest.approx([4 * 1e4 / of_m2, 8 * 1e4 / of_m2], rel=3e-4)


@pytest.mark.parametrize("unit", ["m", "people/acre", "people/0m2", "people/", "km2", "people per km2"])
def test_other_units_are_refused(tmp_path: Path, unit: str) -> None:
    with pytest.raises(ParameterError, match="people/<N>m2"):
        read(tif(tmp_path / "a.tif", [[4.0]]), unit)


class TestAsked:
    def test_where_several_readings_give_a_city_the_file_is_refused_with_all_of_them(self, tmp_path: Path) -> None:
        """1 400 in cells of 50 m: a crowd in each, a suburb by the square kilometre, a dense city by the hectare."""
        with pytest.raises(InputError) as raised:
            read(tif(tmp_path / "population.tif", [[1400.0, 1400.0]]), None)
        said = str(raised.value)
        assert "2,800 as people (55" in said and "7 as people/km2 (1,400 a km²" in said
        assert "700 as people/ha (140,000 a km²" in said and "--unit people" in said and "people/<N>m2" in said

    def test_the_only_reading_by_a_wide_margin_is_taken_and_said(self, tmp_path: Path) -> None:
        table, notes = read(tif(tmp_path / "a.tif", [[12_000.0, 9000.0]]), None)  # 10 500 a km², else millions
        assert table["people"].sum() == pytest.approx(21_000 / 400, rel=3e-4)
        assert codes(notes) == ["people_unit_taken", "people_read"]
        assert (notes[0].severity, notes[0].value) == ("warning", "people/km2")
        assert "--unit" in notes[0].do_en

    def test_readings_that_are_the_same_are_not_asked_about(self, tmp_path: Path) -> None:
        path = tif(tmp_path / "a.tif", [[40.0, 3.0]], transform=HECTARES)  # a hectare's people are its cell's
        assert read(path, None)[0]["people"].tolist() == [40, 3]

    @pytest.mark.parametrize(("name", "tags", "people_", "unit"), [
        ("nld_ppp_2020", {}, 60, "people"), ("GHS_POP_E2020", {}, 60, "people"),
        ("nld_pd_2020", {}, 0.15, "people/km2"), ("a", {"units": "people per sq km"}, 0.15, "people/km2"),
        ("a", {"comment": "inhabitants per hectare"}, 15, "people/ha"),
        ("a", {"units": "Number of people per grid cell"}, 60, "people"),
    ])  # fmt: skip
    def test_what_the_file_says_is_taken(
        self, tmp_path: Path, name: str, tags: dict[str, str], people_: float, unit: str
    ) -> None:
        path = tif(tmp_path / f"{name}.tif", [[60.0]], tags=tags)
        if unit == "people/km2":
            path = tif(tmp_path / f"{name}.tif", [[60.0, 2000.0]], tags=tags)
        table, notes = read(path, None)
        assert table["people"].iloc[0] == pytest.approx(people_, rel=3e-4)
        assert notes[0].value == unit

    def test_a_file_that_says_what_cannot_be_is_asked_about(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="a unit of the raster"):
            read(tif(tmp_path / "x_ppp.tif", [[5000.0]]), None)  # 2 000 000 a km²

    def test_nobody_needs_no_unit(self, tmp_path: Path) -> None:
        table, notes = read(tif(tmp_path / "a.tif", [[0, 0]]), None)
        assert (len(table), list(table.columns)) == (0, ["demand_id", "people", "geometry"])
        assert "0 people in 0 cells" in notes[0].en
        assert population.given(table).total == 0


def test_fewer_than_nobody_is_not_known_and_said(tmp_path: Path) -> None:
    table, notes = read(tif(tmp_path / "a.tif", [[0, 2.5, -3], [-19_812.8, 1, 4]]))
    assert table["people"].sum() == 7.5
    assert (notes[0].code, notes[0].severity, notes[0].count) == ("people_below_zero", "warning", 2)
    assert (notes[0].rows, notes[0].column, notes[0].value) == ((1, 2), "column 3", "-3")
    assert "row 1, column 3: -3; row 2, column 1: -19,812.8" in notes[0].en
    assert codes(read(tif(tmp_path / "a.tif", [[2.5, -3]]), nodata=-3)[1]) == ["people_read"]


@pytest.mark.parametrize(("values", "said"), [
    ([[1, 2, 65535]], "65535 in 1 cell, undeclared"), ([[np.nan]], "no cell with a value"),
    ([[3, 1e30]], "undeclared"),
])  # fmt: skip
def test_what_looks_like_nodata_is_refused(tmp_path: Path, values: list[list[float]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tif(tmp_path / "a.tif", values))


def test_too_many_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "PEOPLED", dataclasses.replace(people.PEOPLED, most=1))
    with pytest.raises(LimitError, match="at most 1 cells with people"):
        read(tif(tmp_path / "a.tif", [[1, 2]]))


@pytest.mark.parametrize(("crs", "transform"), [
    ("EPSG:4326", Affine(0.01, 0, 5.9, 0, -0.01, 52.6)), ("EPSG:4326", Affine(0.01, 0, 24.9, 0, -0.02, 70.0)),
    ("EPSG:3857", Affine(500, 0, 656_000, 0, -500, 6_890_000)),
    ("EPSG:28992", Affine(300, 400, 190_000, 400, -300, 5e5)),
    ("EPSG:32648", Affine(50.04, 0, 686_481, 0, -50.04, -672_326)), ("EPSG:2263", Affine(900, 0, 1e6, 0, -900, 2e5)),
])  # fmt: skip
def test_areas_are_those_on_the_ground(tmp_path: Path, crs: str, transform: Affine) -> None:
    """An oracle: the cell's corners on the ellipsoid, joined by geodesics (Karney)."""
    path = tif(tmp_path / "a.tif", np.ones((3, 4)), crs=crs, transform=transform)
    table, _ = people.read(path, into=crs if crs != "EPSG:4326" else INTO, unit="people/m2")
    earth = Geod(ellps="WGS84")
    on_ground = [abs(earth.geometry_area_perimeter(cell)[0]) for cell in table.to_crs("EPSG:4326").geometry]
    assert table["people"].tolist() == pytest.approx(on_ground, rel=2e-5)


@settings(max_examples=25)
@given(hnp.arrays(np.float64, (4, 5), elements=st.one_of(st.just(np.nan), st.floats(0, 300))), st.sampled_from([
    ("EPSG:28992", HECTARES), ("EPSG:4326", Affine(0.001, 0, 5.9, 0, -0.001, 52.6)),
]))  # fmt: skip
def test_the_total_survives_projection_to_the_last_person(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, where: tuple[str, Affine]
) -> None:
    path = tif(tmp_path_factory.mktemp("p") / "a.tif", values, crs=where[0], transform=where[1])
    if np.isnan(values).all():
        with pytest.raises(InputError):
            read(path)
        return
    table, _ = read(path)
    assert table["people"].sum() == pytest.approx(np.nansum(values), abs=1e-9)
    found = population.given(table)
    assert abs(found.total - np.nansum(values)) <= 0.5 + 1e-9

"""How many people a building holds: drawn."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo import dwellings
from tests.geo.drawn_people import NOWHERE, PARAMS, building, land, town


def expected(*rows: dict[str, object], areas: gpd.GeoDataFrame = NOWHERE) -> list[float]:
    return dwellings.residents(town(*rows), areas, params=PARAMS).tolist()


class TestResidents:
    # Footprints are 100 m²; lived on is 0.8 of the floor.
    @pytest.mark.parametrize(("row", "people"), [
        (building("house"), 100 * 2 * 0.8 / 50),
        (building("apartments"), 100 * 4 * 0.8 / 40),
        (building("dormitory"), 100 * 4 * 0.8 / 10),
        (building("bungalow"), 100 * 1 * 0.8 / 50),
        (building("yes"), 100 * 3 * 0.8 * 0.5 / 40),
        (building("house", levels=3), 100 * 3 * 0.8 / 50),
        (building("house", high=9.5), 100 * 3 * 0.8 / 50),
        (building("house", high=2.0), 100 * 1 * 0.8 / 50),
        (building("house", levels=3, high=30), 100 * 3 * 0.8 / 50),
        (building("house", levels=0), 100 * 2 * 0.8 / 50),
        (building("house", 4, 6), 0),
        (building("house", 5, 5), 25 * 2 * 0.8 / 50),
        (building("yes", 50, 51), 0),
        (building("apartments", 50, 51), 50 * 51 * 4 * 0.8 / 40),
        *((building(use), 0) for use in ("school", "garage", "industrial", "hotel", "hospital", "shed", "public")),
    ])  # fmt: skip
    def test_each_kind(self, row: dict[str, object], people: float) -> None:
        untold = [building("yes", 1, 1)] * 2
        assert expected(row, *untold)[0] == pytest.approx(people)

    @pytest.mark.parametrize("kind", ["industrial", "farmyard", "military", "education", "commercial"])
    def test_on_land_without_dwellings_only_told_dwellings_count(self, kind: str) -> None:
        found = expected(building("yes"), building("house", at=20), building("yes", at=200), areas=land(kind))
        assert (np.array(found) > 0).tolist() == [False, True, True]

    def test_homes_inside_a_factory_ground(self) -> None:
        areas = pd.concat([land("industrial"), land("residential", 20, 20).assign(area_id="b")], ignore_index=True)
        found = expected(building("yes"), building("yes", at=50), areas=areas)
        assert (np.array(found) > 0).tolist() == [True, False], "the smaller ground counts"

    def test_where_most_uses_are_told_the_untold_are_sheds(self) -> None:
        assert expected(building("house"), building("house"), building("yes"))[2] == 0
        assert expected(building("house"), building("yes"))[1] > 0, "half is not most"

    def test_storeys_recorded_often_enough_replace_the_default(self) -> None:
        flats = [building("apartments", levels=n) for n in (5, 6, 10)]
        assert expected(*flats, building("apartments"))[3] == pytest.approx(100 * 6 * 0.8 / 40)
        assert expected(*flats[:2], building("apartments"))[2] == pytest.approx(100 * 4 * 0.8 / 40)
        assert expected(*flats, building("house"))[3] == pytest.approx(100 * 2 * 0.8 / 50), "each kind its own"


def by_day(*rows: dict[str, object]) -> list[float]:
    return dwellings.by_day(town(*rows), NOWHERE, params=PARAMS).tolist()


class TestByDay:
    # Footprints are 100 m²; half the residents are at home.
    @pytest.mark.parametrize(("row", "people"), [
        (building("house"), 3.2 / 2), (building("office", levels=4), 400 / 20),
        (building("office", high=9.5), 300 / 20), (building("school"), 200 / 5),
        (building("supermarket", levels=1), 100 / 25), (building("hospital"), 200 / 10),
        (building("warehouse"), 200 / 50), (building("garage"), 0), (building("hotel"), 0),
        (building("yes"), 3.0 / 2 + 300 * 0.5 / 25),
    ])  # fmt: skip
    def test_each_kind(self, row: dict[str, object], people: float) -> None:
        untold = [building("yes", 1, 1)] * 2
        assert by_day(row, *untold)[0] == pytest.approx(people)

    def test_nobody(self) -> None:
        assert by_day() == []

"""Coverage by length of street: drawn, and the standing of communities whose people nobody knows."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import standards
from geo import lengths
from geo.evacuation import WalkParams
from geo.summary import StatusParams
from tests.geo.drawn import ORIGIN
from tests.geo.test_coverage import ALL_WEST, covered, told, units

STATUS = StatusParams.of(standards.load())
WALK = WalkParams.of(standards.load())


def shares(**asked: object) -> dict[str, list[float]]:
    table = lengths.street_shares(told(covered(ALL_WEST), **asked), units()).communities  # type: ignore[arg-type]
    return {str(name): column.tolist() for name, column in table.items()}


@pytest.fixture(autouse=True)
def _only_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    # The drawn city asks for engines only.
    monkeypatch.setattr(lengths, "MEASURED", ("fire", "medical", "police"))


def test_shares_of_the_streets_of_each_community() -> None:
    # 300 m of the 600 m lie within 5 minutes of the western end: all of the west, nothing of the east
    found = shares()
    assert found["fire_street_share"] == pytest.approx([1, 0, np.nan], nan_ok=True)
    assert lengths.street_shares(told(covered(ALL_WEST)), units()).city["fire_street_share"] == pytest.approx(0.5)


def test_a_closed_street_is_reached_by_nobody() -> None:
    found = shares(closed=(1,))
    assert found["fire_street_share"] == pytest.approx([1 / 3, 0, np.nan], nan_ok=True)
    assert found["fire_street_share_normal"] == pytest.approx([1, 0, np.nan], nan_ok=True)


def test_without_stations_nothing_is_known() -> None:
    table = lengths.street_shares(told(covered([])), units()).communities
    assert table["police_street_share"].isna().all()


def test_communities_without_people_stand_by_their_streets() -> None:
    places = [shapely.Point(x + ORIGIN[0], ORIGIN[1]) for x in range(3)]
    table = gpd.GeoDataFrame(
        {
            "status": "empty",
            "reason_code": "empty",
            "shelter_street_share": [1.0, 0.4, np.nan],
            "shelter_street_share_normal": [1.0, 0.9, np.nan],
        },
        geometry=places,
    )
    found = lengths.judged(table, params=STATUS, walk=WALK)
    assert found["status"].tolist() == ["good", "bad", "empty"]
    assert set(found["reason_code"]) == {"people_not_known"}
    assert found["reason_en"].tolist() == [
        "How many people live here is not known. From 100% of the street length a usable shelter is within 15 minutes "
        "on foot.",
        "How many people live here is not known. From 40% of the street length a usable shelter is within 15 minutes "
        "on foot (normal day 90%).",
        "How many people live here is not known, nor the way to a shelter: the data has no shelter, or no street.",
    ]
    assert found["reason_zh"].str.endswith("。").all()

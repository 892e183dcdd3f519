"""Results added up to the units above: drawn, and by law."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import rollup
from tests.geo.test_parentage import DISTRICTS, box, linked, quarters, table


class TestRolledUp:
    FOUND = linked(DISTRICTS, quarters("N", "N", "S", "S"))

    def test_sums_and_shares_from_sums(self) -> None:
        units = self.FOUND.table.assign(
            people=[10, 30, 0, 60], people_served=[5, 30, 0, 0], let_m2=[1.5, np.nan, np.nan, np.nan],
            fire_share=[1.0, 0.5, np.nan, 0.25], fire_street_share=[0.5, 1, 0.2, np.nan], street_km=[1.0, 3, 5, 0],
            walk_s_median=[60.0, 90, np.nan, 5], status=["good"] * 4,
        )  # fmt: skip
        found = rollup.rolled_up(units, self.FOUND.parents, of={"fire_street_share": "street_km"})
        assert found["community_id"].tolist() == ["N", "S"] and found["communities"].tolist() == [2, 2]
        assert found["people"].tolist() == [40, 60] and found["people"].dtype == np.int64
        assert found["people_served"].tolist() == [35, 0]
        assert found["let_m2"].fillna(-1).tolist() == [1.5, -1]
        assert found["fire_share"].tolist() == [(10 + 15) / 40, 0.25]
        assert found["fire_street_share"].tolist() == [(0.5 + 3) / 4, 0.2]
        assert not {"walk_s_median", "status"} & set(found.columns)

    def test_people_that_one_community_does_not_know_are_not_known_above(self) -> None:
        units = self.FOUND.table.assign(people=[1000, 10, 5, 5], people_60plus=[np.nan, 2, 1, 1])
        found = rollup.rolled_up(units, self.FOUND.parents)
        assert found["people"].tolist() == [1010, 10]
        assert found["people_60plus"].fillna(-1).tolist() == [-1, 2]

    def test_who_is_in_no_unit_has_a_row_and_an_empty_unit_zeros(self) -> None:
        units = self.FOUND.table.assign(people=[1, 2, 3, 4], parent_id=[None, "N", "N", None])
        found = rollup.rolled_up(units, self.FOUND.parents).set_index("community_id")
        assert found["people"].to_dict() == {"N": 5, "S": 0, "none_district": 5}
        assert found.loc["none_district", "name_zh"] == "不属于任何区县"

    def test_nothing_above_nothing_out(self) -> None:
        found = rollup.rolled_up(self.FOUND.table.assign(people=1), self.FOUND.parents.iloc[:0])
        assert len(found) == 0 and "people" in found.columns


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5000)), min_size=1, max_size=12))
@settings(deadline=None, max_examples=25)
def test_every_level_adds_up_to_the_same_people(where: list[tuple[int, int, int]]) -> None:
    """Some units lie beyond the districts, some districts beyond the city."""
    units = table("community", *((f"c{n}", "C", None, box(x, y, 0.5, 0.5)) for n, (x, y, _) in enumerate(where)))
    districts = table("district", *((f"d{n}", f"D{n}", None, box(2 * n, 0, 2, 6)) for n in range(4)))
    city = table("city", ("city", "City", None, box(0, 0, 5, 6)))
    found = linked(units, city, districts)
    people = np.array([n for *_, n in where])
    rolled = rollup.rolled_up(found.table.assign(people=people), found.parents)
    totals = rolled.groupby("level")["people"].sum()
    assert totals.to_dict() == {"district": people.sum(), "city": people.sum()}

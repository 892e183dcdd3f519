"""Which unit is part of which: drawn."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo import parentage
from geo.errors import ColumnError
from geo.parentage import Hierarchy, ParentParams
from geo.tables import COMMUNITIES, checked

CRS = "EPSG:32631"
PARAMS = ParentParams(stick_out_share=0.1)
Row = tuple[str, str, str | None, shapely.Polygon]


def box(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    return shapely.box(*(100 * n for n in (6000 + x, 58_000 + y, 6000 + x + width, 58_000 + y + height)))


def table(level: str, *rows: Row) -> gpd.GeoDataFrame:
    ids, names, parents, shapes = (list(column) for column in zip(*rows, strict=True))
    columns = {"community_id": ids, "name": names, "name_zh": None, "name_en": None, "level": level, "source": "drawn",
               "parent_id": pd.Series(parents, dtype=object)}  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def linked(*tables: gpd.GeoDataFrame) -> Hierarchy:
    return parentage.linked(tables, params=PARAMS)


def codes(found: Hierarchy) -> list[str]:
    return [finding.code for finding in found.findings]


# Two districts of a town: Nord above Sued, each a row of quarters; "Mitte" is there twice.
#
#   2 ┌ 1 Mitte ┬ 2 Hafen ┐  N
#   1 ├ 3 Mitte ┼ 4 Markt ┤  S
#   0 └─────────┴─────────┘
#     0         2         4
NORTH, SOUTH = ("N", "Nord", None, box(0, 1, 4, 1)), ("S", "Sued", None, box(0, 0, 4, 1))
DISTRICTS = table("district", NORTH, SOUTH)


def quarters(*parents: str | None) -> gpd.GeoDataFrame:
    shapes = box(0, 1, 2, 1), box(2, 1, 2, 1), box(0, 0, 2, 1), box(2, 0, 2, 1)
    names = "Mitte", "Hafen", "Mitte", "Markt"
    return table("community", *zip("1234", names, parents, shapes, strict=True))


class TestLinked:
    @pytest.mark.parametrize("said", [("N", "N", "S", "S"), ("Nord", " NORD", "sued", "Sued"), (None,) * 4])
    def test_by_id_by_name_or_by_place(self, said: tuple[str | None, ...]) -> None:
        found = linked(DISTRICTS, quarters(*said))
        assert found.table["parent_id"].tolist() == ["N", "N", "S", "S"] and codes(found) == []
        assert found.parents["community_id"].tolist() == ["N", "S"]
        assert checked(found.table, COMMUNITIES) is found.table
        assert repr(found) == "Hierarchy(4 units, above them 2 of district)"

    def test_three_levels_of_which_one_names_its_parent_by_a_name_that_is_there_twice(self) -> None:
        blocks = table("grid", ("a", "A", "Mitte", box(0, 1, 1, 1)), ("b", "B", "Mitte", box(1, 0, 1, 1)))
        found = linked(blocks, quarters(*(None,) * 4), DISTRICTS)
        assert found.table["parent_id"].tolist() == ["1", "3"]
        above = parentage.ancestors(found.table, found.parents)
        assert above.to_dict("list") == {"community": ["1", "3"], "district": ["N", "S"]}

    def test_what_is_unknown_ambiguous_elsewhere_or_sticks_out_is_named(self) -> None:
        blocks = table(
            "grid", ("a", "A", "Altstadt", box(0, 1, 1, 1)), ("b", "B", "Mitte", box(2, 1, 1, 1)),
            ("c", "C", "Hafen", box(0, 0, 1, 1)), ("d", "D", None, box(3.5, 0, 0.8, 1)),
            ("e", "E", None, box(9, 9, 1, 1)),
        )  # fmt: skip
        found = linked(blocks, quarters("N", "N", "S", "S"), DISTRICTS)
        assert found.table["parent_id"].tolist() == ["1", None, "2", "4", None]
        told = {finding.code: finding for finding in found.findings}
        assert told["parents_unknown"].value == "Altstadt" and told["parents_ambiguous"].rows == (2,)
        assert "C (Hafen)" in told["parents_elsewhere"].en
        assert told["parents_stick_out"].count == 2 and "D (38%)" in told["parents_stick_out"].en
        assert "E" in told["parents_none"].en and told["parents_none"].count == 1

    def test_parents_that_nobody_drew_are_made_of_their_units(self) -> None:
        found = linked(quarters("Nord", "nord", "Sued", "Sued"))
        assert found.parents["name"].tolist() == ["Nord", "Sued"]
        assert found.parents["level"].tolist() == ["subdistrict"] * 2 and codes(found) == ["parents_made"]
        assert found.table["parent_id"].tolist() == ["subdistrict_Nord"] * 2 + ["subdistrict_Sued"] * 2
        assert found.parents.geometry.area.tolist() == [40_000, 40_000]

    def test_ids_that_occur_at_two_levels_get_their_level_in_front(self) -> None:
        found = linked(quarters("1", "1", "2", "2"), table("district", ("1", *NORTH[1:]), ("2", *SOUTH[1:])))
        assert found.table["community_id"].tolist() == ["community_1", "community_2", "3", "4"]
        assert found.table["parent_id"].tolist() == ["district_1"] * 2 + ["district_2"] * 2

    def test_a_level_that_is_none_is_refused(self) -> None:
        with pytest.raises(ColumnError, match="'ward'"):
            linked(quarters(*(None,) * 4).assign(level="ward"))

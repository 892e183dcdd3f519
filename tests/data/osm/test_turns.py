from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data import osm
from data.osm.raw import TurnRule
from data.osm.turns import restrictions
from geo.network import RESTRICTIONS, build, no_restrictions
from tests.data.osm.drawn import Town

MEMBERS = [("w", 1, "from"), ("n", 2, "via"), ("w", 3, "to")]


def crossroads() -> Town:
    """
    ::

              4
              │ w3
        1─w1──2──w2──5──w4──6
              │ w5
              3
    """
    town = Town().node(1, 0, 0).node(2, 50, 0).node(3, 50, -50).node(4, 50, 50).node(5, 100, 0).node(6, 150, 0)
    for number, nodes in {1: [1, 2], 2: [2, 5], 3: [2, 4], 4: [5, 6], 5: [2, 3]}.items():
        town.way(number, nodes, highway="residential")
    return town


def read(town: Town, folder: Path) -> osm.Extract:
    return osm.read(town.write(folder / "a.osm"))


def rows(extract: osm.Extract, *columns: str) -> list[list[Any]]:
    return extract.ways.restrictions[list(columns)].to_numpy().tolist()


def test_no_restriction_is_an_empty_table_with_the_right_columns(tmp_path: Path) -> None:
    extract = read(crossroads(), tmp_path)
    pd.testing.assert_frame_equal(extract.ways.restrictions, no_restrictions())
    assert (extract.counts["restrictions"], extract.counts["restrictions_incomplete"]) == (0, 0)


def test_one_turn_over_a_node(tmp_path: Path) -> None:
    town = crossroads().relation(7, MEMBERS, type="restriction", restriction="no_left_turn", except_="psv;bicycle")
    extract = read(town, tmp_path)
    assert list(extract.ways.restrictions) == list(RESTRICTIONS)
    assert rows(extract, *RESTRICTIONS) == [[7, "no_left_turn", 1, 2, (), 3, "psv;bicycle", None, None]]
    assert extract.counts["restrictions"] == 1
    pd.testing.assert_frame_equal(build(extract.ways).restrictions, extract.ways.restrictions)


def test_a_turn_over_ways_keeps_their_order(tmp_path: Path) -> None:
    members = [("w", 3, "from"), ("w", 2, "via"), ("w", 4, "via"), ("w", 5, "to")]
    extract = read(crossroads().relation(7, members, type="restriction", restriction="no_u_turn"), tmp_path)
    assert rows(extract, "from_way", "via_node", "via_ways", "to_way") == [[3, -1, (2, 4), 5]]


def test_who_and_when(tmp_path: Path) -> None:
    town = crossroads()
    town.relation(7, MEMBERS, type="restriction", restriction__hgv="no_left_turn")
    town.relation(8, MEMBERS, type="restriction", restriction__conditional="no_left_turn @ (Mo-Fr 07:00-09:00)")
    town.relation(9, MEMBERS, type="restriction", restriction__hgv__conditional="only_left_turn @ (weight > 7.5)")
    town.relation(10, MEMBERS, type="restriction:motorcar", restriction="no_left_turn")
    assert rows(read(town, tmp_path), "restriction_id", "kind", "vehicle", "condition") == [
        [7, "no_left_turn", "hgv", None],
        [8, "no_left_turn", None, "no_left_turn @ (Mo-Fr 07:00-09:00)"],
        [9, "only_left_turn", "hgv", "only_left_turn @ (weight > 7.5)"],
        [10, "no_left_turn", "motorcar", None],
    ]


def test_one_relation_may_say_several_things(tmp_path: Path) -> None:
    tags = {"type": "restriction", "restriction": "no_left_turn", "restriction__emergency": "no_u_turn"}
    extract = read(crossroads().relation(7, MEMBERS, **tags), tmp_path)
    assert rows(extract, "kind", "vehicle") == [["no_left_turn", None], ["no_u_turn", "emergency"]]


def test_no_entry_has_several_ways_in_and_no_exit_several_out(tmp_path: Path) -> None:
    town = crossroads()
    town.relation(7, [("w", 1, "from"), ("w", 5, "from"), ("n", 2, "via"), ("w", 3, "to")], type="restriction",
                  restriction="no_entry")  # fmt: skip
    town.relation(8, [("w", 1, "from"), ("n", 2, "via"), ("w", 2, "to"), ("w", 3, "to")], type="restriction",
                  restriction="no_exit")  # fmt: skip
    extract = read(town, tmp_path)
    assert rows(extract, "restriction_id", "from_way", "to_way") == [[7, 1, 3], [7, 5, 3], [8, 1, 2], [8, 1, 3]]
    assert extract.counts["restrictions"] == 4


@pytest.mark.parametrize(("members", "kind"), [
    ([("w", 1, "from"), ("n", 2, "via"), ("w", 99, "to")], "no_left_turn"),
    ([("w", 1, "from"), ("n", 99, "via"), ("w", 3, "to")], "no_left_turn"),
    ([("w", 1, "from"), ("w", 3, "to")], "no_left_turn"),
    ([("w", 1, "from"), ("n", 2, "via"), ("w", 2, "via"), ("w", 3, "to")], "no_left_turn"),
    ([("w", 1, "from"), ("n", 2, "via"), ("w", 2, "to"), ("w", 3, "to")], "only_left_turn"),
    ([("n", 2, "via"), ("w", 3, "to")], "no_left_turn"),
    (MEMBERS, "give_way"),
])  # fmt: skip
def test_what_is_incomplete_or_says_no_turn_is_counted(tmp_path: Path, members: list[Any], kind: str) -> None:
    extract = read(crossroads().relation(7, members, type="restriction", restriction=kind), tmp_path)
    assert (len(extract.ways.restrictions), extract.counts["restrictions_incomplete"]) == (0, 1)


def test_a_street_that_is_not_built_bounds_no_turn(tmp_path: Path) -> None:
    town = crossroads().way(3, [2, 4], highway="construction")
    extract = read(town.relation(7, MEMBERS, type="restriction", restriction="no_left_turn"), tmp_path)
    assert extract.counts["restrictions_incomplete"] == 1


def test_objects_drawn_but_never_uploaded_keep_their_numbers(tmp_path: Path) -> None:
    town = Town().node(-1, 0, 0).node(-2, 50, 0).node(-3, 50, 50)
    town.way(-4, [-1, -2], highway="residential").way(-5, [-2, -3], highway="residential")
    members = [("w", -4, "from"), ("n", -2, "via"), ("w", -5, "to")]
    extract = read(town.relation(-7, members, type="restriction", restriction="no_left_turn"), tmp_path)
    assert rows(extract, "restriction_id", "from_way", "via_node", "to_way") == [[-7, -4, -2, -5]]


def test_the_order_of_the_relations_changes_nothing() -> None:
    turns = [
        TurnRule(number, {"type": "restriction", key: "no_left_turn"}, tuple(MEMBERS))
        for number, key in ((9, "restriction"), (7, "restriction:hgv"), (8, "restriction"))
    ]
    found = [restrictions(each, {1, 3}, {2}, counts=Counter()) for each in (turns, turns[::-1])]
    pd.testing.assert_frame_equal(*found)
    assert found[0]["restriction_id"].tolist() == [7, 8, 9]

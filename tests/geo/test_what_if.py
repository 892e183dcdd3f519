"""What an edit changes is what computing everything anew gives, on a town of nine corners and four parks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import readied, situation, tables, what_if
from geo.city import City
from geo.errors import NotFoundError, ParameterError
from geo.hazards import Grid, Hazard
from geo.situation import Situation
from geo.what_if import Changes, Edits, NewShelter
from tests.geo.drawn import CRS, ORIGIN, positions, ways
from tests.geo.test_plan import DEFAULTS, FLOOD, NORMAL, box, changed_to, table

# a b c
# d e f     rows and columns of streets, 300 m apart
# g h i
CORNERS = positions("abc\ndef\nghi", step_m=300)
PAIRS = ("ab", "bc", "de", "ef", "gh", "hi", "ad", "dg", "be", "eh", "cf", "fi")
CHAINS: dict[str, dict[str, str]] = {pair: {} for pair in PAIRS}
HOMES = ((13, 6, 40), (141, -7, 65), (288, 5, 33), (451, 8, 71), (603, -6, 20), (7, -160, 55), (309, -214, 90),
         (590, -377, 48), (180, -594, 61), (466, -608, 37), (4, -471, 29), (297, -489, 83))  # fmt: skip
PARKS = (("p0", 40, 12, 90.0), ("p1", 560, 14, 150.0), ("p2", 320, -560, 200.0), ("p3", 20, -560, np.nan))
TOLD = ["walk_s", "shelter_id", "shelters_used", "state", "people_served", "people_unserved", "nearest_id", "nearest_s",
        "stay_id", "stay_s", "people_housed"]  # fmt: skip


def town() -> City:
    """People at twelve doors; parks of known room but one; ``flood`` lies on the middle column's north."""
    homes = [shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y) for x, y, _ in HOMES]
    parks = [box(x, y, 20) for _, x, y, _ in PARKS]
    values = np.zeros((70, 70), dtype=np.float32)
    values[0:25, 38:44] = 2.0
    flood = Hazard("flood", "flood", "m", Grid(values, (10, 0, ORIGIN[0] - 100, 0, -10, ORIGIN[1] + 50), CRS))
    return City(
        crs=CRS,
        ways=ways(CORNERS, CHAINS),
        buildings=table(tables.BUILDINGS, []),
        facilities=table(tables.FACILITIES, [], kind=[]),
        shelters=table(tables.SHELTERS, parks, shelter_id=[name for name, *_ in PARKS], kind=["park"] * len(PARKS),
                       origin=["mapped"] * len(PARKS), tier=["emergency"] * len(PARKS),
                       capacity=[room for *_, room in PARKS]),
        areas=table(tables.AREAS, []),
        lines=table(tables.LINES, []),
        boundaries=table(tables.BOUNDARIES, []),
        communities=table(tables.COMMUNITIES, [box(-60, -700, 390), box(330, -700, 390), box(-60, -310, 800)],
                          name=["South-west", "South-east", "North"], level=["community"] * 3, source=["drawn"] * 3),
        people={None: table(tables.DEMAND, homes, people=[people for *_, people in HOMES])},
        hazards={"flood": flood},
    )  # fmt: skip


@lru_cache(maxsize=4)
def before(scenario_id: str = "normal", minutes: float = 10) -> Situation:
    base = readied.prepare(town(), params=changed_to(DEFAULTS, "walk", max_minutes=minutes))
    return situation.of(base, {"normal": NORMAL, "flood": FLOOD}[scenario_id])


STREETS = [str(name) for name in before().base.network.street_ids]


def new(name: str, x: float, y: float, room: float) -> NewShelter:
    return NewShelter(name, shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y), room, "New")


def require_same(found: Situation, anew: Situation) -> None:
    """Everybody's ways, states and shelters are those of computing everything again."""
    ours, theirs = found.refuge.assigned, anew.refuge.assigned
    assert (ours.objective_ms, ours.served, ours.served_first) == (
        theirs.objective_ms, theirs.served, theirs.served_first,
    )  # fmt: skip
    for name in ("place", "site", "cost_ms", "first"):
        assert np.array_equal(getattr(found.refuge.pairs, name), getattr(anew.refuge.pairs, name)), name
    assert np.array_equal(found.refuge.room, anew.refuge.room)
    a, b = (situation.demand(state) for state in (found, anew))
    assert a[TOLD].equals(b[TOLD])
    assert found.shelters.drop(columns="geometry").equals(anew.shelters.drop(columns="geometry"))


# -- by eye ------------------------------------------------------------------------------------------------------------


def test_a_shelter_taken_away_sends_its_people_on() -> None:
    now = before()
    after = what_if.apply(now, Edits(remove=("p1",)))
    gone = after.sites.set_index("shelter_id").loc["p1"]
    assert (gone["usable"], gone["reason_code"], gone["reason_zh"]) == (
        False,
        what_if.REMOVED,
        "不可用：在本次推演中被撤除。",
    )
    told = what_if.changes(now, after)
    assert told.before["shelters_usable"] - told.after["shelters_usable"] == 1
    assert told.after["people_served"] == told.before["people_served"], "p3 has room, farther away"
    assert told.after["walk_hours"] > told.before["walk_hours"]
    assert set(told.layers["shelters"]["shelter_id"]) >= {"p1"}
    assert (after.refuge.assigned.site != 1).all() and now.sites["usable"].all(), "what was there before is not changed"


def test_the_last_street_to_a_shelter_closes_it_and_opening_it_brings_it_back() -> None:
    now = before()
    own = tuple(STREETS[edge] for edge in np.unique(now.doors.edge[now.doors.place == 0]))
    shut = what_if.apply(now, Edits(close=own))
    assert shut.sites["reason_code"].tolist() == ["street_closed", "usable", "usable", "usable"]
    back = what_if.apply(shut, Edits(open=own))
    require_same(back, now)
    assert what_if.changes(now, back).layers["demand"].empty


def test_a_flooded_street_is_raised() -> None:
    now = before("flood")
    wet = tuple(
        name for name, usual, open_ in zip(
            STREETS, now.base.usable["walk"].usable, now.ways["walk"].usable, strict=True
        ) if usual and not open_
    )  # fmt: skip
    assert wet
    after = what_if.apply(now, Edits(open=wet))
    require_same(after, what_if.anew(now, Edits(open=wet)))
    assert after.refuge.assigned.served > now.refuge.assigned.served


def test_a_new_shelter_is_rated_as_the_plan_rates_shelters() -> None:
    after = what_if.apply(before("flood"), Edits(add=(new("dry", 20, -300, 70), new("wet", 320, -20, 70))))
    assert after.sites["reason_code"].tolist()[-2:] == ["usable", "flooded"]
    assert after.sites["community_id"].tolist()[-2:] == [before().base.communities["community_id"][2]] * 2
    assert after.sites.columns.tolist() == before().sites.columns.tolist()
    more = what_if.apply(after, Edits(room={"dry": 10}, close=(STREETS[0],)))
    require_same(more, what_if.anew(after, Edits(room={"dry": 10}, close=(STREETS[0],))))


def test_no_edit_changes_nothing() -> None:
    assert not Edits()
    told = what_if.changes(before(), what_if.apply(before(), Edits()))
    assert told.before == told.after and all(layer.empty for layer in told.layers.values())
    assert repr(told) == "Changes(+0 people served; 0 communities, 0 demand, 0 shelters, 0 street_flows)"


def test_what_is_not_there_is_named_all_at_once() -> None:
    wrong = Edits(remove=("p9",), room={"p8": 5}, close=("nowhere",), add=(new("p1", 0, 0, 1),))
    with pytest.raises(NotFoundError) as raised:
        what_if.apply(before(), wrong)
    assert [fault.found for fault in raised.value.faults] == ["'nowhere'", "'p9'", "'p8'", "'p1'"]
    with pytest.raises(ParameterError, match="room for 0 people or more"):
        new("x", 0, 0, -1)


def test_a_street_closed_and_opened_at_once_is_refused_by_its_name() -> None:
    with pytest.raises(ParameterError, match="each street closed or opened") as raised:
        Edits(close=(STREETS[0], STREETS[1]), open=(STREETS[2], STREETS[1]))
    assert [fault.found for fault in raised.value.faults] == [f"{STREETS[1]!r} in both"]


# -- by law ------------------------------------------------------------------------------------------------------------

SPOTS = st.tuples(st.integers(-30, 640), st.integers(-640, 30), st.integers(0, 150))
SOME_STREETS = st.lists(st.sampled_from(STREETS), max_size=3, unique=True).map(tuple)


@st.composite
def edits(draw: st.DrawFn, number: int) -> Edits:
    added = tuple(new(f"n{number}-{i}", *spot) for i, spot in enumerate(draw(st.lists(SPOTS, max_size=2))))
    known, close = [name for name, *_ in PARKS], draw(SOME_STREETS)
    return Edits(
        add=added,
        remove=tuple(draw(st.lists(st.sampled_from(known), max_size=1))),
        room=draw(st.dictionaries(st.sampled_from(known), st.integers(0, 250).map(float), max_size=2)),
        close=close,
        open=tuple(name for name in draw(SOME_STREETS) if name not in close),
    )


def require_told(told: Changes, then: Situation, now: Situation) -> None:
    """The rows told are those that differ, as they are now, and no other."""
    a, b = (situation.demand(state).set_index("demand_id")[TOLD] for state in (then, now))
    different = ~((a == b) | (a.isna() & b.isna())).all(axis=1)
    assert set(told.layers["demand"]["demand_id"]) == {*b.index[different]}
    fields = ["usable", "capacity_people", "people"]
    a, b = (state.shelters.set_index("shelter_id")[fields] for state in (then, now))
    a = a.reindex(b.index)
    different = ~((a == b) | (a.isna() & b.isna())).all(axis=1)
    assert set(told.layers["shelters"]["shelter_id"]) >= {*b.index[different]}
    units = told.layers["communities"]
    mine = situation.demand(now).groupby("community_id")["people_served"].sum()
    assert units["people_served"].tolist() == mine.reindex(units["community_id"]).fillna(0).tolist()
    flows = told.layers["street_flows"].set_index("street_id")["people"]
    walked = now.refuge.on_streets
    people = dict(zip(now.base.network.street_ids, walked.along + walked.against, strict=True))
    assert flows.to_dict() == {name: people[name] for name in flows.index}


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([("normal", 10.0), ("flood", 4.0)]), st.data())
def test_edits_one_after_the_other_equal_computing_anew(of: tuple[str, float], data: st.DataObject) -> None:
    now = before(*of)
    for number in range(data.draw(st.integers(1, 3))):
        edit = data.draw(edits(number))
        after, anew = what_if.apply(now, edit), what_if.anew(now, edit)
        require_same(after, anew)
        told = what_if.changes(now, after)
        require_told(told, now, after)
        assert told.after == what_if.changes(now, anew).after
        now = after


def test_nearest_first_is_edited_as_well() -> None:
    base = before().base
    params = changed_to(base.params, "refuge", order="nearest")
    now = situation.of(readied.prepare(town(), params=params), NORMAL)
    edit = Edits(room={"p0": 10}, close=(STREETS[3],), add=(new("n", 300, -300, 40),))
    require_same(what_if.apply(now, edit), what_if.anew(now, edit))

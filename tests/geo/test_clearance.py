"""When everybody is in: drawn, by law, and against one person after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import clearance, reaching
from geo.clearance import Clearance, ClearanceParams, Crowd, clear
from geo.errors import InputError
from geo.snapping import Snaps
from tests.geo.test_routing import open_graph, place, town

PARAMS = ClearanceParams.of(standards.load())
AT_ONCE = PARAMS.model_copy(update={"delay_day_min": 0, "spread_min": 0, "slices": 1})
ONE_BY_ONE = AT_ONCE.model_copy(update={"slices": 1000})


def crowd(*rows: tuple[int, int, int, list[tuple[int, int]]], places: int = 9, sites: int = 3) -> Crowd:
    """Rows of place, site, people, and the edges and seconds of the way; a negative edge is walked against."""
    steps = [step for row in rows for step in row[3]]
    place, site, people = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    edge = np.array([abs(e) for e, _ in steps], dtype=np.int64)
    along = np.array([e >= 0 for e, _ in steps], dtype=bool)
    cost = np.array([s * 1000 for _, s in steps], dtype=np.int64)
    first = np.r_[0, np.cumsum([len(row[3]) for row in rows])].astype(np.int64)
    return Crowd(place, site, people, first, edge, along, cost, np.zeros(len(rows), dtype=np.int64), places, sites)


def run(who: Crowd, streets: list[float], gates: list[float], params: ClearanceParams = AT_ONCE) -> Clearance:
    capacity = [np.array(values, dtype=float) for values in (streets, gates)]
    return clear(who, *capacity, night=False, params=params)


# -- drawn -------------------------------------------------------------------------------------------------------

#   A ──0: 60 s──┐
#                ├──2: 30 s── gate 0
#   B ──1: 90 s──┘


def fork(a: int, b: int) -> Crowd:
    return crowd((0, 0, a, [(0, 60), (2, 30)]), (1, 0, b, [(1, 90), (2, 30)]))


def test_nobody_waits_where_there_is_room() -> None:
    found = run(fork(4, 7), [np.inf] * 3, [np.inf] * 3)
    assert found.sites["clearance_s"].tolist() == pytest.approx([120, np.nan, np.nan], nan_ok=True)
    assert found.sites["in_50_s"][0] == 120, "six of eleven: the four are in after 90"
    assert found.places["free_s"].head(2).tolist() == [90, 120]
    assert found.places["wait_person_s"].sum() == 0
    assert repr(found) == "Clearance(11 people in after 2 min, waiting 0 s each)"


def test_a_narrow_street_lets_one_through_after_the_other() -> None:
    # one person every ten seconds: those of A pass at 90, 100, …, 150; B's come at 120 and pass at 160, 170, 180
    found = run(fork(7, 3), [np.inf, np.inf, 0.1], [np.inf] * 3, ONE_BY_ONE)
    assert found.places["clearance_s"].head(2).tolist() == [150, 180]
    assert found.places["wait_person_s"].head(2).tolist() == [10 * (1 + 2 + 3 + 4 + 5 + 6), 40 + 50 + 60]
    assert found.places["delay_max_s"].head(2).tolist() == [60, 60]
    assert found.streets["wait_person_s"].tolist() == [0, 0, 360]
    assert found.streets["load_h"][2] == pytest.approx(10 / 360)
    assert run(fork(7, 3), [np.inf, np.inf, 0.1], [np.inf] * 3).places.equals(found.places), "and as two groups"


def test_who_comes_when_the_others_are_through_does_not_wait() -> None:
    found = run(fork(3, 3), [np.inf, np.inf, 0.1], [np.inf] * 3)
    assert found.places["clearance_s"].head(2).tolist() == [110, 140]
    assert found.places["wait_person_s"].head(2).tolist() == [30, 30]


def test_both_directions_share_a_street() -> None:
    who = crowd((0, 0, 5, [(1, 60)]), (1, 1, 5, [(-1, 60)]))
    found = run(who, [1, 0.1], [np.inf] * 3)
    assert found.streets[["people_along", "people_against"]].loc[1].tolist() == [5, 5]
    assert found.sites["clearance_s"].head(2).tolist() == [100, 150]


def test_a_gate_of_three_metres_lets_fifty_a_minute_in() -> None:
    doors = Snaps(np.array([0, 0, 0, 2]), np.array([4, 4, 5, -1]), np.zeros(4), np.zeros(4))
    gates = clearance.gates_people_s(doors, sites=3, params=PARAMS)
    assert (gates * 60).tolist() == pytest.approx([100, 50, 50]), "two streets, no door known, not snapped"
    measured = clearance.gates_people_s(doors, sites=3, params=PARAMS, width_m=np.array([1.5, np.nan, 9]))
    assert (measured * 60).tolist() == pytest.approx([25, 50, 150])
    found = run(crowd((0, 0, 500, []), sites=1), [], [50 / 60], ONE_BY_ONE)
    assert found.clearance_s == pytest.approx(600, abs=1.3)
    assert found.sites["in_90_s"][0] == pytest.approx(540, abs=1.3)
    assert found.sites["gate_wait_s"][0] == pytest.approx(300, abs=1.3)


def test_people_set_out_after_a_delay_and_over_a_time() -> None:
    day = PARAMS.model_copy(update={"curve": "uniform"})
    who, room = crowd((0, 0, 6000, [(0, 60)])), ([np.inf], [np.inf] * 3)
    found = run(who, *room, day)
    assert found.sites["in_50_s"][0] == pytest.approx((5 + 10 + 1) * 60, abs=20)
    assert found.clearance_s == pytest.approx((5 + 20 + 1) * 60, abs=20)
    assert run(who, *room, PARAMS).sites["in_50_s"][0] == pytest.approx(16 * 60, abs=20)
    assert run(who, *room, PARAMS).sites["in_90_s"][0] < found.sites["in_90_s"][0], "few are left at the end"
    late = clear(who, np.array([np.inf]), np.full(3, np.inf), night=True, params=day, delay_s=np.array([60.0]))
    assert late.clearance_s == pytest.approx(found.clearance_s + 6 * 60)


def test_single_people_do_not_all_set_out_at_one_time() -> None:
    who = crowd(*[(place, 0, 1, [(0, 60)]) for place in range(200)], places=200)
    setting_out = run(who, [np.inf], [np.inf] * 3, PARAMS.model_copy(update={"curve": "uniform"})).places["free_s"]
    share = (setting_out.sort_values() - 360) / 1200
    assert np.abs(share.to_numpy() - (np.arange(200) + 0.5) / 200).max() < 0.02


def test_communities() -> None:
    found = run(fork(7, 3), [np.inf, np.inf, 0.1], [np.inf] * 3, ONE_BY_ONE)
    of = pd.Series(["west", "east", *["south"] * 7])
    table = clearance.by_community(found, of, pd.Series(["east", "west", "south", "nobody"]))
    assert table["people_walking"].tolist() == [3, 7, 0, 0]
    assert table["clearance_s"].tolist() == pytest.approx([180, 150, np.nan, np.nan], nan_ok=True)
    assert table["delay_s"].tolist() == pytest.approx([50, 30, np.nan, np.nan], nan_ok=True)
    assert table["free_s"].tolist() == pytest.approx([120, 90, np.nan, np.nan], nan_ok=True)


def test_a_step_without_time_is_no_street_and_nobody_is_nobody() -> None:
    assert run(crowd((0, 0, 9, [(0, 0)])), [0.01], [np.inf] * 3).clearance_s == 0
    none = run(crowd(), [1.0], [1.0] * 3)
    assert np.isnan(none.clearance_s)
    assert repr(none) == "Clearance(0 people in after nan min)"
    assert none.places["people"].tolist() == [0] * 9
    assert np.isnan(run(crowd((0, 0, 0, [(0, 5)])), [1.0], [1.0] * 3).clearance_s)


def test_the_ways_of_an_assignment_with_the_metres_off_the_street() -> None:
    net = town()
    homes, doors = place(net, (30, 0), (0, -100)), place(net, (100, -40))
    homes, doors = replace(homes, off_m=np.array([20.0, 0])), replace(doors, off_m=np.array([5.0]))
    row, site, people = np.array([0, 1]), np.array([0, 0]), np.array([3, 4])
    on = reaching.ways(open_graph(net), homes, doors, row, site, speed_ms=1.0)
    who = Crowd.of(row, site, people, on, places=2, sites=1)
    assert who.off_ms.tolist() == [25_000, 5_000]
    found = run(who, [np.inf] * len(net.u), [np.inf])
    assert found.places["free_s"].tolist() == (on.way_ms / 1000).tolist() == [20 + 70 + 40 + 5, 100 + 60 + 5]
    assert found.streets["people_along"].sum() + found.streets["people_against"].sum() == 3 * 2 + 4 * 2
    cut = reaching.ways(open_graph(net), homes, doors, row, site, speed_ms=1.0, limit_s=140)
    with pytest.raises(InputError, match="1 rows without"):
        Crowd.of(row, site, people, cut, places=2, sites=1)


def test_what_does_not_fit_is_refused() -> None:
    good = fork(1, 1)
    with pytest.raises(InputError, match="whole persons"):
        replace(good, people=-good.people)
    with pytest.raises(InputError, match="rows of sites"):
        replace(good, site=good.site + 3)
    with pytest.raises(InputError, match="the steps of every row"):
        replace(good, first=good.first[:-1])
    with pytest.raises(InputError, match="above 0"):
        run(good, [1, 0, np.nan], [1.0] * 3)


def test_too_many_steps_make_larger_groups_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    who, room = crowd((0, 0, 5000, [(0, 60)] * 9)), ([np.inf], [np.inf] * 3)
    fine = run(who, *room, PARAMS)
    monkeypatch.setattr(clearance, "MOST_STEPS", 200)
    coarse = run(who, *room, PARAMS)
    assert (fine.slices, fine.notes, coarse.slices) == (60, (), 15)
    assert [note.code for note in coarse.notes] == ["clearance_coarser"]
    assert coarse.sites["people"].tolist() == [5000, 0, 0]


# -- by law ------------------------------------------------------------------------------------------------------

CAPACITIES = st.sampled_from([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, np.inf])


@st.composite
def trees(draw: st.DrawFn, most: int = 12) -> tuple[Crowd, list[float], list[float]]:
    """A tree of streets towards one gate: street e leads to street ``towards[e]`` < e, street 0 to the gate."""
    n = draw(st.integers(1, 7))
    towards = [-1, *(draw(st.integers(0, e - 1)) for e in range(1, n))]
    seconds = [draw(st.integers(1, 90)) for _ in range(n)]
    rows = []
    for home in range(draw(st.integers(1, 6))):
        e, way = draw(st.integers(0, n - 1)), []
        while e >= 0:
            way.append((e, seconds[e]))
            e = towards[e]
        rows.append((home, 0, draw(st.integers(1, most)), way))
    return crowd(*rows, sites=1), draw(st.lists(CAPACITIES, min_size=n, max_size=n)), [draw(CAPACITIES)]


def one_person_after_the_other(
    who: Crowd, streets: list[float], gates: list[float], start: list[list[int]]
) -> list[int]:
    """When each person is in (microseconds): street by street, those farthest from the gate first."""
    waiting: dict[int, list[int]] = {e: [] for e in [*range(len(streets)), -1]}
    onward = {-1: (-1, 0)}
    for row in range(len(who)):
        way = list(range(who.first[row], who.first[row + 1]))
        for here, there in zip(way, [*way[1:], None], strict=True):
            onward[int(who.edge[here])] = (-1, 0) if there is None else (int(who.edge[there]), int(who.cost_ms[there]))
        first = way[0]
        waiting[int(who.edge[first])] += [t + int(who.cost_ms[first]) * 1000 for t in start[row]]
    for e in [*range(len(streets) - 1, -1, -1), -1]:
        takes, free, passed = round(1e6 / (streets[e] if e >= 0 else gates[0])), 0, []
        for t in sorted(waiting[e]):
            passed.append(max(t, free))
            free = passed[-1] + takes
        if e < 0:
            return passed
        to, cost = onward.get(e, (-1, 0))
        waiting[to] += [t + cost * 1000 for t in passed]
    raise AssertionError("there is a gate")


@settings(max_examples=60, deadline=None)
@given(trees())
def test_single_people_are_in_exactly_when_a_person_by_person_model_says(
    city: tuple[Crowd, list[float], list[float]],
) -> None:
    who, streets, gates = city
    exact = one_person_after_the_other(who, streets, gates, [[0] * n for n in who.people])
    found = run(who, streets, gates, ONE_BY_ONE)
    assert found.clearance_s == exact[-1] / 1e6
    assert found.sites["in_50_s"][0] == exact[-(-len(exact) // 2) - 1] / 1e6
    waited = sum(exact) / 1e6 - np.repeat(found.places["free_s"].head(len(who)), who.people).sum()
    assert found.places["wait_person_s"].sum() == pytest.approx(waited, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(trees())
def test_groups_are_off_by_no_more_than_one_takes_to_pass(city: tuple[Crowd, list[float], list[float]]) -> None:
    who, streets, gates = city
    exact = one_person_after_the_other(who, streets, gates, [[0] * n for n in who.people])
    takes = int(who.people.max()) / min([*streets, *gates])
    assert run(who, streets, gates).clearance_s == pytest.approx(exact[-1] / 1e6, abs=takes + 1e-6)


@st.composite
def webs(draw: st.DrawFn) -> tuple[Crowd, list[float], list[float]]:
    """Ways over any streets to any of three sites, in the order they were thought of."""
    n = draw(st.integers(1, 6))
    way = st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, 60)), max_size=5)
    pairs = draw(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), unique=True, max_size=8))
    rows = [(place, site, draw(st.integers(0, 30)), draw(way)) for place, site in pairs]
    size = {"min_size": n, "max_size": n}
    return crowd(*rows), draw(st.lists(CAPACITIES, **size)), draw(st.lists(CAPACITIES, min_size=3, max_size=3))


@settings(max_examples=60, deadline=None)
@given(
    webs(), st.sampled_from([AT_ONCE, ONE_BY_ONE, PARAMS, PARAMS.model_copy(update={"curve": "uniform", "slices": 3})])
)
def test_laws(city: tuple[Crowd, list[float], list[float]], params: ClearanceParams) -> None:
    who, streets, gates = city
    found = run(who, streets, gates, params)
    assert found.sites["people"].sum() == found.places["people"].sum() == who.people.sum(), "nobody is lost"
    goes = found.places["people"] > 0
    late = found.places["clearance_s"] - found.places["free_s"]
    assert (late[goes] >= 0).all(), "no queue makes anybody faster"
    assert late[~goes].isna().all()
    assert (found.places["delay_max_s"][goes] >= late[goes] - 1e-9).all()
    waited = found.streets["wait_person_s"].sum() + found.sites["wait_person_s"].sum()
    assert waited == pytest.approx(found.places["wait_person_s"].sum()), "every wait is somewhere"
    table = found.sites[found.sites["people"] > 0]
    assert (table["in_50_s"] <= table["in_90_s"]).all()
    assert (table["in_90_s"] <= table["clearance_s"]).all()


@settings(max_examples=40, deadline=None)
@given(webs(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(city: tuple[Crowd, list[float], list[float]], chance: object) -> None:
    who, streets, gates = city
    rows = [
        (
            int(p),
            int(s),
            int(n),
            [(int(e), int(c) // 1000) for e, c in zip(who.edge[a:b], who.cost_ms[a:b], strict=True)],
        )
        for p, s, n, a, b in zip(who.place, who.site, who.people, who.first, who.first[1:], strict=False)
    ]
    before = run(crowd(*rows), streets, gates, PARAMS)
    chance.shuffle(rows)  # type: ignore[attr-defined]
    after = run(crowd(*rows), streets, gates, PARAMS)
    for name in ("sites", "places", "streets"):
        pd.testing.assert_frame_equal(getattr(before, name), getattr(after, name))


@settings(max_examples=40, deadline=None)
@given(trees(), st.data())
def test_towards_one_gate_a_wider_street_makes_nobody_last_later(
    city: tuple[Crowd, list[float], list[float]], data: st.DataObject
) -> None:
    who, streets, gates = city
    wider = [data.draw(st.sampled_from([c, 2 * c, np.inf])) for c in [*streets, *gates]]
    before, after = run(who, streets, gates, ONE_BY_ONE), run(who, wider[:-1], wider[-1:], ONE_BY_ONE)
    assert after.clearance_s <= before.clearance_s


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from([AT_ONCE, ONE_BY_ONE]))
def test_twice_the_people_at_a_full_gate_take_twice_the_time(n: int, people_s: float, params: ClearanceParams) -> None:
    once, twice = (run(crowd((0, 0, m, [(0, 60)]), sites=1), [np.inf], [people_s], params) for m in (n, 2 * n))
    takes = 1 / people_s
    assert twice.clearance_s - 60 + takes == pytest.approx(2 * (once.clearance_s - 60 + takes))

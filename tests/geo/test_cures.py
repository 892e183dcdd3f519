"""What would help a community most: towns with one thing wrong, put right by eye; laws; and trying everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import standards
from geo import cures, readied, remedies, situation, tables, what_if
from geo.city import City, PlanParams, Scenario
from geo.costs import CureParams
from geo.cures import Cure
from geo.hazards import Grid, Hazard
from geo.remedies import Change, Ward
from geo.situation import Situation
from geo.tables import Schema
from geo.what_if import Edits
from tests.geo.drawn import CRS, ORIGIN, positions, ways

DEFAULTS = PlanParams.of(standards.load())
RULES = DEFAULTS.model_copy(update={
    "walk": DEFAULTS.walk.model_copy(update={"speed_ms": 1.0, "island_m": 0.0, "max_minutes": 10.0}),
})  # fmt: skip
CURES = CureParams.of(standards.load())
STREET = positions("abcde")
ROAD: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "cd": {}, "de": {}}


def at(x: float, y: float = 0) -> shapely.Point:
    return shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y)


def table(schema: Schema, shapes: Sequence[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    empty = {c.name: [np.nan if c.kind == "float" else None] * len(shapes) for c in schema.columns}
    ids = [f"{schema.name}{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(empty | {schema.id_column: ids} | columns, geometry=list(shapes), crs=CRS)


def town(
    homes: list[tuple[float, int]], shelters: list[tuple[float, float, str, str]], *,
    wet: tuple[float, float] | None = None, streets: dict[str, dict[str, str]] = ROAD,
    drawing: dict[str, tuple[float, float]] = STREET, split: float = 250, areas: gpd.GeoDataFrame | None = None,
) -> City:  # fmt: skip
    """A road of 400 m: homes (x, people), shelters (x, capacity, origin, state), water from x to x, two communities."""
    sites = [at(x, 5) for x, *_ in shelters]
    west, east = (
        shapely.box(ORIGIN[0] + x0, ORIGIN[1] - 500, ORIGIN[0] + x1, ORIGIN[1] + 500)
        for x0, x1 in ((-99, split), (split, 999))
    )
    values = np.zeros((20, 130))
    if wet:
        values[:, int((wet[0] + 100) // 5) : int((wet[1] + 100) // 5)] = 2.0
    flood = Hazard("flood", "flood", "m", Grid(values, (5, 0, ORIGIN[0] - 100, 0, -5, ORIGIN[1] + 50), CRS))
    return City(
        crs=CRS, ways=ways(drawing, streets), buildings=table(tables.BUILDINGS, []),
        facilities=table(tables.FACILITIES, [], kind=[]),
        shelters=table(
            tables.SHELTERS, sites, kind=["school"] * len(sites), capacity=[c for _, c, _, _ in shelters],
            origin=[o for _, _, o, _ in shelters], state=[s for *_, s in shelters], tier=["emergency"] * len(sites),
            name=[f"S{i}" for i in range(len(sites))],
        ),
        areas=table(tables.AREAS, []) if areas is None else areas,
        lines=table(tables.LINES, []), boundaries=table(tables.BOUNDARIES, []),
        communities=table(tables.COMMUNITIES, [west, east], name=["West", "East"], level=["community"] * 2,
                          source=["drawn"] * 2),
        people={None: table(tables.DEMAND, [at(x, 2) for x, _ in homes], people=[n for _, n in homes])},
        hazards={"flood": flood},
    )  # fmt: skip


def found(city: City, *, flood: bool = False, **changed: object) -> tuple[Situation, tuple[Cure, ...], CureParams]:
    params = CURES.model_copy(update=changed)
    base = readied.prepare(city, params=RULES)
    now = situation.of(base, Scenario("s", "emergency", ("flood",)) if flood else Scenario("s"))
    return now, cures.find(now, params=params), params


def served(now: Situation, edits: Edits) -> np.ndarray:
    """People newly served in each community and in all, everything computed from the beginning."""
    gain = now.refuge.assigned.unserved - what_if.anew(now, edits).refuge.assigned.unserved
    ids = now.base.communities["community_id"]
    return np.array([*(gain[(now.base.community_id == name).to_numpy()].sum() for name in ids), gain.sum()])


FULL = [(100.0, 60.0, "official", "open")]


def test_a_full_shelter_is_made_larger() -> None:
    now, (west, east), params = found(town([(0, 100), (400, 30)], FULL), room_most_share=9.0)
    # 70 of the 130 are left: those in the east, who have farthest to go, and 40 of the west
    assert (west.left, east.left, west.fix) == (40, 30, "room")
    first = west.changes[0]
    assert (first.gain, first.gain_all, first.change.room, first.change.cost) == (40, 40, 40, 120)
    told = cures.by_community(now, (west, east), params=params)
    assert told["fix_en"][0] == "Room for 40 more at S0 would serve all 40 people left."
    assert told["fix_zh"][0] == "在S0增加40人的容量，可使尚无避难处的40人全部得到避难。"
    # 30 more places there would be taken by the west: the east needs all 70, or a shelter of its own
    assert [(t.change.kind, t.change.room, t.gain) for t in east.changes] == [("room", 70, 30), ("site", 30, 30)]


def test_where_it_may_not_grow_a_new_shelter_is_made() -> None:
    _, (west, _), _ = found(town([(0, 100)], FULL), room_most_share=0.1)
    # room for 6 more was not even tried: that bound says enough
    assert [(t.change.kind, t.gain) for t in west.changes] == [("site", 40)] and west.exact


@pytest.mark.parametrize(("origin", "state"), [("candidate", "open"), ("official", "closed")])
def test_a_closed_school_is_opened(origin: str, state: str) -> None:
    city = town([(0, 100)], [*FULL, (200, 80, origin, state)])
    now, (west, east), params = found(city)
    first = west.changes[0]
    assert (first.change.kind, first.change.targets, first.change.room) == ("open", ("shelters1",), 80)
    assert (first.gain, first.change.cost, east.fix) == (40, 70, "none_needed")
    assert first.change.edits and served(now, first.change.edits).tolist() == [40, 0, 40]
    told = cures.by_community(now, (west, east), params=params)
    assert told["fix_en"][0] == "Opening S1 (room for 80) would serve all 40 people left."
    assert told["fix_target"].tolist() == ["shelters1", None]
    assert told["fix_en"][1] == "Nothing is needed: nobody is left over."


def test_a_school_under_water_is_never_proposed() -> None:
    city = town([(0, 100)], [*FULL, (300, 500, "candidate", "open")], wet=(280, 320))
    _, (west, _), _ = found(city, flood=True)
    assert {t.change.kind for t in west.changes} == {"room", "site"}


SAFE = [(390.0, 500.0, "official", "open")]


def test_the_flooded_street_in_between_is_raised() -> None:
    city = town([(0, 90), (50, 10)], SAFE, wet=(210, 290))
    now, (west, _), params = found(city, flood=True)
    first = west.changes[0]
    assert (first.change.kind, first.change.targets, first.gain) == ("street", ("w3-0",), 100)
    assert (first.change.length_m, first.change.cost) == (100, 800)
    told = cures.by_community(now, (west, west), params=params)
    assert told["fix_en"][0] == "Raising or clearing 100 m of closed street would serve all 100 people left."
    assert {t.change.kind for t in west.changes} == {"street", "site", "footbridge"}
    assert cures.layer(now, (west, west)).geometry.length[0] == pytest.approx(100)


def test_who_lives_on_a_flooded_street_needs_it_raised() -> None:
    city = town([(250, 80), (150, 10)], SAFE, wet=(110, 290), split=200)
    _, (west, east), _ = found(city, flood=True)
    assert (east.left, east.changes[0].change.targets, east.changes[0].gain) == (80, ("w3-0",), 80)
    first = west.changes[0]
    assert (west.left, first.change.kind, first.gain) == (10, "site", 10) or first.change.targets == ("w3-0", "w2-0")


def test_no_more_than_so_many_metres_are_raised() -> None:
    city = town([(0, 90)], SAFE, wet=(110, 290))
    _, (west, _), _ = found(city, flood=True, street_most_m=150, site_tries=0, bridge_most_m=150)
    assert west.changes == () and west.fix == "no_help"
    _, (west, _), _ = found(city, flood=True, street_most_m=200, site_tries=0, bridge_most_m=150)
    assert west.changes[0].change.targets == ("w3-0", "w2-0")


BANKS = positions("ab  \n.   \n  cd", step_m=40)
BANK_ROADS: dict[str, dict[str, str]] = {"ab": {}, "cd": {}}


def test_a_footbridge_where_there_is_a_river() -> None:
    """b is 40 m right and 80 m down from c: 89 m."""
    city = town([(0, 70)], [(120, 500, "official", "open")], streets=BANK_ROADS, drawing=BANKS)
    city = replace(city, shelters=city.shelters.set_geometry([at(120, -85)]))
    now, (west, east), params = found(city, site_tries=0)
    first = west.changes[0]
    assert (first.change.kind, first.gain, first.change.edits) == ("footbridge", 70, None)
    # a to c would do as well, and is longer
    assert first.change.length_m == pytest.approx(np.hypot(40, 80))
    said = cures.by_community(now, (west, east), params=params)["fix_en"][0]
    assert said == "A footbridge of 89 m would serve all 70 people left."
    _, (west, _), _ = found(city, site_tries=0, bridge_most_m=80)
    assert west.fix == "no_help"


def test_a_new_shelter_stands_on_open_ground() -> None:
    park = shapely.box(ORIGIN[0] + 100, ORIGIN[1] + 10, ORIGIN[0] + 200, ORIGIN[1] + 60)
    ground = table(tables.AREAS, [park], kind=["park"], name=["Green"])
    now, cured, params = found(town([(0, 70)], [], areas=ground))
    first = cured[0].changes[0]
    assert (first.change.kind, first.gain, first.change.cost) == ("site", 70, 850)
    told = cures.by_community(now, cured, params=params)
    assert told["fix_en"][0] == "A new shelter for 70 on Green would serve all 70 people left."


def test_nobody_left_needs_nothing_and_nothing_helps_without_a_street() -> None:
    now, cured, params = found(town([(0, 10), (5000, 7)], FULL))
    told = cures.by_community(now, cured, params=params)
    assert told["fix"].tolist() == ["none_needed", "none_needed", "no_help"]
    assert told["fix_en"][2].endswith("Of 7 people left, 7 outside the streets that the data has.")
    assert told["fix_gain_share"].tolist() == pytest.approx([np.nan, np.nan, 0.0], nan_ok=True)
    assert told["fix_gain_people"].tolist() == told["fix_gain_all_people"].tolist() == [0, 0, 0]
    empty = cures.layer(now, (Cure(0, (), True),) * 3)
    assert len(empty) == 0 and list(empty.columns) == [*cures.MORE, "geometry"]


def test_a_cap_is_told() -> None:
    city = town([(0, 100)], [*FULL, (200, 20, "candidate", "open"), (300, 20, "candidate", "open")])
    now, cured, params = found(city, tries=1, room_most_share=0.1, site_tries=0)
    assert not cured[0].exact
    assert cures.by_community(now, cured, params=params)["fix_en"][0].endswith("Not every change was tried.")
    assert found(city, room_most_share=0.1, site_tries=0)[1][0].exact
    assert not found(town([(0, 90)], SAFE, wet=(210, 290)), flood=True, tries_whole=0)[1][0].exact


# -- laws and oracles ----------------------------------------------------------------------------------------------

GRID = positions("abcd\nefgh\nijkl")
BLOCKS: dict[str, dict[str, str]] = {w: {} for w in ("ab", "bc", "cd", "ef", "fg", "gh", "ij", "jk", "kl", "ae", "ei",
                                                    "bf", "fj", "cg", "gk", "dh", "hl")}  # fmt: skip


def drawn(seed: int) -> City:
    """Homes and shelters at random along a grid of streets, a third of it under water."""
    rng = np.random.default_rng(seed)
    city = town(
        [(float(x), int(n)) for x, n in zip(rng.uniform(0, 300, 6), rng.integers(1, 60, 6), strict=True)],
        [(float(x), float(c), o, "open") for x, c, o in zip(
            rng.uniform(0, 300, 4), rng.integers(5, 90, 4), ["official", "official", "candidate", "candidate"],
            strict=True)],
        streets=BLOCKS, drawing=GRID, split=float(rng.uniform(80, 220)),
    )  # fmt: skip
    values = np.where(rng.random((10, 20)) < 0.12, 2.0, 0.0)
    flood = Hazard("flood", "flood", "m", Grid(values, (25, 0, ORIGIN[0] - 100, 0, -25, ORIGIN[1] + 25), CRS))
    people, heights = city.people[None], rng.uniform(-200, 0, 6)
    homes = [at(p.x - ORIGIN[0], float(y)) for p, y in zip(people.geometry, heights, strict=True)]
    moved: dict[str | None, gpd.GeoDataFrame] = {None: people.set_geometry(homes)}
    sites = [
        at(p.x - ORIGIN[0], float(y)) for p, y in zip(city.shelters.geometry, rng.uniform(-200, 0, 4), strict=True)
    ]
    return replace(city, hazards={"flood": flood}, people=moved, shelters=city.shelters.set_geometry(sites))


QUICK = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def worked_out(now: Situation, change: Change, row: int, params: CureParams) -> int:
    """What a change gains in a community, without any part: by the whole recomputation, where there is one."""
    if change.edits:
        return int(served(now, change.edits)[row])
    return cures._Search(Ward(now, params))._worked_out(change, row).gain


@QUICK
@given(st.integers(0, 10_000))
def test_gains_are_those_of_computing_anew_and_the_proposed_one_is_that_of_trying_all(seed: int) -> None:
    now, cured, params = found(drawn(seed), flood=True, runners_up=50)
    ward = Ward(now, params)
    rows = ward.homes.rows()
    for row, cure in enumerate(cured):
        mine = rows[row][ward.left[rows[row]] > 0]
        every = remedies.changes(ward, row, mine) if len(mine) else []
        gains = [worked_out(now, each, row, params) for each in every]
        best = max(gains, default=0)
        assert bool(cure.changes) == (best > 0)
        for tried in cure.changes:
            assert 0 < tried.gain <= cure.left and tried.gain <= tried.change.most
            if tried.change.edits:
                anew = served(now, tried.change.edits)
                assert (tried.gain, tried.gain_all) == (anew[row], anew[-1])
        if best > 0:
            enough = [each.cost for each, gain in zip(every, gains, strict=True) if gain >= 0.9 * best]
            # Only the room that is used counts, which may be cheaper than any of the whole ones.
            assert cure.changes[0].gain >= 0.9 * best and cure.changes[0].change.cost <= min(enough)


@QUICK
@given(st.integers(0, 10_000))
def test_no_set_of_streets_is_better_than_the_corridor_by_more_than_is_near_it(seed: int) -> None:
    """All pairs of closed streets tried: whatever one or two of them open together, a corridor of theirs opens."""
    city = drawn(seed)
    city = replace(city, shelters=city.shelters.iloc[:1].assign(capacity=9999.0))
    now, cured, _ = found(city, flood=True, street_most_m=200, site_tries=0, bridge_tries=0)
    usual, streets = now.base.usable["walk"].usable, now.ways["walk"].usable
    closed = now.base.network.street_ids[np.flatnonzero(usual & ~streets)]
    if not now.sites["usable"].iloc[0] or len(closed) > 6:
        return
    sets = [tuple(each) for n in (1, 2) for each in combinations(closed.tolist(), n)]
    gains = np.array([served(now, Edits(open=each))[:-1] for each in sets]).reshape(-1, 2)
    for row, cure in enumerate(cured):
        tried = max((t.gain for t in cure.changes), default=0)
        one_way = max((g for each, g in zip(sets, gains[:, row], strict=True) if len(each) == 1), default=0)
        assert one_way <= tried <= max(gains[:, row], default=0)


@QUICK
@given(st.integers(0, 10_000))
def test_the_order_of_tables_changes_nothing(seed: int) -> None:
    city = drawn(seed)
    turned = replace(
        city, people={None: city.people[None].iloc[::-1].reset_index(drop=True)},
        shelters=city.shelters.iloc[::-1].reset_index(drop=True),
    )  # fmt: skip
    told = [
        cures.by_community(now, cured, params=p) for now, cured, p in (found(c, flood=True) for c in (city, turned))
    ]
    assert told[0].equals(told[1])


def test_a_footbridge_gives_what_the_street_would() -> None:
    """The town of two banks with the link as a way in the map."""
    city = town([(0, 70), (20, 5)], [(120, 60, "official", "open")], streets=BANK_ROADS, drawing=BANKS)
    city = replace(city, shelters=city.shelters.set_geometry([at(120, -85)]))
    now, (west, _), _ = found(city, site_tries=0)
    joined = replace(city, ways=ways(BANKS, {**BANK_ROADS, "bc": {"highway": "footway"}}))
    then, _, _ = found(joined)
    gain = int(now.refuge.assigned.unserved.sum() - then.refuge.assigned.unserved.sum())
    assert west.changes[0].gain_all == gain == 60


def test_where_others_have_more_people_left_it_is_said_that_nothing_was_sought() -> None:
    now, (west, east), params = found(town([(0, 100), (400, 30)], FULL), room_most_share=9.0, communities=1)
    assert (west.fix, east.fix, east.left, east.exact) == ("room", "not_sought", 30, False)
    told = cures.by_community(now, (west, east), params=params)
    assert told["fix"].tolist()[:2] == ["room", "not_sought"]
    assert "other communities have more people left" in told["fix_en"][1]
    gains = told[["fix_gain_people", "fix_gain_all_people", "fix_gain_share", "fix_cost"]]
    assert (gains.dtypes == "float64").all() and gains.iloc[0].tolist() == [40, 40, 1, 120]
    assert gains.iloc[1].isna().all(), "nobody worked them out"
    assert len(cures.layer(now, (west, east))) == len(west.changes)

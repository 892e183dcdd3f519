"""People drawn to one more shelter: chains drawn by hand, and scipy's maximum flow on random towns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo import chains
from geo.chains import NOT, Flow
from tests.geo.towns import Town, pairs, some_towns


def made(town: Town) -> tuple[Flow, np.ndarray]:
    ways = pairs(town)
    of, first, site = chains.alike(ways, np.arange(ways.sites), np.arange(ways.places))
    left = np.bincount(of[of != NOT], town.people[of != NOT], minlength=len(first) - 1).astype(np.int64)
    return chains.flow(first, site, left, ways.sites), of


def test_places_that_reach_the_same_sites_are_one_group() -> None:
    town = Town([(0,), (0, 1), (1, 0), (), (1,)], [5, 1, 2, 3, 4], [9, 9])
    flow, of = made(town)
    assert of.tolist() == [0, 1, 1, NOT, 2]
    assert flow.left.tolist() == [5, 3, 4] and flow.site.tolist() == [0, 0, 1, 1]


def test_somebody_moves_on_for_somebody_else() -> None:
    # Places 0 and 1 reach site 0; place 0 reaches site 1 as well. Site 0 is taken by place 0, place 1 is left.
    flow, _ = made(Town([(0, 1), (0,)], [4, 3], [4, 9]))
    assert chains.drawn(flow, 0, 4, True) == 4
    flow.people[:], flow.left[:] = [4, 0, 0], [0, 3]
    before = flow.people.copy()
    assert chains.drawn(flow, 1, 9, False) == 3, "a trial"
    assert flow.people.tolist() == before.tolist() and flow.left.tolist() == [0, 3], "is taken back"
    assert chains.drawn(flow, 1, 2, True) == 2, "no more than its room"
    assert flow.people.tolist() == [2, 2, 2] and flow.left.tolist() == [0, 1]


@given(some_towns(), st.booleans())
def test_one_site_after_the_other_gives_the_maximum_flow(town: Town, tries: bool) -> None:
    flow, _ = made(town)
    open_: list[int] = []
    for site, room in enumerate(town.room):
        before = town.most(open_)
        if tries:
            people, left = flow.people.copy(), flow.left.copy()
            gain = chains.drawn(flow, site, room, False)
            assert (flow.people == people).all() and (flow.left == left).all()
            assert gain == town.most([*open_, site]) - before
        open_.append(site)
        assert chains.drawn(flow, site, room, True) == town.most(open_) - before
        load = np.bincount(flow.site, flow.people, minlength=len(town.room))
        assert (flow.people >= 0).all() and (flow.left >= 0).all() and (load <= town.room).all()
        assert (flow.was == NOT).all() and (flow.old == NOT).all() and (flow.level == NOT).all(), "nothing is left over"

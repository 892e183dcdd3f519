"""Towns of a few places and shelters, and how many people shelters can take in, by scipy's maximum flow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from geo.pairs import Pairs


class Town:
    """The sites that each place reaches, its people, the room of each site."""

    def __init__(self, reach: Sequence[Sequence[int]], people: Sequence[int], room: Sequence[int]) -> None:
        self.reach, self.people, self.room = reach, np.array(people, np.int64), np.array(room, np.int64)

    def __repr__(self) -> str:
        return f"Town({list(self.reach)}, {self.people.tolist()}, {self.room.tolist()})"

    def most(self, open_: Sequence[int]) -> int:
        """The most people whom these sites can take in."""
        places, sites = len(self.people), len(self.room)
        ways = [(p, s) for p, reach in enumerate(self.reach) for s in reach if s in open_]
        tail = [*[0] * places, *(1 + p for p, _ in ways), *range(1 + places, 1 + places + sites)]
        head = [*range(1, 1 + places), *(1 + places + s for _, s in ways), *[1 + places + sites] * sites]
        size = [*self.people, *(self.people[p] for p, _ in ways), *self.room]
        graph = csr_array((np.array(size, np.int32), (tail, head)), shape=(places + sites + 2, places + sites + 2))
        return int(maximum_flow(graph, 0, places + sites + 1).flow_value)


def pairs(town: Town) -> Pairs:
    """Its pairs, a way of so many seconds as the numbers of place and site say."""
    rows = np.array([(p, s) for p, reach in enumerate(town.reach) for s in reach], np.int64).reshape(-1, 2)
    cost = 1000 * (1 + (7 * rows[:, 0] + 3 * rows[:, 1]) % 11)
    return Pairs.of(rows[:, 0], rows[:, 1], cost, places=len(town.people), sites=len(town.room))


@st.composite
def some_towns(draw: st.DrawFn, most: int = 7) -> Town:
    """Towns of up to nine places."""
    places, sites = draw(st.integers(1, 9)), draw(st.integers(1, most))
    reach = draw(st.lists(st.sets(st.integers(0, sites - 1)), min_size=places, max_size=places))
    people = draw(st.lists(st.integers(0, 12), min_size=places, max_size=places))
    room = draw(st.lists(st.integers(0, 30), min_size=sites, max_size=sites))
    return Town([sorted(found) for found in reach], people, room)

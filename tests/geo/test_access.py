"""Who may walk where, tag by tag."""

from __future__ import annotations

import numpy as np
import pytest

from geo import access, network
from tests.geo.drawn import positions, ways

LINE = positions("abcd")


def reason(**tags: str) -> str | None:
    found: str | None = access.closed_to_walkers(network.build(ways(LINE, {"abcd": tags})))[0]
    return found


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, None),
        ({"highway": "cycleway"}, None),
        ({"highway": "motorway"}, "motor_road"),
        ({"highway": "trunk"}, None),
        ({"highway": "trunk", "motorroad": "yes"}, "motor_road"),
        ({"highway": "motorway", "foot": "yes"}, None),
        ({"highway": "service", "access": "private"}, None),
        ({"highway": "service", "access": "no"}, "no_access"),
        ({"highway": "service", "access": "no", "foot": "designated"}, None),
        ({"highway": "service", "access": "military"}, "no_access"),
        ({"highway": "secondary", "foot": "use_sidepath"}, "no_access"),
        ({"highway": "footway", "foot": "no"}, "no_access"),
        ({"highway": "construction", "foot": "yes"}, "not_a_street"),
    ],
)
def test_tags_close_a_street_to_walkers(tags: dict[str, str], expected: str | None) -> None:
    assert reason(**tags) == expected


@pytest.mark.parametrize(
    ("tags", "along", "against"),
    [
        ({"highway": "residential", "oneway": "yes"}, True, True),
        ({"highway": "footway", "oneway": "yes"}, True, False),
        ({"highway": "footway", "oneway": "-1"}, False, True),
        ({"highway": "residential", "oneway:foot": "yes"}, True, False),
        ({"highway": "footway", "oneway": "yes", "oneway:foot": "no"}, True, True),
    ],
)
def test_only_walkers_one_ways_bind_walkers(tags: dict[str, str], along: bool, against: bool) -> None:
    masks = access.walker_directions(network.build(ways(LINE, {"abcd": tags})))
    assert [bool(m[0]) for m in masks] == [along, against]


@pytest.mark.parametrize(
    ("tags", "stops"),
    [
        ({"barrier": "bollard"}, False),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "locked": "yes"}, True),
        ({"barrier": "gate", "access": "private"}, False),
        ({"barrier": "gate", "access": "no"}, True),
        ({"barrier": "wall"}, True),
        ({"barrier": "wall", "foot": "yes"}, False),
        ({"barrier": "lift_gate", "access": "no", "foot": "yes"}, False),
    ],
)
def test_barriers_stop_walkers(tags: dict[str, str], stops: bool) -> None:
    net = network.build(ways(LINE, {"abcd": {}}, barriers={"b": tags}))
    barred = access.barred_to_walkers(net)
    assert np.flatnonzero(barred).tolist() == ([int(net.barrier_node[0])] if stops else [])

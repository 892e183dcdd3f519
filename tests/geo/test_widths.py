"""How wide streets are for people, and how many pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import network
from geo.network import WAY_TAGS
from geo.widths import WidthParams, Widths, class_m, widths
from tests.geo.drawn import positions, ways

PARAMS = WidthParams.of(standards.load())
ENDS = positions("ab\ncd\nef\ngh\nij\nkl\nmn")


def of(*streets: dict[str, str]) -> Widths:
    """As many streets beside each other."""
    chains = dict(zip(("ab", "cd", "ef", "gh", "ij", "kl", "mn"), streets, strict=False))
    return widths(network.build(ways(ENDS, chains)), params=PARAMS)


def test_what_is_tagged_goes_before_lanes_and_lanes_before_the_class() -> None:
    found = of(
        {"width": "9 m", "lanes": "2"},
        {"lanes": "2"},
        {"highway": "primary"},
        {"highway": "footway", "width": "12'"},
        {"highway": "footway", "lanes": "2"},
        {"highway": "primary_link"},
        {"highway": "escape"},
    )
    assert found.width_m.tolist() == pytest.approx([9, 6.5, 10, 3.6576, 2, 3.25, 4])
    assert found.basis.tolist() == ["tagged", "lanes", "class", "tagged", "class", "class", "class"]
    assert repr(found) == "Widths(7 edges, 2 of them tagged, half at least 2.9 m clear)"


@pytest.mark.parametrize("slip", ["0", "-3", "wide", "900", "0.1", ""])
def test_a_width_nobody_can_believe_is_as_if_not_tagged(slip: str) -> None:
    found = of({"width": slip, "highway": "path"})
    assert (found.width_m[0], found.basis[0]) == (1.5, "class")


@pytest.mark.parametrize(("lanes", "width_m"), [("3", 9.75), ("2;3", 6.5), ("1.5", 4.875), ("many", 6), ("99", 6)])
def test_lanes(lanes: str, width_m: float) -> None:
    assert of({"lanes": lanes}).width_m[0] == pytest.approx(width_m)


def test_people_have_a_share_of_streets_without_the_margins() -> None:
    found = of(
        {"highway": "residential"}, {"highway": "pedestrian"}, {"highway": "path", "width": "0.7"}, {"highway": "steps"}
    )
    assert found.clear_m.tolist() == pytest.approx([6 * 0.5 - 0.4, 5 - 0.4, 0.6, 2 - 0.4])
    assert found.capacity_people_s.tolist() == pytest.approx([2.6 * 1.22, 4.6 * 1.22, 0.6 * 1.22, 1.6 * 1.22 * 0.72])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["residential", "footway", "steps", "motorway_link"]), st.floats(0.6, 80), st.floats(0.6, 80))
def test_a_wider_street_lets_no_fewer_through(highway: str, one_m: float, other_m: float) -> None:
    less, more = sorted((one_m, other_m))
    found = of(*({"highway": highway, "width": f"{value:.6f}"} for value in (less, more)))
    assert (found.basis == "tagged").all() or less < 0.6 + 1e-6
    assert 0 < found.capacity_people_s[0] <= found.capacity_people_s[1]
    assert (found.clear_m <= np.maximum(found.width_m, PARAMS.least_m)).all()


def test_every_class_has_a_width_and_no_street_none() -> None:
    assert class_m("motorway", params=PARAMS) == 14
    assert {class_m(name, params=PARAMS) for name in ("corridor", "cycleway")} == {2}
    assert "width" in WAY_TAGS
    assert "lanes" in WAY_TAGS
    empty = widths(network.build(ways(ENDS, {})), params=PARAMS)
    assert len(empty) == 0
    assert repr(empty) == "Widths(0 edges, 0 of them tagged)"

"""Outlines on real places: every reachable street inside, and hardly a metre of any other."""

from __future__ import annotations

import pytest
import shapely

from geo.outline import NOTHING, outline, outlines
from tests.benchmarks import case_outline
from tests.benchmarks.bench import NotHere
from tests.benchmarks.case_outline import Scene, measure

MIDSTREAM = [(697_700, 5_827_380), (697_900, 5_827_130)]
"""Along the IJssel under the town bridge, in the extract's CRS (UTM 31 north)."""


def scene(size: str, minutes: float = 15) -> Scene:
    name, mode = size.split()
    try:
        return case_outline.scene(name, mode, minutes)
    except NotHere as reason:
        pytest.skip(str(reason))


# The last number is the area in km²: of ground within 80 m of the streets, shores and railways in between.
@pytest.mark.parametrize(("size", "km2"), [
    ("kampen walk", 1.71), ("liechtenstein walk", 1.43), ("monaco walk", 1.12),
    ("kampen drive", 26.6), ("liechtenstein drive", 38.5),
])  # fmt: skip
def test_every_reachable_street_and_no_other(size: str, km2: float) -> None:
    """The issue allows 0.5 % of streets that cannot be reached; fine cells of a metre or two leave less."""
    found = scene(size)
    streets = found.streets
    polygon = outline(streets.reached, streets.others, found.barriers, above=streets.above, places=found.place)
    of = measure(polygon, found)
    assert polygon.is_valid
    assert of["reached_inside"] > 0.999999
    assert of["false_of_inside"] < 0.002
    assert of["false_of_others"] < 0.005
    assert of["facility"] == 1
    assert of["km2"] == pytest.approx(km2, rel=0.03)


def test_hulls_and_buffers_claim_more_and_hold_less() -> None:
    """Why a circle is not a hull: on foot in Vaduz each of them breaks one of the two promises."""
    found = scene("liechtenstein walk")
    for name in ("convex hull", "concave hull (0.1)", "buffered nodes", "buffered segments"):
        of = measure(case_outline.RIVALS[name](found, 40.0), found)
        assert of["reached_inside"] < 0.999 or of["false_of_inside"] > 0.05


def test_five_ten_and_fifteen_minutes_contain_each_other() -> None:
    widest = scene("kampen walk")
    # In the widest window: what a smaller ring does not reach is another street there.
    rings = [case_outline.scene("kampen", "walk", minutes, widest.box).streets for minutes in (5, 10, 15)]
    five, ten, fifteen = outlines(rings, widest.barriers, places=widest.place)
    assert shapely.difference(five, ten).area < 1e-6
    assert shapely.difference(ten, fifteen).area < 1e-6
    assert five.area < ten.area < fifteen.area


def test_the_ijssel_is_crossed_on_the_bridge_only() -> None:
    """The river at Kampen is a hundred metres wide; without barriers the outline would fill it from both banks."""
    found = scene("kampen walk")
    streets = found.streets
    barred = outline(streets.reached, streets.others, found.barriers, above=streets.above)
    bare = outline(streets.reached, streets.others, NOTHING, above=streets.above)
    assert bare.area - barred.area > 100_000
    middle = shapely.LineString(MIDSTREAM)
    assert 0 < shapely.intersection(barred, middle).length < 20 < 200 < shapely.intersection(bare, middle).length

"""Places of Kampen put to every rule: alike on the map and in the check, by any order, and soon."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import shapely

from data import rules
from geo import land, site_check, tables, uses
from geo.land import Land
from geo.setbacks import EXACT_M
from geo.site_check import BROKEN, KEPT, TOUCHED
from geo.zoning import AVOID, ZONES
from tests.geo.drawn_land import table
from tests.real.test_land import PARAMS, kampen, require_laws

USES = ("house", "hospital", "park", None, "school", "warehouse")
SHARES = [f"{zone}_share" for zone in ZONES]


@pytest.fixture(scope="module", name="with_lots")
def _with_lots() -> Land:
    """Kampen with 320 lots of all sizes, every fifth on a building that stands, 20 where ground is kept for refuge."""
    base, chance = kampen().base, np.random.default_rng(6)
    west, south, east, north = base.extent
    middle = shapely.points(chance.uniform(west, east, 240), chance.uniform(south, north, 240))
    built = base.city.buildings.geometry.to_numpy()[chance.integers(0, len(base.city.buildings), 60)]
    shapes = shapely.buffer(np.r_[middle, shapely.centroid(built)], chance.lognormal(3, 1, 300), cap_style="square")
    shapes = np.r_[shapes, _on_refuge(kampen(), 20)]
    lots = table(tables.LOTS, list(shapes), use=chance.choice(np.array(USES, dtype=object), len(shapes))).set_crs(
        base.city.crs, allow_override=True
    )
    return land.of(replace(base, city=replace(base.city, lots=lots)))


def _on_refuge(found: Land, most: int) -> np.ndarray:
    """Squares in the largest pieces of ground that is kept for refuge."""
    kept = found.zones[found.zones["zone"] == AVOID].nlargest(most, "area_m2").geometry.to_numpy()
    radius = shapely.maximum_inscribed_circle(kept, 0.5)
    squares: np.ndarray = shapely.buffer(shapely.get_point(radius, 0), shapely.length(radius) / 2, cap_style="square")
    return squares


def test_a_lot_is_judged_alike_on_the_map_and_in_the_check(with_lots: Land) -> None:
    took, found = [], with_lots.layers["lots"]
    print(found["verdict"].value_counts().to_dict())
    assert found["verdict"].nunique() == 4
    for row in found.itertuples(index=False):
        if not shapely.intersects(with_lots.ground, row.geometry):
            continue
        what = uses.planned(row.use, params=PARAMS.uses)
        begin = time.perf_counter()
        told = site_check.check(with_lots, row.geometry, what)
        took.append(time.perf_counter() - begin)
        assert (told.verdict, told.reason_en, told.reason_zh) == (row.verdict, row.reason_en, row.reason_zh)
        assert list(told.shares.values()) == pytest.approx([getattr(row, name) for name in SHARES], abs=1e-9)
        kept, touched, broken = (told.rules[told.rules["standing"] == name] for name in (KEPT, TOUCHED, BROKEN))
        assert (kept["distance_m"] >= kept["required_m"] - EXACT_M).all()
        assert ((touched["distance_m"] < touched["required_m"]) | (touched["distance_m"] == 0)).all()
        assert (broken["distance_m"] <= broken["required_m"]).all()
        assert (told.verdict == "none") or len(broken)
    print(f"{len(took)} lots: {np.median(took) * 1e3:.1f} ms in the middle, {max(took) * 1e3:.0f} ms at most")


def test_a_larger_setback_lets_no_less(with_lots: Land) -> None:
    base = with_lots.base
    wider = rules.merged(rules.load(), {"river": {"distance": 60}, "power_110kv": {"distance": 30}})
    more = land.of(replace(base, city=replace(base.city, rules=wider)))
    require_laws(more)
    for name in ("lots", "buildings"):
        before, after = (found.layers[name]["verdict"] == "let" for found in (with_lots, more))
        print(f"{name}: {before.sum()} let, then {after.sum()}")
        assert not (before & ~after).any()
    assert more.headline["let_m2"] > with_lots.headline["let_m2"]
    assert set(with_lots.layers["conflicts"]["object_id"]) <= set(more.layers["conflicts"]["object_id"])

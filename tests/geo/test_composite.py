"""Several hazards as one level: drawn, by law, and against one cell at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from pydantic import ValidationError

from data import standards
from geo import composite, levels
from geo.composite import Combined, CompositeParams
from geo.crs import reproject
from geo.curves import flow_class
from geo.errors import InputError
from geo.frames import Frame
from geo.hazards import Grid, Hazard
from geo.profiles import Rules
from tests.geo.drawn import ORIGIN

VALUES = standards.load()
RULES = Rules.of(VALUES)
PARAMS = CompositeParams.of(VALUES)
CRS = "EPSG:32631"
X, Y = ORIGIN
NAN = math.nan


def hazard(kind: str, *values: float, name: str = "", uncertainty: float = 0) -> Hazard:
    """A row of cells of 10 m."""
    grid = Grid(np.array([values], dtype=np.float32), (10, 0, X, 0, -10, Y), CRS)
    return Hazard(name or kind, kind, levels.UNITS[kind], grid, uncertainty=uncertainty)


def told(*faced: Hazard, rule: str = "worst", cells: int = 0, **changes: object) -> Combined:
    frame = Frame(X, Y, 10.0, 1, cells or (faced[0].grid.values.shape[1] if faced else 3), CRS)
    params = CompositeParams.model_validate(PARAMS.model_dump() | {"rule": rule} | changes)
    return composite.combined(faced, frame=frame, rules=RULES, params=params)


def level(*faced: Hazard, rule: str = "worst", **changes: object) -> list[float]:
    return told(*faced, rule=rule, **changes).level.values[0].tolist()


FLOOD = hazard("flood", 0, 0.4, 1.0, NAN, 3.0)  # levels 0 2 3 ? 5
SLIDE = hazard("landslide", 0, 4, 3, 1, NAN)


def test_the_worst_decides_and_says_so() -> None:
    found = told(FLOOD, SLIDE)
    assert found.level.values[0].tolist() == [0, 4, 3, 1, 5]
    assert found.hazard_ids == ("flood", "landslide")
    assert found.worst[0].tolist() == [-1, 1, 0, 1, 0]
    assert found.known[0].tolist() == [2, 2, 2, 1, 1]
    assert found.unknown.tolist() == [0.2, 0.2] and found.share_unknown == pytest.approx(0.4)
    assert found.level_high is None
    assert repr(found).startswith("Combined(2 hazards by rule worst, Grid(1 rows × 5 columns")


def test_the_mean_is_of_those_known_halves_up_and_never_none_beside_some() -> None:
    assert level(FLOOD, SLIDE, rule="weighted") == [0, 3, 3, 1, 5]
    assert level(FLOOD, SLIDE, rule="weighted", weights=("flood=3",)) == [0, 3, 3, 1, 5], "2.5 is 3"
    assert level(FLOOD, SLIDE, rule="weighted", weights=("flood=4",)) == [0, 2, 3, 1, 5], "2.4 is 2"
    assert level(hazard("flood", 0), hazard("fire", 1), hazard("sand", 0), rule="weighted") == [1]


def test_two_serious_hazards_together_are_one_level_worse() -> None:
    assert level(FLOOD, SLIDE, rule="joint") == [0, 4, 4, 1, 5]
    assert level(FLOOD, SLIDE, rule="joint", joint_level=2) == [0, 5, 4, 1, 5]
    assert level(hazard("flood", 3), hazard("fire", 5), rule="joint") == [5], "no more than five"


def test_what_tells_of_one_thing_counts_once() -> None:
    twice = hazard("flood", 0.6), hazard("flood", 0.7, name="other")
    shaking = hazard("earthquake", 8), hazard("earthquake_pga", 0.2)
    assert level(*twice, rule="joint") == level(*shaking, rule="joint") == [3]
    assert level(*twice, hazard("fire", 0), rule="weighted") == [2], "(3 + 0) / 2, not (3 + 3 + 0) / 3"


def test_what_goes_with_a_flood_is_nothing_on_dry_ground() -> None:
    depth, comes = hazard("flood", 0, 0.1, NAN), hazard("flood_arrival", 0, 0.5, 2)
    assert level(depth, comes) == [0, 5, 4], "where the depth is not known the arrival counts"
    assert level(comes) == [5, 5, 4]
    assert level(depth, hazard("tsunami", 0.1, 0, 0), comes) == [5, 5, 4], "the tsunami wets the first cell"


def test_depth_and_velocity_together_by_hazard_class() -> None:
    depth, speed = hazard("flood", 0.4, 0.4, 0.04, 0.6, NAN), hazard("flood_velocity", 0.1, 2.5, 2.5, 0.45, 3)
    assert level(depth, speed) == [2, 4, 0, 3, 4]
    assert level(depth, speed, rule="joint") == [2, 5, 0, 3, 4], "H5 by its velocity; a film has no class"
    assert level(hazard("flood", 1.1), hazard("flood_velocity", 1.0), rule="joint") == [5], "1.1 m²/s is H5"


def test_uncertainty_is_told_beside_the_level() -> None:
    found = told(hazard("flood", 0, 0.2, 0.9, NAN, uncertainty=0.3), hazard("fire", 0, 0, 0, 1))
    assert found.level.values[0].tolist() == [0, 1, 3, 1]
    assert found.level_high is not None and found.level_high.values[0].tolist() == [0, 3, 4, 1]


def test_uncertainty_of_depth_reaches_the_class_as_well() -> None:
    found = told(hazard("flood", 0.9, uncertainty=0.2), hazard("flood_velocity", 1), rule="joint")
    assert found.level.values[0].tolist() == [4] and found.level_high is not None
    assert found.level_high.values[0].tolist() == [5]


def test_without_a_hazard_nothing_is_known() -> None:
    found = told()
    assert np.isnan(found.level.values).all() and not found.known.any() and math.isnan(found.share_unknown)
    assert found.hazard_ids == () and found.level_high is None


def test_rasters_of_other_cells_and_systems_meet_on_one_frame() -> None:
    coarse = Hazard("q", "earthquake", "degree", Grid(np.array([[7.0, 9.0]]), (25, 0, X, 0, -25, Y), CRS))
    assert level(hazard("flood", 0, 0, 0, 0, 0), coarse) == [2, 2, 4, 4, 4], "the third cell touches both"
    (west,), (north,) = reproject(np.array([X]), np.array([Y]), source=CRS, target="EPSG:4326")
    degrees = Grid(np.full((30, 30), 2.0), (1e-4, 0, west - 1e-3, 0, -1e-4, north + 1e-3), "EPSG:4326")
    assert level(FLOOD, Hazard("f", "fire", "level", degrees)) == [2, 2, 3, 2, 5]


@pytest.mark.parametrize("weights", ["comet=1", "flood=0", "flood=-1", "flood", "flood=x", "flood_velocity=2"])
def test_weights_that_cannot_be_are_refused(weights: str) -> None:
    with pytest.raises(ValidationError, match="with a weight above 0"):
        told(rule="weighted", weights=(weights,))


def test_a_hazard_without_a_rule_is_refused() -> None:
    with pytest.raises(InputError, match="values in m"):
        told(Hazard("h", "flood", "ft", FLOOD.grid))


def test_people_by_level() -> None:
    found = told(FLOOD, SLIDE)
    x, y = X + np.array([5.0, 15, 45, 48, 80]), np.full(5, Y - 5)
    table = composite.by_level(found, x, y, crs=CRS, weights={"people": np.array([1.0, 2, 4, 8, 16])})
    assert table["level"].tolist()[:6] == [0, 1, 2, 3, 4, 5] and np.isnan(table["level"].iloc[6])
    assert table["people"].tolist() == [1, 0, 0, 0, 2, 12, 16], "beyond the frame nothing is known"
    assert found.cells()["cells"].tolist() == [1, 1, 0, 1, 1, 1, 0] and found.cells()["area_m2"].sum() == 500


def test_people_by_the_level_with_uncertainty() -> None:
    found = told(hazard("flood", 0.2, uncertainty=0.3))
    at = {"x": np.array([X + 5]), "y": np.array([Y - 5]), "crs": CRS, "weights": {"n": np.ones(1)}}
    assert composite.by_level(found, **at)["n"].tolist().index(1) == 1
    assert composite.by_level(found, **at, high=True)["n"].tolist().index(1) == 3


# Laws: hazards of any kind, on rasters that do not fit.

FRAME = Frame(X, Y, 20.0, 8, 9, CRS)


@st.composite
def hazards_(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(levels.UNITS)) -> Hazard:
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    kind, cell = draw(st.sampled_from(kinds)), draw(st.sampled_from([7.0, 20.0, 45.0]))
    most = {"collapse": 0.6, "earthquake_pga": 1.0, "wind": 45, "flood_duration": 400, "flood_arrival": 30}.get(kind, 6)
    values = (rng.uniform(0, most, (12, 12)) * (rng.random((12, 12)) < 0.6)).astype(np.float32)
    values[rng.random((12, 12)) < 0.2] = np.nan
    grid = Grid(values, (cell, 0, X - draw(st.floats(0, 40)), 0, -cell, Y + 15), CRS)
    return Hazard(f"h{draw(st.integers(0, 10**9))}", kind, levels.UNITS[kind], grid, uncertainty=draw(st.floats(0, 2)))


def of(*faced: Hazard, rule: str = "worst") -> Combined:
    params = CompositeParams.model_validate(PARAMS.model_dump() | {"rule": rule})
    return composite.combined(faced, frame=FRAME, rules=RULES, params=params)


def whole(grid: Grid) -> np.ndarray:
    return np.nan_to_num(grid.values, nan=-1)


free = tuple(kind for kind in levels.UNITS if kind not in levels.OF_WATER)
many = st.lists(hazards_(), max_size=4, unique_by=lambda hazard: hazard.hazard_id)


@settings(max_examples=60, deadline=None)
@given(many, hazards_(free), st.sampled_from(["worst", "joint"]))
def test_no_hazard_is_above_the_combined_level_and_another_never_lowers_it(
    faced: list[Hazard], more: Hazard, rule: str
) -> None:
    """Of all but what goes with a flood, which a flood known to be dry takes away."""
    if more.kind in levels.WATER and any(hazard.kind in levels.OF_WATER for hazard in faced):
        faced = [hazard for hazard in faced if hazard.kind not in levels.OF_WATER]
    one, both = of(*faced, rule=rule), of(*faced, more, rule=rule)
    assert (whole(both.level) >= whole(one.level)).all()
    assert (whole(both.level) >= whole(of(more).level)).all()
    assert (both.known >= one.known).all()


@settings(max_examples=60, deadline=None)
@given(many, st.sampled_from(composite.RULES), st.randoms(use_true_random=False))
def test_the_order_of_hazards_changes_nothing(faced: list[Hazard], rule: str, random: object) -> None:
    mixed = list(faced)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = of(*faced, rule=rule), of(*mixed, rule=rule)
    assert_array_equal(one.level.values, other.level.values)
    assert_array_equal(one.worst, other.worst)
    assert one.hazard_ids == other.hazard_ids
    assert_array_equal(one.unknown, other.unknown)


@settings(max_examples=60, deadline=None)
@given(many, st.sampled_from(composite.RULES))
def test_what_nobody_knows_is_not_none_and_uncertainty_never_lowers(faced: list[Hazard], rule: str) -> None:
    found = of(*faced, rule=rule)
    assert_array_equal(np.isnan(found.level.values), found.known == 0)
    assert ((found.worst >= 0) == (found.level.values > 0)).all()
    if found.level_high is not None:
        assert (whole(found.level_high) >= whole(found.level)).all()


@settings(max_examples=25, deadline=None)
@given(many, st.sampled_from(composite.RULES))
def test_against_one_cell_at_a_time(faced: list[Hazard], rule: str) -> None:
    """The rules said over again; each hazard's own level on the frame is taken as given."""
    found = of(*faced, rule=rule)
    each = {hazard.hazard_id: (hazard.kind, of(hazard).level.values) for hazard in faced}
    depth, velocity = (highest(faced, kind) for kind in ("flood", "flood_velocity"))
    for cell in np.ndindex(FRAME.shape):
        here = {name: (kind, float(at[cell])) for name, (kind, at) in each.items()}
        flow = math.nan if depth is None or velocity is None else together(depth[cell], velocity[cell])
        assert found.level.values[cell] == pytest.approx(by_rule(here, rule, flow), nan_ok=True)


def highest(faced: list[Hazard], kind: str) -> np.ndarray | None:
    values = [composite.onto(hazard.grid, FRAME) for hazard in faced if hazard.kind == kind]
    return np.fmax.reduce(values) if values else None


def together(depth: float, velocity: float) -> float:
    if not depth > 0.05 or math.isnan(velocity):
        return math.nan
    return min(int(flow_class(np.array([depth]), np.array([velocity]), params=RULES.flood)[0]), 5)


def by_rule(here: dict[str, tuple[str, float]], rule: str, flow: float) -> float:
    depths = [value for kind, value in here.values() if kind in levels.WATER]
    dry = bool(depths) and all(value == 0 for value in depths)
    groups: dict[str, float] = {}
    for kind, value in here.values():
        value = 0.0 if dry and kind in levels.OF_WATER else value
        if kind == "flood_velocity" and rule == "joint" and not math.isnan(flow) and not dry:
            value = max(value, flow) if not math.isnan(value) else value
        name = composite.SAME.get(kind, kind)
        if not math.isnan(value):
            groups[name] = max(groups.get(name, 0.0), value)
    if not groups:
        return math.nan
    top = max(groups.values())
    if rule == "joint":
        return min(top + (sum(value >= 3 for value in groups.values()) >= 2), 5) if top else 0.0
    if rule == "weighted" and top:
        return max(math.floor(sum(groups.values()) / len(groups) + 0.5), 1)
    return top

"""Styles: which class a value is in, that nothing falls between, that colour-blind readers see classes apart."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.evacuation import STATES
from tiles import evacuation, land, style
from tiles.style import Class, Part, Style, Symbol
from tiles.text import Text

POST = Text("站", "Post")
EVERY = {
    "status": style.status(), "walking": style.walking(), "lost": style.lost(), "shelters": evacuation.shelters(),
    "open_streets": style.open_streets(), "flows": evacuation.flows(), "depth": style.depth(),
    "lines": style.depth(px=3),
    "levels": style.levels(), "intensity": style.intensity(7.3, Text("级", "class")), "facilities": style.facilities(),
    "zones": land.zones(), "lots": land.lots(), "verdicts": land.buildings(), "setbacks": land.setbacks(),
    "sources": land.setback_sources(), "conflicts": land.conflicts(), "regions": land.regions(),
    "reserve": land.reserve(), "candidates": land.refuge_candidates(), "access": land.access_audit(),
    "corridors": land.corridors(), "engines": style.open_streets("fire_engine"),
    "rings": style.rings("fire", [15, 5, 10]), "many rings": style.rings("police", [5, 10, 15, 20, 30, 45]),
    "ring lines": style.ring_line("medical", [5, 10, 15], 10), "depths": style.depths("fire", 3),
    "divided": style.divided("facility_id", [Part("f1", POST, 0), Part("f2", POST, 9, True)],
                             nobody=Text("无", "nobody"), marked=Text("大", "large")),
    "losses": style.losses(), "everyday": style.everyday({c: Text(f"{c}类", c) for c in "abcdef"}),
    "lacking": style.lacking("abcdef"), "arrivals": style.arrivals("fire_s"),
    "water arrives": style.arrivals_of_water(7.3, Text("小时", "hours")), "evacuation": evacuation.homes(),
    "loads": evacuation.loads(), "critical": evacuation.critical(), "routes": evacuation.routes(),
    "isolated": evacuation.isolated(), "needs": evacuation.needs(), "supplied": evacuation.supplied(),
    "depots": evacuation.depots(), "deliveries": evacuation.deliveries(), "fixes": evacuation.fixes(),
}  # fmt: skip
RAMPS = {name: look for name, look in EVERY.items() if look.kind == "ramp"}

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(colour: str, blind: str) -> np.ndarray:
    """A colour as this reader sees it, in CIE Lab."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.array(BLIND[blind]) @ linear, 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one: str, other: str, blind: str) -> float:
    return float(np.linalg.norm(lab(one, blind) - lab(other, blind)))


@pytest.mark.parametrize("blind", list(BLIND))
@pytest.mark.parametrize("pair", list(itertools.combinations((style.GOOD, style.WATCH, style.BAD), 2)))
def test_status_colours_stay_apart(pair: tuple[str, str], blind: str) -> None:
    assert apart(*pair, blind) > 20


@pytest.mark.parametrize("blind", list(BLIND))
@pytest.mark.parametrize("pair", list(itertools.combinations((land.LET, land.PREVENT, land.AVOID), 2)))
def test_zones_stay_apart(pair: tuple[str, str], blind: str) -> None:
    assert apart(*pair, blind) > 20


def test_zones_are_told_apart_without_colour() -> None:
    """One hatched, one pale within dashes, one full within a thick line."""
    let, avoid, prevent = (land.GROUND[zone] for zone in ("let", "avoid", "prevent"))
    assert (let.hatch, avoid.hatch, prevent.hatch) == (True, False, False)
    assert bool(prevent.dash) and not avoid.dash and not let.dash
    assert avoid.fill_opacity > prevent.fill_opacity and avoid.line_px > let.line_px
    for look in (land.zones(), land.lots(), land.buildings()):
        assert [cls.label.zh[0] for cls in look.classes[:3]] == ["让", "避", "防"]


@pytest.mark.parametrize("blind", list(BLIND))
def test_depth_is_darker_the_deeper(blind: str) -> None:
    lightness = [lab(colour, blind)[0] for colour in style.DEPTH_COLOURS]
    assert all(a - b > 5 for a, b in itertools.pairwise(lightness))


@pytest.mark.parametrize("blind", list(BLIND))
@pytest.mark.parametrize("service", list(style.SERVICE_COLOURS))
def test_rings_are_darker_the_sooner(service: str, blind: str) -> None:
    lightness = [lab(cls.symbol.fill, blind)[0] for cls in style.rings(service, [5, 10, 15]).classes[:-1]]
    assert all(b - a > 15 for a, b in itertools.pairwise(lightness))


@pytest.mark.parametrize("blind", list(BLIND))
@pytest.mark.parametrize("service", list(style.SERVICE_COLOURS))
def test_depths_are_darker_the_deeper(service: str, blind: str) -> None:
    lightness = [lab(cls.symbol.fill, blind)[0] for cls in style.depths(service, 3).classes[:-1]]
    assert all(a - b > 15 for a, b in itertools.pairwise(lightness))


def test_lines_that_lie_on_each_other_differ_in_their_dashes() -> None:
    streets = [cls for cls in EVERY["open_streets"].classes if "flooded" not in cls.values]
    for classes in (EVERY["everyday"].classes[:-1], streets):
        dashes = [cls.symbol.dash for cls in classes]
        assert len(set(dashes)) == len(dashes)


@pytest.mark.parametrize(("limit", "shown"), [(10, 10), (5.0, 5), (8, 15), (None, 15)])
def test_of_the_rings_of_a_normal_day_one_is_drawn(limit: float | None, shown: float) -> None:
    """The service's own where there is one, else the largest."""
    look = style.ring_line("medical", [15, 5, 10], limit)
    assert [cls.upper for cls in look.classes if cls.symbol.seen] == [shown]
    assert all(cls.symbol.dash for cls in look.classes if cls.symbol.seen)


def test_a_wider_line_costs_more_people() -> None:
    widths = [cls.symbol.line_px for cls in style.losses().classes[1:-1]]
    assert widths == sorted(set(widths))
    assert style.losses().classify([0, 1, 20, 21, 2001, np.nan]).tolist() == [0, 1, 1, 2, 5, 6]


@pytest.mark.parametrize(("minutes", "shades"), [([10], 1), ([5, 10], 2), ([3, 6, 9, 12, 15], 5)])
def test_any_rings_have_a_shade_each(minutes: list[float], shades: int) -> None:
    look = style.rings("supplies", minutes)
    assert len({cls.symbol.fill for cls in look.classes[:-1]}) == shades
    assert look.classify(minutes).tolist() == list(range(shades))
    assert look.opacity < 1


def test_what_is_nobodys_is_hatched_and_what_is_marked_says_so() -> None:
    look = EVERY["divided"]
    assert look.classify(pd.Series(["f1", "f2", None, "f3"], dtype=object)).tolist() == [1, 2, 0, 3]
    assert look.classes[0].symbol.hatch
    assert look.classes[2].label == Text("站（大）", "Post (large)")


def test_homes_that_lack_nothing_and_homes_that_lack_everything() -> None:
    look = EVERY["lacking"]
    assert look.classify(["", "a", "a;c", "a;b;c;d;e;f", "z"]).tolist() == [0, 1, 2, 6, 7]
    assert sum(len(cls.values) for cls in look.classes) == 2**6 + 1


@pytest.mark.parametrize("name", ["status", "shelters", "loads", "supplied"])
def test_what_colour_says_a_sign_says_too(name: str) -> None:
    symbols = [cls.symbol for cls in EVERY[name].classes[:-1]]
    assert all(symbol.mark for symbol in symbols)
    signs = {(symbol.mark, symbol.shape, symbol.fill == style.PAPER) for symbol in symbols}
    assert len(signs) == len(symbols)


def test_what_becomes_of_people_is_told_by_shape_and_by_colour() -> None:
    look = EVERY["evacuation"]
    told = [cls.symbol for cls in look.classes[:-1]]
    assert len({(symbol.shape, symbol.fill == style.PAPER) for symbol in told}) == len(told)
    filled = [symbol.fill for symbol in told if symbol.fill != style.PAPER]
    for blind in BLIND:
        assert min(apart(a, b, blind) for a, b in itertools.combinations(filled, 2)) > 10


def test_every_state_of_people_has_a_class_of_its_own() -> None:
    look = EVERY["evacuation"]
    numbers = look.classify(list(STATES)).tolist()
    assert sorted(numbers) == list(range(len(look.classes) - 1))


def test_a_shelter_is_full_only_when_no_room_is_left() -> None:
    look = EVERY["loads"]
    assert look.classify([0, 0.01, 0.9, 0.901, 0.9999, 1, np.nan]).tolist() == [0, 1, 1, 2, 2, 3, 4]
    assert not look.classes[-1].symbol.seen


def test_ways_and_ranks_are_apart_without_colour() -> None:
    ways = [cls.symbol for cls in EVERY["routes"].classes[:-1]]
    assert len({symbol.dash for symbol in ways}) == len(ways)
    ranks = [cls.symbol.line_px for cls in EVERY["critical"].classes[:-1]]
    assert ranks == sorted(ranks, reverse=True)
    assert EVERY["critical"].classify([1, 5, 6, 50, 51]).tolist() == [0, 0, 1, 2, 3]


def symbols() -> Iterator[Symbol]:
    return (cls.symbol for look in EVERY.values() for cls in look.classes)


def test_colours_are_written_as_the_page_and_the_picture_need_them() -> None:
    written = [colour for symbol in symbols() for colour in (symbol.fill, symbol.line) if colour]
    assert [colour for colour in written if not re.fullmatch("#[0-9a-f]{6}", colour)] == []


@pytest.mark.parametrize("look", list(EVERY.values()), ids=list(EVERY))
def test_classes_speak_both_languages(look: Style) -> None:
    assert all(cls.label.zh and cls.label.en for cls in look.classes)


@pytest.mark.parametrize("look", list(RAMPS.values()), ids=list(RAMPS))
@given(value=st.floats(-10, 10_000))
def test_a_number_is_in_the_first_class_that_holds_it(look: Style, value: float) -> None:
    number = look.classify([value])[0]
    lower = look.uppers[number - 1] if number else -np.inf
    upper = look.uppers[number] if number < len(look.uppers) else np.inf
    assert lower < value <= upper


@pytest.mark.parametrize("look", list(RAMPS.values()), ids=list(RAMPS))
def test_unknown_is_not_zero(look: Style) -> None:
    zero, unknown = look.classify([0.0, np.nan])
    assert unknown == len(look.classes) - 1
    assert zero != unknown


def test_three_minutes_are_in_the_first_step_and_fifteen_in_the_fifth() -> None:
    walking = style.walking()
    assert walking.classify([0, 180, 180.001, 900, 1440, 1441, np.nan]).tolist() == [0, 0, 1, 4, 7, 8, 9]
    assert walking.classes[4].label == Text("12–15 分钟", "12–15 min")


def test_depths() -> None:
    assert style.depth().classify([0, 0.15, 0.16, 4.0, 4.1, np.nan]).tolist() == [0, 1, 2, 6, 7, 8]


def test_categories_take_missing_values_where_they_are_named() -> None:
    streets = style.open_streets()
    assert streets.classify(pd.Series([None, "flooded", "motor_road", "debris", np.nan], dtype=object)).tolist() == [
        0, 1, 7, 4, 0,
    ]  # fmt: skip
    closed = [streets.classes[i].label.en for i in streets.classify(["fire", "landslide", "debris", "sand", "wind"])]
    assert closed == ["Closed by fire", "Closed by a landslide", "Closed by debris", "Closed by blown sand",
                      "Closed by wind"]  # fmt: skip
    assert style.status().classify(["good", "bad", "no such", None]).tolist() == [0, 2, 4, 4]
    assert evacuation.shelters().classify(pd.Series([True, False])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("greatest", "top"),
    [(7.3, 7.3), (1234.0, 1300.0), (0.0234, 0.024), (100.0, 100.0), (float("nan"), 1.0), (0.0, 1.0)],
)
def test_intensity_ends_at_a_round_number(greatest: float, top: float) -> None:
    last = style.intensity(greatest, Text("", "")).classes[-2].label.en
    assert last.split("–")[1] == f"{top:g}"


def test_water_that_is_there_at_once_is_darkest_and_where_it_never_comes_nothing_is_drawn() -> None:
    look = style.arrivals_of_water(10.0, Text("小时", "hours"))
    assert look.classify([0, 2, 2.1, 10, np.nan]).tolist() == [0, 0, 1, 4, 5]
    assert [cls.symbol.fill for cls in look.classes] == [*reversed(style.INTENSITY_COLOURS), ""]


def test_levels_are_whole() -> None:
    look = style.levels()
    assert look.classify([0, 1, 1.5, 2, 5, np.nan]).tolist() == [0, 1, 2, 2, 5, 6]
    named = [cls.label for cls in look.classes if cls.symbol.seen]
    assert (named[0], named[-1], len(named)) == (Text("1 级", "Level 1"), Text("5 级", "Level 5"), 5)


@given(st.floats(1e-6, 1e9))
def test_the_greatest_value_has_a_colour(greatest: float) -> None:
    look = style.intensity(greatest, Text("", ""))
    assert style.colour(look, int(look.classify([greatest])[0]))[3] > 0


def test_a_palette_has_a_colour_for_every_class_and_none_for_dry_and_unknown() -> None:
    look = style.depth()
    colours = style.palette(look)
    assert len(colours) == len(look.classes)
    assert colours[0] == colours[-1] == (0, 0, 0, 0)
    assert all(colour[3] > 0 for colour in colours[1:-1])


def test_a_style_that_cannot_be_is_refused() -> None:
    one = Class(Text("一", "one"), Symbol(), upper=1.0)
    with pytest.raises(ValueError, match="column"):
        Style("single", (one,), "depth_m")
    with pytest.raises(ValueError, match="column"):
        Style("ramp", (), "depth_m")
    with pytest.raises(ValueError, match="order"):
        Style("ramp", (one, one, one), "depth_m")

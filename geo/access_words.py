"""Why a fire engine does not reach a building or a shelter as it should: a sentence with numbers, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import directions, tiers
from geo.directions import UNNAMED
from geo.fire_lanes import NONE, AccessParams, Lanes
from geo.reasons import Sentence
from geo.rubble import NOBODY
from geo.tables import NAMES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

ORDINARY = (
    "no_street", "no_way", "too_far", "narrow_lane", "too_low", "narrow_way", "one_way_in", "dead_end", "hydrant",
)  # fmt: skip
"""What can fail on an ordinary day, in the order in which it is told."""
AFTER = ("blocked_after", "corridor")
"""What can fail when buildings collapse."""
BASIS = {
    "tagged": ("as mapped", "地图标注"),
    "lanes": ("from its lanes", "按车道数推算"),
    "class": ("usual for its class", "按道路类别取值"),
}
"""Where a street's width is from."""
REASONS: dict[str, tuple[str, str]] = {
    "no_street": (
        "No street that a fire engine may use lies within {search_m:g} m.",
        "{search_m:g}米内没有消防车可通行的道路。",
    ),
    "no_way": (
        "No way for a fire engine leads from the trunk network to its street, {street}.",
        "消防车无法从干路网到达其所在道路（{street}）。",
    ),
    "too_far": (
        "The nearest fire lane, {street}, is {street_m:.0f} m away; at most {reach_m:g} m is allowed.",
        "最近的消防车道（{street}）距离{street_m:.0f}米，超过{reach_m:g}米。",
    ),
    "narrow_lane": (
        "Its street, {street}, is {width_m:.1f} m wide ({basis}); a fire lane needs {lane_m:g} m.",
        "所在道路（{street}）宽{width_m:.1f}米（{basis}），消防车道需{lane_m:g}米。",
    ),
    "too_low": (
        "The highest way in is limited to {height_limit_m:.1f} m; a fire lane needs {height_m:g} m.",
        "进入通道限高{height_limit_m:.1f}米，消防车道净高需{height_m:g}米。",
    ),
    "narrow_way": (
        "The widest way from the trunk network narrows to {widest_m:.1f} m on {narrow}; a fire lane needs "
        "{lane_m:g} m.",
        "自干路网的最宽通道在{narrow}收窄至{widest_m:.1f}米，消防车道需{lane_m:g}米。",
    ),
    "one_way_in": (
        "Every way of at least {lane_m:g} m from the trunk network uses {needs}: one way in, {asked:g} are asked for.",
        "自干路网宽{lane_m:g}米以上的通道都须经过{needs}：仅1条进入通道，应有{asked:g}条。",
    ),
    "no_lane_in": (
        "No way from the trunk network is at least {lane_m:g} m wide and {height_m:g} m high throughout.",
        "自干路网没有全程宽{lane_m:g}米、高{height_m:g}米以上的通道。",
    ),
    "dead_end": (
        "It stands {dead_end_m:.0f} m up a dead end ({street}); at most {limit_m:g} m is allowed.",
        "位于尽端路（{street}）内{dead_end_m:.0f}米处，超过{limit_m:g}米。",
    ),
    "hydrant": (
        "The nearest mapped hydrant is {hydrant_m:.0f} m away in a straight line; at most {hydrant_limit_m:g} m is "
        "allowed.",
        "最近的已知消火栓直线距离{hydrant_m:.0f}米，超过{hydrant_limit_m:g}米。",
    ),
    "blocked_after": (
        "After a collapse {building} leaves {left_m:.1f} of {whole_m:.1f} m on {narrow}; {lane_m:g} m are needed, and "
        "no other lane within {reach_m:g} m can be reached.",
        "建筑倒塌后，{building}使{narrow}宽度由{whole_m:.1f}米减至{left_m:.1f}米，不足{lane_m:g}米，{reach_m:g}米内也无其他"
        "可到达的消防车道。",
    ),
    "parted_after": (
        "After a collapse no lane of at least {lane_m:g} m within {reach_m:g} m can be reached from what is left of "
        "the trunk network.",
        "建筑倒塌后，从剩余干路网无法到达{reach_m:g}米内任何宽{lane_m:g}米以上的消防车道。",
    ),
    "corridor": (
        "After a collapse the widest way to it keeps {corridor_m:.1f} m, narrowest on {narrow}{because}; {tier} needs "
        "{corridor_asked_m:g} m.",
        "建筑倒塌后，最宽通道剩余{corridor_m:.1f}米，最窄处在{narrow}{because}，{tier}需{corridor_asked_m:g}米。",
    ),
    "no_corridor": (
        "After a collapse no way leads to it from what is left of the trunk network; {tier} needs "
        "{corridor_asked_m:g} m.",
        "建筑倒塌后，从剩余干路网没有通道到达，{tier}需{corridor_asked_m:g}米。",
    ),
    "ok": (
        "{street}, {street_m:.0f} m away, is a fire lane of {width_m:.1f} m with {count}.",
        "{street}距{street_m:.0f}米，为宽{width_m:.1f}米的消防车道，有{count}。",
    ),
}
"""Sentences; a code that a test has in two forms has one sentence for each."""
FORMS = {"no_lane_in": "one_way_in", "parted_after": "blocked_after", "no_corridor": "corridor"}
"""Second forms of a sentence and the code they have."""
Pair = tuple[str, str]


FIELDS = {
    form: {name for text in pair for _, name, _, _ in Formatter().parse(text) if name} for form, pair in REASONS.items()
}
"""What each sentence needs."""


def told(form: str, words: Mapping[str, Pair], numbers: Mapping[str, float]) -> Sentence:
    """The sentence of a form; ``words`` are in English and Chinese, ``numbers`` metres and counts."""
    texts = REASONS[form]
    en, zh = (texts[i].format(**numbers, **{name: pair[i] for name, pair in words.items()}) for i in (0, 1))
    return Sentence(FORMS.get(form, form), en[:1].upper() + en[1:], zh)


def count(ways_in: int) -> Pair:
    """How many ways lead in."""
    return ("one way in", "1条进入通道") if ways_in == 1 else ("two ways in", "2条以上进入通道")


def building(label: Pair, height_m: float, *, assumed: bool) -> Pair:
    """The rubble of a building with its height."""
    high_en, high_zh = (", assumed", "，为假定值") if assumed else ("", "")
    return (
        f"the rubble of {label[0]} ({height_m:.0f} m high{high_en})",
        f"{label[1]}（高{height_m:.0f}米{high_zh}）的瓦砾",
    )


def label(building_id: str, name: object, name_zh: object, name_en: object) -> Pair:
    """What to call a building: its name, else its id."""
    own, zh, en = (text.strip() if isinstance(text, str) else "" for text in (name, name_zh, name_en))
    return en or own or f"building {building_id}", zh or own or f"建筑{building_id}"


def street(rubble: Pair, *, left_m: float, whole_m: float, on: int, behind: int) -> Sentence:
    """Why a street matters when buildings collapse: what is left of it, and how many buildings hang on it."""
    en = f"{rubble[0]} can leave {left_m:.1f} of {whole_m:.1f} m"
    if behind:
        many = "building behind it has" if behind == 1 else "buildings behind it have"
        tail = (f"{behind:,} {many} no other way", f"其后{behind:,}栋建筑无其他通道")
    else:
        tail = (f"{on:,} {'building stands' if on == 1 else 'buildings stand'} on it", f"沿线{on:,}栋建筑")
    zh = f"{rubble[1]}可使宽度由{whole_m:.1f}米减至{left_m:.1f}米，{tail[1]}。"
    return Sentence("behind" if behind else "on", f"{en[:1].upper()}{en[1:]}; {tail[0]}.", zh)


# -- of places ---------------------------------------------------------------------------------------------------------


def sentences(given: Lanes, found: pd.DataFrame, codes: Texts, *, params: AccessParams) -> list[Pair]:
    """The sentence of each place's code; ``found`` is what ``geo.access_audit`` measured of it."""
    limits: dict[str, float] = params.model_dump(include={"search_m", "reach_m", "lane_m", "height_m"})
    limits |= {"asked": params.ways_in, "limit_m": params.dead_end_m, "hydrant_limit_m": params.hydrant_m}
    fixed = {form: {name: limits[name] for name in names & limits.keys()} for form, names in FIELDS.items()}
    columns = {str(name): found[name].tolist() for name in found.columns}
    measured = {
        form: [name for name in names if name.endswith("_m") and name in columns] for form, names in FIELDS.items()
    }
    telling = _Telling(given, params.lane_m)
    pairs = []
    for i, code in enumerate(codes.tolist()):
        street = columns["street"][i]
        form, words = telling.words(code, street, columns["ways_in"][i])
        if code == "corridor":
            words["tier"] = _of_a_tier(columns["tier"][i])
        numbers = {name: columns[name][i] for name in measured[form]}
        if form == "blocked_after":
            numbers |= telling.left(street)
        one = told(form, words, fixed[form] | numbers)
        pairs.append((one.en, one.zh))
    return pairs


def _of_a_tier(tier: object) -> Pair:
    en, zh = tiers.SAID.get(str(tier), tiers.A_SHELTER)
    return f"{'an' if en[0] in 'aeiou' else 'a'} {en}", zh


class _Telling:
    """What the sentences of one city need to know of its streets and buildings."""

    def __init__(self, given: Lanes, lane_m: float) -> None:
        network, table, buildings = given.network, given.table, given.rubble.buildings
        self.lane_m = lane_m
        self.names = [network.edge_tag(name) for name in (*NAMES, "highway")]
        self.streets: dict[int, Pair] = {NONE: UNNAMED}
        self.needs, self.narrowest, self.narrowest_after, self.width_m, self.clear_m = (
            table[name].tolist() for name in ("needs", "narrowest", "narrowest_after", "width_m", "clear_m")
        )
        self.by, self.basis = (given.rubble.table[name].tolist() for name in ("blocked_by", "width_basis"))
        self.called = [buildings[name].tolist() for name in ("building_id", *NAMES)]
        self.height_m, self.assumed = (buildings[name].tolist() for name in ("height_m", "height_assumed"))

    def street(self, row: int) -> Pair:
        """What to call a street."""
        if row not in self.streets:
            self.streets[row] = directions.called(*(names[row] for names in self.names))
        return self.streets[row]

    def rubble(self, street: int) -> Pair:
        """The rubble that narrows a street; nothing where none does."""
        row = self.by[street]
        if row == NOBODY:
            return "", ""
        return building(label(*(column[row] for column in self.called)), self.height_m[row], assumed=self.assumed[row])

    def left(self, street: int) -> dict[str, float]:
        """What the narrowest street on the widest way to a street keeps after a collapse."""
        at = self.narrowest_after[street]
        return {"left_m": self.clear_m[at], "whole_m": self.width_m[at]}

    def words(self, code: str, street: int, ways_in: int) -> tuple[str, dict[str, Pair]]:
        """The form of a sentence about a place on a street, and the words that it needs."""
        words = {"street": self.street(street)}
        if code == "narrow_lane":
            words["basis"] = BASIS[self.basis[street]]
        elif code == "narrow_way":
            words["narrow"] = self.street(self.narrowest[street])
        elif code == "one_way_in":
            if not ways_in:
                return "no_lane_in", words
            words["needs"] = self.street(self.needs[street])
        elif code == "ok":
            words["count"] = count(ways_in)
        elif code in AFTER:
            return self._after(code, street, words)
        return code, words

    def _after(self, code: str, street: int, words: dict[str, Pair]) -> tuple[str, dict[str, Pair]]:
        """As ``words``, for what fails when buildings collapse."""
        at = self.narrowest_after[street] if street != NONE else NONE
        if at == NONE:
            return ("no_corridor" if code == "corridor" else "parted_after"), words
        words["narrow"], rubble = self.street(at), self.rubble(at)
        if code == "blocked_after":
            words["building"] = rubble
            return (code if rubble[0] and self.clear_m[at] < self.lane_m else "parted_after"), words
        words["because"] = (f" by {rubble[0]}", f"，因{rubble[1]}") if rubble[0] else ("", "")
        return code, words


# -- of streets --------------------------------------------------------------------------------------------------------


def of_streets(given: Lanes, rows: Ints, on: Floats, behind: Floats) -> list[Sentence]:
    """Why each of these streets matters when buildings collapse; buildings ``on`` and ``behind`` it, (rows,)."""
    telling = _Telling(given, np.nan)
    return [
        street(telling.rubble(row), left_m=telling.clear_m[row], whole_m=telling.width_m[row], on=int(n), behind=int(m))
        for row, n, m in zip(rows.tolist(), on, behind, strict=True)
    ]

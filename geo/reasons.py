"""Why a community or a shelter stands as it does: one honest sentence with its numbers, in Chinese and English."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

CAUSES: dict[str, tuple[str, str]] = {
    "street_closed": ("{n} on streets closed by the hazard", "{n}人所在街道被灾害阻断"),
    "cut_off": ("{n} cut off, every way to a usable shelter is closed", "{n}人被隔断，通往可用避难场所的道路均中断"),
    "too_far": (
        "{n} more than {minutes:g} minutes on foot from a usable shelter",
        "{n}人步行至可用避难场所超过{minutes:g}分钟",
    ),
    "no_shelter": ("{n} with no way on foot to a usable shelter on any day", "{n}人平时也无步行通路到达可用避难场所"),
    "not_snapped": ("{n} with no mapped street nearby", "{n}人附近没有已绘制的街道"),
}
"""States of people that are not served, in the order in which they are told when equally many."""

SHELTER_REASONS: dict[str, tuple[str, str]] = {
    "usable": ("Usable.", "可用。"),
    "not_valid": ("Not usable: said not to be for this hazard.", "不可用：资料注明不适用于该灾害。"),
    "flooded": (
        "Not usable: {wet:.0%} of the site is under water, up to {depth:g} m.",
        "不可用：场地{wet:.0%}被淹，最深{depth:g}米。",
    ),
    "hazard_unknown": (
        "Not counted: for {unknown:.0%} of the site the hazard is not known.",
        "不计入：场地{unknown:.0%}缺少灾害数据。",
    ),
    "no_street": ("Not usable: no street for walkers leads to it.", "不可用：没有可步行到达的街道。"),
    "street_flooded": ("Not usable: every street to it is under water.", "不可用：所有通往该处的街道均被淹。"),
}


@dataclass(frozen=True)
class Sentence:
    """A reason: a stable code, and the sentence in both languages."""

    code: str
    en: str
    zh: str


def for_shelter(code: str, *, wet: float, unknown: float, depth: float) -> Sentence:
    """Why a shelter is or is not usable; shares 0-1, depth in metres."""
    en, zh = (text.format(wet=wet, unknown=unknown, depth=depth) for text in SHELTER_REASONS[code])
    return Sentence(code, en, zh)


def for_community(
    people: int, by_state: Mapping[str, int], *, minutes: float, median_s: float, lost_shelters: int, shelters: int
) -> Sentence:
    """Why a community stands as it does.

    ``by_state`` counts people by evacuation state; ``median_s`` is the median walk of those who reach a shelter;
    ``lost_shelters`` of the community's ``shelters`` are not usable.
    """
    if people == 0:
        return Sentence("empty", "Nobody lives here.", "无居住人口。")
    unserved = {state: n for state, n in by_state.items() if state != "served" and n}
    if not unserved:
        return _all_served(people, minutes, median_s)
    causes = sorted(unserved, key=lambda state: (-unserved[state], list(CAUSES).index(state)))
    en, zh = (_told(causes, unserved, minutes, language) for language in (0, 1))
    gone = sum(unserved.values())
    lost_en, lost_zh = _lost(lost_shelters, shelters)
    all_en, all_zh = _how_many(gone, people)
    return Sentence(causes[0], f"{all_en}: {en}.{lost_en}", f"{all_zh}：{zh}。{lost_zh}")


def _how_many(gone: int, people: int) -> tuple[str, str]:
    if gone == people:
        who = "The only person is" if people == 1 else f"None of the {people:,} people are"
        return f"{who} {'not ' if people == 1 else ''}served", f"全部{people:,}人得不到避难服务"
    return f"{gone:,} of {people:,} people are not served", f"{people:,}人中有{gone:,}人得不到避难服务"


def _all_served(people: int, minutes: float, median_s: float) -> Sentence:
    walk = max(math.ceil(median_s / 60), 1) if math.isfinite(median_s) else 1
    half = f"{walk} minute" if walk == 1 else f"{walk} minutes"
    en = f"All {people:,} people reach a usable shelter within {minutes:g} minutes on foot, half of them within {half}."
    zh = f"全部{people:,}人可在步行{minutes:g}分钟内到达可用避难场所，其中一半在{walk}分钟以内。"
    return Sentence("served", en, zh)


def _told(causes: list[str], unserved: Mapping[str, int], minutes: float, language: int) -> str:
    parts = [CAUSES[cause][language].format(n=f"{unserved[cause]:,}", minutes=minutes) for cause in causes]
    return ("; ", "；")[language].join(parts)


def _lost(lost: int, shelters: int) -> tuple[str, str]:
    if not lost:
        return "", ""
    if shelters == 1:
        return " The only shelter here is not usable.", "本社区唯一的避难场所不可用。"
    if lost == shelters:
        return f" None of the {shelters} shelters here is usable.", f"本社区{shelters}处避难场所均不可用。"
    verb = "is" if lost == 1 else "are"
    return f" {lost} of {shelters} shelters here {verb} not usable.", f"本社区{shelters}处避难场所中有{lost}处不可用。"

"""Why a community or a shelter stands as it does: one honest sentence with its numbers, in Chinese and English."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

CAUSES: dict[str, tuple[str, str]] = {
    "full": (
        "{n} without room: every usable shelter within {minutes:g} minutes is full",
        "{n}人无处容纳，步行{minutes:g}分钟内的可用避难场所均已满员",
    ),
    "street_closed": ("{n} on streets closed by the hazard", "{n}人所在街道被灾害阻断"),
    "not_usable": ("{n} who reach only shelters that are not usable now", "{n}人可到达的避难场所目前均不可用"),
    "cut_off": ("{n} cut off, every way to a shelter is closed", "{n}人被隔断，通往避难场所的道路均中断"),
    "too_far": (
        "{n} more than {minutes:g} minutes on foot from a usable shelter",
        "{n}人步行至可用避难场所超过{minutes:g}分钟",
    ),
    "no_shelter": ("{n} with no way on foot to a usable shelter on any day", "{n}人平时也无步行通路到达可用避难场所"),
    "not_snapped": ("{n} with no mapped street nearby", "{n}人附近没有已绘制的街道"),
    "outside_data": ("{n} outside the streets that the data has", "{n}人位于街道数据范围之外"),
}
"""States of people that are not served, in the order in which they are told when equally many."""

NONE_KNOWN = ("{n} because no shelter is in the data", "{n}人因数据中没有避难场所")
"""What ``no_shelter`` means where the data has none at all."""

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
    "hit": ("Not usable: {hit:.0%} of the site lies in the hazard.", "不可用：场地{hit:.0%}处于灾害影响范围内。"),
    "street_closed": ("Not usable: every street to it is closed.", "不可用：所有通往该处的街道均中断。"),
    "closed": ("Not usable: the list says it is closed.", "不可用：资料注明已关闭。"),
    "damaged": ("Not usable: the list says it is damaged.", "不可用：资料注明已损坏。"),
    "near_hazard": (
        "Not usable: a flammable or explosive works is too near for this hazard.",
        "不可用：距易燃易爆危险源过近，不适用于该灾害。",
    ),
    "removed": ("Not usable: taken away in this what-if.", "不可用：在本次推演中被撤除。"),
}


Severity = Literal["info", "repaired", "warning", "error"]
"""How much a finding matters: good to know; mended here, with a count; may be wrong; cannot be used."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "repaired", "info")
"""Worst first."""


@dataclass(frozen=True)
class Sentence:
    """A reason: a stable code, and the sentence in both languages."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True)
class Finding(Sentence):
    """Something found in a layer, for people and for programs.

    ``count`` rows or cells are concerned; ``rows`` numbers the first of them from 1 as the file has them, without its
    header; ``column`` and ``value`` say where and what stands in the first. ``do_en`` and ``do_zh`` say what to do
    about it, empty where nothing is to be done.
    """

    severity: Severity = "info"
    count: int = 0
    rows: tuple[int, ...] = ()
    column: str = ""
    value: str = ""
    do_en: str = ""
    do_zh: str = ""
    layer_id: str = ""


def counted(n: int, thing: str) -> str:
    """``1 outline``, ``1,200 outlines``."""
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def for_shelter(code: str, *, wet: float, hit: float, unknown: float, depth: float) -> Sentence:
    """Why a shelter is or is not usable; shares 0-1, depth in metres, told to the centimetre."""
    en, zh = (text.format(wet=wet, hit=hit, unknown=unknown, depth=round(depth, 2)) for text in SHELTER_REASONS[code])
    return Sentence(code, en, zh)


TAKEN: Mapping[str, tuple[str, str]] = {
    "built_m2": ("{n} m² under buildings", "建筑占地{n}平方米"),
    "fire_gap_m2": ("{n} m² near fire sources", "临近火源{n}平方米"),
    "rubble_m2": ("{n} m² where rubble may fall", "可能被倒塌建筑掩埋{n}平方米"),
}
"""What takes ground of a site, in the order in which it is told."""


def for_room(
    *, people: float, declared: float, by_area: float, open_m2: float, usable_floor_m2: float, m2_each: float,
    stay: float, share_lost: float, **taken: float,
) -> Sentence:  # fmt: skip
    """How many a site holds and why: declared, or by area at ``m2_each`` square metres each, and for nights.

    NaN is not known; ``taken`` are square metres by ``TAKEN``, ``share_lost`` (0-1) lies in the hazard.
    """
    if math.isnan(people):
        en, zh = "Room not known: neither people nor area are stated.", "容量未知：无容量和面积资料。"
        return Sentence("unknown", en, zh)
    area_en, area_zh = _area(open_m2, usable_floor_m2, m2_each)
    if math.isnan(by_area):
        why = "as declared; its area is not known", f"采用申报容量{declared:,.0f}人，面积未知"
    elif math.isnan(declared):
        why = area_en, area_zh
    elif by_area <= people and by_area < declared:
        why = f"declared {declared:,.0f}, {area_en}", f"申报{declared:,.0f}人，{area_zh}"
    else:
        why = (f"declared {declared:,.0f}; {area_en} would hold {by_area:,.0f}",
               f"申报{declared:,.0f}人；{area_zh}，可容纳{by_area:,.0f}人")  # fmt: skip
    lost_en, lost_zh = _taken(taken, share_lost)
    stay_en, stay_zh = _nights(stay)
    en = f"{people:,.0f} people: {why[0]}.{lost_en}{stay_en}"
    return Sentence("room", en, f"{people:,.0f}人：{why[1]}。{lost_zh}{stay_zh}")


def _area(open_m2: float, floor_m2: float, m2_each: float) -> tuple[str, str]:
    """Usable ground and floor in words."""
    parts = [("ground", "场地", open_m2), ("floor", "室内", floor_m2)]
    there = [(en, zh, m2) for en, zh, m2 in parts if m2 > 0]
    if not there:
        return "no usable ground", "无可用场地"
    en = " and ".join(f"usable {en} {m2:,.0f} m²" for en, _, m2 in there)
    zh = "、".join(f"可用{zh}{m2:,.0f}平方米" for _, zh, m2 in there)
    return f"{en} at {m2_each:g} m²", f"{zh}，人均{m2_each:g}平方米"


def _taken(taken: Mapping[str, float], share_lost: float) -> tuple[str, str]:
    """What of a site cannot be used, in words; nothing where all can."""
    much = [(TAKEN[name], f"{m2:,.0f}") for name, m2 in taken.items() if m2 >= 0.5]
    en = [text[0].format(n=n) for text, n in much] + ([f"{share_lost:.0%} in the hazard"] if share_lost > 0 else [])
    zh = [text[1].format(n=n) for text, n in much] + ([f"{share_lost:.0%}受灾害影响"] if share_lost > 0 else [])
    return (f" Not usable: {', '.join(en)}.", f"不可用：{'、'.join(zh)}。") if en else ("", "")


def _nights(stay: float) -> tuple[str, str]:
    if math.isnan(stay):
        return "", ""
    return (
        (f" For nights: {stay:,.0f}.", f"可过夜{stay:,.0f}人。") if stay else (" No room for nights.", "无过夜容量。")
    )


def for_community(
    people: int, by_state: Mapping[str, int], *, minutes: float, median_s: float, lost_shelters: int, shelters: int,
    known: bool = True,
) -> Sentence:  # fmt: skip
    """Why a community stands as it does.

    ``by_state`` counts people by evacuation state; ``median_s`` is the median walk of those who reach a shelter;
    ``lost_shelters`` of the community's ``shelters`` are not usable; ``known``: whether the data has any shelter.
    """
    if people == 0:
        return Sentence("empty", "Nobody lives here.", "无居住人口。")
    unserved = {state: n for state, n in by_state.items() if state != "served" and n}
    if not unserved:
        return _all_served(people, minutes, median_s)
    causes = sorted(unserved, key=lambda state: (-unserved[state], list(CAUSES).index(state)))
    texts = CAUSES if known else {**CAUSES, "no_shelter": NONE_KNOWN}
    en, zh = (_told(causes, unserved, minutes, texts, language) for language in (0, 1))
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
    en = (
        f"All {people:,} people find room in a usable shelter within {minutes:g} minutes on foot, "
        f"half of them within {half}."
    )
    zh = f"全部{people:,}人可在步行{minutes:g}分钟内到达有空位的可用避难场所，其中一半在{walk}分钟以内。"
    return Sentence("served", en, zh)


def _told(
    causes: list[str], unserved: Mapping[str, int], minutes: float, texts: Mapping[str, tuple[str, str]], language: int
) -> str:
    parts = [texts[cause][language].format(n=f"{unserved[cause]:,}", minutes=minutes) for cause in causes]
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


def for_streets(now: float, normal: float, *, minutes: float) -> Sentence:
    """How a community stands whose people nobody knows: shares (0-1) of its streets near a usable shelter.

    NaN where it has no street.
    """
    if math.isnan(now):
        return Sentence(
            "people_not_known",
            "How many people live here is not known, nor the way to a shelter: the data has no shelter, or no street.",
            "人口未知，也无法判断避难条件：数据中没有避难场所或街道。",
        )
    en = f"From {now:.0%} of the street length a usable shelter is within {minutes:g} minutes on foot"
    zh = f"{now:.0%}的街道长度可在步行{minutes:g}分钟内到达可用避难场所"
    usual_en, usual_zh = (f" (normal day {normal:.0%})", f"（平时{normal:.0%}）") if normal != now else ("", "")
    return Sentence("people_not_known", f"How many people live here is not known. {en}{usual_en}.",
                    f"人口未知。{zh}{usual_zh}。")  # fmt: skip


SERVICES = {
    "fire": ("The fire engine", "消防车"),
    "medical": ("The ambulance", "救护车"),
    "police": ("The police", "警察"),
}
"""Services that come to the people, in English and Chinese."""
LOSSES = {
    "closed": ("{n} whose way is first cut at {street}", "{n}人的来路首先在{street}中断"),
    "slowed": ("{n} whose way is slowed most on {street}", "{n}人的来路在{street}最受延误"),
    "station": ("{n} because their station is out of service", "{n}人因所属站点停止服务"),
    "elsewhere": ("{n} for other reasons", "{n}人因其他原因"),
}
"""What makes people lose a service, as ``geo.causes`` names it."""
TOLD_CAUSES = 2
"""How many causes a sentence names; the rest is added up."""
Because = Sequence[tuple[str, Mapping[str, str | None], int]]
"""Cause, the street's ``name``, ``name_zh``, ``name_en``, and how many people it costs; most people first."""


def for_service(
    service: str, people: int, served: int, *, minutes: float, lost: int = 0, because: Because = (), later: int = 0,
    added_s: float = math.nan,
) -> Sentence:  # fmt: skip
    """How a service covers some people: who is reached within ``minutes``, who lost it and because of which street.

    ``later`` people wait longer than on an ordinary day, half of them by ``added_s`` or more.
    """
    if people == 0:
        return Sentence("empty", "Nobody lives here.", "无居住人口。")
    who_en, who_zh = SERVICES[service]
    reach_en, reach_zh = _reached(people, served)
    en, zh = f"{who_en} can reach {reach_en} within {minutes:g} minutes.", f"{who_zh}{minutes:g}分钟内{reach_zh}。"
    for add_en, add_zh in (_lost_service(lost, because), _later(later, added_s)):
        en, zh = en + add_en, zh + add_zh
    return Sentence("lost" if lost else "covered" if served == people else "partly", en, zh)


def _reached(people: int, served: int) -> tuple[str, str]:
    if served == people:
        return ("the only person" if people == 1 else f"all {people:,} people"), f"可到达全部{people:,}人"
    if not served:
        return ("not the only person" if people == 1 else f"none of the {people:,} people"), f"无法到达{people:,}人"
    return f"{served:,} of {people:,} people", f"可到达{people:,}人中的{served:,}人"


KINDS_ZH: Mapping[str, str] = {
    "fire_station": "消防站", "hospital": "医院", "clinic": "诊所", "ambulance_station": "急救站", "police": "派出所",
    "supermarket": "超市", "marketplace": "集市", "pharmacy": "药店", "doctors": "诊室", "convenience": "便利店",
}  # fmt: skip
"""Kinds of stations in Chinese; another is named as it is written in the parameters."""


def for_stations(service: str, kinds: Sequence[str], stations: int, joined: int) -> Sentence:
    """What must be said where a service has no stations, or some that no street open to it meets."""
    who_en, who_zh = SERVICES[service]
    en = ", ".join(kind.replace("_", " ") for kind in kinds)
    zh = "、".join(KINDS_ZH.get(kind, kind) for kind in kinds)
    if not stations:
        return Sentence(
            f"no_stations_{service}",
            f"{who_en}: no facility of kind {en} is in the data, so its reach is not known: the map may be empty "
            "rather than the city.",
            f"{who_zh}：数据中没有{zh}类设施，覆盖情况未知：可能是数据缺失，而非城市没有。",
        )
    return Sentence(
        f"stations_not_joined_{service}",
        f"{who_en}: {stations - joined} of {stations} stations meet no street open to it and are left out.",
        f"{who_zh}：{stations}处站点中有{stations - joined}处不与其可通行的道路相接，未计入。",
    )


CATEGORY_NAMES = {
    "shopping": ("shopping", "购物"),
    "medical": ("medical care", "医疗"),
    "education": ("education", "教育"),
    "safety": ("safety", "安全"),
    "service": ("public services", "公共服务"),
    "emergency": ("emergency handling", "应急"),
}
"""The everyday categories in English and Chinese."""


def for_categories(lacking: Sequence[str]) -> tuple[Sentence, ...]:
    """What must be said of everyday categories of which the data has no facility; nothing when there are none."""
    if not lacking:
        return ()
    en, zh = (", ".join(CATEGORY_NAMES[c][0] for c in lacking), "、".join(CATEGORY_NAMES[c][1] for c in lacking))
    return (
        Sentence(
            "no_everyday_facilities",
            f"Everyday needs: the data has no facility for {en}, so nobody's circle is complete: the map may be empty "
            "rather than the city.",
            f"生活圈：数据中没有{zh}类设施，因此无人的生活圈完整：可能是数据缺失，而非城市没有。",
        ),
    )


def _lost_service(lost: int, because: Because) -> tuple[str, str]:
    if not lost:
        return "", ""
    if len(because) == 1:
        en, zh = _cause(*because[0])
        return f" Lost: {en}.", f"失去服务：{zh}。"
    told = [_cause(*each) for each in because[:TOLD_CAUSES]]
    rest = lost - sum(n for _, _, n in because[:TOLD_CAUSES])
    if rest:
        told.append((f"{rest:,} because of other streets", f"{rest:,}人因其他道路"))
    en, zh = "; ".join(t[0] for t in told), "；".join(t[1] for t in told)
    return f" {lost:,} lose it: {en}.", f"{lost:,}人失去该服务：{zh}。"


def _cause(cause: str, names: Mapping[str, str | None], people: int) -> tuple[str, str]:
    en = names["name_en"] or names["name"] or "an unnamed street"
    zh = names["name_zh"] or names["name"] or "无名道路"
    said_en, said_zh = LOSSES[cause]
    return said_en.format(n=f"{people:,}", street=en), said_zh.format(n=f"{people:,}", street=zh)


def _later(later: int, added_s: float) -> tuple[str, str]:
    if not later or not math.isfinite(added_s) or added_s < 30:
        return "", ""
    minutes = added_s / 60
    return (
        f" {later:,} wait longer, half of them {minutes:.1f} minutes or more.",
        f"{later:,}人等待更久，其中一半多等{minutes:.1f}分钟以上。",
    )

"""What is said of a place that can be turned into a shelter: why or why not, and its two uses; English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from geo import tiers
from geo.reasons import Finding, Sentence

Words = tuple[str, str]

KINDS: Mapping[str, Words] = {
    "school": ("school", "学校"), "kindergarten": ("kindergarten", "幼儿园"), "college": ("college", "学院"),
    "university": ("university", "大学"), "sports": ("sports hall or ground", "体育场馆"),
    "community_centre": ("community centre", "社区中心"), "townhall": ("town hall", "政府办公楼"),
    "place_of_worship": ("place of worship", "宗教场所"), "library": ("library", "图书馆"),
    "civil_defence": ("civil-defence works", "人防工程"), "park": ("park", "公园"), "square": ("square", "广场"),
    "recreation_ground": ("recreation ground", "游憩场地"), "recreation": ("recreation ground", "游憩场地"),
    "assembly_point": ("assembly point", "集合点"), "parking": ("car park", "停车场"),
    "education": ("school grounds", "校园"), "grass": ("open grass", "草地"), "meadow": ("open meadow", "草地"),
    "lot": ("idle or open lot", "闲置或开敞地块"),
}  # fmt: skip
"""What a place is on an ordinary day, in English and Chinese; another kind is told as it is written."""
NEEDS: Mapping[str, Words] = {
    "water": ("water", "供水"), "power": ("power", "供电"), "way_in": ("a second way in", "第二出入口"),
}  # fmt: skip
"""What a place may lack."""
WHY_NOT: Mapping[str, Words] = {
    "too_small": ("Not proposed: smaller than a shelter may be (shelter.min_site_m2).",
                  "不建议：面积小于避难场所下限（shelter.min_site_m2）。"),
    "let": ("Not proposed: {share:.0%} of it lies on ground to yield (让).", "不建议：{share:.0%}位于“让”的用地内。"),
    "room_unknown": ("Not proposed: neither its area nor its room is known; give one of them.",
                     "不建议：面积和容量均未知，请补充其一。"),
    "no_room": ("Not proposed: no usable ground or floor is left in it.", "不建议：没有可用场地或室内面积。"),
    "not_reached": ("Not proposed: nobody lives within reach of it.", "不建议：步行可达范围内无人居住。"),
    "adds_nobody": ("Not proposed: all who reach it are sheltered elsewhere before it comes.",
                    "不建议：可到达该处的人已由其他场所容纳。"),
    "not_among_most": ("Not proposed: others come first (siting.most).", "不建议：排序靠后（siting.most）。"),
}  # fmt: skip
"""Why a place is not in the order, beside the reasons for which a shelter is not usable (``geo.reasons``)."""


def not_usable(en: str, zh: str) -> Words:
    """Why a place is left out that the hazard leaves unusable: as it is said of shelters."""
    return f"Not proposed. {en}", f"不建议。{zh}"


def proposed(
    *, order: float, of: int, gain: float, alone: float, room: float, nights: float, phase: float, cost: float
) -> Sentence:
    """Why a place is in the order: the people newly sheltered, its room, phase (0: beyond the money) and cost."""
    when = (f"phase {phase:.0f}", f"第{phase:.0f}期") if phase else ("beyond the money of all phases", "超出各期预算")
    first = ("", "") if alone == gain else (f" ({alone:,.0f} if it came first)", f"（若最先改造为{alone:,.0f}人）")
    stay = ("", "") if math.isnan(nights) else (f", {nights:,.0f} for nights", f"，可过夜{nights:,.0f}人")
    people, one = "1 more person finds" if gain == 1 else f"{gain:,.0f} more people find", f"{gain:,.0f}人"
    return Sentence(
        "proposed",
        f"No. {order:.0f} of {of:,}: {people} refuge{first[0]}; room for {room:,.0f}{stay[0]}; {when[0]}, "
        f"{cost:,.0f} thousand CNY.",
        f"第{order:.0f}位（共{of:,}处）：新增容纳{one}{first[1]}；容量{room:,.0f}人{stay[1]}；{when[1]}，"
        f"约{cost / 10:,.1f}万元。",
    )  # fmt: skip


def dual_use(
    *, use: Words, tier: str, room: float, safe_in: Sequence[str], hours: float, opening: str | None,
    missing: Sequence[str], unknown: Sequence[str],
) -> Words:  # fmt: skip
    """The two uses of a place (平急两用) in one sentence: its own, and the shelter it becomes; NaN is not known.

    ``missing`` and ``unknown`` are of ``NEEDS``; ``safe_in`` hazards by id.
    """
    tier_en, tier_zh = tiers.SAID.get(tier, tiers.A_SHELTER)
    many = ("of unknown room", "容量未知") if math.isnan(room) else (f"for {room:,.0f} people", f"容纳{room:,.0f}人")
    valid = (f", usable in {', '.join(safe_in)}", f"，适用于{'、'.join(safe_in)}") if safe_in else ("", "")
    ready = (
        ("the time to convert it is not known", "转换时间未知")
        if math.isnan(hours)
        else (f"ready within {hours:g} h", f"{hours:g}小时内转换")
    )
    opens = (f", opened by or when: {opening}", f"，启用：{opening}") if opening else ("", "")
    lacks_en, lacks_zh = _needs(missing, "it lacks ", "缺")
    open_en, open_zh = _needs(unknown, "not known: ", "未知：")
    return (
        f"Ordinary days: {use[0]}; emergency: {tier_en} {many[0]}{valid[0]}; {ready[0]}{opens[0]}{lacks_en}{open_en}.",
        f"平时：{use[1]}；急时：{tier_zh}，{many[1]}{valid[1]}；{ready[1]}{opens[1]}{lacks_zh}{open_zh}。",
    )


def _needs(needs: Sequence[str], en: str, zh: str) -> Words:
    if not needs:
        return "", ""
    words = [NEEDS[name] for name in needs]
    return f"; {en}{', '.join(word for word, _ in words)}", f"；{zh}{'、'.join(word for _, word in words)}"


def assumed_open(candidates: int) -> Finding:
    """That the plan counts candidates as open which the order of conversion begins without."""
    return Finding(
        "conversion_from_nothing",
        f"The plan counts {candidates:,} places as shelters that are not (shelter.candidates); the order of conversion "
        "begins without them: what exists is only what is mapped or listed as a shelter.",
        f"方案将{candidates:,}处尚非避难场所的地点视为已启用（shelter.candidates）；改造排序从未启用它们的状态算起，"
        "现有场所仅指已标注或列出的避难场所。",
        count=candidates,
    )  # fmt: skip


def order_told(chosen: int, of: int, gain: int, before: int) -> Finding:
    """What turning places into shelters gives in all: of ``before`` people without one ``gain`` are sheltered."""
    return Finding(
        "conversion_order",
        f"Of {of:,} places that could be turned into shelters {chosen:,} shelter somebody more: {gain:,} of "
        f"{before:,} people who have none.",
        f"{of:,}处可改造场所中，{chosen:,}处能新增容纳：无避难处的{before:,}人中的{gain:,}人。",
        count=chosen,
    )  # fmt: skip


def phases_told(people: Sequence[int], at_most: Sequence[int], money: Sequence[float]) -> Finding:
    """How many each phase brings to shelter, beside whom no other choice for the same money could exceed."""
    en = "; ".join(
        f"up to phase {i}: {n:,} for {m:,.0f} thousand CNY (no choice could shelter more than {most:,})"
        for i, (n, most, m) in enumerate(zip(people, at_most, money, strict=True), 1)
    )
    zh = "；".join(
        f"至第{i}期：{m / 10:,.1f}万元，新增{n:,}人（任何方案不超过{most:,}人）"
        for i, (n, most, m) in enumerate(zip(people, at_most, money, strict=True), 1)
    )
    return Finding("conversion_phases", f"Newly sheltered {en}.", f"新增容纳：{zh}。", count=len(people))

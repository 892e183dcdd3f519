"""How land looks: 让 / 防 / 避, what moves away, what is reserved, what can become refuge, how help gets in.

As in ``tiles.style`` no class is told by colour alone: ground to yield is hatched, ground to protect is pale within a
dashed line, ground for refuge is full within a thick one; points have shapes, lines have dashes.
"""

from __future__ import annotations

from dataclasses import replace

from tiles.style import (
    BAD,
    GOOD,
    GREY,
    INK,
    LOST,
    PAPER,
    WATCH,
    WET,
    Class,
    Shape,
    Style,
    Symbol,
    dot,
    not_known,
    stroke,
)
from tiles.text import Text

LET, PREVENT, AVOID = "#b3261e", WATCH, GOOD
"""Hues of 让, 防 and 避."""
DEEP, EARTH, STEEL = "#6b1410", "#8a5a00", "#0b6e78"
GROUND = {
    "let": Symbol(fill=LET, fill_opacity=0.9, line=LET, line_px=1.6, hatch=True),
    "avoid": Symbol(fill=AVOID, fill_opacity=0.5, line="#00563f", line_px=2.6),
    "prevent": Symbol(fill=PREVENT, fill_opacity=0.34, line="#a86f00", line_px=1.4, dash=(5, 3)),
}
"""How ground of each zone is drawn, strongest first."""
VERDICT = {
    "let": Text("让：让出，不再新建", "让 yield: nothing new is built"),
    "avoid": Text("避：避险场所用地", "避 refuge: kept as a place to go to"),
    "prevent": Text("防：防护，有条件建设", "防 protect: built on under conditions"),
    "none": Text("无：没有规则限制", "Free: no rule holds"),
}
"""The zones, and what is in none, as legends tell them."""


def _by_zone(column: str) -> list[Class]:
    return [Class(VERDICT[zone], symbol, (zone,), always=column == "zone") for zone, symbol in GROUND.items()]


def zones() -> Style:
    """Ground by zone."""
    return Style("categories", (*_by_zone("zone"), not_known(Symbol(line=GREY, line_px=1))), "zone")


def lots() -> Style:
    """Lots by their verdict; what is free is an outline."""
    free = Class(VERDICT["none"], Symbol(line="#66737b", line_px=0.8), ("none",), always=False)
    return Style("categories", (*_by_zone("verdict"), free, not_known(Symbol(line=GREY, line_px=1, dash=(2, 3)))),
                 "verdict")  # fmt: skip


def buildings() -> Style:
    """Buildings by their verdict; what is free is not drawn."""
    free = Class(VERDICT["none"], Symbol(), ("none",), always=False)
    return Style("categories", (*_by_zone("verdict"), free, not_known(Symbol())), "verdict")


def setbacks() -> Style:
    """Ground that each rule of distance claims, one on another."""
    return Style("categories", (
        Class(VERDICT["let"], Symbol(fill=LET, fill_opacity=0.1, line=LET, line_px=1.6), ("let",)),
        Class(VERDICT["prevent"], Symbol(fill=PREVENT, fill_opacity=0.1, line="#a86f00", line_px=1.6, dash=(6, 4)),
              ("prevent",), always=False),
        not_known(Symbol(line=GREY, line_px=1)),
    ), "zone")  # fmt: skip


SOURCES: tuple[tuple[str, Text, str, Shape], ...] = (
    ("lines", Text("线状设施与水系", "Rivers, lines and pipelines"), "#2f7fb8", "circle"),
    ("areas", Text("水面与用地", "Water and land uses"), "#3f7d8a", "square"),
    ("facilities", Text("危险设施", "Facilities"), "#8c2d19", "triangle"),
    ("buildings", Text("建筑", "Buildings"), "#7d888e", "square"),
    ("sources", Text("规划给定", "Given by the planner"), "#6a4fa3", "diamond"),
    ("streets", Text("道路", "Streets"), "#4a4a4a", "circle"),
    ("slopes", Text("陡坡", "Steep slopes"), "#7b4b2c", "triangle"),
    ("hazards", Text("灾害范围", "Hazards"), WET, "cross"),
)
"""Layers in which rules find what to keep away from: code, words, hue and shape."""


def setback_sources() -> Style:
    """What rules keep a distance from, by the layer it is of."""
    classes = [Class(said, _edged(hue, shape), (code,), always=False) for code, said, hue, shape in SOURCES]
    return Style("categories", (*classes, not_known(_edged(GREY, "circle"))), "layer")


def _edged(hue: str, shape: Shape) -> Symbol:
    return Symbol(fill=hue, fill_opacity=0.2, line=hue, line_px=1.8, dash=(6, 3), shape=shape, size_px=9)


def conflicts() -> Style:
    """What stands where it should not, by the step in which it moves."""
    first = Symbol(fill=DEEP, fill_opacity=0.85, line=PAPER, line_px=1, shape="square", size_px=11)
    second = Symbol(fill=LET, fill_opacity=0.6, line=DEEP, line_px=1.2, shape="diamond", size_px=10)
    third = Symbol(fill="#f2b8a8", fill_opacity=0.8, line=LET, line_px=1.4, dash=(3, 2), shape="triangle", size_px=10)
    return Style("ramp", (
        Class(Text("第一批：严重灾害影响", "First: a serious hazard reaches it"), first, upper=1),
        Class(Text("第二批：灾害影响", "Second: a hazard reaches it"), second, upper=2),
        Class(Text("第三批：安全距离不足", "Third: too near to something"), third, upper=3),
        not_known(dot(GREY)),
    ), "step")  # fmt: skip


REGIONS = (
    ("built_up", Text("建成区", "Built up"), "#c9b9a6"), ("farmland", Text("农田", "Farmland"), "#e6d98c"),
    ("green", Text("绿地", "Green"), "#a9cf9a"), ("park", Text("公园", "Park"), "#6fb07a"),
    ("water", Text("水域", "Water"), "#8fb8d8"),
)  # fmt: skip
"""What fills a region: code, words and hue; its name is written on it."""


def regions() -> Style:
    """Regions by what fills them, each within a dark line."""
    classes = [Class(said, _region(hue), (code,), always=False) for code, said, hue in REGIONS]
    return Style("categories", (*classes, not_known(_region("#d5dadc"))), "kind")


def _region(hue: str) -> Symbol:
    return Symbol(fill=hue, fill_opacity=0.4, line="#3c474d", line_px=2)


def reserve() -> Style:
    """Open land that is reserved, and what else could be."""
    yes = Symbol(fill=EARTH, fill_opacity=0.5, line=EARTH, line_px=2.4)
    no = Symbol(fill=EARTH, fill_opacity=0.6, line=EARTH, line_px=1, dash=(3, 4), hatch=True)
    return Style("categories", (
        Class(Text("选作留白", "Reserved"), yes, (True,)),
        Class(Text("备选用地", "Could be reserved"), no, (False,), always=False),
        not_known(Symbol(line=GREY, line_px=1)),
    ), "chosen")  # fmt: skip


PHASES: tuple[tuple[Text, str, Shape], ...] = (
    (Text("第一期", "Phase 1"), "#00563f", "circle"), (Text("第二期", "Phase 2"), AVOID, "square"),
    (Text("第三期", "Phase 3"), "#7fcfb4", "diamond"),
)  # fmt: skip


def refuge_candidates() -> Style:
    """What can become refuge by the phase in which it opens; hollow where no budget or no order has it."""
    later = Class(Text("预算之外", "Beyond the budgets"), _hollow(AVOID, "triangle"), upper=0, always=False)
    phases = [
        Class(said, Symbol(fill=hue, line=PAPER, line_px=1.4, shape=shape, size_px=15, mark="+"), upper=n)
        for n, (said, hue, shape) in enumerate(PHASES, 1)
    ]
    more = Class(Text("第四期及以后", "Phase 4 and later"), _hollow("#00563f", "circle"), always=False)
    none = Class(Text("未列入", "Not in the order"), _hollow(GREY, "cross"), always=False)
    return Style("ramp", (later, *phases, more, none), "phase")


def _hollow(hue: str, shape: Shape) -> Symbol:
    return Symbol(fill=PAPER, fill_opacity=0.9, line=hue, line_px=2, shape=shape, size_px=11)


FAILURES: tuple[tuple[Text, tuple[str, ...], str, Shape], ...] = (
    (Text("消防车无法到达", "No way for a fire engine"), ("no_street", "no_way"), LOST, "cross"),
    (Text("距消防车道过远", "Too far from a fire lane"), ("too_far",), BAD, "square"),
    (Text("车道过窄或限高", "Lane too narrow or too low"), ("narrow_lane", "narrow_way", "too_low"), "#a8491c",
     "triangle"),
    (Text("仅一个方向可进入", "Only one way in"), ("one_way_in",), EARTH, "diamond"),
    (Text("尽头路过长", "Dead end too long"), ("dead_end",), "#3f3d78", "square"),
    (Text("附近无消火栓", "No hydrant in reach"), ("hydrant",), WET, "diamond"),
    (Text("建筑倒塌后受阻", "Blocked when buildings collapse"), ("blocked_after", "corridor"), INK, "triangle"),
)  # fmt: skip
"""Why a fire engine does not get in as it should: words, codes of the first test that fails, hue and shape."""


def access_audit() -> Style:
    """Buildings and shelters by whether a fire engine gets in as it should, and the first reason why not."""
    passes = Class(Text("符合", "Passes"), replace(dot(GOOD, 5), fill_opacity=0.4), (None, "ok"))
    failing = [Class(said, dot(hue, 8, shape), codes, always=False) for said, codes, hue, shape in FAILURES]
    return Style("categories", (passes, *failing, not_known(dot(GREY, 5))), "reason")


def corridors() -> Style:
    """Streets of the network that keeps every reserve and shelter connected: wide enough, or to be widened."""
    return Style("categories", (
        Class(Text("宽度满足", "Wide enough"), stroke(STEEL, 4, opacity=0.9), ("wide_enough",)),
        Class(Text("需拓宽", "To be widened"), stroke(BAD, 4.5, dash=(8, 5)), ("widen",), always=False),
        not_known(stroke(GREY, 3, dash=(2, 4))),
    ), "state")  # fmt: skip


def joined() -> Style:
    """Reserves and shelters by how many ways that share no street join them to the trunk roads."""
    twice = Symbol(fill=STEEL, fill_opacity=0.9, line=PAPER, line_px=1.4, shape="circle", size_px=14, mark="✓")
    once = Symbol(fill=WATCH, fill_opacity=1, line=INK, line_px=1.2, shape="diamond", size_px=15, mark="!")
    never = Symbol(fill=PAPER, fill_opacity=1, line=BAD, line_px=2.2, shape="square", size_px=14, mark="✕")
    return Style("ramp", (
        Class(Text("未连接", "Not joined"), never, upper=0),
        Class(Text("仅一条通道", "Joined once"), once, upper=1),
        Class(Text("双向连通", "Joined twice"), twice),
        not_known(dot(GREY)),
    ), "ways")  # fmt: skip


def blocked_streets() -> Style:
    """Streets that the rubble of one building closes to a fire engine, by whether others are cut off behind them."""
    return Style("categories", (
        Class(Text("其后建筑被隔断", "Cuts off what is behind"), stroke(INK, 4.5, opacity=0.9), ("behind",)),
        Class(Text("沿线建筑受阻", "Blocked for those on it"), stroke(EARTH, 2.6, dash=(4, 3)), ("on",)),
        not_known(stroke(GREY, 2)),
    ), "reason")  # fmt: skip

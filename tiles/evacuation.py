"""How evacuation looks: shelters, homes by what becomes of people, ways and streets, needs and what is brought.

As in ``tiles.style`` no class is told by colour alone: shape, sign, dash or width goes with it.
"""

from __future__ import annotations

from tiles.style import (
    BAD,
    GOOD,
    GREY,
    INK,
    LOSS,
    LOST,
    PAPER,
    ROUTE,
    WATCH,
    Class,
    Shape,
    Style,
    Symbol,
    dot,
    not_known,
    single,
    stroke,
)
from tiles.text import Text

SECOND, NEED, CHANGE, CLOSED = "#6b4a1e", "#8a5a00", "#0072b2", "#3b8ed0"
"""Second ways; what people need; what could be changed; homes whose street is closed."""
STATES: tuple[tuple[str, Text, str, Shape], ...] = (
    ("served", Text("有避难场所可去", "Finds a shelter"), GOOD, "circle"),
    ("full", Text("场所已满", "Shelters full"), WATCH, "square"),
    ("too_far", Text("距离过远", "Too far"), "#a8491c", "triangle"),
    ("cut_off", Text("被灾害隔断", "Cut off"), LOST, "diamond"),
    ("street_closed", Text("所在街道中断", "Street closed"), CLOSED, "cross"),
)  # fmt: skip
"""States that the hazard or the shelters decide: code, words, hue and shape."""
NO_WAY: tuple[tuple[str, Text, Shape], ...] = (
    ("not_usable", Text("可达场所均不可用", "Shelters there not usable"), "diamond"),
    ("no_shelter", Text("平时也无路可达", "No way on any day"), "square"),
    ("not_snapped", Text("附近没有已绘制的街道", "No mapped street"), "circle"),
    ("outside_data", Text("街道数据范围之外", "Outside the street data"), "triangle"),
)
"""States in which no shelter would be of use, or the map has no way; drawn hollow."""


def homes() -> Style:
    """Homes by what becomes of their people: filled where the hazard or the shelters decide, hollow where the map."""
    sizes = {"circle": 6.0, "square": 7.0, "cross": 8.5}
    told = [
        Class(said, dot(hue, sizes.get(shape, 8.5), shape), (code,), always=code == "served")
        for code, said, hue, shape in STATES
    ]
    bare = [
        Class(said, Symbol(fill=PAPER, line=INK, line_px=1.6, shape=shape, size_px=8), (code,), always=False)
        for code, said, shape in NO_WAY
    ]
    return Style("categories", (*told, *bare, not_known(dot(GREY))), "state")


def shelters() -> Style:
    """Shelters by whether they can be used."""
    yes = Symbol(fill=GOOD, fill_opacity=1, line=PAPER, line_px=1.6, shape="circle", size_px=15, mark="✓")
    no = Symbol(fill=PAPER, fill_opacity=1, line=BAD, line_px=2.2, shape="square", size_px=13, mark="✕")
    can, cannot = Class(Text("可用", "Usable"), yes, (True,)), Class(Text("不可用", "Not usable"), no, (False,))
    return Style("categories", (can, cannot, not_known(dot(GREY, 11))), "usable")


NEARLY = 0.9
"""Share of the room from which a shelter is nearly full."""
WHOLE = 0.9999
"""What is more than this counts as all of it: shares leave the house with four digits."""


def loads() -> Style:
    """Shelters whose room limits by the share of it that is taken; what has no such share shows its plain sign."""
    empty = Symbol(fill=PAPER, fill_opacity=1, line=GOOD, line_px=2.2, shape="circle", size_px=15, mark="✓")
    some = Symbol(fill=GOOD, fill_opacity=1, line=PAPER, line_px=1.6, shape="circle", size_px=15, mark="✓")
    nearly = Symbol(fill=WATCH, fill_opacity=1, line=INK, line_px=1.2, shape="diamond", size_px=18, mark="!")
    full = Symbol(fill=INK, fill_opacity=1, line=PAPER, line_px=1.6, shape="circle", size_px=17, mark="–")
    percent = f"{NEARLY:.0%}".replace("%", " %")
    return Style("ramp", (
        Class(Text("空置", "Nobody in it"), empty, upper=0, always=False),
        Class(Text("有余量", "Room left"), some, upper=NEARLY),
        Class(Text(f"将满（超过 {percent}）", f"Over {percent} full"), nearly, upper=WHOLE),
        Class(Text("已满", "Full"), full),
        not_known(Symbol()),
    ), "load_share")  # fmt: skip


def flows() -> Style:
    """Streets by the people who walk along them to their shelter."""
    bounds = (50, 200, 500, 1000, 2000)
    low = (0, *bounds)
    said = [f"{a + 1:,}–{b:,}" for a, b in zip(low, bounds, strict=False)]
    classes = [
        Class(Text(f"{span} 人", f"{span} people"), stroke(ROUTE, 1.2 + 1.1 * i, opacity=0.85), upper=b)
        for i, (span, b) in enumerate(zip(said, bounds, strict=True))
    ]
    most = Class(Text(f"{bounds[-1]:,} 人以上", f"More than {bounds[-1]:,}"), stroke(ROUTE, 7.5, opacity=0.85))
    return Style("ramp", (*classes, most, not_known(stroke(GREY, 1))), "people")


RANKS = (5, 20, 50)
"""The last rank of each class of streets."""


def critical() -> Style:
    """Streets by their rank among those whose loss costs most; the line grows with what it costs."""
    low = (1, *(rank + 1 for rank in RANKS))
    lines = [stroke(LOSS, px, opacity=0.9) for px in (8, 5, 3)]
    classes = [
        Class(Text(f"第 {a}–{b} 位", f"Ranked {a}–{b}"), line, upper=b, always=a == 1)
        for a, b, line in zip(low, RANKS, lines, strict=False)
    ]
    others = Class(Text(f"第 {RANKS[-1]} 位以后", f"Below {RANKS[-1]}"), stroke(LOSS, 1.6, opacity=0.9), always=False)
    return Style("ramp", (*classes, others, not_known(stroke(GREY, 1))), "rank")


def routes() -> Style:
    """Ways to shelter by what they are for."""
    return Style("categories", (
        Class(Text("主要路线", "Main way"), stroke(INK, 4, opacity=0.9), ("main",)),
        Class(Text("更安全的路线", "Safer way"), stroke(GOOD, 4, dash=(10, 5)), ("safer",), always=False),
        Class(Text("备用路线", "Second way"), stroke(SECOND, 3.4, dash=(3, 6)), ("second",), always=False),
        not_known(stroke(GREY, 2)),
    ), "role")  # fmt: skip


def isolated() -> Style:
    """Streets of pieces that closed streets break off."""
    return single("与外界隔断或缺少救助", "Separated, or without help", stroke(LOST, 4.5, opacity=0.55))


def needs() -> Style:
    """Shelters with people who need something."""
    return single("有需求的避难场所", "Shelter with needs", _sign(NEED, "square", "+"))


def supplied() -> Style:
    """The same by how much of what they need is brought, of the need that is met least."""
    return Style("ramp", (
        Class(Text("有物资未送达", "Nothing of some need"), _sign(BAD, "square", "✕"), upper=0),
        Class(Text("部分送达", "In part"), _sign(NEED, "square", "–"), upper=WHOLE),
        Class(Text("全部送达", "All that is needed"), _sign(GOOD, "square", "✓")),
        not_known(_sign(GREY, "square", "")),
    ), "supplied_share")  # fmt: skip


def depots() -> Style:
    """Places with supplies by who holds them."""
    return Style("categories", (
        Class(Text("社区", "Community"), _sign("#3f3d78", "triangle", ""), ("community",), always=False),
        Class(Text("学校", "School"), _sign("#b8860b", "diamond", ""), ("school",), always=False),
        Class(Text("超市", "Supermarket"), _sign("#0072b2", "square", ""), ("supermarket",), always=False),
        Class(Text("家庭", "Household"), _sign("#00785a", "circle", ""), ("household",), always=False),
        Class(Text("其他", "Other"), _sign("#7d888e", "circle", ""), always=False),
    ), "tier")  # fmt: skip


def deliveries() -> Style:
    """What goes from a depot to a shelter."""
    return single("从储备点到避难场所", "From depot to shelter", stroke(NEED, 2, dash=(7, 5), opacity=0.9))


def fixes() -> Style:
    """The single changes that would help most."""
    return single("建议措施", "Proposed change", Symbol(fill=CHANGE, line=PAPER, line_px=1.6, shape="square",
                                                     size_px=16, mark="+"))  # fmt: skip


def _sign(hue: str, shape: Shape, mark: str) -> Symbol:
    return Symbol(fill=hue, line=PAPER, line_px=1.6, shape=shape, size_px=15, mark=mark)

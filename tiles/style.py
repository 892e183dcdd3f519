"""How things look: every colour, width and class of the results is written here, once.

Status and shelters follow Okabe and Ito (2008), whose hues stay apart for colour-blind readers; no class is told by
colour alone: shapes, dashes, numbers and words go with it. The walking ramp is that of the Japanese 逃げ地図
(three-minute steps from green to black). A ramp's class holds its upper bound: 3 minutes are in "0–3".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tiles.text import NOTHING, Text

Shape = Literal["", "circle", "square", "diamond", "triangle", "cross"]
Value = str | bool | None


@dataclass(frozen=True)
class Symbol:
    """What is drawn: a fill, a line, and for points a shape; colours are ``#rrggbb``, empty for none; sizes in px.

    ``hatch``: the fill is drawn as slanting lines, with the ground seen between them.
    """

    fill: str = ""
    fill_opacity: float = 1.0
    line: str = ""
    line_px: float = 1.0
    line_opacity: float = 1.0
    dash: tuple[float, ...] = ()
    shape: Shape = ""
    size_px: float = 0.0
    mark: str = ""
    hatch: bool = False

    @property
    def seen(self) -> bool:
        """Whether anything is drawn; what has neither fill nor line is not on the map and not in the legend."""
        return bool(self.fill or self.line)


@dataclass(frozen=True)
class Class:
    """One class of a style: the values it holds, or the upper bound it holds; ``always`` keeps it in the legend."""

    label: Text
    symbol: Symbol
    values: tuple[Value, ...] = ()
    upper: float = math.inf
    always: bool = True


@dataclass(frozen=True)
class Style:
    """Which symbol a feature gets.

    ``single``: one class. ``categories``: by the values of ``column``; None is a value. ``ramp``: by number, classes
    in the order of their upper bounds. The last class of categories and ramps is for whatever fits no other, such as
    values that are not known. ``opacity`` is that of the layer as a whole: areas that lie one on another do not mix.
    """

    kind: Literal["single", "categories", "ramp"]
    classes: tuple[Class, ...]
    column: str = ""
    unit: Text = NOTHING
    opacity: float = 1.0

    def __post_init__(self) -> None:
        if not self.classes or bool(self.column) == (self.kind == "single"):
            raise ValueError("a style has classes, and a column exactly when there are several")
        if self.kind == "ramp" and (np.diff(self.uppers) <= 0).any():
            raise ValueError("the classes of a ramp come in the order of their upper bounds")

    @property
    def uppers(self) -> NDArray[np.float64]:
        """Upper bounds of a ramp's classes, without the last one, which holds what is not known."""
        return np.array([c.upper for c in self.classes[:-1]], dtype=np.float64)

    def classify(self, values: ArrayLike | pd.Series) -> NDArray[np.int64]:
        """The number of the class of each value, (n,)."""
        if self.kind == "single":
            return np.zeros(len(np.atleast_1d(np.asarray(values, dtype=object))), dtype=np.int64)
        return self._measured(values) if self.kind == "ramp" else self._named(values)

    def _measured(self, values: ArrayLike | pd.Series) -> NDArray[np.int64]:
        numbers = np.asarray(values, dtype=np.float64)
        found = np.searchsorted(self.uppers, numbers, side="left")
        return np.where(np.isnan(numbers), len(self.classes) - 1, found)

    def _named(self, values: ArrayLike | pd.Series) -> NDArray[np.int64]:
        series = pd.Series(values, dtype=object)
        number = {value: i for i, cls in enumerate(self.classes) for value in cls.values if value is not None}
        found = series.map(number).to_numpy(dtype=np.float64, na_value=np.nan)
        empty = next((i for i, cls in enumerate(self.classes) if None in cls.values), len(self.classes) - 1)
        rest = np.where(series.isna(), empty, len(self.classes) - 1)
        return np.where(np.isnan(found), rest, found).astype(np.int64)


INK, PAPER, GREY = "#1f2a30", "#ffffff", "#9aa5ab"
GOOD, WATCH, BAD, NOBODY = "#009e73", "#e69f00", "#c8421f", "#b7bfc3"
LOST, ROUTE, WET = "#7d2a83", "#0b6e78", "#1b4f9c"
UNKNOWN = Text("未知", "Not known")
WALK_COLOURS = ("#2f9e4f", "#9bca3c", "#f1d93b", "#f0962d", "#d63a2f", "#8c4a9e", "#7b4b2c", "#26211f")
WALK_STEP_S = 180
DEPTHS_M = (0.15, 0.3, 0.5, 1.0, 2.0, 4.0)
DEPTH_COLOURS = ("#d3e6f5", "#a9cfea", "#78b3dc", "#4791c8", "#2a6bad", "#214a8b", "#241f5f")
INTENSITY_COLOURS = ("#f7d9a0", "#f0b168", "#dd8045", "#b9502f", "#7f2a1f")


def _area(fill: str, *, mark: str = "") -> Symbol:
    return Symbol(fill=fill, fill_opacity=0.3, line=fill, line_px=2.2, mark=mark)


def _wash(fill: str) -> Symbol:
    """Colour that the base map is seen through."""
    return Symbol(fill=fill, fill_opacity=0.62)


def dot(fill: str, size_px: float = 7, shape: Shape = "circle") -> Symbol:
    """A filled point with a thin white edge."""
    return Symbol(fill=fill, fill_opacity=0.92, line=PAPER, line_px=0.6, shape=shape, size_px=size_px)


def stroke(colour: str, px: float, *, dash: tuple[float, ...] = (), opacity: float = 1.0) -> Symbol:
    """A line ``px`` wide."""
    return Symbol(line=colour, line_px=px, dash=dash, line_opacity=opacity)


def status() -> Style:
    """Communities by status."""
    return Style("categories", (
        Class(Text("良好", "Good"), _area(GOOD, mark="✓"), ("good",)),
        Class(Text("关注", "Watch"), _area(WATCH, mark="!"), ("watch",)),
        Class(Text("薄弱", "Weak"), _area(BAD, mark="✕"), ("bad",)),
        Class(Text("无人口数据", "No people known"), _area(NOBODY, mark="–"), ("empty",), always=False),
        not_known(_area(GREY)),
    ), "status")  # fmt: skip


def walking() -> Style:
    """Walking time to the nearest usable shelter, seconds, in steps of three minutes."""
    steps = [WALK_STEP_S * (i + 1) for i in range(len(WALK_COLOURS))]
    classes = [
        Class(Text(f"{s // 60 - 3}–{s // 60} 分钟", f"{s // 60 - 3}–{s // 60} min"), dot(hue), upper=s)
        for s, hue in zip(steps, WALK_COLOURS, strict=True)
    ]
    last = steps[-1] // 60
    far = Class(Text(f"{last} 分钟以上", f"More than {last} min"), dot(INK, 7, "square"), always=False)
    no_way = Symbol(fill=PAPER, line=LOST, line_px=2, shape="diamond", size_px=9)
    nowhere = Class(Text("无路可达", "No way there"), no_way, always=False)
    return Style("ramp", (*classes, far, nowhere), "walk_s", Text("分钟", "min"))


def lost() -> Style:
    """Places the hazard cuts off from every shelter."""
    symbol = Symbol(fill=LOST, line=PAPER, line_px=1, shape="diamond", size_px=9)
    return single("被隔断的人", "Cut off by the hazard", symbol)


def stations() -> Style:
    """Stations by whether they can turn out."""
    yes = Symbol(fill=INK, fill_opacity=1, line=PAPER, line_px=1.6, shape="circle", size_px=15, mark="✓")
    no = Symbol(fill=PAPER, fill_opacity=1, line=BAD, line_px=2.2, shape="square", size_px=15, mark="✕")
    return Style("categories", (
        Class(Text("可出动", "In service"), yes, ("in_service",)),
        Class(Text("受灾停用", "Out of service: in the hazard"), no, ("hit",), always=False),
        Class(Text("道路中断", "Cut off: its street is closed"), no, ("street_closed",), always=False),
        Class(Text("未接入道路", "No street for its engines"), no, ("no_street",), always=False),
    ), "state")  # fmt: skip


HAZARD_CLOSURES = (
    ("fire", Text("被火灾阻断", "Closed by fire"), "#c8421f", (5.0, 3.0)),
    ("landslide", Text("被滑坡阻断", "Closed by a landslide"), "#7b4b2c", (9.0, 4.0)),
    ("debris", Text("被废墟阻断", "Closed by debris"), "#7d2a83", (2.0, 4.0)),
    ("sand", Text("被风沙阻断", "Closed by blown sand"), "#b8860b", (9.0, 3.0, 2.0, 3.0)),
    ("wind", Text("被大风阻断", "Closed by wind"), "#3f3d78", (12.0, 3.0)),
)
"""Reasons for which a hazard other than water closes a street: the code, its words, hue and dash."""


def open_streets(profile: str = "walk") -> Style:
    """Streets by whether a profile may use them; the reason is in the column ``<profile>_reason``."""
    foot = profile == "walk"
    can = Text("可步行", "Open to walkers") if foot else Text("可通行", "Open")
    never = Text("平时也不可步行" if foot else "平时也不可通行", "Closed on any day")
    water = stroke(WET, 3, dash=(5, 3))
    others = [
        Class(said, stroke(hue, 3, dash=dash), (code,), always=False) for code, said, hue, dash in HAZARD_CLOSURES
    ]
    return Style("categories", (
        Class(can, stroke("#4d8a7c", 1.4, opacity=0.75), (None,)),
        Class(Text("被水淹没", "Closed by water"), water, ("flooded",), always=foot),
        *others,
        Class(never, stroke(GREY, 1.2, dash=(1, 3))),
    ), f"{profile}_reason")  # fmt: skip


def depth(column: str = "depth_max_m", *, px: float = 0) -> Style:
    """Water depth in metres, dry drawn as nothing; as lines ``px`` wide, or as areas when 0."""

    def drawn(hue: str) -> Symbol:
        return stroke(hue, px) if px else _wash(hue)

    dry = Class(Text("无水", "Dry"), stroke("#b9c4c8", 1) if px else Symbol(), upper=0.0, always=bool(px))
    low = (0.0, *DEPTHS_M)
    classes = [
        Class(Text(f"{a:g}–{b:g} 米", f"{a:g}–{b:g} m"), drawn(hue), upper=b)
        for a, b, hue in zip(low, DEPTHS_M, DEPTH_COLOURS, strict=False)
    ]
    most = Class(Text(f"{DEPTHS_M[-1]:g} 米以上", f"More than {DEPTHS_M[-1]:g} m"), drawn(DEPTH_COLOURS[-1]))
    unknown = not_known(stroke(GREY, 1.4, dash=(2, 3)) if px else Symbol())
    return Style("ramp", (dry, *classes, most, unknown), column, Text("米", "m"))


def intensity(maximum: float, unit: Text) -> Style:
    """A hazard in any unit, 0 drawn as nothing, in five equal classes up to ``maximum`` (rounded up to two digits)."""
    top = _rounded_up(maximum)
    bounds = [top * (i + 1) / len(INTENSITY_COLOURS) for i in range(len(INTENSITY_COLOURS))]
    none = Class(Text("无", "None"), Symbol(), upper=0.0, always=False)
    said = [f"{a:g}–{b:g}" for a, b in zip([0.0, *bounds], bounds, strict=False)]
    labels = [Text(f"{span} {unit.zh}".strip(), f"{span} {unit.en}".strip()) for span in said]
    classes = [
        Class(label, _wash(hue), upper=b if b < top else math.inf)
        for label, b, hue in zip(labels, bounds, INTENSITY_COLOURS, strict=True)
    ]
    return Style("ramp", (none, *classes, not_known(Symbol())), "value", unit)


def arrivals_of_water(maximum: float, unit: Text) -> Style:
    """When water arrives, in five equal classes up to ``maximum``: the sooner the darker, 0 in the darkest."""
    later = intensity(maximum, unit)
    hues = reversed(INTENSITY_COLOURS)
    classes = [replace(cls, symbol=_wash(hue)) for cls, hue in zip(later.classes[1:-1], hues, strict=True)]
    return replace(later, classes=(*classes, later.classes[-1]))


def levels() -> Style:
    """A hazard in whole levels from 1 to the worst, 0 drawn as nothing; a part of a level counts as the whole."""
    none = Class(Text("无", "None"), Symbol(), upper=0.0, always=False)
    worst = len(INTENSITY_COLOURS)
    classes = [
        Class(Text(f"{level} 级", f"Level {level}"), _wash(hue), upper=level if level < worst else math.inf)
        for level, hue in enumerate(INTENSITY_COLOURS, 1)
    ]
    return Style("ramp", (none, *classes, not_known(Symbol())), "value")


def _rounded_up(value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(round(value / unit, 6)) * unit


FACILITY_GROUPS: tuple[tuple[Text, Symbol, tuple[str, ...]], ...] = (
    (Text("消防", "Fire service"), dot("#b3261e", 10, "square"),
     ("fire_station", "hydrant", "water_tank", "suction_point")),
    (Text("医疗", "Medical"), dot("#0072b2", 11, "cross"),
     ("hospital", "clinic", "doctors", "pharmacy", "ambulance_station", "defibrillator", "nursing_home")),
    (Text("公安与政府", "Police and government"), dot("#3f3d78", 10, "triangle"), ("police", "townhall")),
    (Text("学校", "Schools"), dot("#b8860b", 9, "diamond"), ("school", "kindergarten", "college", "university")),
    (Text("危险源", "Dangerous goods"), dot("#5b1a18", 10, "triangle"), ("fuel", "storage_tank", "works")),
)  # fmt: skip


def facilities() -> Style:
    """Facilities by what they serve."""
    groups = [Class(label, symbol, values, always=False) for label, symbol, values in FACILITY_GROUPS]
    return Style("categories", (*groups, Class(Text("其他", "Other"), dot("#7d888e", 6), always=False)), "kind")


SEEN_THROUGH = 0.6
"""Opacity of layers of areas that lie one on another."""
SERVICE_COLOURS = {
    "fire": ("#7f2704", "#d9630f", "#fdc58a"), "medical": ("#6a0050", "#cf3f92", "#f6b6d2"),
    "police": ("#33206e", "#7a63b8", "#c6bfe3"), "supplies": ("#0f4a1f", "#3f9150", "#b4dcae"),
    "shelter": ("#084b4f", "#2a9494", "#a5d9d3"),
}  # fmt: skip
"""Three shades a service, the darkest for what is soonest there."""
ARRIVAL_MINUTES = (3, 5, 8, 10, 15, 20)
SOFT_COLOURS = ("#8fb8d8", "#e8c27e", "#a9cf9a", "#d9a6c2", "#b7a7d6", "#e3a58b", "#8fcac4", "#cfc79a")
"""For areas side by side that are only told apart."""
LOSS_BOUNDS, LOSS, LATER = (20, 100, 500, 2000), "#a11d33", "#a8740a"
EVERYDAY_LINES = (
    ("#b8860b", ()), ("#cc3f8f", (8, 4)), ("#0072b2", (2, 4)), ("#3f3d78", (12, 3, 2, 3)), ("#00785a", (5, 5)),
    ("#c8421f", (1, 3)),
)  # fmt: skip
"""A line for each everyday category: hue and dash."""


def rings(service: str, minutes: Sequence[float]) -> Style:
    """How far a service reaches within ``minutes``, in any order; the smaller rings lie on the larger."""
    bounds = sorted(minutes)
    hues = _shades(SERVICE_COLOURS[service], len(bounds))
    drawn = [Symbol(fill=hue, line=SERVICE_COLOURS[service][0], line_px=0.8) for hue in hues]
    return Style("ramp", (*_within(bounds, drawn), not_known(Symbol(fill=GREY))), "minutes", opacity=SEEN_THROUGH)


def ring_line(service: str, minutes: Sequence[float], limit: float | None) -> Style:
    """One of the rings as an outline, to be laid over others: that of ``limit`` minutes, else the largest.

    The others are not drawn: outlines of one hue over each other cannot be told apart.
    """
    bounds = sorted(minutes)
    shown = limit if limit in bounds else bounds[-1]
    line = stroke(SERVICE_COLOURS[service][0], 2.2, dash=(8, 7), opacity=0.9)
    return Style("ramp", (*_within(bounds, [line if m == shown else Symbol() for m in bounds]), not_known(Symbol())),
                 "minutes")  # fmt: skip


def _within(bounds: Sequence[float], drawn: Sequence[Symbol]) -> list[Class]:
    return [
        Class(Text(f"{m:g} 分钟内", f"within {m:g} min"), symbol, upper=m)
        for m, symbol in zip(bounds, drawn, strict=True)
    ]


def _shades(stops: Sequence[str], n: int) -> list[str]:
    """``n`` colours evenly along the way through ``stops``; one alone is the middle of the way."""
    rgb = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops])
    at = np.linspace(0, len(stops) - 1, n) if n > 1 else np.array([(len(stops) - 1) / 2])
    mixed = np.column_stack([np.interp(at, np.arange(len(stops)), part) for part in rgb.T]).round().astype(int)
    return ["#" + "".join(f"{part:02x}" for part in colour) for colour in mixed]


def depths(service: str, deepest: int) -> Style:
    """Ground by how many stations are there in time, ``deepest`` and more alike; the deeper lies on the shallower."""
    hues = _shades(SERVICE_COLOURS[service][::-1], max(deepest, 1))
    classes = [
        Class(Text(f"至少 {n} 个站点", f"{n} or more"), Symbol(fill=hue), upper=n) for n, hue in enumerate(hues, 1)
    ]
    return Style("ramp", (*classes, not_known(Symbol(fill=GREY))), "depth", opacity=SEEN_THROUGH)


@dataclass(frozen=True)
class Part:
    """One of the areas that ground is divided into: its id, its name, the number of its colour, whether marked."""

    part_id: str
    name: Text
    colour: int
    marked: bool = False


def divided(column: str, parts: Sequence[Part], *, nobody: Text, marked: Text) -> Style:
    """Ground divided into parts, each with a soft colour of its own; hatched where it is nobody's (None)."""
    bare = Symbol(fill="#5a666e", fill_opacity=0.8, line=GREY, line_px=1, hatch=True)
    classes = [Class(nobody, bare, (None,), always=False)]
    for part in parts:
        name = Text(f"{part.name.zh}（{marked.zh}）", f"{part.name.en} ({marked.en})") if part.marked else part.name
        classes.append(Class(name, _part(part), (part.part_id,)))
    return Style("categories", (*classes, not_known(bare)), column)


def _part(part: Part) -> Symbol:
    fill = SOFT_COLOURS[part.colour % len(SOFT_COLOURS)]
    line, px, dash = (BAD, 2.6, (7.0, 4.0)) if part.marked else ("#4b565c", 1.4, ())
    return Symbol(fill=fill, fill_opacity=0.45, line=line, line_px=px, dash=dash)


def losses() -> Style:
    """Streets by how many people they cost a service; the line grows with the people."""
    low = (0, *LOSS_BOUNDS)
    later = Class(Text("仅到达变慢", "Only later"), stroke(LATER, 2, opacity=0.9), upper=0, always=False)
    lines = [stroke(LOSS, 2.2 + 1.7 * i, opacity=0.9) for i in range(len(LOSS_BOUNDS) + 1)]
    classes = [
        Class(Text(f"{a + 1:,}–{b:,} 人", f"{a + 1:,}–{b:,} people"), line, upper=b)
        for a, b, line in zip(low, LOSS_BOUNDS, lines, strict=False)
    ]
    most = Class(Text(f"{LOSS_BOUNDS[-1]:,} 人以上", f"More than {LOSS_BOUNDS[-1]:,}"), lines[-1])
    return Style("ramp", (later, *classes, most, not_known(stroke(GREY, 1))), "people_lost")


def everyday(named: Mapping[str, Text]) -> Style:
    """The circle of each everyday category as an outline: ``named`` are the categories' codes with their words."""
    classes = [
        Class(name, stroke(hue, 2.2, dash=dash), (code,))
        for (code, name), (hue, dash) in zip(named.items(), EVERYDAY_LINES, strict=False)
    ]
    return Style("categories", (*classes, not_known(stroke(GREY, 1))), "category")


def lacking(codes: Sequence[str], column: str = "circle_missing") -> Style:
    """Homes by how many of ``codes`` are missing, written one after another with semicolons; none when complete."""
    classes = [Class(Text("不缺", "Nothing missing"), dot(WALK_COLOURS[0]), ("", None))]
    for n in range(1, len(codes) + 1):
        every = tuple(";".join(some) for some in combinations(codes, n))
        hue = WALK_COLOURS[min(n, len(WALK_COLOURS) - 1)]
        classes.append(Class(Text(f"缺 {n} 类", f"{n} missing"), dot(hue), every, always=False))
    return Style("categories", (*classes, not_known(dot(GREY))), column)


def arrivals(column: str) -> Style:
    """Homes by the seconds in ``column`` until somebody is there."""
    low = (0, *ARRIVAL_MINUTES)
    classes = [
        Class(Text(f"{a}–{b} 分钟", f"{a}–{b} min"), dot(hue), upper=60 * b)
        for a, b, hue in zip(low, ARRIVAL_MINUTES, WALK_COLOURS, strict=False)
    ]
    last = ARRIVAL_MINUTES[-1]
    far = Class(Text(f"{last} 分钟以上", f"More than {last} min"), dot(INK, 7, "square"), always=False)
    none = Symbol(fill=PAPER, line=LOST, line_px=2, shape="diamond", size_px=9)
    nowhere = Class(Text("无法到达", "Nobody gets there"), none, always=False)
    return Style("ramp", (*classes, far, nowhere), column, Text("分钟", "min"))


def single(zh: str, en: str, symbol: Symbol) -> Style:
    """One class for all."""
    return Style("single", (Class(Text(zh, en), symbol),))


def not_known(symbol: Symbol) -> Class:
    """The last class, for what is not known; told only where there is any."""
    return Class(UNKNOWN, symbol, always=False)


def colour(style: Style, number: int) -> tuple[int, int, int, int]:
    """Red, green, blue and opacity (0–255) of a class as a filled area; nothing where it has no fill."""
    symbol: Symbol = style.classes[number].symbol
    if not symbol.fill:
        return 0, 0, 0, 0
    red, green, blue = (int(symbol.fill[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue, round(255 * symbol.fill_opacity)


def palette(style: Style) -> Sequence[tuple[int, int, int, int]]:
    """The colours of all classes in their order."""
    return [colour(style, number) for number in range(len(style.classes))]

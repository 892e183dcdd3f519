"""How things look: every colour, width and class of the results is written here, once.

Status and shelters follow Okabe and Ito (2008), whose hues stay apart for colour-blind readers; no class is told by
colour alone: shapes, dashes, numbers and words go with it. The walking ramp is that of the Japanese 逃げ地図
(three-minute steps from green to black). A ramp's class holds its upper bound: 3 minutes are in "0–3".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tiles.text import NOTHING, Text

Shape = Literal["", "circle", "square", "diamond", "triangle", "cross"]
Value = str | bool | None


@dataclass(frozen=True)
class Symbol:
    """What is drawn: a fill, a line, and for points a shape; colours are ``#rrggbb``, empty for none; sizes in px."""

    fill: str = ""
    fill_opacity: float = 1.0
    line: str = ""
    line_px: float = 1.0
    line_opacity: float = 1.0
    dash: tuple[float, ...] = ()
    shape: Shape = ""
    size_px: float = 0.0
    mark: str = ""


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
    values that are not known.
    """

    kind: Literal["single", "categories", "ramp"]
    classes: tuple[Class, ...]
    column: str = ""
    unit: Text = NOTHING

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


def _dot(fill: str, size_px: float = 7, shape: Shape = "circle") -> Symbol:
    return Symbol(fill=fill, fill_opacity=0.92, line=PAPER, line_px=0.6, shape=shape, size_px=size_px)


def _stroke(colour: str, px: float, *, dash: tuple[float, ...] = (), opacity: float = 1.0) -> Symbol:
    return Symbol(line=colour, line_px=px, dash=dash, line_opacity=opacity)


def status() -> Style:
    """Communities by status."""
    return Style("categories", (
        Class(Text("良好", "Good"), _area(GOOD, mark="✓"), ("good",)),
        Class(Text("关注", "Watch"), _area(WATCH, mark="!"), ("watch",)),
        Class(Text("薄弱", "Weak"), _area(BAD, mark="✕"), ("bad",)),
        Class(Text("无居住人口", "Nobody lives here"), _area(NOBODY, mark="–"), ("empty",), always=False),
        _not_known(_area(GREY)),
    ), "status")  # fmt: skip


def walking() -> Style:
    """Walking time to the nearest usable shelter, seconds, in steps of three minutes."""
    steps = [WALK_STEP_S * (i + 1) for i in range(len(WALK_COLOURS))]
    classes = [
        Class(Text(f"{s // 60 - 3}–{s // 60} 分钟", f"{s // 60 - 3}–{s // 60} min"), _dot(hue), upper=s)
        for s, hue in zip(steps, WALK_COLOURS, strict=True)
    ]
    last = steps[-1] // 60
    far = Class(Text(f"{last} 分钟以上", f"More than {last} min"), _dot(INK, 7, "square"), always=False)
    no_way = Symbol(fill=PAPER, line=LOST, line_px=2, shape="diamond", size_px=9)
    nowhere = Class(Text("无路可达", "No way there"), no_way, always=False)
    return Style("ramp", (*classes, far, nowhere), "walk_s", Text("分钟", "min"))


def lost() -> Style:
    """Places the hazard cuts off from every shelter."""
    symbol = Symbol(fill=LOST, line=PAPER, line_px=1, shape="diamond", size_px=9)
    return _single("被隔断的人", "Cut off by the hazard", symbol)


def shelters() -> Style:
    """Shelters by whether they can be used."""
    yes = Symbol(fill=GOOD, fill_opacity=1, line=PAPER, line_px=1.6, shape="circle", size_px=15, mark="✓")
    no = Symbol(fill=PAPER, fill_opacity=1, line=BAD, line_px=2.2, shape="square", size_px=13, mark="✕")
    can, cannot = Class(Text("可用", "Usable"), yes, (True,)), Class(Text("不可用", "Not usable"), no, (False,))
    return Style("categories", (can, cannot, _not_known(_dot(GREY, 11))), "usable")


def open_streets() -> Style:
    """Streets by whether people can walk along them."""
    return Style("categories", (
        Class(Text("可步行", "Open to walkers"), _stroke("#4d8a7c", 1.4, opacity=0.75), (None,)),
        Class(Text("被水淹没", "Closed by water"), _stroke(WET, 3, dash=(5, 3)), ("flooded",)),
        Class(Text("平时也不可步行", "Closed on any day"), _stroke(GREY, 1.2, dash=(1, 3))),
    ), "walk_reason")  # fmt: skip


def flows() -> Style:
    """Streets by the people who walk along them to their shelter."""
    bounds = (50, 200, 500, 1000, 2000)
    low = (0, *bounds)
    said = [f"{a + 1:,}–{b:,}" for a, b in zip(low, bounds, strict=False)]
    classes = [
        Class(Text(f"{span} 人", f"{span} people"), _stroke(ROUTE, 1.2 + 1.1 * i, opacity=0.85), upper=b)
        for i, (span, b) in enumerate(zip(said, bounds, strict=True))
    ]
    most = Class(Text(f"{bounds[-1]:,} 人以上", f"More than {bounds[-1]:,}"), _stroke(ROUTE, 7.5, opacity=0.85))
    return Style("ramp", (*classes, most, _not_known(_stroke(GREY, 1))), "people")


def depth(column: str = "depth_max_m", *, px: float = 0) -> Style:
    """Water depth in metres, dry drawn as nothing; as lines ``px`` wide, or as areas when 0."""

    def drawn(hue: str) -> Symbol:
        return _stroke(hue, px) if px else _wash(hue)

    dry = Class(Text("无水", "Dry"), _stroke("#b9c4c8", 1) if px else Symbol(), upper=0.0, always=bool(px))
    low = (0.0, *DEPTHS_M)
    classes = [
        Class(Text(f"{a:g}–{b:g} 米", f"{a:g}–{b:g} m"), drawn(hue), upper=b)
        for a, b, hue in zip(low, DEPTHS_M, DEPTH_COLOURS, strict=False)
    ]
    most = Class(Text(f"{DEPTHS_M[-1]:g} 米以上", f"More than {DEPTHS_M[-1]:g} m"), drawn(DEPTH_COLOURS[-1]))
    unknown = _not_known(_stroke(GREY, 1.4, dash=(2, 3)) if px else Symbol())
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
    return Style("ramp", (none, *classes, _not_known(Symbol())), "value", unit)


def _rounded_up(value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(round(value / unit, 6)) * unit


FACILITY_GROUPS: tuple[tuple[Text, Symbol, tuple[str, ...]], ...] = (
    (Text("消防", "Fire service"), _dot("#b3261e", 10, "square"),
     ("fire_station", "hydrant", "water_tank", "suction_point")),
    (Text("医疗", "Medical"), _dot("#0072b2", 11, "cross"),
     ("hospital", "clinic", "doctors", "pharmacy", "ambulance_station", "defibrillator", "nursing_home")),
    (Text("公安与政府", "Police and government"), _dot("#3f3d78", 10, "triangle"), ("police", "townhall")),
    (Text("学校", "Schools"), _dot("#b8860b", 9, "diamond"), ("school", "kindergarten", "college", "university")),
    (Text("危险源", "Dangerous goods"), _dot("#5b1a18", 10, "triangle"), ("fuel", "storage_tank", "works")),
)  # fmt: skip


def facilities() -> Style:
    """Facilities by what they serve."""
    groups = [Class(label, symbol, values, always=False) for label, symbol, values in FACILITY_GROUPS]
    return Style("categories", (*groups, Class(Text("其他", "Other"), _dot("#7d888e", 6), always=False)), "kind")


SETBACK_GROUPS = (
    ("water", Text("水体", "Water"), "#2f7fb8"), ("fuel", Text("燃料", "Fuel"), "#8c2d19"),
    ("power", Text("电力", "Power"), "#6a4fa3"), ("industry", Text("工业", "Industry"), "#8a6d3b"),
    ("pipeline", Text("管线", "Pipelines"), "#b0428a"), ("railway", Text("铁路", "Railways"), "#4a4a4a"),
)  # fmt: skip


def setbacks() -> Style:
    """What to keep a distance from, by what it is."""
    classes = [Class(label, _edged(hue), (code,), always=False) for code, label, hue in SETBACK_GROUPS]
    return Style("categories", (*classes, _not_known(_edged(GREY))), "group")


def _edged(hue: str) -> Symbol:
    return Symbol(fill=hue, fill_opacity=0.2, line=hue, line_px=1.8, dash=(6, 3), shape="triangle", size_px=9)


def _single(zh: str, en: str, symbol: Symbol) -> Style:
    return Style("single", (Class(Text(zh, en), symbol),))


def _not_known(symbol: Symbol) -> Class:
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

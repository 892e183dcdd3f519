"""The hazards that can be brought: what each is called, in which units its values may come, and what cannot be true.

Water, wind and shaking are measured; the others come as levels from 0 (none) to 5 (worst), since every source has
classes of its own. The unit of a kind is fixed: a file in another unit is converted when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from geo.errors import Fault, ParameterError

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048}
"""Units a depth may be in, and what one is in metres."""
SPEEDS = {"m/s": 1.0, "km/h": 1 / 3.6}
"""Units a velocity may be in, and what one is in metres per second."""
HOURS = {"h": 1.0, "d": 24.0, "min": 1 / 60}
"""Units a time may be in, and what one is in hours."""
GRAVITY_MS2 = 9.80665
"""The standard acceleration of gravity, m/s2 (ISO 80000-3)."""
ACCELERATIONS = {"g": 1.0, "m/s2": 1 / GRAVITY_MS2, "gal": 0.01 / GRAVITY_MS2, "%g": 0.01}
"""Units an acceleration may be in, and what one is in g; a gal is 1 cm/s2."""
INTENSITIES = {"degree": 1.0, "mmi": 1.0, "csis": 1.0}
"""Scales of twelve degrees: modified Mercalli and China's (烈度). Japan's has other degrees and is another scale."""

DEPTH_MAX_M = 100.0
"""No street is deeper under water: a greater depth is another unit or an undeclared nodata value."""
VELOCITY_MAX_MS = 50.0
"""No flood is faster: a greater velocity is another unit or an undeclared nodata value."""
WIND_MAX_MS = 150.0
"""No wind is stronger, tornadoes included."""
FLOODED_MAX_H = 8760.0
"""No flood is looked at for longer than a year."""
INTENSITY_MAX = 12.0
"""The last degree of the scales of intensity."""
PGA_MAX_G = 5.0
"""A greater acceleration is another unit."""
LEVEL_MAX = 5.0
"""The worst level."""


@dataclass(frozen=True)
class Kind:
    """A kind of hazard: its labels, ``unit`` of its values here, and ``units`` of a file, each as so many of ours.

    ``noun`` is what the values are, ``most`` the largest that can be true, in ``unit``; ``none_is`` what 0 means.
    ``worse`` says which end is the bad one: of an arrival time the least. ``moves``: whether streets are closed or
    slowed by it; the others tell of shelters, homes and time, and leave streets as they are. ``assumed``: whether a
    file that names no unit is in ``unit``.
    """

    en: str
    zh: str
    unit: str
    units: Mapping[str, float]
    noun: str
    most: float
    none_is: str = "not affected"
    moves: bool = True
    worse: Literal["more", "less"] = "more"
    assumed: bool = False


def _levels(en: str, zh: str) -> Kind:
    return Kind(en, zh, "level", {"level": 1.0}, "levels", LEVEL_MAX, assumed=True)


def _depths(en: str, zh: str) -> Kind:
    return Kind(en, zh, "m", METRES, "depths", DEPTH_MAX_M, "no water")


KINDS: Mapping[str, Kind] = {
    "flood": _depths("Flood", "洪水"),
    "flood_velocity": Kind("Flood velocity", "洪水流速", "m/s", SPEEDS, "velocities", VELOCITY_MAX_MS,
                           "no flowing water", assumed=True),
    "flood_duration": Kind("Flood duration", "淹没历时", "h", HOURS, "durations", FLOODED_MAX_H, "no water",
                           moves=False),
    "flood_arrival": Kind("Flood arrival", "洪水到达时间", "h", HOURS, "arrival times", FLOODED_MAX_H,
                          "water from the first moment", moves=False, worse="less"),
    "tsunami": _depths("Tsunami", "海啸"),
    "storm_surge": _depths("Storm surge", "风暴潮"),
    "fire": _levels("Fire", "火灾"),
    "wildfire": _levels("Wildfire", "森林草原火灾"),
    "wind": Kind("Strong wind", "大风", "m/s", SPEEDS, "wind speeds", WIND_MAX_MS, "no wind"),
    "sand": _levels("Wind-blown sand", "风沙"),
    "earthquake": Kind("Earthquake intensity", "地震烈度", "degree", INTENSITIES, "degrees of intensity", INTENSITY_MAX,
                       "not felt", moves=False, assumed=True),
    "earthquake_pga": Kind("Peak ground acceleration", "地震动峰值加速度", "g", ACCELERATIONS, "accelerations",
                           PGA_MAX_G, "no shaking", moves=False),
    "collapse": Kind("Collapsing buildings", "建筑倒塌", "share", {"share": 1.0, "%": 0.01}, "shares of buildings", 1.0,
                     "no building collapses"),
    "landslide": _levels("Landslide", "滑坡"),
    "debris_flow": _levels("Debris flow", "泥石流"),
    "debris": _levels("Debris", "废墟堆积"),
}  # fmt: skip
"""Kinds of hazards as study.toml names them."""
HAZARDS = tuple(KINDS)

UNIT_WORDS: Mapping[str, str] = {
    "feet": "ft", "foot": "ft", "metre": "m", "metres": "m", "meter": "m", "meters": "m", "米": "m", "公尺": "m",
    "centimetre": "cm", "centimetres": "cm", "centimeter": "cm", "centimeters": "cm", "厘米": "cm", "毫米": "mm",
    "英尺": "ft", "メートル": "m", "米/秒": "m/s", "公里/小时": "km/h", "hour": "h", "hours": "h",
    "小时": "h", "分钟": "min",
}  # fmt: skip
"""Words for units, beside their signs."""
OTHER_UNITS: Mapping[tuple[str, str], str] = {
    ("wind", "level"): "Levels of wind are Beaufort's: give --unit m/s and --map @beaufort, or --map LEVEL=SPEED.",
    ("collapse", "level"): "Say which share each level stands for: --unit share --map LEVEL=SHARE.",
    ("earthquake", "jma"): "Japan's scale has other degrees: say what each stands for (--map 6.5=10), or bring the "
                           "acceleration as earthquake_pga.",
    ("earthquake", "g"): "An acceleration is a hazard of its own: --hazard earthquake_pga.",
    ("earthquake_pga", "mmi"): "Intensity is a hazard of its own: --hazard earthquake.",
}  # fmt: skip
"""Units that are asked for and cannot be converted, and what to do instead."""


def usual_unit(kind: str) -> str:
    """The unit a kind is in where nobody names one; empty where the file's must be named."""
    return KINDS[kind].unit if kind in KINDS and KINDS[kind].assumed else ""


def unit_named(word: str) -> str:
    """The unit's sign for a word (``feet``, ``米``); what is no word of ours as it is."""
    return UNIT_WORDS.get(word.strip().lower(), word)


def require_unit(kind: str, unit: str, *, where: str) -> float:
    """How much of the kind's own unit one of ``unit`` is; ParameterError for one that cannot be converted."""
    of, unit = KINDS[kind], unit_named(unit)
    if unit not in of.units:
        cure = OTHER_UNITS.get((kind, unit), "Give --unit.")
        raise ParameterError(Fault(f"a unit of {', '.join(of.units)}", repr(unit), where, cure))
    return of.units[unit]

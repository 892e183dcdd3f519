"""A way told turn by turn, in English and Chinese: one sentence a leg, where the shelter lies, and the whole in brief.

What the map calls a street or a shelter is put in as it stands: text is data here, and whoever shows it escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.paths import LegParams, Legs
from geo.reasons import Sentence

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

COMPASS = (
    ("north", "北"), ("north-east", "东北"), ("east", "东"), ("south-east", "东南"),
    ("south", "南"), ("south-west", "西南"), ("west", "西"), ("north-west", "西北"),
)  # fmt: skip
"""Eight directions clockwise, in English and Chinese."""
LEGS: Mapping[str, tuple[str, str]] = {
    "depart": ("Go {compass} along {street}, {far}.", "沿{street}向{compass}步行{far}。"),
    "straight": ("Go straight on along {street}, {far}.", "直行，沿{street}步行{far}。"),
    "slight_left": ("Bear left into {street}, {far}.", "向左前方进入{street}，步行{far}。"),
    "slight_right": ("Bear right into {street}, {far}.", "向右前方进入{street}，步行{far}。"),
    "left": ("Turn left into {street}, {far}.", "左转进入{street}，步行{far}。"),
    "right": ("Turn right into {street}, {far}.", "右转进入{street}，步行{far}。"),
    "sharp_left": ("Turn sharp left into {street}, {far}.", "向左后方转入{street}，步行{far}。"),
    "sharp_right": ("Turn sharp right into {street}, {far}.", "向右后方转入{street}，步行{far}。"),
    "u_turn": ("Turn round and go along {street}, {far}.", "掉头，沿{street}步行{far}。"),
}
"""What is said of a leg by its turn (``paths.TURNS``)."""
STREETS: Mapping[str | None, tuple[str, str]] = {
    **dict.fromkeys(("footway", "path"), ("a footpath", "步行道")),
    "pedestrian": ("a pedestrian street", "步行街"),
    "steps": ("a flight of steps", "台阶"),
    "cycleway": ("a cycle path", "自行车道"),
    "bridleway": ("a bridle path", "马道"),
    "corridor": ("a corridor", "室内通道"),
    "track": ("a track", "土路"),
    "service": ("a service road", "内部道路"),
    "living_street": ("a living street", "生活街道"),
    "residential": ("a residential street", "居住区道路"),
    **dict.fromkeys(("motorway", "motorway_link"), ("a motorway", "高速公路")),
    **dict.fromkeys(("trunk", "trunk_link", "primary", "primary_link"), ("a main road", "主干路")),
    **dict.fromkeys(("secondary", "secondary_link"), ("a secondary road", "次干路")),
    **dict.fromkeys(("tertiary", "tertiary_link", "unclassified", "road"), ("a local road", "支路")),
}
"""Streets without a name, by their class (OSM highway)."""
UNNAMED = ("an unnamed street", "无名道路")
ARRIVALS: Mapping[str, tuple[str, str]] = {
    "left": ("The shelter{name} is on your left.", "到达避难场所{name}，位于左侧。"),
    "right": ("The shelter{name} is on your right.", "到达避难场所{name}，位于右侧。"),
    "ahead": ("The shelter{name} is straight ahead.", "到达避难场所{name}，位于正前方。"),
    "reached": ("You have reached the shelter{name}.", "到达避难场所{name}。"),
    "here": ("You are at the shelter{name}.", "您所在位置即为避难场所{name}。"),
}
"""What is said at the end, by where the shelter lies."""
WHOLE = ("{far} in all, about {minutes} on foot.", "全程{far}，步行约{minutes}。")
TEN_M = 10
"""Distances below 1 km are told to this many metres, and never as less."""
KM_M = 1000
AT_HAND_M = 2.0
"""Who ends this near to the middle of a site is told no side."""


@dataclass(frozen=True)
class Arrival:
    """Where a way ends: the shelter's names, the side it lies on (a key of ``ARRIVALS``), and the way as a whole."""

    name: str | None
    name_zh: str | None
    name_en: str | None
    side: str
    length_m: float
    seconds: float


def tell(legs: Legs, arrivals: Sequence[Arrival]) -> list[list[Sentence]]:
    """The sentences of each way, in order of travel; ``legs.way`` numbers the ``arrivals``.

    The code of a sentence is its turn, then ``arrive``, then ``whole``.
    """
    told: list[list[Sentence]] = [[] for _ in arrivals]
    columns = (legs.way, legs.name, legs.name_zh, legs.name_en, legs.highway, legs.length_m, legs.turn)
    rows = zip(*(column.tolist() for column in columns), legs.bearing_deg.tolist(), strict=True)
    for way, name, name_zh, name_en, highway, length_m, turn, bearing_deg in rows:
        told[way].append(_leg(turn, called(name, name_zh, name_en, highway), length_m, bearing_deg))
    for sentences, arrival in zip(told, arrivals, strict=True):
        sentences += _end(arrival, walked=bool(sentences))
    return told


def texts(sentences: Sequence[Sentence]) -> tuple[str, str]:
    """One text in English and one in Chinese, a line for each sentence."""
    return "\n".join(s.en for s in sentences), "\n".join(s.zh for s in sentences)


def _leg(turn: str, street: tuple[str, str], length_m: float, bearing_deg: float) -> Sentence:
    compass = COMPASS[round(bearing_deg / 45) % 8]
    en, zh = (
        text.format(street=street[i], compass=compass[i], far=distance(length_m)[i])
        for i, text in enumerate(LEGS[turn])
    )
    return Sentence(turn, en, zh)


def _end(arrival: Arrival, *, walked: bool) -> list[Sentence]:
    name = _called(arrival.name, arrival.name_zh, arrival.name_en, ("", ""))
    en, zh = ARRIVALS[arrival.side if walked else "here"]
    last = Sentence("arrive", en.format(name=f" {name[0]}" if name[0] else ""), zh.format(name=name[1]))
    if not walked:
        return [last]
    far, minutes = distance(arrival.length_m), _minutes(arrival.seconds)
    en, zh = (text.format(far=far[i], minutes=minutes[i]) for i, text in enumerate(WHOLE))
    return [last, Sentence("whole", en, zh)]


def called(name: str | None, name_zh: str | None, name_en: str | None, highway: str | None) -> tuple[str, str]:
    """What to call a street in English and Chinese: its name there, else its own, else what it is (OSM highway)."""
    return _called(name, name_zh, name_en, STREETS.get(highway, UNNAMED))


def _called(name: str | None, name_zh: str | None, name_en: str | None, unnamed: tuple[str, str]) -> tuple[str, str]:
    own, zh, en = (_on_one_line(text) for text in (name, name_zh, name_en))
    return en or own or unnamed[0], zh or own or unnamed[1]


def _on_one_line(text: object) -> str:
    """A name without breaks and signs that cannot be seen, so that one sentence stays one line; nothing for no name."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def distance(length_m: float) -> tuple[str, str]:
    """A distance as one says it, in English and Chinese: to 10 m, from 1 km on to 0.1 km."""
    tens = max(math.floor(length_m / TEN_M + 0.5) * TEN_M, TEN_M)
    if tens < KM_M:
        return f"{tens} m", f"{tens}米"
    return f"{length_m / KM_M:.1f} km", f"{length_m / KM_M:.1f}公里"


def _minutes(seconds: float) -> tuple[str, str]:
    minutes = max(math.ceil(seconds / 60), 1)
    return f"{minutes} minute" + ("s" if minutes > 1 else ""), f"{minutes}分钟"


def sides(lines: Sequence[shapely.LineString], spots: Texts, *, params: LegParams) -> list[str]:
    """Where each site (n,) lies from the end of the way to it: ``left``, ``right``, ``ahead`` or ``reached``.

    ``lines`` and ``spots`` (points) are in one metric CRS. ``reached``: at hand, or the way has no length.
    """
    drawn = np.array([*lines], dtype=object)
    known = ~shapely.is_empty(drawn) & ~shapely.is_empty(spots) & ~shapely.is_missing(spots)
    found = np.full(len(drawn), "reached", dtype=object)
    if known.any():
        found[known] = _sides(drawn[known], spots[known], params)
    return [str(side) for side in found]


def _sides(drawn: Texts, spots: Texts, params: LegParams) -> Texts:
    whole = shapely.length(drawn)
    before, end, spot = (
        shapely.get_coordinates(points)
        for points in (
            shapely.line_interpolate_point(drawn, np.maximum(whole - params.turn_over_m, 0)),
            shapely.line_interpolate_point(drawn, whole),
            shapely.centroid(spots),
        )
    )
    heading, bearing = (np.degrees(np.arctan2(*step.T)) for step in (end - before, spot - end))
    change = (bearing - heading + 180) % 360 - 180
    side = np.where(np.abs(change) <= params.slight_deg, "ahead", np.where(change > 0, "right", "left"))
    return np.where(np.hypot(*(spot - end).T) <= AT_HAND_M, "reached", side).astype(object)

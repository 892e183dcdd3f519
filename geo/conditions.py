"""Restrictions that hold at some hours: ``no @ (Mo-Fr 07:00-09:00)``, asked for a moment of an ordinary week.

Sources: OSM wiki, "Conditional restrictions" (the last clause that holds wins) and "Key:opening hours/specification",
of which weekdays, clock times (also over midnight), ``24/7`` and ``off`` are read. Public holidays are not: the moment
lies in an ordinary week. Months, weights, weather and everything else are not understood, and said so.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from geo.errors import Fault, ParameterError

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
DAY_MIN = 24 * 60
"""Minutes a day."""
HOLIDAYS = ("ph", "sh")
_CLAUSE = re.compile(r"([^@;()]+?)\s*@\s*(\([^()]*\)|[^;()]+)")
_MOMENT = re.compile(r"(mo|tu|we|th|fr|sa|su)\s+(\d{1,2}):(\d{2})")
_RULE = re.compile(r"(?P<days>[a-z][a-z,\s-]*?)?\s*(?P<hours>\d{1,2}:\d{2}\s*-[\d:,\s+-]*)?\s*(?P<off>off|closed)?")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


class Moment(NamedTuple):
    """A minute of an ordinary week: ``day`` 0 is Monday, ``minute`` counts from midnight."""

    day: int
    minute: int


class Answer(NamedTuple):
    """What holds at a moment: a value, or None; ``understood`` is False where a clause could not be read."""

    value: str | None
    understood: bool


def moment(text: str) -> Moment:
    """``Mo 08:30`` as a moment; ParameterError for anything else."""
    found = _MOMENT.fullmatch(text.strip().lower())
    if not found or int(found[2]) > 23 or int(found[3]) > 59:
        raise ParameterError(Fault("a weekday and a time such as Mo 08:30", repr(text), "time"))
    return Moment(DAYS.index(found[1]), int(found[2]) * 60 + int(found[3]))


def holding(text: str, at: Moment) -> Answer:
    """The value of a conditional tag in force at a moment; None when no clause that is understood holds."""
    clauses = list(_CLAUSE.finditer(text))
    rest = _CLAUSE.sub("", text).replace(";", "").strip()
    value, understood = None, bool(clauses) and not rest
    for clause in clauses:
        held = _all_hold(clause[2].strip("() "), at)
        understood &= held is not None
        value = clause[1].strip() if held else value
    return Answer(value, understood)


def _all_hold(condition: str, at: Moment) -> bool | None:
    """Whether conditions joined by AND hold; None when one is not understood."""
    parts = [_holds(part, at) for part in re.split(r"\s+and\s+", condition.lower())]
    return None if None in parts else all(parts)


def _holds(hours: str, at: Moment) -> bool | None:
    """Whether opening hours hold; a later rule overrides an earlier one on its days."""
    state = False
    for rule in (part.strip() for part in hours.split(";")):
        found = _RULE.fullmatch(rule)
        days = _days((found["days"] or "").strip()) if found and rule else None
        spans = _spans(found["hours"]) if found else None
        if rule == "24/7":
            days, spans = set(range(7)), [(0, DAY_MIN)]
        if days is None or spans is None:
            return None
        off = bool(found and found["off"])
        if any((at.day - shift) % 7 in days and _within(at.minute + shift * DAY_MIN, spans) for shift in (0, 1)):
            state = not off
        elif at.day in days and not off:
            state = False
    return state


def _days(text: str) -> set[int] | None:
    """The weekdays of ``Mo-Fr,Su``; all where nothing is said; None when it is something else."""
    if not text:
        return set(range(7))
    days: set[int] = set()
    for part in (part.strip() for part in text.split(",") if part.strip()):
        first, _, last = (word.strip() for word in part.partition("-"))
        if first in HOLIDAYS and not last:
            continue
        if first not in DAYS or (last or first) not in DAYS:
            return None
        a, b = DAYS.index(first), DAYS.index(last or first)
        days |= {(a + i) % 7 for i in range((b - a) % 7 + 1)}
    return days


def _spans(text: str | None) -> list[tuple[int, int]] | None:
    """From and to in minutes of the day it begins on; past midnight the end lies beyond a day. All day if not said."""
    if not text:
        return [(0, DAY_MIN)]
    found = [_HOURS.fullmatch(part.strip()) for part in text.split(",")]
    spans = []
    for hours in found:
        if not hours:
            return None
        start, end = int(hours[1]) * 60 + int(hours[2]), int(hours[3]) * 60 + int(hours[4])
        spans.append((start, end if end > start else end + DAY_MIN))
    return spans


def _within(minute: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= minute < end for start, end in spans)

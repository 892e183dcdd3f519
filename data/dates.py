"""Days as people write them (``2026-05-01``, ``2026/5/1``, ``2026年5月``, ``令和8年5月1日``) as ``YYYY-MM-DD``."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

ERAS = {"令和": 2018, "平成": 1988, "r": 2018, "h": 1988}
"""Japanese eras: the year before their first (令和 began in 2019, 平成 in 1989)."""
_DAY = re.compile(
    r"(?P<era>令和|平成|r|h)?\s*(?P<year>\d{1,4}|元)\s*[-/.年]\s*(?P<month>\d{1,2})\s*(?:[-/.月]\s*(?P<day>\d{1,2})?)?"
    r"\s*日?(?:[t\s]\d{1,2}:.*)?\Z"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")


def day(value: object) -> str | None:
    """``YYYY-MM-DD``, or ``YYYY-MM`` where no day is written; None for what is no date."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()[:10]
    text = unicodedata.normalize("NFKC", str(value)).strip().lower().removesuffix(".0")
    if found := _COMPACT.match(text):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    said = _DAY.match(text)
    if said is None:
        return None
    year = (1 if said["year"] == "元" else int(said["year"])) + (ERAS[said["era"]] if said["era"] else 0)
    return _checked(year, int(said["month"]), int(said["day"]) if said["day"] else None)


def _checked(year: int, month: int, day_: int | None) -> str | None:
    try:
        whole = date(year, month, day_ or 1)
    except ValueError:
        return None
    if year < 1900:
        return None
    return whole.isoformat() if day_ else whole.isoformat()[:7]

"""What the name of a hazard's file seems to say: how rare it is, and at which hour.

A name is a hint and never taken as said: ``suggestions`` asks for it in so many words.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from geo.reasons import Finding

_YEARS = (
    re.compile(r"1\s*[-_ ]?\s*in\s*[-_ ]?\s*(\d{1,5})(?!\d)"),
    re.compile(r"(?<![a-z])(?:rp|tr|ari|t|q)[-_ ]?0*([1-9]\d{0,4})(?:y|yr|a)?(?![a-z\d])"),
    re.compile(r"(?<!\d)0*([1-9]\d{0,4})[-_ ]?(?:years?|yrs?|y)(?![a-z])"),
    re.compile(r"(?<!\d)([1-9]\d{0,4})\s*(?:年一遇|年に1度|年確率)"),
)
"""How often, in the order they are looked for: 1in100, RP100, T010, 100year, 100年一遇."""
_HOUR = (
    re.compile(r"(?<![a-z])(?:h|hour|t\+)[-_ ]?0*(\d{1,3})(?![a-z\d])"),
    re.compile(r"(?<!\d)0*(\d{1,3})[-_ ]?(?:h|hr|hrs|hours?)(?![a-z])"),
    re.compile(r"(?<!\d)(\d{1,3})\s*(?:时|時|小时|時間)"),
    re.compile(r"^rr\d+[-_](\d{1,3})$"),
)
"""At which hour: h18, 18h, 18時間; a case of rain and its hour, as in rr04-18."""


@dataclass(frozen=True)
class Named:
    """What a name seems to say; None where it says nothing. Return period in years, time in hours."""

    return_period_y: float | None = None
    hours: float | None = None


def told(name: str) -> Named:
    """What the name of a file, with or without its ending, seems to say."""
    plain = unicodedata.normalize("NFKC", name).lower()
    plain = re.sub(r"\.[a-z]{2,7}$", "", plain)
    return Named(_first(_YEARS, plain), _first(_HOUR, plain))


def suggestions(name: str, *, return_period_y: float | None = None, hours: float | None = None) -> tuple[Finding, ...]:
    """What might be said of a file whose name says more than the person did; nothing where it was said."""
    found, said = told(name), []
    if return_period_y is None and found.return_period_y is not None:
        said.append(_period(name, found.return_period_y))
    if hours is None and found.hours is not None:
        said.append(_hour(name, found.hours))
    return tuple(said)


def _first(forms: tuple[re.Pattern[str], ...], text: str) -> float | None:
    return next((float(match.group(1)) for form in forms if (match := form.search(text))), None)


def _period(name: str, years: float) -> Finding:
    return Finding(
        "name_says_return_period", f"The name {name} looks like 1 in {years:g} years.",
        f"文件名“{name}”似乎表示{years:g}年一遇。", value=f"{years:g}",
        do_en=f"If it is, say --return-period {years:g}.", do_zh=f"若是，请加--return-period {years:g}。",
    )  # fmt: skip


def _hour(name: str, hours: float) -> Finding:
    return Finding(
        "name_says_hour", f"The name {name} looks like the state after {hours:g} hours.",
        f"文件名“{name}”似乎表示第{hours:g}小时的状态。", value=f"{hours:g}",
        do_en=f"If it is, say --hour {hours:g}.", do_zh=f"若是，请加--hour {hours:g}。",
    )  # fmt: skip

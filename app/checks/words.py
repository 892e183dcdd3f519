"""Numbers and facts of a report in words, the same on the screen and on the page."""

from __future__ import annotations

from app.checks.ages import DAYS_A_YEAR
from app.checks.report import FindingModel, LayerCheck, Measure, Need, Report
from app.texts import catalogue

DAYS_A_MONTH = DAYS_A_YEAR / 12
MAPPED = frozenset({"shelters_mapped"})
"""Measures of places that are compared with others on the map, not with what is usual."""
EXPECTED = frozenset({"buildings_on_land"})
"""Measures that may exceed what is expected: a density, not a part of a whole."""
DASH = "–"
"""Where there is nothing to tell."""


def word(key: str, lang: str, **gaps: object) -> str:
    """The words under ``check.key`` in one language, gaps filled in."""
    return catalogue(lang)[f"check.{key}"].format(**gaps)


def content(layer: LayerCheck, lang: str) -> str:
    """How much is in a layer: rows, cells, or what a map holds."""
    if layer.contents:
        return ("，" if lang == "zh" else ", ").join(held(layer, lang))
    if layer.cells is not None:
        return word("cells", lang, value=f"{layer.cells:,}")
    if layer.rows is None:
        return DASH
    return word("row" if layer.rows == 1 else "rows", lang, value=f"{layer.rows:,}")


def held(layer: LayerCheck, lang: str) -> list[str]:
    """What a map holds, each with its number."""
    space = "" if lang == "zh" else " "
    return [f"{count:,}{space}{word(f'contents.{name}', lang)}" for name, count in layer.contents.items() if count]


def covers(layer: LayerCheck, lang: str) -> str:
    """How much of the study a layer says something of, or how far off it lies."""
    if layer.distance_km:
        return word("elsewhere", lang, value=f"{layer.distance_km:,.0f}")
    return DASH if layer.covers_share is None else percent(layer.covers_share)


def percent(share: float | None) -> str:
    """A share in per cent; what is a little and not nothing says so."""
    if share is None:
        return DASH
    return "<1%" if 0 < share < 0.005 else ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def age(days: int | None, lang: str) -> str:
    """Days, months or years."""
    if days is None:
        return DASH
    if days >= 2 * DAYS_A_YEAR:
        return word("years_old", lang, value=f"{days / DAYS_A_YEAR:.0f}")
    if days >= 2 * DAYS_A_MONTH:
        return word("months_old", lang, value=f"{days / DAYS_A_MONTH:.0f}")
    return word("days_old", lang, value=str(days))


def amount(need: Need, lang: str) -> str:
    """How much there is of what a plan needs."""
    if not need.count:
        return DASH
    unit = {"km": catalogue(lang)["unit.km"], "people": catalogue(lang)["unit.people"]}.get(need.unit, "")
    return f"{need.count:,.0f} {unit}".strip()


def told(report: Report) -> list[Measure]:
    """The measures that say something: not those of nothing where nothing should be."""
    return [one for one in report.completeness if one.count or one.of != 0]


def measured(measure: Measure, lang: str) -> str:
    """How much there is of how much there should be; streets in kilometres."""
    if measure.of is None:
        return _in(measure, measure.count, lang)
    usual = (measure.unit == "places" and measure.measure not in MAPPED) or measure.measure in EXPECTED
    if usual and not measure.of:
        return _in(measure, measure.count, lang)
    key = "usual_of_these" if usual else "of_these"
    return word(key, lang, count=_in(measure, measure.count, lang), of=_in(measure, measure.of, lang))


def _in(measure: Measure, value: float, lang: str) -> str:
    return f"{value / 1000:,.0f} {catalogue(lang)['unit.km']}" if measure.unit == "m" else f"{value:,.0f}"


def number(value: float | None) -> str:
    """A number of a column: six digits at most."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def crs_code(layer: LayerCheck) -> str:
    """The coordinate system in few letters: ``EPSG:4326``, ``GCJ-02``."""
    if layer.crs is None:
        return DASH
    return layer.crs if layer.crs.startswith("EPSG:") else layer.crs_name or layer.crs


def crs(layer: LayerCheck) -> str:
    """The coordinate system by name and code."""
    if layer.crs is None:
        return DASH
    return f"{layer.crs_name} ({layer.crs})" if layer.crs.startswith("EPSG:") else crs_code(layer)


def place(finding: FindingModel, lang: str) -> str:
    """Where in the file it is: column, rows, the first value; empty when nothing is known."""
    rows = ", ".join(map(str, finding.rows)) + (" …" if finding.count > len(finding.rows) > 0 else "")
    parts = {"column_named": finding.column, "rows_named": rows, "value_named": finding.value}
    return ("；" if lang == "zh" else "; ").join(word(key, lang, value=value) for key, value in parts.items() if value)

"""How old the data is on a day: the one thing in a report that does not follow from the inputs alone."""

from __future__ import annotations

import datetime

from app.checks.findings import found_here
from app.checks.params import CheckParams
from app.checks.report import LayerCheck, Report, counted, worst_first
from data import standards

DAYS_A_YEAR = 365.25
"""Days of a year, leap years evened out."""


def aged(report: Report, today: datetime.date) -> Report:
    """The report with the age of each layer on a day; what is old is among the findings."""
    limits = CheckParams.of(standards.load())
    layers = tuple(_aged(layer, today, limits) for layer in report.layers)
    changed = report.model_copy(update={"today": today.isoformat(), "layers": layers})
    return changed.model_copy(update={"counts": counted(changed.every_finding())})


def _aged(layer: LayerCheck, today: datetime.date, limits: CheckParams) -> LayerCheck:
    days = age_days(layer.date, today)
    findings = layer.findings
    if days is not None and days > limits.old_years * DAYS_A_YEAR:
        years = f"{days / DAYS_A_YEAR:.0f}"
        old = found_here("data_old", "info", layer_id=layer.layer_id, date=str(layer.date), years=years)
        findings = worst_first((*findings, old))
    return layer.model_copy(update={"age_days": days, "findings": findings})


def age_days(date: str | None, today: datetime.date) -> int | None:
    """Days since the last day of a date that may be a year or a month only; None without one, 0 for the future."""
    if not date:
        return None
    year, month, day = (*map(int, date.split("-")), 0, 0)[:3]
    try:
        last = datetime.date(year, month, day) if day else _last_day(year, month or 12)
    except ValueError:  # a day that no calendar has
        return None
    return max((today - last).days, 0)


def _last_day(year: int, month: int) -> datetime.date:
    following = datetime.date(year + month // 12, month % 12 + 1, 1)
    return following - datetime.timedelta(days=1)

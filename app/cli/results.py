"""Runs as tables on the terminal and as JSON for other programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from app.cli.options import Language
from app.cli.screen import out, table
from app.drawings import named
from app.export import records
from app.store import Run
from app.texts import codes, words
from app.views import STATUS_ORDER
from data.study import StudyFile
from tiles import style

HEADLINE = (
    "people",
    "people_served",
    "people_unserved",
    "people_lost_access",
    "people_exposed",
    "shelters_usable",
    "walk_s_median",
)
COMMUNITIES = ("people", "people_served", "people_unserved", "people_cut_off", "shelters_usable", "walk_s_median")
SHARES = ("fire_share", "medical_share", "police_share", "supplies_share", "circle_share")
"""Shares of people by service; those that do not fit the terminal are left out from the right."""
STREET_SHARES = ("fire_street_share", "medical_street_share", "police_street_share", "supplies_street_share",
                 "shelter_street_share")  # fmt: skip
"""The same by length of street, for a study that knows no people."""
ENGINES = ("fire", "medical", "police")
CELL = 13
"""Columns of text that a share takes, its border included."""
COLOURS = {"good": style.GOOD, "watch": style.WATCH, "bad": style.BAD, "empty": style.NOBODY}


def headline_table(study: StudyFile, runs: Sequence[Run], lang: Language) -> Table:
    """One row a scenario: the city in a few numbers."""
    headings = [(words("index.scenarios").of(lang), "left"), *(_heading(column, lang) for column in HEADLINE)]
    rows = [[scenario_name(run, lang), *(_number(c, run.record.headline.get(c)) for c in HEADLINE)] for run in runs]
    return table(study_name(study, lang), headings, rows)


def print_communities(study: StudyFile, run: Run, lang: Language) -> None:
    """The communities, weakest first: their numbers, then why each stands as it does, then what to know of the run."""
    rows = sorted(records(run.table("communities")), key=_weakness)
    headings = [
        (codes("level")["community"].of(lang), "left"),
        *(_heading(column, lang) for column in COMMUNITIES),
        (words("field.status").of(lang), "left"),
    ]
    title = f"{study_name(study, lang)} · {scenario_name(run, lang)} · {run.run_id}"
    console = out()
    console.print(table(title, headings, [_community(row, lang) for row in rows]))
    for row in rows:
        console.print(_reason(row, lang), soft_wrap=True)
    if any(share in row for row in rows[:1] for share in SHARES):
        print_services(run, rows, lang)
    console.print(Text(f"\n{words('page.notes').of(lang)}", style="bold"))
    for note in run.record.notes:
        console.print(Text(f"· {note.zh if lang is Language.zh else note.en}"), soft_wrap=True)
    console.print(Text("; ".join(run.record.attribution), style="dim"), soft_wrap=True)


def print_services(run: Run, rows: Sequence[dict[str, Any]], lang: Language) -> None:
    """Who is reached in time, in per cent, in all and by community; then whom the hazard costs which service."""
    console, headline = out(), run.record.headline
    lines = [(words("table.whole").of(lang), headline), *((_name(row, lang), row) for row in rows)]
    by_street = not headline.get("people")
    told = [share for share in (STREET_SHARES if by_street else SHARES) if share in headline or share in rows[0]]
    room = console.width - max(cell_len(name) for name, _ in lines) - 4
    shown = told[: max(1, room // CELL)]
    faced = any(name.startswith("losses_") for name in run.layers)
    title = ("table.by_street" if by_street else "table.services") + ("_faced" if faced else "")
    console.print(_services_table(words(title).of(lang), lines, shown, lang, faced=faced))
    if left_out := told[len(shown) :]:
        names = ", ".join(words(f"field.{share.replace('_street', '')}").of(lang) for share in left_out)
        console.print(Text(words("table.left_out", names=names).of(lang), style="dim"), soft_wrap=True)
    for row in rows:
        for engine in ENGINES:
            if row.get(f"{engine}_people_lost"):
                console.print(_reason(row, lang, f"{engine}_reason"), soft_wrap=True)


def _services_table(
    title: str, lines: Sequence[tuple[str, Mapping[str, Any]]], shown: Sequence[str], lang: Language, *, faced: bool
) -> Table:
    """Shares by service: now, or under a hazard on a normal day and now."""
    community = codes("level")["community"].of(lang)
    headings = [
        (community, "left"),
        *((words(f"field.{share.replace('_street', '')}").of(lang), "right") for share in shown),
    ]
    cells = [
        [name, *(_percent(row.get(share), row.get(f"{share}_normal"), faced) for share in shown)] for name, row in lines
    ]
    return table(title, headings, cells)


def _percent(now: Any, normal: Any, faced: bool) -> str:
    """A share in per cent, after that of a normal day where there is a hazard; a dash where nobody lives."""
    said = [f"{value:.0%}" if _is_number(value) else "–" for value in ((normal, now) if faced else (now,))]
    return said[0] if set(said) == {"–"} else " → ".join(said).replace("% →", " →")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def run_json(run: Run, *, fresh: bool | None = None, communities: bool = False) -> dict[str, Any]:
    """A run for other programs: its record in short, and the rows of its communities when asked for."""
    record = run.record
    found: dict[str, Any] = {
        "run_id": run.run_id,
        "study_id": record.study_id,
        "scenario_id": record.scenario_id,
        "folder": str(run.folder),
        "headline": record.headline,
        "audit": record.audit,
        "notes": [note.model_dump() for note in record.notes],
        "layers": [layer.layer for layer in record.layers],
    }
    if fresh is not None:
        found["computed"] = fresh
    if communities:
        found["communities"] = records(run.table("communities"))
    return found


def study_name(study: StudyFile, lang: Language) -> str:
    """The study's name in this language, where it has one."""
    return (study.name_zh or study.name) if lang is Language.zh else study.name


def scenario_name(run: Run, lang: Language) -> str:
    """The scenario's name in this language, else its id."""
    scenario = run.record.recipe.scenario
    names = [scenario.get("name_zh"), scenario.get("name")] if lang is Language.zh else [scenario.get("name")]
    return str(next((name for name in names if name), run.record.scenario_id))


def _heading(column: str, lang: Language) -> tuple[str, str]:
    unit = f", {words('unit.min').of(lang)}" if column.startswith("walk_s") else ""
    return words(f"field.{column}").of(lang) + unit, "right"


def _weakness(row: dict[str, Any]) -> tuple[int, int, str]:
    rank = STATUS_ORDER.index(row["status"]) if row["status"] in STATUS_ORDER else len(STATUS_ORDER)
    return rank, -row["people_unserved"], row["community_id"]


def _name(row: dict[str, Any], lang: Language) -> str:
    return named(row).of(lang) or str(row["community_id"])


def _status(row: dict[str, Any], lang: Language) -> Text:
    said = codes("status").get(row["status"])
    return Text(said.of(lang) if said else row["status"], style=COLOURS.get(row["status"], ""))


def _community(row: dict[str, Any], lang: Language) -> list[object]:
    return [_name(row, lang), *(_number(column, row[column]) for column in COMMUNITIES), _status(row, lang)]


def _reason(row: dict[str, Any], lang: Language, column: str = "reason") -> Text:
    """``Kampen: 28,242 of 39,675 people are not served: …``, the name in the colour of its status."""
    return Text.assemble((f"{_name(row, lang)}: ", COLOURS.get(row["status"], "")), str(row[f"{column}_{lang.value}"]))


def _number(column: str, value: Any) -> str:
    """A count with thousands apart, seconds as minutes; a dash where nothing is known."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value / 60:.1f}" if column.startswith("walk_s") else f"{value:,.0f}"

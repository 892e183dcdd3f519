"""Runs as tables on the terminal and as JSON for other programs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from app.cli.options import Language
from app.cli.screen import out
from app.cli.tables import Column, dim, print_table
from app.export import records
from app.fields import named
from app.store import Run
from app.texts import codes, words
from app.views import STATUS_ORDER
from data.study import StudyFile
from tiles import style

HEADLINE = ("people", "people_served", "people_unserved", "people_full", "people_cut_off", "shelters_usable",
            "shelter_capacity", "walk_s_median", "clearance_s", "people_unhoused", "people_displaced", "people_exposed",
            "people_lost_access", "people_serious")  # fmt: skip
"""The city in a few numbers, the most useful first."""
COMMUNITIES = ("people", "people_served", "people_unserved", "people_full", "people_cut_off", "shelters_usable",
               "shelter_capacity", "walk_s_median", "clearance_s", "leave_by_h", "people_unhoused")  # fmt: skip
WHERE_ANY = ("people_full", "people_cut_off", "people_unhoused", "people_displaced", "people_exposed",
             "people_lost_access", "people_serious")  # fmt: skip
"""What is shown only where there are any such people."""
MINUTES = ("walk_s_median", "clearance_s")
"""Seconds that are written as minutes."""
SHARES = ("fire_share", "medical_share", "police_share", "supplies_share", "circle_share")
"""Shares of people by service."""
STREET_SHARES = ("fire_street_share", "medical_street_share", "police_street_share", "supplies_street_share",
                 "shelter_street_share")  # fmt: skip
"""The same by length of street, for a study that knows no people."""
ENGINES = ("fire", "medical", "police")
SERVICES = {"circle": "everyday"}
"""Services that a column calls otherwise."""
WEAKEST = 20
"""Communities that are shown unless all are asked for."""
COLOURS = {"good": style.GOOD, "watch": style.WATCH, "bad": style.BAD, "empty": style.NOBODY}


def print_headlines(study: StudyFile, runs: Sequence[Run], lang: Language) -> None:
    """One row a scenario: the city in a few numbers."""
    headlines = [run.record.headline for run in runs]
    told = _told(HEADLINE, headlines)
    columns = [Column(words("index.scenarios").of(lang), number=False), *(_column(name, lang) for name in told)]
    rows = [
        [scenario_name(run, lang), *(_number(name, headline.get(name)) for name in told)]
        for run, headline in zip(runs, headlines, strict=True)
    ]
    print_table(study_name(study, lang), columns, rows, lang)


def _some(value: object) -> bool:
    """Whether a number is known and above 0."""
    return isinstance(value, int | float) and value > 0


def print_communities(study: StudyFile, run: Run, lang: Language, *, every: bool = False) -> None:
    """The communities, weakest first: their numbers, then why each stands as it does, then what to know of the run.

    Of many only the weakest are shown, unless ``every`` one is asked for.
    """
    known = _told_apart(run, sorted(records(run.table("communities")), key=_weakness))
    rows = known if every else known[:WEAKEST]
    _print_numbers(f"{study_name(study, lang)} · {scenario_name(run, lang)} · {run.run_id}", rows, lang)
    if len(rows) < len(known):
        dim(words("table.weakest", shown=f"{len(rows):,}", total=f"{len(known):,}").of(lang))
    console = out()
    for row in rows:
        console.print(_reason(row, lang), soft_wrap=True)
        if isinstance(fix := row.get(f"fix_{lang.value}"), str) and fix:
            console.print(Text(f"  → {fix}", style="dim"), soft_wrap=True)
    if any(share in row for row in rows[:1] for share in SHARES):
        print_services(run, rows, lang)
    console.print(Text(f"\n{words('page.notes').of(lang)}", style="bold"))
    for note in run.record.notes:
        console.print(Text(f"· {note.zh if lang is Language.zh else note.en}"), soft_wrap=True)
    dim("; ".join(run.record.attribution))


def _told_apart(run: Run, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each of a name that several have with the unit above it as ``above``."""
    names = Counter(row.get("name") for row in rows)
    above = records(run.table("districts")) if "districts" in run.layers else []
    called = {row["community_id"]: row.get("name") for row in above}
    return [
        row | {"above": called.get(row.get("parent_id")) or row.get("parent_id")} if names[row.get("name")] > 1 else row
        for row in rows
    ]


def _print_numbers(title: str, rows: Sequence[dict[str, Any]], lang: Language) -> None:
    told = _told(COMMUNITIES, rows)
    columns = [
        Column(codes("level")["community"].of(lang), number=False),
        *(_column(name, lang) for name in told),
        Column(words("field.status").of(lang), number=False),
    ]
    cells = [[_name(row, lang), *(_number(name, row.get(name)) for name in told), _status(row, lang)] for row in rows]
    print_table(title, columns, cells, lang)


def print_services(run: Run, rows: Sequence[dict[str, Any]], lang: Language) -> None:
    """Who is reached in time, in per cent, in all and by community; then whom the hazard costs which service."""
    headline = run.record.headline
    by_street = not headline.get("people")
    asked = [share for share in (STREET_SHARES if by_street else SHARES) if share in headline or share in rows[0]]
    told = [share for share in asked if any(_is_number(headline.get(f"{share}{when}")) for when in ("", "_normal"))]
    faced = any(name.startswith("losses_") for name in run.layers)
    if told:
        title = ("table.by_street" if by_street else "table.services") + ("_faced" if faced else "")
        lines = [(words("table.whole").of(lang), headline), *((_name(row, lang), row) for row in rows)]
        _print_shares(words(title).of(lang), lines, told, lang, faced=faced)
    if unknown := [share.split("_")[0] for share in asked if share not in told]:
        names = ", ".join(codes("service")[SERVICES.get(name, name)].of(lang).lower() for name in unknown)
        dim(words("table.no_station", names=names).of(lang))
    for row in rows:
        for engine in ENGINES:
            if _is_number(lost := row.get(f"{engine}_people_lost")) and lost:
                out().print(_reason(row, lang, f"{engine}_reason"), soft_wrap=True)


def _print_shares(
    title: str, lines: Sequence[tuple[str, Mapping[str, Any]]], told: Sequence[str], lang: Language, *, faced: bool
) -> None:
    """Shares by service: now, or under a hazard on a normal day and now."""
    headings = [words(f"field.{share.replace('_street', '')}").of(lang) for share in told]
    columns = [Column(codes("level")["community"].of(lang), number=False), *map(Column, headings)]
    cells = [
        [name, *(_percent(row.get(share), row.get(f"{share}_normal"), faced) for share in told)] for name, row in lines
    ]
    print_table(title, columns, cells, lang)


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


def _told(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns to show: those that are there; of people only where somebody counted them, or there are any."""
    return [name for name in columns if any(_worth_a_column(name, row) for row in rows)]


def _worth_a_column(name: str, row: Mapping[str, Any]) -> bool:
    if name in WHERE_ANY:
        return _some(row.get(name))
    return _is_number(row.get(name)) if name.startswith(("people", "leave")) else name in row


def _column(name: str, lang: Language) -> Column:
    apart = "，" if lang is Language.zh else ", "
    unit = f"{apart}{words('unit.min').of(lang)}" if name in MINUTES else ""
    return Column(words(f"field.{name}").of(lang) + unit)


def _weakness(row: dict[str, Any]) -> tuple[int, float, str]:
    rank = STATUS_ORDER.index(row["status"]) if row["status"] in STATUS_ORDER else len(STATUS_ORDER)
    unserved = row["people_unserved"]
    return rank, -unserved if _is_number(unserved) else 0, row["community_id"]


def _name(row: dict[str, Any], lang: Language) -> str:
    name = named(row).of(lang) or str(row["community_id"])
    return f"{name} · {row['above']}" if row.get("above") else name


def _status(row: dict[str, Any], lang: Language) -> Text:
    said = codes("status").get(row["status"])
    return Text(said.of(lang) if said else row["status"], style=COLOURS.get(row["status"], ""))


def _reason(row: dict[str, Any], lang: Language, column: str = "reason") -> Text:
    """``Kampen: 28,242 of 39,675 people are not served: …``, the name in the colour of its status."""
    return Text.assemble((f"{_name(row, lang)}: ", COLOURS.get(row["status"], "")), str(row[f"{column}_{lang.value}"]))


def _number(column: str, value: Any) -> str:
    """A count with thousands apart, seconds as minutes, hours to a tenth; a dash where nothing is known."""
    if not _is_number(value):
        return "–"
    if column == "leave_by_h":
        return f"{value:.1f}"
    return f"{value / 60:.1f}" if column in MINUTES else f"{value:,.0f}"

"""docs/land.md and docs/land.zh-CN.md from the runs: a section a place."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from app.fields import named
from app.store.runs import Run
from geo.stages import STAGES
from tests.real import land_numbers, lands
from tests.real.land_numbers import COUNTED, FIRST, ZONES
from tests.real.plan_page import UNKNOWN, Words, count, scenario, share, table
from tests.real.plans import FullPlan

Numbers = Mapping[str, float]
LAND = (
    "ground_m2", *ZONES, "let_what", "lots", "regions", "reserve", "joined", "corridors", "corridors_cost", "access",
    "access_after", "people_without_access",
)  # fmt: skip
"""Rows of a place's first table, a column for each way in which it was run."""


def page(told: Sequence[FullPlan], listed: Mapping[str, Mapping[str, str]], lang: str) -> str:
    """The whole page."""
    words = Words(listed, lang)
    lines = [words("head").strip(), ""]
    lines += [f"- [{plan.about[lang]}](#{plan.name})" for plan in told]
    for plan in told:
        lines += ["", *section(plan, words)]
    return "\n".join(lines) + "\n"


def section(plan: FullPlan, words: Words) -> Iterator[str]:
    """A place: the commands, its land, what moves, who is at risk, what it shows and cannot tell."""
    lang = words.lang
    yield from (f'<a id="{plan.name}"></a>', "", f"## {plan.about[lang]}", "", "```")
    yield from (f"renxing {_short(line)}" for line in lands.commands(plan.name))
    yield from (f"renxing {shlex.join(line)}" for line in _runs(plan))
    yield from ("```", "", *_land(plan, words), *_retreat(plan, words), *_refuge(plan, words), *_stages(plan, words))
    first = next(iter(plan.runs.values()))
    values = {name: _plain(value) for name, value in land_numbers.numbers(first).items()}
    yield from ("", words("shows"), "")
    yield from (f"- {text.format(**values)}" for text in plan.about[f"said_{lang}"])
    for picture in plan.about.get("pictures", []):
        alt = picture[lang]
        yield from ("", f"![{alt}](land/{picture['file']}-{lang}.png)", "", alt)
    yield from ("", plan.about[f"data_{lang}"])


def _plain(value: float) -> str:
    return count(value) or UNKNOWN


def _short(line: str) -> str:
    return line.replace(lands.FILES + "/", "")


def _runs(plan: FullPlan) -> Iterator[list[str]]:
    for change in plan.ways:
        chosen = [word for name in plan.about["scenarios"] for word in ("--scenario", name)]
        yield ["run", plan.name, *(["--set", change] if change else []), *chosen]


# -- the land ----------------------------------------------------------------------------------------------------------


def _land(plan: FullPlan, words: Words) -> Iterator[str]:
    runs = {change: next(iter(way.runs.values())) for change, way in plan.ways.items()}
    told = {change: land_numbers.numbers(run) for change, run in runs.items()}
    heads = [words("as_is") if not change else f"`{change}`" for change in told]
    rows = ([words(name), *(_cell(name, n, words) or UNKNOWN for n in told.values())] for name in LAND)
    yield from table(["", *heads], (row for row in rows if row[0] and set(row[1:]) != {UNKNOWN}))


def _cell(name: str, n: Numbers, words: Words) -> str:
    if name in ZONES:
        return f"{count(n[name])} ({share(n[name] / n['ground_m2'])})"
    values = {key: _plain(value) for key, value in n.items()}
    match name:
        case "let_what":
            return words("let_what_cell", **values)
        case "lots":
            return words("lots_cell", **values) if "lots_let" in n else ""
        case "reserve":
            return words("reserve_cell", **values)
        case "joined":
            return words("joined_cell", **values)
        case "corridors":
            return words("corridors_cell", km=f"{n['corridor_km']:.1f}", widen=f"{n['widen_km']:.1f}")
        case "corridors_cost":
            return words("cost_cell", cost=count(n["corridors_cost"]), gap=share(n["gap"]) or UNKNOWN)
        case "access":
            return share(n["access_ok_share"])
        case "access_after":
            return share(n["access_after_share"])
    return count(n[name])


def _retreat(plan: FullPlan, words: Words) -> Iterator[str]:
    """The first that move, in each way in which the place was run."""
    for change, way in plan.ways.items():
        run = next(iter(way.runs.values()))
        rows, n = land_numbers.retreat(run), len(run.table("conflicts"))
        yield from ("", words("retreat", n=f"{n:,}", first=min(FIRST, n), way=f" (`{change}`)" if change else ""), "")
        if n:
            heads = [words(name) for name in ("order", "what", "people", "step", "why")]
            yield from table(heads, (_moved(row, words) for _, row in rows.iterrows()))


def _moved(row: pd.Series, words: Words) -> list[str]:
    lang = words.lang
    called = named(row).of(lang) or str(row["object_id"])
    return [count(row["order"]), f"{called} ({row['use']})", _plain(row["people"]), row[f"step_{lang}"],
            row[f"reason_{lang}"]]  # fmt: skip


# -- refuge and risk ---------------------------------------------------------------------------------------------------


def _refuge(plan: FullPlan, words: Words) -> Iterator[str]:
    """What can be turned into refuge in each scenario, and whom each phase takes in."""
    yield from ("", words("refuge"), "")
    heads = [words(name) for name in ("scenario", "candidates", "without", "phases", "after_all", "refuge_cost")]
    yield from table(heads, (_sited(plan, run, words) for run in plan.runs.values()))


def _sited(plan: FullPlan, run: Run, words: Words) -> list[str]:
    n = land_numbers.numbers(run)
    parts = [
        words("phase" if phase else "beyond", phase=phase, people=_plain(people))
        for phase, people in land_numbers.phases(n)
        if people > 0
    ]
    left = [_plain(n[f"people_unserved_{name}"]) for name in ("existing", "converted")]
    found = words("candidates_cell", of=count(n["candidates"]), order=count(n["proposed"]))
    return [scenario(plan, run, words), found, left[0], "; ".join(parts) or UNKNOWN, left[1], _plain(n["refuge_cost"])]


def _stages(plan: FullPlan, words: Words) -> Iterator[str]:
    yield from ("", words("stages"), "")
    heads = [words("scenario"), words("at_risk"), *(words(f"stage_{name}") for name in STAGES), words("moved")]
    lines = []
    for run in plan.runs.values():
        told = land_numbers.numbers(run)
        for what in COUNTED:
            cells = [_plain(value) for value in land_numbers.at_risk(told, what)]
            moved = _plain(told["people_moved"]) if what == "people" else ""
            lines.append([scenario(plan, run, words), words(what), *cells, moved])
    yield from table(heads, lines)

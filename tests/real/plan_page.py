"""docs/plans.md and docs/plans.zh-CN.md from the runs: a section a plan, a column a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.fields import named
from app.store.runs import Run
from app.texts import codes
from tests.real import plan_numbers
from tests.real.plan_numbers import STATUS, UNSERVED
from tests.real.plans import NEAREST, OPTIMAL, FullPlan, Way

Numbers = Mapping[str, float]
WEAKEST = 3
"""Communities whose sentence is shown."""
ALWAYS = ("people", "people_served")
"""Rows that say so where nothing is known."""
UNKNOWN = "–"
RULES = "tiers.rules="


class Words:
    """The words of the page in one language."""

    def __init__(self, listed: Mapping[str, Mapping[str, str]], lang: str) -> None:
        self.listed, self.lang = listed, lang

    def __call__(self, name: str, /, **values: object) -> str:
        return self.listed[name][self.lang].format(**values)


def page(plans: Sequence[FullPlan], listed: Mapping[str, Mapping[str, str]], lang: str) -> str:
    """The whole page."""
    words = Words(listed, lang)
    lines = [words("head").strip(), "", *_overview(plans, words)]
    for plan in plans:
        lines += ["", *section(plan, words)]
    return "\n".join(lines) + "\n"


def section(plan: FullPlan, words: Words) -> Iterator[str]:
    """A plan: what was asked, its numbers, who stands worst, what else was tried, what it took."""
    lang = words.lang
    yield from (f'<a id="{plan.name}"></a>', "", f"## {plan.about[lang]}", "", plan.about[f"asked_{lang}"], "")
    told = {name: plan_numbers.numbers(run) for name, run in plan.runs.items()}
    yield from table(["", *(scenario(plan, run, words) for run in plan.runs.values())], rows(plan, told, words))
    for part in (_too_late, _led, _best_and_nearest, _rule_sets, _otherwise, _weakest):
        yield from part(plan, told, words)
    if note := plan.about.get(f"note_{lang}"):
        yield from ("", note)
    for picture in plan.about.get("pictures", []):
        alt = picture[lang]
        yield from ("", f"![{alt}](plans/{picture['file']}-{lang}.png)", "", alt)
    yield from ("", _took(plan, words), "", plan.about[f"data_{lang}"])


def scenario(plan: FullPlan, run: Run, words: Words) -> str:
    """What a scenario is called: as the page says, by its hazard's return period and hour, else as the study does."""
    recipe, scenario_id = run.record.recipe, run.record.scenario_id
    if told := plan.about.get("scenario", {}).get(scenario_id):
        return str(told[words.lang])
    hazards = recipe.scenario.get("hazards")
    of = [layer for layer in recipe.inputs if isinstance(hazards, list) and layer["layer_id"] in hazards]
    if len(of) == 1 and of[0].get("return_period_y") and of[0].get("hours") is not None:
        return words("frame", years=of[0]["return_period_y"], hours=of[0]["hours"])
    name = (recipe.scenario.get("name_zh") if words.lang == "zh" else None) or recipe.scenario.get("name")
    return words("normal") if scenario_id == "normal" else str(name or scenario_id)


# -- the numbers -------------------------------------------------------------------------------------------------------


def rows(plan: FullPlan, told: Mapping[str, Numbers], words: Words) -> Iterator[list[str]]:
    """The rows of a plan's table, a cell for each scenario; what no scenario has is left out."""
    for name in _NAMES:
        cells = [cell(name, numbers, words) for numbers in told.values()]
        if name in ALWAYS or any(cells):
            yield [_label(name, words), *(text or UNKNOWN for text in cells)]
    weak = [_critical(run, words) for run in plan.runs.values()]
    if any(weak):
        yield [words("critical"), *(text or UNKNOWN for text in weak)]


def _label(name: str, words: Words) -> str:
    if name.startswith("state_"):
        return f"· {codes('state')[name.removeprefix('state_')].of(words.lang).lower()}"
    return words(name)


_NAMES = (
    "people", "people_served", "people_unserved", *(f"state_{state}" for state in UNSERVED), "shelter_street_share",
    "shelters_usable", "not_usable", "shelter_capacity", "shelters_unknown_room", "shelters_full", "unknown_room",
    "people_displaced", "stay_room", "people_housed", "walk_min", "clearance_min", "waiting_person_h", "two_share",
    "communities",
)  # fmt: skip
"""The rows of a plan's table."""


def cell(name: str, numbers: Numbers, words: Words) -> str:
    """A measure as it is written; nothing where it is not known or nobody is concerned."""
    n = numbers
    if name.startswith("state_"):
        return some(n[name.removeprefix("state_")])
    match name:
        case "people_served" | "people_unserved":
            return part(n[name], n["people"])
        case "shelter_street_share":
            return "" if n["people"] > 0 else share(n[name])
        case "two_share":
            return share(n[name])
        case "shelters_usable":
            return f"{count(n[name])} / {count(n['shelters'])}"
        case "not_usable":
            return _why_not(n, words)
        case "unknown_room":
            return _unknown_room(n, words)
        case "people_displaced" | "shelters_full" | "shelters_unknown_room" | "waiting_person_h":
            return some(n[name])
        case "people_housed" | "stay_room":
            return count(n[name]) if some(n["people_displaced"]) else ""
        case "walk_min":
            return " / ".join(filter(None, (minutes(n["walk_s_median"]), minutes(n["walk_s_p95"]))))
        case "clearance_min":
            return minutes(n["clearance_s"])
        case "communities":
            return " / ".join(count(n[f"communities_{status}"]) for status in STATUS)
    return count(n[name])


def count(value: float) -> str:
    """A whole number with thousands apart; nothing where it is not known."""
    return "" if np.isnan(value) else f"{value:,.0f}"


def some(value: float) -> str:
    """The same, nothing where there is none."""
    return count(value) if value else ""


def share(value: float) -> str:
    """A share in per cent."""
    return "" if np.isnan(value) else f"{value:.1%}"


def minutes(seconds: float) -> str:
    """Seconds as minutes."""
    return "" if np.isnan(seconds) else f"{seconds / 60:.1f}"


def part(people: float, whole: float) -> str:
    """A number and its share of the whole."""
    return count(people) if np.isnan(people) or not whole > 0 else f"{people:,.0f} ({people / whole:.1%})"


def _why_not(numbers: Numbers, words: Words) -> str:
    found = {name.removeprefix("not_usable_"): n for name, n in numbers.items() if name.startswith("not_usable_")}
    return words("and").join(f"{words(f'why_{code}')} {count(n)}" for code, n in sorted(found.items()))


def _unknown_room(numbers: Numbers, words: Words) -> str:
    people, sites = numbers["people_in_unknown_room"], numbers["shelters_unknown_room"]
    return words("unknown_room_cell", people=count(people), sites=count(sites)) if people else ""


def _critical(run: Run, words: Words) -> str:
    row = plan_numbers.critical(run)
    if not row or run.record.recipe.study.get("streets") == "lattice":
        return ""  # No street is where a made lattice has a line.
    name = named(pd.Series(row)).of(words.lang) or words("no_name")
    lost, cost = count(float(row["people_lost"])), count(float(row["people_minutes"]))
    return words("critical_cell", name=name, lost=lost, minutes=cost)


def table(head: Sequence[str], lines: Any) -> Iterator[str]:
    """A table in Markdown."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)


# -- what else was asked -----------------------------------------------------------------------------------------------


def _too_late(plan: FullPlan, told: Mapping[str, Numbers], words: Words) -> Iterator[str]:
    """As the water rises: until when each community can be left, and how much of it is too late at which hour."""
    found = {name: plan_numbers.too_late(run) for name, run in plan.runs.items()}
    late = next((table for name, table in reversed(found.items()) if len(table)), None)
    if late is None:
        return
    of_people = any(name.startswith("people_") for name in late)
    yield from ("", words("too_late_people" if of_people else "too_late_streets"), "")
    names = [name for name in late if name != "leave_by_h"]
    hours = [words("hour", hour=name.rsplit("_", 1)[1].removesuffix("h")) for name in names]
    unit = 1.0 if of_people else 1000.0
    body = (
        [str(name), _hour(row["leave_by_h"], words),
         *(f"{row[each] / unit:,.{0 if of_people else 1}f}" for each in names)]
        for name, row in late.iterrows()
    )  # fmt: skip
    yield from table([words("community"), words("leave_by"), *hours], body)


def _hour(hour: float, words: Words) -> str:
    if np.isnan(hour):
        return UNKNOWN
    return f"{hour:.1f}" if hour >= 0 else words("before")


def _led(plan: FullPlan, told: Mapping[str, Numbers], words: Words) -> Iterator[str]:
    """What each run itself says of the best assignment beside nearest-first."""
    said = [
        f"- {scenario(plan, run, words)}: {note.zh if words.lang == 'zh' else note.en}"
        for run in plan.runs.values() for note in run.record.notes if note.code == "led"
    ]  # fmt: skip
    if said:
        yield from ("", words("led"), "", *said)


def _best_and_nearest(plan: FullPlan, told: Mapping[str, Numbers], words: Words) -> Iterator[str]:
    """The best assignment beside nearest-first."""
    if NEAREST not in plan.ways:
        return
    yield from ("", words("nearest"), "")
    heads = [words(name) for name in ("scenario", "nearest_served", "best_served", "more_served", "saved", "each")]
    lines = []
    for name, run in plan.ways[NEAREST].runs.items():
        c = plan_numbers.compared(told[name], plan_numbers.numbers(run))
        each = f"{c['nearest_min']:.2f} → {c['best_min']:.2f}"
        lines.append([scenario(plan, run, words), count(c["nearest_served"]), count(c["best_served"]),
                      f"{c['more_served']:+,.0f}", f"{c['saved_person_min']:+,.0f}", each])  # fmt: skip
    yield from table(heads, lines)


def _rule_sets(plan: FullPlan, told: Mapping[str, Numbers], words: Words) -> Iterator[str]:
    """The plan under each rule set."""
    ways = {name: way for name, way in plan.ways.items() if name.startswith(RULES)}
    if not ways:
        return
    first = str(next(iter(plan.runs.values())).record.recipe.parameters["tiers"]["rules"])  # type: ignore[index,call-overload]
    yield from ("", words("rules"), "")
    of = {first: plan.ways[OPTIMAL], **{name.removeprefix(RULES): way for name, way in ways.items()}}
    yield from _beside(plan, of, words)


def _otherwise(plan: FullPlan, told: Mapping[str, Numbers], words: Words) -> Iterator[str]:
    """The plan with any other parameter set."""
    ways = {name: way for name, way in plan.ways.items() if name not in (OPTIMAL, NEAREST) and RULES not in name}
    if ways:
        yield from ("", words("otherwise"), "")
        yield from _beside(plan, {f"`{name}`": way for name, way in ways.items()}, words)


_BESIDE = ("shelter_capacity", "shelters_usable", "people_served", "shelter_street_share", "unknown_room",
           "people_housed", "walk_min")  # fmt: skip
"""What a plan is compared by; what no scenario has is left out."""


def _beside(plan: FullPlan, ways: Mapping[str, Way], words: Words) -> Iterator[str]:
    runs = [(said, run, plan_numbers.numbers(run)) for said, way in ways.items() for run in way.runs.values()]
    names = [name for name in _BESIDE if any(cell(name, numbers, words) for _, _, numbers in runs)]
    yield from table(
        [words("set"), words("scenario"), *map(words, names)],
        ([said, scenario(plan, run, words), *(cell(name, numbers, words) or UNKNOWN for name in names)]
         for said, run, numbers in runs),
    )  # fmt: skip


def _weakest(plan: FullPlan, told: Mapping[str, Numbers], words: Words) -> Iterator[str]:
    """The communities that stand worst in the last scenario, in the plan's own words, and what would help most."""
    run = list(plan.runs.values())[-1]
    found = plan_numbers.weakest(run, WEAKEST)
    if found.empty:
        return
    yield from ("", words("weakest", scenario=scenario(plan, run, words)), "")
    for _, row in found.iterrows():
        name = named(row).of(words.lang) or row["community_id"]
        name = f"{name} ({row['above']})" if isinstance(row["above"], str) else name
        fix = row.get(f"fix_{words.lang}")
        yield f"- **{name}**: {row[f'reason_{words.lang}']}" + (f" → {fix}" if isinstance(fix, str) and fix else "")


def _took(plan: FullPlan, words: Words) -> str:
    way = plan.ways[OPTIMAL]
    took = words(
        "took", runs=len(way.runs), wall=f"{way.wall_s:.0f}", s=f"{way.processor_s:.0f}", gb=f"{way.memory_gb:.1f}"
    )
    bad = [run.run_id for each in plan.ways.values() for run in each.runs.values() if not all_ok(run)]
    return took + (words("audit_bad", runs=", ".join(bad)) if bad else words("audit_ok"))


def all_ok(run: Run) -> bool:
    """Whether nobody was lost or counted twice."""
    return all(check["ok"] for check in run.record.audit)


# -- all plans at once -------------------------------------------------------------------------------------------------

_OVERVIEW = ("people", "people_served", "shelter_street_share", "shelters_usable", "communities", "clearance_min")
"""What the table of all plans says of each scenario."""


def _overview(plans: Sequence[FullPlan], words: Words) -> Iterator[str]:
    heads = [words("plan"), words("scenario"), *map(words, _OVERVIEW), words("seconds"), words("memory")]
    yield from table(heads, (line for plan in plans for line in _overview_lines(plan, words)))


def _overview_lines(plan: FullPlan, words: Words) -> Iterator[list[str]]:
    link, took = f"[{plan.about[words.lang]}](#{plan.name})", plan.ways[OPTIMAL]
    use = [f"{took.processor_s:.0f}", f"{took.memory_gb:.1f}"]
    for run in plan.runs.values():
        numbers = plan_numbers.numbers(run)
        yield [link, scenario(plan, run, words), *(cell(name, numbers, words) or UNKNOWN for name in _OVERVIEW), *use]
        link, use = "", ["", ""]

"""Answers on the terminal: the way from a point, what changes, what hangs on thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from app.cli.options import Language
from app.cli.screen import out
from app.cli.tables import Column, dim, print_table
from app.export.values import records
from app.fields import named
from app.texts import codes, words
from geo.sensitivity import Sensitivity
from geo.what_if import Changes

GROUPS = ("elderly", "stroller", "wheelchair")
NUMBERS = (
    *("people", "people_served", "people_unserved", "people_cut_off"),
    *("shelters_usable", "shelter_capacity", "walk_s_median", "walk_s_p95"),
)
"""What is told of the city before and after."""
COMMUNITIES = ("people", "people_served", "people_unserved", "people_cut_off")
"""What is told of a community that changed."""
MOST = 20
"""Communities that are shown."""


def print_route(answer: Mapping[str, Any], credits: Sequence[str], lang: Language) -> None:
    """The sentence, the ways as a table, and the main way turn by turn."""
    console = out()
    console.print(Text(answer[f"said_{lang.value}"], style="bold"), soft_wrap=True)
    if answer["shelter"] and answer["shelter"]["room_left"] is not None:
        console.print(Text(words("ask.room_left", n=f"{answer['shelter']['room_left']:,}").of(lang)))
    if answer["ways"]:
        names = ("way", "metres", "minutes", *GROUPS)
        columns = [Column(words(f"ask.{name}").of(lang), number=name != "way") for name in names]
        print_table(words("ask.ways").of(lang), columns, [_way(way, lang) for way in answer["ways"]], lang)
        for number, step in enumerate(answer["ways"][0][f"steps_{lang.value}"], 1):
            console.print(Text(f"{number:3d}. {step}"), soft_wrap=True)
    dim("; ".join(credits))


def _way(way: Mapping[str, Any], lang: Language) -> list[str]:
    times = (way["takes_s"], *(way[f"{group}_s"] for group in GROUPS))
    role = words(f"ask.role.{way['role']}").of(lang)
    return [role, f"{way['length_m']:,.0f}", *(_number("walk_s", value) for value in times)]


def print_changes(changes: Changes, credits: Sequence[str], lang: Language) -> None:
    """The city before and after, then the communities that changed and why they stand as they do."""
    columns = [Column(words(f"ask.{name}").of(lang), number=name != "number")
               for name in ("number", "before", "after", "difference")]  # fmt: skip
    rows = [[_heading(name, lang), *_compared(name, changes)] for name in NUMBERS]
    print_table(words("ask.changes").of(lang), columns, rows, lang)
    units = records(changes.layers["communities"])
    if units:
        _print_communities(units, lang)
    counted = {name: len(table) for name, table in changes.layers.items()}
    dim(words("ask.counted", **{name: f"{n:,}" for name, n in counted.items()}).of(lang))
    dim("; ".join(credits))


def _print_communities(units: Sequence[dict[str, Any]], lang: Language) -> None:
    shown = sorted(units, key=lambda row: (-row["people_unserved"], row["community_id"]))[:MOST]
    columns = [Column(codes("level")["community"].of(lang), number=False),
               *(Column(words(f"field.{name}").of(lang)) for name in COMMUNITIES)]  # fmt: skip
    called = [named(row).of(lang) or str(row["community_id"]) for row in shown]
    cells = [[name, *(_number(c, row[c]) for c in COMMUNITIES)] for name, row in zip(called, shown, strict=True)]
    print_table(words("ask.communities", shown=len(shown), total=len(units)).of(lang), columns, cells, lang)
    for name, row in zip(called, shown, strict=True):
        out().print(Text(f"{name}: {row[f'reason_{lang.value}']}"), soft_wrap=True)


def _heading(name: str, lang: Language) -> str:
    unit = f" ({words('unit.min').of(lang)})" if name.startswith("walk_s") else ""
    return words(f"field.{name}").of(lang) + unit


def _compared(name: str, changes: Changes) -> list[str]:
    before, after = changes.before[name], changes.after[name]
    more = after - before
    sign = "+" if more > 0 else ""
    return [_number(name, before), _number(name, after), f"{sign}{_number(name, more)}"]


def print_moved(found: Sensitivity, credits: Sequence[str], lang: Language) -> None:
    """One row a threshold moved by one step."""
    headings = ("threshold", "served", "difference", "communities_changed")
    columns = [Column(words(f"ask.{name}").of(lang), number=name != "threshold") for name in headings]
    rows = [
        [row[f"label_{lang.value}"], f"{row['people_served']:,}", f"{row['people_served_change']:+,}",
         f"{row['communities_changed']:,}"]
        for row in found.table.to_dict("records")
    ]  # fmt: skip
    print_table(words("ask.moved", n=f"{found.people_served:,}").of(lang), columns, rows, lang)
    dim("; ".join(credits))


def _number(name: str, value: float | None) -> str:
    """A count with thousands apart, seconds as minutes; a dash where nothing is known."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value / 60:.1f}" if name.startswith("walk_s") else f"{value:,.0f}"

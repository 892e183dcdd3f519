"""A site check on the terminal: the verdict in plain words, what it is for, and rules as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
from rich.text import Text

from app.cli.options import Language
from app.cli.screen import out as screen
from app.cli.tables import Column, dim, print_table
from app.planned import Planned
from app.sites import Asked, Many
from app.texts import codes, words
from geo.site_check import MET, STANDINGS
from geo.standards import cited

SHOWN = 20
"""Lots of a file that are listed."""
NAME_MAX = 30
"""Letters of a name in the table."""


def print_checked(told: Mapping[str, Any], asked: Asked, credits: Sequence[str], lang: Language) -> None:
    """The verdict, the sentence, what is planned and where, then the rules that are broken, touched or kept."""
    console = screen()
    console.print(Text(told[f"verdict_{lang.value}"], style="bold"), soft_wrap=True)
    console.print(Text(told[f"said_{lang.value}"]), soft_wrap=True)
    for key, value in _facts(told, asked.what, lang):
        colon = "：" if lang.value == "zh" else ": "
        console.print(Text(f"{words(f'site.{key}').of(lang)}{colon}{value}"), soft_wrap=True)
    columns = [Column(words(f"site.{name}").of(lang), number=name in ("away", "required"))
               for name in ("rule", "stands", "nearest", "away", "required", "by")]  # fmt: skip
    rows = [_rule(row, lang) for row in told["rules"] if row["standing"] in MET]
    count = Counter(row["standing"] for row in told["rules"])
    title = words("site.rules", **{standing: count[standing] for standing in STANDINGS}).of(lang)
    print_table(title, columns, rows, lang)
    dim("; ".join(credits))


def _facts(told: Mapping[str, Any], what: Planned, lang: Language) -> list[tuple[str, str]]:
    ground = told["ground"]
    named = ground["community_name_zh" if lang.value == "zh" else "community_name"]
    unknown = f"{ground['unknown_share']:.0%}"
    level = "–" if ground["level"] is None else f"{ground['level']:g}"
    facts = [("planned", _planned(what, lang)), ("where", named or "–"), ("level", level)]
    return [*facts, *([("unknown", unknown)] if ground["unknown_share"] else [])]


def _planned(what: Planned, lang: Language) -> str:
    """``Hospital, Class B, 300 beds``."""
    parts = [(what.called or words("site.ordinary")).of(lang)]
    if what.building_class:
        parts.append(codes("building_class")[what.building_class].of(lang))
    for key, value in (("people", what.people), ("beds", what.beds), ("height", what.height_m)):
        if value is not None:
            parts.append(words(f"site.{key}", n=f"{value:,g}").of(lang))
    return ("，" if lang.value == "zh" else ", ").join(parts)


def _rule(row: Mapping[str, Any], lang: Language) -> list[str]:
    standing = words(f"site.standing.{row['standing']}").of(lang)
    metres = ["–" if row[name] is None else f"{row[name]:,.0f}" for name in ("distance_m", "required_m")]
    nearest = row[f"source_name_{lang.value}"] or row["source_id"] or "–"
    en, zh = cited(row["standard"], row["clause"], row["grade"])
    return [row[lang.value], standing, nearest[:NAME_MAX], *metres, zh if lang.value == "zh" else en]


def print_many(
    many: Many, table: gpd.GeoDataFrame, credits: Sequence[str], lang: Language, *, out: Path | None
) -> None:
    """How many lots of each verdict there are, and the first of them."""
    count = many.counts
    title = words("site.bulk", n=len(table), let=count["let"], avoid=count["avoid"], prevent=count["prevent"],
                  free=count["none"], refused=count["refused"]).of(lang)  # fmt: skip
    columns = [Column("#", number=False), Column(words("site.verdict").of(lang), number=False),
               Column(words("site.by").of(lang), number=False)]  # fmt: skip
    print_table(title, columns, [_lot(row, number, lang) for number, row in _first(table)], lang)
    if out is not None:
        dim(words("site.written", file=str(out)).of(lang))
    dim("; ".join(credits))


def _first(table: gpd.GeoDataFrame) -> list[tuple[int, dict[Any, Any]]]:
    shown = table.head(SHOWN)
    return [(int(at) + 1, row) for at, row in zip(shown.index, shown.to_dict("records"), strict=True)]


def _lot(row: Mapping[Any, Any], number: int, lang: Language) -> list[str]:
    verdict = row["verdict"]
    if verdict is None:
        return [str(number), "–", str(row[f"problem_{lang.value}"])]
    return [str(number), codes("zone")[verdict].of(lang), str(row[f"reason_{lang.value}"])]

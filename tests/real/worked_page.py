"""docs/worked-example.md and its Chinese: one community from rule to verdict, with how to measure each number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tests.real.plan_page import UNKNOWN, Words, share, table

Facts = Mapping[str, Any]
MEANING = {"let": "让", "prevent": "防", "avoid": "避", "none": "–"}
HEADS = ("rule", "source", "distance", "required", "share")


def page(facts: Facts, listed: Mapping[str, Mapping[str, str]], lang: str) -> str:
    """The whole page."""
    words = Words(listed, lang)
    unit = facts["community"]
    parts = (_things, _free, _spot, _regions, _access, _order, _measured)
    lines = [words("head", name=unit["name"], people=f"{unit['people']:,}", crs=facts["crs"]).strip()]
    for part in parts:
        lines += ["", *part(facts, words)]
    return "\n".join(lines) + "\n"


# -- verdicts ----------------------------------------------------------------------------------------------------------


def _things(facts: Facts, words: Words) -> Iterator[str]:
    """What stands there, with the rules that hold for it; the last keeps them all."""
    yield from (words("verdicts").strip(), "")
    for number, thing in enumerate(facts["things"], 1):
        values = {"number": number, "id": thing["object_id"], "use": thing["use"], "class_": thing["class"] or UNKNOWN,
                  "m2": f"{thing['area_m2']:,.1f}", "verdict": MEANING[thing["verdict"]],
                  "code": thing["verdict"]}  # fmt: skip
        yield from (words("thing", **values), "", f"> {thing[f'reason_{words.lang}']}", "")
        yield from _rules(thing["hits"], facts, words)


def _rules(hits: list[Facts], facts: Facts, words: Words) -> Iterator[str]:
    """Each rule as it is written, and what was measured for it."""
    if not hits:
        return
    yield from table([words(name) for name in HEADS], (_hit(hit) for hit in hits))
    yield ""
    yield from ("```toml", "\n\n".join(facts["rules"][hit["rule_id"]] for hit in hits), "```", "")


def _hit(hit: Facts) -> list[str]:
    return [f"`{hit['rule_id']}`", f"`{hit['source_id']}`", _metres(hit["distance_m"]), f"{hit['required_m']:g}",
            share(hit["share"])]  # fmt: skip


def _metres(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.2f}"


def _free(facts: Facts, words: Words) -> Iterator[str]:
    yield from (words("kept").strip(), "")
    rows = ([f"{row[words.lang]} (`{row['rule_id']}`)", f"`{row['source_id']}`", _metres(row["distance_m"]),
             f"{row['required_m']:g}"] for row in facts["kept"])  # fmt: skip
    yield from table([words(name) for name in HEADS[:4]], rows)


def _spot(facts: Facts, words: Words) -> Iterator[str]:
    """The same spot, asked for two plans."""
    spot = facts["spot"]
    yield from (words("spot", lon=spot["lon"], lat=spot["lat"]).strip(), "")
    for asked in spot["asked"]:
        yield from ("```", f"renxing check-site {facts['study']} --at {spot['lon']},{spot['lat']} "
                    + " ".join(asked["words"]), "```", "", f"> {asked[f'reason_{words.lang}']}", "")  # fmt: skip
        yield from _rules(asked["hits"], facts, words)


# -- reserve -----------------------------------------------------------------------------------------------------------


def _regions(facts: Facts, words: Words) -> Iterator[str]:
    """The regions of the community, the sums, and the lots of one of them."""
    unit, asked = facts["community"], facts["params"]
    yield from (words("regions", share=share(asked["share"]), open_share=share(asked["open_share"]),
                      each=f"{asked['m2_per_person']:g}").strip(), "")  # fmt: skip
    heads = [words(name) for name in ("region", "kind", "land", "people", "by_share", "by_people", "need", "found",
                                      "short", "here")]  # fmt: skip
    yield from table(heads, (_region(region, asked) for region in facts["regions"]))
    sums = {name: f"{unit[f'reserve_{name}_m2']:,}" for name in ("required", "found", "short")}
    yield from ("", words("dealt", name=unit["name"], **sums), "")
    lots = facts["lots"]
    name = next(row["name"] for row in facts["regions"] if row["region_id"] == facts["region"])
    yield from (words("lots", name=name, n=len(lots), sum=f"{sum(lot['taken_m2'] for lot in lots):,}"), "")
    rows = ([f"`{lot['candidate_id']}`", f"`{lot['source_id']}`", lot["kind"], f"{lot['usable_m2']:,}",
             f"{lot['taken_m2']:,}"] for lot in lots)  # fmt: skip
    yield from table([words(name) for name in ("lot", "source", "kind", "usable", "taken")], rows)


def by_share(region: Facts, asked: Facts) -> float:
    """Square metres asked by the land of a region."""
    is_open = region["kind"] in ("farmland", "green", "park", "water")
    return float(region["land_m2"] * asked["open_share" if is_open else "share"])


def _region(region: Facts, asked: Facts) -> list[str]:
    person = region["people"] * asked["m2_per_person"]
    metres = (math.ceil(round(by_share(region, asked), 3)), person, region["reserve_required_m2"],
              region["reserve_found_m2"], region["reserve_short_m2"])  # fmt: skip
    return [f"{region['name']} (`{region['region_id']}`)", region["kind"], f"{region['land_m2']:,.0f}",
            f"{region['people']:,}", *(f"{value:,.0f}" for value in metres),
            share(region["here_m2"] / region["dealt_m2"])]  # fmt: skip


# -- access and refuge -------------------------------------------------------------------------------------------------


def _access(facts: Facts, words: Words) -> Iterator[str]:
    found = facts["access"]
    values = {name: f"{value:.2f}" for name, value in found.items() if isinstance(value, float)}
    thrown = found["height_m"] * found["factor"]
    lost = max(found["left_m"], found["right_m"])
    yield words("access", **{**found, **values}, thrown=f"{thrown:.2f}", lost=f"{lost:.2f}",
                half=f"{found['width_m'] / 2:.2f}").strip()  # fmt: skip
    yield from ("", f"> {found[f'reason_{words.lang}']}")


def _order(facts: Facts, words: Words) -> Iterator[str]:
    yield from (words("order").strip(), "")
    heads = [words(name) for name in ("place", "candidate", "usable", "room", "alone", "gain", "so_far", "cost")]
    rows = ([f"{row['order']:.0f}", f"{row['name'] or row['candidate_id']} (`{row['candidate_id']}`)",
             f"{row['usable_m2']:,.1f}",
             *(f"{row[name]:,.0f}" for name in ("capacity_people", "gain_alone_people", "gain_people",
                                                "cumulative_people", "cost"))] for row in facts["order"])  # fmt: skip
    yield from table(heads, rows)
    yield from ("", *(f"> {row[f'reason_{words.lang}']}" + "\n" for row in facts["order"]))


def _measured(facts: Facts, words: Words) -> Iterator[str]:
    yield words("measure", crs=facts["crs"]).strip()

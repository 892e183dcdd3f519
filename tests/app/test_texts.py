"""The two catalogues: equal keys, equal gaps to fill, and words for every code that can come out."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from app.drawings import SERVICES
from app.run import COMBINED
from app.texts import catalogue, codes, section, words
from data import hazards
from data import words as given_words
from data.osm import kinds
from geo import (
    access,
    access_words,
    conversion_words,
    depots,
    evacuation,
    reasons,
    regions,
    rules,
    services,
    site_check,
    slowing,
    tiers,
    uses,
    what_if,
    zoning,
)
from tests.source import ROOT
from tiles.text import LANGUAGES, Text

ZH, EN = (catalogue(lang) for lang in LANGUAGES)


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_catalogues_have_the_same_keys() -> None:
    assert list(ZH) == list(EN)


def test_the_same_gaps_are_filled_in_both() -> None:
    assert [key for key in ZH if gaps(ZH[key]) != gaps(EN[key])] == []


METHOD = re.compile("[让防避]")
"""The method's own names, which stand beside their gloss in English too: "avoid" alone reads as its opposite."""


def test_nothing_is_left_empty_and_chinese_is_chinese() -> None:
    assert [key for key in ZH if not ZH[key].strip() or not EN[key].strip()] == []
    assert [key for key in ZH if not re.search("[\u4e00-\u9fff]", ZH[key])] == []
    assert [key for key in EN if re.search("[\u4e00-\u9fff]", METHOD.sub("", EN[key]))] == []


def kinds_of(rules: kinds.Rules) -> set[str]:
    return {kind for values in rules.values() for kind in values.values()}


def street_reasons() -> set[str]:
    """Why a street can be closed: by a hazard, by what is said of it (as documented there), by its ground."""
    said = re.findall(r"``(\w+)``", (access.closed.__doc__ or "").split("Reasons:")[1])
    return {*slowing.REASONS.values(), *said, "surface", "too_steep", "steps"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("state", set(evacuation.STATES)),
        ("status", {"good", "watch", "bad", "empty"}),
        ("street_reason", street_reasons()),
        ("category", set(services.CATEGORIES)),
        ("service", {*SERVICES, "everyday"}),
        ("cause", {"closed", "slowed"}),
        ("hazard", {*slowing.UNITS, *hazards.KINDS, COMBINED}),
        ("capacity_basis", {"declared", "floor", "open", "both", "limit", "none", "unknown"}),
        ("tier", set(tiers.TIERS)),
        ("tier_basis", {"declared", "site", "kind"}),
        ("shelter_state", {"open", "closed", "damaged"}),
        ("substitute", {"yes", "no"}),
        ("stay", {"nights", "refuge"}),
        ("depot_tier", set(depots.TIERS)),
        ("zone", set(zoning.VERDICTS)),
        ("use", set(given_words.known("use")) - codes("kind").keys()),
        ("building_class", set(uses.CLASSES.values())),
        ("source_layer", set(rules.NAMES)),
        ("source_kind", {*given_words.known("source"), "toe", "top"} - codes("kind").keys()),
        ("object", {"building", "facility", "shelter"}),
        ("ground_kind", {*regions.KINDS, regions.UNKNOWN}),
        ("indoor", {"indoor", "outdoor", "both"}),
        ("lacking", set(conversion_words.NEEDS)),
        ("access", {*access_words.ORDINARY, *access_words.AFTER}),
        (
            "kind",
            kinds_of(kinds.FACILITIES) | kinds_of(kinds.OPEN_SPACES) | kinds_of(kinds.REFUGE_TAGS) | {what_if.KIND},
        ),
    ],
)
def test_every_code_that_can_come_out_has_words(name: str, wanted: set[str]) -> None:
    assert wanted - codes(name).keys() == set()


def test_every_verdict_and_standing_has_its_words() -> None:
    assert section("site.gloss", "en").keys() == set(zoning.VERDICTS)
    assert section("site.standing", "en").keys() == set(site_check.STANDINGS)
    for zone in zoning.ZONES:
        sign = zoning.SAID[zone][1]
        assert all(catalogue(lang)[f"{where}.{zone}"].startswith(sign)
                   for lang in LANGUAGES for where in ("site.gloss", "code.zone", "group"))  # fmt: skip


def test_words_in_both_languages() -> None:
    assert words("layer.shelters") == Text("避难场所", "Shelters")
    assert words("page.people", value=3) == Text("3 人", "3 people")
    assert section("unit", "zh")["people"] == "人"


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="no such key"):
        words("layer.no such key")
    with pytest.raises(KeyError, match="no catalogue for 'fr'"):
        catalogue("fr")


def test_reasons_are_sentences_in_both_languages() -> None:
    """The sentences of geo go onto the page as they are: none may be one language only."""
    assert all(en and re.search("[\u4e00-\u9fff]", zh) for en, zh in reasons.SHELTER_REASONS.values())


def test_every_word_of_a_page_is_used() -> None:
    """Keys of ``page`` are asked for by the page's scripts or by Python: none is left over, none is lacking."""
    maps = ROOT / "app" / "maps"
    scripts = "".join(file.read_text(encoding="utf-8") for file in (maps / "static").glob("*.js"))
    python = "".join(file.read_text(encoding="utf-8") for file in maps.glob("*.py"))
    asked = set(re.findall(r"\bR\.t\((?:yes \? )?\"(\w+)\"", scripts)) | set(re.findall(r"make\(\"(\w+)\"", scripts))
    asked |= set(re.findall(r"words\[\"(?:page\.)?(\w+)\"\]", python)) | set(re.findall(r"\['?page\.(\w+)'?\]", python))
    assert section("page", "en").keys() ^ (asked | {"no"}) == set()

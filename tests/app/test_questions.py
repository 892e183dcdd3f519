"""The commands that ask: route, what-if, sensitivity, on the drawn town."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.command_line import Renxing
from tests.app.test_asking import degrees


@pytest.fixture
def ask(renxing: Renxing, housed: Path) -> Renxing:
    """The command line on the town that is made once."""
    return renxing.beside(housed)


def test_the_way_is_told_step_by_step(ask: Renxing) -> None:
    lon, lat = degrees(400, 10)
    said = ask("route", "town", f"{lon},{lat}", "--lang", "en")
    assert said.code == 0, said.err
    assert "The nearest safe shelter with room is Hall" in said.out
    assert "1. Go east along Main Street, 160 m." in said.out
    told = ask("route", "town", f"{lon},{lat}", "--profile", "wheelchair", "--json").json
    assert (told["profile"], told["ways"][0]["steps_zh"][0]) == ("wheelchair", "沿Main Street向东步行160米。")


def test_no_way_is_exit_code_3_and_nonsense_is_1(ask: Renxing) -> None:
    lon, lat = degrees(120, 10)
    said = ask("route", "town", f"{lon},{lat}", "--scenario", "flood", "--lang", "zh")
    assert (said.code, "已中断" in said.out) == (3, True)
    for point in ("5", "nan,nan", "-73.9,40.7"):
        assert ask("route", "town", point).code == 1
    assert "5.0 km outside" in ask("route", "town", ",".join(map(repr, degrees(5600, 100)))).err


def test_what_if_shows_before_and_after(ask: Renxing) -> None:
    before = ask.files()
    lon, lat = degrees(470, 212)
    asked = ("what-if", "town", "--scenario", "flood", "--add", f"{lon},{lat},30,[red]Tent[/red]")
    said = ask(*asked, "--lang", "en")
    assert said.code == 0, said.err
    assert "Before" in said.out and "Find a shelter" in said.out
    told = ask(*asked, "--close", "w4-0", "--json").json
    tent = next(f["properties"] for f in told["layers"]["shelters"]["features"] if f["id"] == "new-1")
    assert tent["name"] == "[red]Tent[/red]"
    assert told["after"]["shelters_usable"] == told["before"]["shelters_usable"] + 1
    assert ask.files() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--add", "5,52"), "--add: expected LON,LAT,ROOM[,NAME]"),
        (("--room", "hall"), "--room: expected ID=N"),
        (("--room", "hall=many"), "--room: expected a number"),
        (("--remove", "nothing"), "expected a shelter of the study"),
        (("--close", "w9-9"), "expected a street of the study"),
        (("--against", "drought"), "expected a scenario of the study"),
    ],
)
def test_edits_that_do_not_fit_are_refused(ask: Renxing, words: tuple[str, ...], told: str) -> None:
    said = ask("what-if", "town", *words, "--lang", "en")
    assert said.code == 1
    assert told in said.err


def test_sensitivity_lists_every_threshold(ask: Renxing) -> None:
    said = ask("sensitivity", "town", "--scenario", "flood", "--lang", "zh")
    assert said.code == 0, said.err
    assert "步行速度+10%" in said.out and "水深+0.1米" in said.out

"""What the terminal shows of runs: who is served and who is reached in time, at any width and for any city."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len

from app.cli import main, results, screen
from app.cli.options import Language
from app.store import Outcome, Run
from tests.app import circles_made, hand_made


class Terminal:
    """``renxing show`` on the workspace made by hand, as many columns wide as asked for."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.workspace, self._capture, self._patch = folder / "workspace", capture, patch
        patch.delenv("COLUMNS", raising=False)

    def __call__(self, *words: str, width: int = screen.NARROW) -> str:
        line = ["renxing", "show", "kampen", *words, "--workspace", str(self.workspace)]
        self._patch.setattr(sys, "argv", line)
        self._patch.setattr(screen, "NARROW", width)
        with pytest.raises(SystemExit) as left:
            main()
        assert not left.value.code
        return self._capture.readouterr().out


@pytest.fixture
def terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, capfd, monkeypatch)


def tables(shown: str) -> list[list[str]]:
    """The lines of each table, borders included."""
    lines = shown.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("┏")]
    ends = [i for i, line in enumerate(lines) if line.startswith("└")]
    return [lines[start : end + 1] for start, end in zip(starts, ends, strict=True)]


def kept(folder: Path, outcome: Outcome) -> Run:
    """A workspace with this outcome as the study's second scenario."""
    made = hand_made.workspace(folder)
    run = made.save(hand_made.recipe(made.study("kampen").file, 1), outcome)
    made.mark_latest(run)
    return run


def changed(outcome: Outcome, headline: Mapping[str, object], **columns: object) -> Outcome:
    """An outcome with other numbers of the whole study and of its communities."""
    communities = outcome.tables["communities"].assign(**columns)
    tables = dict(outcome.tables) | {"communities": communities}
    return replace(outcome, tables=tables, headline=dict(outcome.headline) | dict(headline))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_services_before_and_now(terminal: Terminal, tmp_path: Path) -> None:
    circles_made.saved(tmp_path)
    shown = terminal("--lang", "en")
    rows = [cells(line) for line in tables(shown)[1] if line.startswith("│")]
    assert rows[0] == ["Whole study", "100 → 42%", "100 → 42%", "100 → 100%", "70 → 42%"]
    assert rows[1][1:] == ["99 → 0%", "99 → 0%", "99 → 100%", "50 → 0%"]
    assert rows[2][0] == "Kern"
    assert "The fire loses 7." in shown and "The police loses" not in shown


def test_an_ordinary_day_has_one_number_a_cell(terminal: Terminal, tmp_path: Path) -> None:
    circles_made.saved(tmp_path, faced=False)
    rows = [cells(line) for line in tables(terminal("--lang", "en"))[1] if line.startswith("│")]
    assert rows[0] == ["Whole study", "42%", "42%", "100%", "42%"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [50, 80, 100, 120, 200])
def test_columns_stay_straight_and_what_does_not_fit_is_named(
    terminal: Terminal, tmp_path: Path, lang: str, width: int
) -> None:
    circles_made.saved(tmp_path)
    shown = terminal("--lang", lang, width=width)
    found = tables(shown)
    for lines in found:
        assert len({cell_len(line) for line in lines}) == 1
        assert cell_len(lines[0]) <= width
    left_out = [line for line in shown.splitlines() if "--json" in line]
    assert len(left_out) == sum(lines[0].count("┳") < all_of for lines, all_of in zip(found, (8, 4), strict=True))
    assert all(lines[0].count("┳") >= 1 for lines in found)
    assert "Whole study" in shown or "全域" in shown
    # words are never left out, and every number is shown or named
    assert ("Status" if lang == "en" else "状态") in "".join(found[0]).replace(" ", "")
    named = sum(line.count("; ") + 1 for line in left_out)
    assert named + sum(lines[0].count("┳") for lines in found) == 8 + 4


def test_headlines_fit_the_terminal_too(terminal: Terminal, tmp_path: Path, capfd: pytest.CaptureFixture[str],
                                        monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    made, run = circles_made.saved(tmp_path)
    for width, columns in ((200, 9), (50, 5)):
        monkeypatch.setattr(screen, "NARROW", width)
        results.print_headlines(made.study("kampen").file, [run], Language.en)
        shown = capfd.readouterr().out
        (lines,) = tables(shown)
        assert (len({cell_len(line) for line in lines}), lines[0].count("┳") + 1 <= columns) == (1, True)
        assert cell_len(lines[0]) <= width
        assert ("Not shown for want of width: " in shown) == (width == 50)


def test_long_names_fold_before_a_number_is_left_out(terminal: Terminal, tmp_path: Path) -> None:
    names = ["A community with a name as long as a street", "Kern"]
    kept(tmp_path, changed(hand_made.outcome(), {}, name=names, name_en=names))
    narrow, wide = (tables(terminal("--lang", "en", width=width))[0] for width in (104, 170))
    assert narrow[0].count("┳") == wide[0].count("┳") == 8
    assert any(names[0] in line for line in wide) and not any(names[0] in line for line in narrow)


def test_a_pipe_has_the_width_that_columns_says(terminal: Terminal, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    circles_made.saved(tmp_path)
    widths = []
    for told in ("60", "none", "0"):
        monkeypatch.setenv("COLUMNS", told)
        widths.append(max(cell_len(lines[0]) for lines in tables(terminal())))
    assert widths[0] <= 60 < widths[1] == widths[2] <= screen.NARROW


def many(n: int) -> Outcome:
    """The outcome made by hand with so many communities, all but the first served, and a service each."""
    plain = circles_made.covered()
    row = plain.tables["communities"].iloc[:1]
    rows = pd.concat([row] * n, ignore_index=True).assign(
        community_id=[f"c{i:03}" for i in range(n)], name=[f"Quarter {i}" for i in range(n)], name_zh=None,
        status=["bad", *["good"] * (n - 1)],
    )  # fmt: skip
    return replace(plain, tables={**plain.tables, "communities": rows})


def test_of_many_communities_the_weakest_are_shown(terminal: Terminal, tmp_path: Path) -> None:
    kept(tmp_path, many(50))
    shown = terminal("--lang", "en")
    assert shown.count("20 weakest of 50; --all shows every one") == 1
    assert [sum("Quarter" in line for line in lines) for lines in tables(shown)] == [20, 20]
    assert "Quarter 0:" in shown and "Quarter 19:" in shown and "Quarter 20" not in shown and "Whole study" in shown
    assert "共 50 个，仅列最弱的 20 个" in terminal("--lang", "zh")
    every = terminal("--lang", "en", "--all")
    assert [sum("Quarter" in line for line in lines) for lines in tables(every)] == [50, 50]
    assert "Quarter 49:" in every and "weakest of" not in every
    assert len(json.loads(terminal("--json"))["runs"][0]["communities"]) == 50


def test_exactly_as_many_as_are_shown_need_no_word(terminal: Terminal, tmp_path: Path) -> None:
    kept(tmp_path, many(20))
    assert "weakest of" not in terminal("--lang", "en")


def test_services_without_a_station_are_said_in_one_line(terminal: Terminal, tmp_path: Path) -> None:
    unknown = dict.fromkeys(("fire_share", "fire_share_normal", "police_share", "police_share_normal"))
    columns = dict.fromkeys(unknown, np.nan)
    kept(tmp_path, changed(circles_made.covered(), unknown, **columns))
    shown = terminal("--lang", "en")
    assert "No station or place in the data: fire engine, police, supplies\n" in shown
    headings = "".join(tables(shown)[1])
    assert "Ambulance" in headings and "Fire engine" not in headings and "Police" not in headings


def test_without_any_station_there_is_no_table(terminal: Terminal, tmp_path: Path) -> None:
    outcome = circles_made.covered()
    unknown = dict.fromkeys(name for name in outcome.headline if "_share" in name)
    kept(tmp_path, changed(outcome, unknown))
    shown = terminal("--lang", "zh")
    assert (len(tables(shown)), "数据中没有站点或场所：消防车, 救护车" in shown) == (1, True)


def test_where_no_people_are_known_none_are_counted(terminal: Terminal, tmp_path: Path) -> None:
    plain = hand_made.outcome()
    counts = [str(name) for name in plain.tables["communities"].columns if str(name).startswith("people")]
    headline = dict.fromkeys(name for name in plain.headline if name.startswith("people"))
    run = kept(tmp_path, changed(plain, headline, **dict.fromkeys(counts, np.nan)))
    (lines,) = tables(terminal("--lang", "en"))
    assert "People" not in "".join(lines) and "shelters" in "".join(lines) and "Weak" in "".join(lines)
    assert run.record.headline["people"] is None


def test_a_number_of_people_that_is_not_known_is_a_dash(terminal: Terminal, tmp_path: Path) -> None:
    kept(tmp_path, changed(hand_made.outcome(), {}, people=[5, np.nan], people_unserved=[0, np.nan]))
    (lines,) = tables(terminal("--lang", "en"))
    weak = next(cells(line) for line in lines if "Weak" in line)
    assert weak[1] == weak[3] == "–"


def test_who_finds_no_room_and_when_to_leave_have_columns_where_there_are_any(
    terminal: Terminal, tmp_path: Path
) -> None:
    more = {"people_full": [3, 0], "clearance_s": [600.0, np.nan], "leave_by_h": [np.nan, 2.5], "people_unhoused": 0.0}
    said = {"fix_en": ["Open the school.", None], "fix_zh": ["启用学校。", None]}
    kept(tmp_path, changed(hand_made.outcome(), {}, **more, **said))
    shown = terminal("--lang", "en", width=200)
    lines = tables(shown)[0]
    rows = [[cell.strip() for cell in line.strip("┃").split("┃")] for line in lines if line.startswith("┃")]
    headings = [" ".join(filter(None, column)) for column in zip(*rows, strict=True)]
    assert {"Left without room", "All in shelters after, min", "Leave by hour"} <= {*headings}
    assert "No place for nights" not in headings
    assert [row[-4:] for row in map(cells, lines) if "Weak" in row] == [["–", "–", "2.5", "Weak"]]
    assert "  → Open the school.\n" in shown and "  → 启用学校。\n" in terminal("--lang", "zh")


def test_json_has_everything(terminal: Terminal, tmp_path: Path) -> None:
    circles_made.saved(tmp_path)
    (run,) = json.loads(terminal("--json"))["runs"]
    assert run["headline"]["fire_share_normal"] == 1.0
    weak = run["communities"][0]
    assert (weak["fire_share"], weak["fire_share_normal"], weak["supplies_share"]) == (0.0, 0.9876, None)
    assert (weak["circle_missing"], weak["fire_reason_zh"]) == ("medical", "7人失去。")


def test_a_run_without_services_has_no_such_table(terminal: Terminal, tmp_path: Path) -> None:
    hand_made.saved(tmp_path)
    assert terminal("--lang", "en").count("┏") == 1

"""The table of services on the terminal: who is reached in time, before and under the hazard, at any width."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from app.cli import main, screen
from tests.app import circles_made, hand_made


class Terminal:
    """``renxing show`` on the workspace made by hand, as many columns wide as asked for."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.workspace, self._capture, self._patch = folder / "workspace", capture, patch

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


def second_table(shown: str) -> list[str]:
    """The lines of the table of services, borders included."""
    lines = shown.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("┏")]
    ends = [i for i, line in enumerate(lines) if line.startswith("└")]
    return lines[starts[1] : ends[1] + 1]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_services_before_and_now(terminal: Terminal, tmp_path: Path) -> None:
    circles_made.saved(tmp_path)
    shown = terminal("--lang", "en")
    rows = [cells(line) for line in second_table(shown) if line.startswith("│")]
    assert rows[0] == ["Whole study", "100 → 42%", "100 → 42%", "100 → 100%", "–", "70 → 42%"]
    assert rows[1][1:] == ["99 → 0%", "99 → 0%", "99 → 100%", "–", "50 → 0%"]
    assert rows[2][0] == "Kern"
    assert "The fire loses 7." in shown and "The police loses" not in shown


def test_an_ordinary_day_has_one_number_a_cell(terminal: Terminal, tmp_path: Path) -> None:
    circles_made.saved(tmp_path, faced=False)
    rows = [cells(line) for line in second_table(terminal("--lang", "en")) if line.startswith("│")]
    assert rows[0] == ["Whole study", "42%", "42%", "100%", "–", "42%"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_columns_stay_straight_and_what_does_not_fit_is_named(
    terminal: Terminal, tmp_path: Path, lang: str, width: int
) -> None:
    circles_made.saved(tmp_path)
    shown = terminal("--lang", lang, width=width)
    lines = second_table(shown)
    assert len({cell_len(line) for line in lines}) == 1
    assert cell_len(lines[0]) <= width
    columns = lines[0].count("┳")
    left_out = [line for line in shown.splitlines() if "--json" in line]
    assert (columns == 5) == (not left_out)
    assert columns >= 1
    assert "Whole study" in shown or "全域" in shown


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

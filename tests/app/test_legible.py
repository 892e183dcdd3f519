"""Text from data is shown, not obeyed: on the terminal, in answers, in reports."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from app.checks.findings import refused, told
from app.cli import screen
from app.legible import PART_MAX, SAID_MAX, STEERING, legible
from geo.errors import Fault, UnreadableError
from geo.reasons import Finding

EVIL = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m\udcff"
SEEN = "\\x1b[2J\\x1b]0;owned\\x07\\u202egnp.exe\\x9b31m\\udcff"


def test_escapes_and_marks_of_direction_are_written_out() -> None:
    assert legible(EVIL) == SEEN
    assert legible("避难所 Größe\n\tمأوى") == "避难所 Größe\n\tمأوى"


@given(st.text(st.characters(codec=None)))
def test_nothing_that_steers_is_left_and_twice_is_once(text: str) -> None:
    shown = legible(text)
    assert STEERING.search(shown) is None and legible(shown) == shown
    shown.encode()


def test_long_texts_are_cut() -> None:
    assert legible("x" * 10, 4) == "xxxx …" and legible("xxxx", 4) == "xxxx"


def test_the_terminal_shows_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stdout", written)
    console = screen.out()
    table = Table("name")
    table.add_row(EVIL.replace("\x1b[2J", ""))
    console.print(Text(EVIL), table)
    shown = written.getvalue()
    assert SEEN.replace("\\x07", "") in shown, "rich leaves the bell out by itself"
    assert STEERING.search(shown) is None


def test_colours_come_from_the_program_alone() -> None:
    written = io.StringIO()
    console = screen.Screen(file=written, force_terminal=True, color_system="standard", width=200)
    console.print(Text("\x1b[32mgreen", style="red"))
    assert re.sub(r"\x1b\[\d+m", "", written.getvalue()) == "\\x1b[32mgreen\n"
    assert "\x1b[31m" in written.getvalue() and "\x1b[32m" not in written.getvalue()


def test_a_complaint_is_legible_and_of_sane_length(capsys: pytest.CaptureFixture[str]) -> None:
    error = UnreadableError(*[Fault("a table", EVIL + "x" * 100_000, f"{EVIL}.csv", "Mend it.")] * 3)
    assert screen.complain(error, as_json=True, debug=False) == 1
    said = capsys.readouterr()
    assert STEERING.search(said.err) is None and STEERING.search(said.out) is None
    assert len(said.err) < 2 * SAID_MAX and len(said.out) < 10 * PART_MAX


def test_findings_are_legible() -> None:
    note = Finding("x", f"Column {EVIL}", f"列{EVIL}", column=EVIL, value=EVIL)
    fault = UnreadableError(Fault("a table", EVIL, EVIL, EVIL))
    for found in (*told([note]), *refused(fault, folder=Path("studies"))):
        assert STEERING.search(found.model_dump_json()) is None
        assert "owned" in found.en

"""The bench itself: a case drawn here, measured as the real ones are."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import bench
from tests.benchmarks.bench import Case, NotHere, Row

MIB = 2**20


def row(way: str, n: int, median_s: float, size: int | None = None, note: str = "") -> Row:
    return Row("sort", "numbers", way, size or n, n, median_s, median_s, 5, 100.0, 1.0, note)


def test_entering_a_case_keeps_our_way_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "CASES", {})

    @bench.case("sort", unit="numbers", sizes=[3])
    def ours(size: int | str) -> tuple[int, object]:
        return int(size), lambda: None

    @ours.rival("sorted()")
    def theirs(size: int | str) -> tuple[int, object]:
        return int(size), lambda: None

    assert isinstance(ours, Case)
    assert list(bench.CASES["sort"].ways) == ["renxing", "sorted()"]


MEASURED = """
import json
import numpy as np
from tests.benchmarks import bench

calls = []

def prepare(size):
    calls.append("prepare")
    held = np.ones(8 * 2**20)
    return held.size, lambda: calls.append("work") or held[: held.size // 2].copy()

print(json.dumps([calls, bench.measure(prepare, 1, runs=3, budget_s=60)]))
"""


def test_measures_the_work_and_not_the_preparation() -> None:
    """In a process of its own, as the bench does it: here, memory freed by other tests would be used again."""
    done = subprocess.run([sys.executable, "-c", MEASURED], cwd=bench.ROOT, capture_output=True, text=True, check=True)
    calls, found = json.loads(done.stdout)
    assert calls == ["prepare", "work", "work", "work", "work"]
    assert found["runs"] == 3
    assert found["n"] == 64 * MIB // 8
    assert 28 < found["work_mb"] < 60
    assert found["peak_mb"] > 96


def test_stops_when_the_budget_is_used_up() -> None:
    calls: list[int] = []
    found = bench.measure(lambda _: (1, lambda: calls.append(1)), 1, runs=5, budget_s=0)
    assert len(calls) == found["runs"] == 1


def test_a_fresh_process_answers_or_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drawn_case.py").write_text(
        "from tests.benchmarks.bench import NotHere, case\n"
        "@case('sum', unit='numbers', sizes=(10,))\n"
        "def ours(size):\n    return size, lambda: sum(range(size))\n"
        "@ours.rival('absent')\ndef absent(size):\n    raise NotHere('no data')\n"
        "@ours.rival('broken')\ndef broken(size):\n    raise ValueError('bad')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    job = Case("sum", "numbers", (10,), "drawn_case", dict.fromkeys(["renxing", "absent", "broken"], refuse))
    ours, absent, broken = bench.run([job], 1)
    assert (ours.n, ours.runs, ours.note) == (10, 1, "")
    assert ours.median_s >= 0
    assert ours.peak_mb > 1
    assert absent.note == "not here: no data"
    assert broken.note == "ValueError: bad"
    assert math.isnan(broken.median_s)


def refuse(size: int | str) -> tuple[int, object]:
    raise NotHere("only the other process may call this")


def test_table_is_aligned_and_compares() -> None:
    rows = [row("renxing", 100, 0.5), row("x", 100, 1.0), row("renxing", 1000, 5.0), row("x", 1000, 100.0)]
    lines = bench.table(rows).splitlines()
    assert lines[0].split() == " ".join(bench.HEAD).split()
    assert [line.split()[-1] for line in lines[1:]] == ["1.00", "2.00", "n^1.00", "n^2.00"]
    assert [line.split()[-2] for line in lines[3:]] == ["1.00", "20.00"]
    assert len({line.index(word) for line, word in zip(lines, ["of", *["numbers"] * 4], strict=True)}) == 1


def test_table_says_what_could_not_be_measured() -> None:
    gone = Row("sort", "numbers", "y", 100, note="not here: no y")
    text = bench.table([row("renxing", 100, 0.5), gone])
    assert text.splitlines()[-1] == "sort, 100, y: not here: no y"


def test_what_is_kept_is_plain_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "out")
    kept = json.loads(bench.keep([row("renxing", 100, 0.5), Row("sort", "numbers", "y", 1)]).read_text())
    assert kept["rows"][0]["median_s"] == 0.5
    assert kept["rows"][1]["median_s"] is None
    assert kept["machine"]["cores"] >= 1

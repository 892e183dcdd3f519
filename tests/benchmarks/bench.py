"""A small bench: each way of doing a job runs in a process of its own, beside a rival that is named.

A case is a function in a module ``case_*.py`` of this folder. It gets a size, prepares what is not to be timed, and
returns ``(n, work)``: how many things there are, and the function that is timed::

    @case("sort numbers", unit="numbers", sizes=(10_000, 100_000))
    def ours(size):
        numbers = drawn(size)
        return size, lambda: np.sort(numbers)

    @ours.rival("sorted()")
    def theirs(size):
        numbers = drawn(size).tolist()
        return size, lambda: sorted(numbers)

A size is whatever the case understands: a count, or the name of a data set. A case that cannot run here raises
:class:`NotHere` with the reason. Files that both ways read belong into :func:`folder`.

The first run is shown by itself (it may compile), the median is of the later ones; repeating stops after ``RUNS`` or
when ``BUDGET_S`` is used up. Memory is the highest resident size while the work runs, and how much of it came on top
of what was prepared. ``growth`` is the exponent between a case's smallest and largest n: 1 is proportional to n.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".bench"
RUNS = 5
BUDGET_S = 30.0
LONGEST_S = 900
HEAD = ["case", "n", "of", "way", "first s", "median s", "runs", "peak MiB", "for work", "x ours", "growth"]
LEFT = [title in {"case", "of", "way"} for title in HEAD]

Prepared = tuple[int, Callable[[], object]]
Prepare = Callable[[int | str], Prepared]


class NotHere(Exception):
    """The case cannot run on this machine; the message says why."""


@dataclass
class Case:
    """One job at one or more sizes, and the ways to do it: ours first."""

    name: str
    unit: str
    sizes: tuple[int | str, ...]
    module: str
    ways: dict[str, Prepare] = field(default_factory=dict)

    def rival(self, name: str) -> Callable[[Prepare], Prepare]:
        """Enter another way to do the same job, by the name of whose it is."""

        def enter(prepare: Prepare) -> Prepare:
            self.ways[name] = prepare
            return prepare

        return enter


@dataclass(frozen=True)
class Row:
    """What was measured for one way at one size; NaN where nothing could be."""

    case: str
    unit: str
    way: str
    size: int | str
    n: int = 0
    first_s: float = math.nan
    median_s: float = math.nan
    runs: int = 0
    peak_mb: float = math.nan
    work_mb: float = math.nan
    note: str = ""


CASES: dict[str, Case] = {}


def case(name: str, *, unit: str, sizes: Sequence[int | str]) -> Callable[[Prepare], Case]:
    """Enter a case; the decorated function is our own way, and the name then stands for the case."""

    def enter(prepare: Prepare) -> Case:
        CASES[name] = Case(name, unit, tuple(sizes), prepare.__module__, {"renxing": prepare})
        return CASES[name]

    return enter


def folder() -> Path:
    """A folder for files that cases make once and read often; ignored by git, emptied by ``make clean``."""
    made = RESULTS / "files"
    made.mkdir(parents=True, exist_ok=True)
    return made


def load() -> dict[str, Case]:
    """All cases of this folder."""
    for file in sorted(Path(__file__).parent.glob("case_*.py")):
        importlib.import_module(f"tests.benchmarks.{file.stem}")
    return CASES


def memory_mb(key: str) -> float:
    """``VmRSS`` or ``VmHWM`` of this process; where there is no /proc, the highest size since its start."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith(key))


def forget_peak() -> None:
    """Let VmHWM begin again from here; without effect where the kernel has no such file."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def measure(way: Prepare, size: int | str, *, runs: int, budget_s: float) -> dict[str, float]:
    """Prepare once, then work until ``runs`` timed runs after the first are done or the budget is used up."""
    n, work = way(size)
    forget_peak()
    before_mb = memory_mb("VmRSS")
    times: list[float] = []
    while not times or (len(times) <= runs and sum(times) < budget_s):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    # A case may work in processes of its own: then the largest of them counts.
    children_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
    peak_mb = max(memory_mb("VmHWM"), children_mb)
    timed = {"first_s": times[0], "median_s": median(times[1:] or times), "runs": max(1, len(times) - 1)}
    return {"n": n, **timed, "peak_mb": peak_mb, "work_mb": max(0.0, peak_mb - before_mb)}


def measure_apart(job: Case, way: str, size: int | str, runs: int) -> Row:
    """Measure in a fresh process; a failure becomes the row's note."""
    order = json.dumps({"module": job.module, "case": job.name, "way": way, "size": size, "runs": runs})
    command = [sys.executable, "-m", "tests.benchmarks", "--order", order]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"note": last_line(done.stderr)}
    except subprocess.TimeoutExpired:
        answer = {"note": f"stopped after {LONGEST_S} s"}
    return Row(job.name, job.unit, way, size, **answer)


def obey(order: str) -> int:
    """The other side of :func:`measure_apart`: only the one module is loaded, the answer is one line of JSON."""
    wanted = json.loads(order)
    importlib.import_module(wanted["module"])
    way = CASES[wanted["case"]].ways[wanted["way"]]
    try:
        answer: dict[str, object] = dict(measure(way, wanted["size"], runs=wanted["runs"], budget_s=BUDGET_S))
    except NotHere as reason:
        answer = {"note": f"not here: {reason}"}
    print(json.dumps(answer))
    return 0


def last_line(text: str) -> str:
    """What a traceback ends with."""
    return (text.strip().splitlines() or ["failed without a word"])[-1]


def run(jobs: Sequence[Case], runs: int) -> Iterator[Row]:
    """Every way of every case at every size, in order, one process at a time."""
    for job in jobs:
        for size in job.sizes:
            for way in job.ways:
                print(f"{job.name}, {size}: {way} ...", file=sys.stderr, flush=True)
                yield measure_apart(job, way, size, runs)


def growth(rows: Sequence[Row], row: Row) -> str:
    """The exponent of time over n for this way, shown once, at its largest size."""
    same = sorted((r for r in rows if (r.case, r.way) == (row.case, row.way) and r.runs), key=lambda r: r.n)
    if len(same) < 2 or row is not same[-1] or same[0].n == row.n:
        return ""
    return f"n^{math.log(row.median_s / same[0].median_s) / math.log(row.n / same[0].n):.2f}"


def ratio(rows: Sequence[Row], row: Row) -> str:
    """How many times our median this one takes."""
    ours = next(r for r in rows if (r.case, r.size) == (row.case, row.size))
    return "" if math.isnan(row.median_s / ours.median_s) else f"{row.median_s / ours.median_s:.2f}"


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text; times in seconds, memory in MiB."""
    cells = [HEAD, *(line(rows, row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    template = "  ".join(f"{{:{'<' if left else '>'}{width}}}" for left, width in zip(LEFT, widths, strict=True))
    lines = [template.format(*row).rstrip() for row in cells]
    notes = [f"{row.case}, {row.size}, {row.way}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes] if notes else lines)


def line(rows: Sequence[Row], row: Row) -> list[str]:
    """One row of the table."""
    if row.note:
        return [row.case, str(row.size), "", row.way, *["-"] * 5, "", ""]
    seconds = [f"{row.first_s:.4f}", f"{row.median_s:.4f}", str(row.runs)]
    sizes = [f"{row.peak_mb:.0f}", f"{row.work_mb:.0f}"]
    return [row.case, f"{row.n:,}", row.unit, row.way, *seconds, *sizes, ratio(rows, row), growth(rows, row)]


def keep(rows: Sequence[Row]) -> Path:
    """Write the rows and the machine they are of as JSON; return where."""
    RESULTS.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    file = RESULTS / "bench.json"
    clean = [{key: None if value != value else value for key, value in asdict(row).items()} for row in rows]
    file.write_text(json.dumps({"machine": machine, "rows": clean}, indent=1) + "\n", encoding="utf-8")
    return file


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 when a way failed other than by not being here."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="cases with this in their name")
    parser.add_argument("--runs", type=int, default=RUNS, help="timed runs after the first (count)")
    parser.add_argument("--order", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.order:
        return obey(given.order)
    rows = list(run([job for job in load().values() if given.only.lower() in job.name.lower()], given.runs))
    print(table(rows))
    print(f"\nAlso in {keep(rows).relative_to(ROOT)}", file=sys.stderr)
    return int(any(row.note and not row.note.startswith("not here") for row in rows))

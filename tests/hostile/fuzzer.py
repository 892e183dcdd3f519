"""Thousands of mutated files opened as the program opens them: nothing may crash, hang or hoard.

``python -m tests.hostile.fuzzer --n 20000 --seed 7`` runs on demand; ``--index 123`` opens one input again and writes
it to the folder of ``--keep``. Several inputs share a child; when it dies, the one at fault is opened alone.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from data.guarded import Allowance, answered
from geo.errors import RenxingError
from tests.hostile.mutations import mutated
from tests.hostile.opening import opened

Opener = Callable[[int, list[int], str], int]
TOGETHER = 25
SECONDS, MEMORY_BYTES = 30.0, 2 << 30
"""The longest that an answer may take, and the most memory of a child."""
ALLOWED = Allowance(memory_bytes=MEMORY_BYTES, cpu_s=120, wall_s=120)
ALONE = Allowance(memory_bytes=MEMORY_BYTES, cpu_s=60, wall_s=SECONDS)
FOUL = frozenset({"killed", "late", "memory", "slow", "failed"})
"""Endings that no input may have: the process died, was late or large, or a reader failed instead of refusing."""


@dataclass(frozen=True)
class Outcome:
    """What came of one input: a refusal's code, ``accepted``, or one of ``FOUL`` with what was said."""

    index: int
    file: str
    ending: str
    said: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.index:6} {self.file:12} {self.ending:12} {self.seconds:5.1f} s  {self.said!a}"


@dataclass
class Report:
    """Everything a run gave."""

    outcomes: list[Outcome] = field(default_factory=list)
    peak_bytes: int = 0
    seconds: float = 0.0

    @property
    def foul(self) -> list[Outcome]:
        """The inputs with which something went wrong that must not."""
        return [each for each in self.outcomes if each.ending in FOUL]

    def __str__(self) -> str:
        endings = ", ".join(
            f"{ending} {n:,}" for ending, n in Counter(each.ending for each in self.outcomes).most_common()
        )
        slowest = max((each.seconds for each in self.outcomes), default=0.0)
        return (
            f"{len(self.outcomes):,} inputs in {self.seconds:.0f} s: {endings}; slowest {slowest:.1f} s, "
            f"largest child {self.peak_bytes >> 20:,} MiB"
        )


def run(n: int, seed: int, *, first: int = 0, workers: int = 2, open_all: Opener | None = None) -> Report:
    """Open ``n`` inputs of a seed, from number ``first`` on, by ``open_all`` (default: ``opened_all``)."""
    opener = open_all or opened_all
    began, report = time.monotonic(), Report()
    batches = [range(at, min(at + TOGETHER, first + n)) for at in range(first, first + n, TOGETHER)]
    with ThreadPoolExecutor(workers) as pool:
        for outcomes, peak in pool.map(lambda batch: _settled(opener, seed, batch), batches):
            report.outcomes += outcomes
            report.peak_bytes = max(report.peak_bytes, peak)
    report.seconds = time.monotonic() - began
    return report


def _settled(opener: Opener, seed: int, batch: Sequence[int]) -> tuple[list[Outcome], int]:
    """The outcomes of a batch; where a child dies, its last input is opened alone and a new child goes on."""
    found: list[Outcome] = []
    peak = 0
    with tempfile.TemporaryDirectory(prefix="fuzzing-") as folder:
        while len(found) < len(batch):
            left = batch[len(found) :]
            answer = answered(opener, seed, list(left), folder, allowed=ALLOWED if len(left) > 1 else ALONE)
            new = list(_logged(Path(folder)))
            found += new
            peak = max(peak, answer.peak_bytes)
            if answer.ending != "done" and len(found) < len(batch):
                found.append(_alone(opener, seed, batch[len(found)], folder))
    return found, peak


def _alone(opener: Opener, seed: int, index: int, folder: str) -> Outcome:
    """What comes of the input with which a child died, in a child of its own."""
    began = time.monotonic()
    answer = answered(opener, seed, [index], folder, allowed=ALONE)
    logged = list(_logged(Path(folder)))
    if answer.ending == "done" and logged:
        return logged[0]
    return Outcome(index, mutated(seed, index)[0], answer.ending, str(answer.said), time.monotonic() - began)


def _logged(folder: Path) -> Iterator[Outcome]:
    """What a child wrote of its inputs before it ended, or died; the log is emptied."""
    log = folder / "log"
    lines = log.read_bytes().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    for line in lines:
        yield Outcome(**orjson.loads(line))


def opened_all(seed: int, batch: list[int], folder: str) -> int:
    """In the child: make each input, open it, write down at once what came of it."""
    tempfile.tempdir = folder
    for index in batch:
        note(folder, _outcome(seed, index, Path(folder)))
    return len(batch)


def note(folder: str, outcome: Outcome) -> None:
    """In the child: write an outcome down, so that it is there even when the next input is the last."""
    with (Path(folder) / "log").open("ab", buffering=0) as log:
        log.write(orjson.dumps(outcome) + b"\n")


def _outcome(seed: int, index: int, folder: Path) -> Outcome:
    name, given, content = mutated(seed, index)
    path = folder / f"{index}-{name}"
    path.write_bytes(content)
    began = time.monotonic()
    ending, said = _ending(given, path)
    seconds = time.monotonic() - began
    path.unlink()
    large = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > MEMORY_BYTES
    if seconds > SECONDS or large:
        ending, said = ("slow" if seconds > SECONDS else "memory"), f"{ending}: {said}"
    return Outcome(index, name, ending, said, seconds)


def _ending(given: str, path: Path) -> tuple[str, str]:
    try:
        opened(given, str(path))
    except RenxingError as error:
        return error.code, str(error)[:200]
    except MemoryError:
        return "memory", ""
    except Exception as error:
        return "failed", f"{type(error).__name__} {_places(error)}: {error}"[:400]
    return "accepted", ""


def _places(error: Exception) -> str:
    """The last two places in the program, and where it really was."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/data/" in frame.filename or "/app/" in frame.filename][-2:]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in (*ours, frames[-1]))


def main() -> int:
    """Run on demand; exit code 1 when an input did what none may."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--n", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--index", type=int)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--keep", type=Path, help="folder for inputs that did what none may")
    said = asked.parse_args()
    report = (
        run(1, said.seed, first=said.index)
        if said.index is not None
        else run(said.n, said.seed, first=said.first, workers=said.workers)
    )
    print(report)
    for each in report.outcomes if said.index is not None else report.foul:
        print(each)
        if said.keep:
            said.keep.mkdir(parents=True, exist_ok=True)
            (said.keep / f"{each.index}-{each.file}").write_bytes(mutated(said.seed, each.index)[2])
    return 1 if report.foul else 0


if __name__ == "__main__":
    sys.exit(main())

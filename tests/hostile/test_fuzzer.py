"""Two thousand mutated files: none crashes a reader, hangs it or makes it hoard, and none is met unprepared."""

from __future__ import annotations

import os
from collections import Counter

from tests.hostile import fuzzer
from tests.hostile.mutations import SEEDS, mutated

INPUTS, SEED = 2000, 20_261_121


def test_no_crash_no_wait_no_hoard() -> None:
    report = fuzzer.run(INPUTS, SEED, workers=min(os.cpu_count() or 1, 4))
    assert len(report.outcomes) == INPUTS
    assert report.foul == [], f"{report}\n" + "\n".join(map(str, report.foul))
    assert report.peak_bytes < fuzzer.MEMORY_BYTES
    by_file = Counter(each.file for each in report.outcomes)
    accepted = Counter(each.file for each in report.outcomes if each.ending == "accepted")
    assert by_file.keys() == SEEDS.keys()
    assert sum(accepted.values()) > INPUTS / 20, "mutations that break everything at once show nothing"
    print(report)


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert [mutated(7, i) for i in range(40)] == [mutated(7, i) for i in range(40)]
    assert mutated(7, 1) != mutated(8, 1)


def test_what_must_not_be_is_seen() -> None:
    """A child that dies, one input at fault among sound ones: it alone is told, and the others are opened."""
    report = fuzzer.run(5, SEED, workers=1, open_all=dying)
    assert [(each.index, each.ending) for each in report.outcomes] == [
        (0, "accepted"), (1, "accepted"), (2, "killed"), (3, "accepted"), (4, "accepted"),
    ]  # fmt: skip
    assert [each.index for each in report.foul] == [2]


def dying(seed: int, batch: list[int], folder: str) -> int:
    """In the child: die of input 2."""
    for index in batch:
        if index == 2:
            os.abort()
        fuzzer.note(folder, fuzzer.Outcome(index, "x", "accepted", "", 0.0))
    return len(batch)

"""Hostile files: each is refused with its code or taken in without harm, in time, in memory, and nothing leaks."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from data.guarded import Allowance, Answer, answered
from geo import errors
from tests.hostile.maker import SECRET, Case, cases, written
from tests.hostile.opening import opened
from tests.hostile.seeds import SEEDS

ALLOWED = Allowance(memory_bytes=2 << 30, cpu_s=60, wall_s=30)
MEMORY_BYTES = (2 << 30) + (256 << 20)
"""What a child may use, and what it starts with."""
LATE_S = 35.0
"""By then a child is dead that was to answer within 30 s."""
LEAKS = (SECRET, "root:x:0:0")
NAMES = [f"{case.given.split()[0]}-{case.file!a}"[:60] for case in cases()]
Tree = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Opened:
    """A hostile file after it was opened: the answer, how long it took, what it left among temporary files."""

    case: Case
    answer: Answer
    seconds: float
    left: list[str]


@dataclass(frozen=True)
class All:
    """Every hostile file opened, and what lay in their folder before and after."""

    each: list[Opened]
    before: Tree
    after: Tree


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> All:
    """All of them opened, a few at a time."""
    root, scratch = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("scratch")
    files = list(written(root))
    before = inside(root)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        each = list(pool.map(lambda file: one(*file, scratch / file[1].parent.name), files))
    return All(each, before, inside(root))


def one(case: Case, path: Path, scratch: Path) -> Opened:
    scratch.mkdir()
    began = time.monotonic()
    answer = answered(opened, case.given, str(path), str(scratch), allowed=ALLOWED)
    return Opened(case, answer, time.monotonic() - began, sorted(os.listdir(scratch)))


def inside(folder: Path) -> Tree:
    """Everything below a folder with its size and time of change."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            about = os.lstat(os.path.join(parent, name))
            found[os.path.join(parent, name)] = (about.st_size, about.st_mtime_ns)
    return found


def code(answer: Answer) -> str:
    """The stable code of a refusal, ``accepted``, or how the child died."""
    if answer.ending == "refused":
        kind, limit = getattr(errors, answer.said["error"]), answer.said["limit"]
        return f"limit-{limit}" if limit else str(kind.code)
    return {"done": "accepted", "memory": "limit-memory", "late": "limit-time"}.get(answer.ending, answer.ending)


def findings(said: Mapping[str, Any]) -> set[str]:
    return {note["code"] for note in said.get("notes", [])}


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_it_ends_as_it_must(every: All, number: int) -> None:
    found = every.each[number]
    case, answer = found.case, found.answer
    ends, _, finding = case.ends.partition(":")
    assert code(answer) == ends, (case.after, answer.said)
    assert not finding or finding in findings(answer.said), answer.said
    assert answer.peak_bytes < MEMORY_BYTES and found.seconds < LATE_S
    assert not any(secret in orjson.dumps(answer.said).decode() for secret in LEAKS)
    assert not found.left or answer.ending in ("memory", "late", "killed")
    if answer.ending == "refused":
        assert answer.said["faults"] and all(fault["found"] for fault in answer.said["faults"])


def test_nothing_was_written_beside_them(every: All) -> None:
    assert every.after == every.before


def test_there_are_many_and_each_is_another() -> None:
    files = [(case.file, case.given) for case in cases()]
    assert len(files) >= 80 and len(set(files)) == len(files)
    assert all(re.fullmatch(r"[a-z-]+(:[a-z_]+)?", case.ends) for case in cases())


@pytest.mark.parametrize("name", SEEDS)
def test_what_they_are_made_from_is_sound(name: str, tmp_path: Path) -> None:
    given, content = SEEDS[name]
    (tmp_path / name).write_bytes(content())
    answer = answered(opened, given, str(tmp_path / name), allowed=ALLOWED)
    assert answer.ending == "done", answer.said

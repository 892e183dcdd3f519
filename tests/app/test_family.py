"""Processes that are watched: started again when they die, ended with their parent, told once and told twice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import family
from tests.source import ROOT

PATIENCE_S = 20.0
DRIVER = """
import logging, os, sys
from app.family import Family, Member
logging.basicConfig(level=logging.INFO)
names = sys.argv[1].split(",")
first = [Member(name, "tests.app.family_member", leads=True) for name in names if name.startswith("server")]
then = [Member(name, "tests.app.family_member") for name in names if not name.startswith("server")]
kin = Family(first, then, ends_within_s=float(sys.argv[2]), leave=lambda: print("left", flush=True))
sys.exit(kin.run(dict(os.environ), up=lambda: print("up", kin.folder, flush=True)))
"""


def patiently(asked: Callable[[], object]) -> object:
    """What is asked for, as soon as it is so."""
    until = time.monotonic() + PATIENCE_S
    while not (found := asked()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    return found


class Driven:
    """A family in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.folder = Path()

    def is_up(self) -> Driven:
        assert self.process.stdout is not None
        word, _, folder = self.process.stdout.readline().strip().partition(" ")
        assert word == "up", self.said()
        self.folder = Path(folder)
        return self

    def members(self) -> dict[str, int]:
        os.environ[family.FOLDER] = str(self.folder)
        try:
            return family.relatives()
        finally:
            del os.environ[family.FOLDER]

    def said(self) -> str:
        return self.process.communicate(timeout=PATIENCE_S)[1]

    def told(self, what: int) -> None:
        self.process.send_signal(what)


@pytest.fixture
def driven() -> Iterator[Callable[..., Driven]]:
    started: list[subprocess.Popen[str]] = []

    def start(ends_within_s: float = 5.0, **wills: str) -> Driven:
        environment = (
            os.environ | {"PYTHONPATH": str(ROOT)} | {f"WILL_{n.replace('_', '-')}": w for n, w in wills.items()}
        )
        names = ",".join(name.replace("_", "-") for name in wills)
        words = [sys.executable, "-c", DRIVER, names, str(ends_within_s)]
        started.append(
            subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return Driven(started[-1])

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_members_come_up_in_order_and_end_when_told(driven: Callable[..., Driven]) -> None:
    kin = driven(server_1="live", server_2="live", worker_1="live").is_up()
    there = patiently(lambda: len(kin.members()) == 3 and kin.members())
    assert isinstance(there, dict) and set(there) == {"server-1", "server-2", "worker-1"}
    kin.told(signal.SIGTERM)
    out, _ = kin.process.communicate(timeout=PATIENCE_S)
    assert (kin.process.returncode, out.strip()) == (0, "left")
    assert not any(map(family.is_alive, there.values()))
    assert not kin.folder.exists()


def test_who_dies_is_started_again_later_each_time(driven: Callable[..., Driven]) -> None:
    kin = driven(server_1="live", worker_1="die").is_up()
    time.sleep(3.5)
    kin.told(signal.SIGTERM)
    said = kin.said()
    waits = [line.rpartition(" in ")[2] for line in said.splitlines() if "worker-1 ended with 5" in line]
    # How often it died until then depends on the machine; each wait is twice the one before.
    assert len(waits) >= 2 and waits == [f"{2.0**k:.1f} s" for k in range(len(waits))], said
    assert "server-1 ended" not in said


def test_a_member_that_was_killed_comes_back_under_its_name(driven: Callable[..., Driven]) -> None:
    kin = driven(server_1="live").is_up()
    before = kin.members()["server-1"]
    os.kill(before, signal.SIGKILL)
    after = patiently(lambda: kin.members().get("server-1", before) != before and kin.members()["server-1"])
    assert isinstance(after, int) and family.is_alive(after)
    assert kin.process.poll() is None


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGABRT])
def test_nobody_outlives_the_first_process(driven: Callable[..., Driven], what: int) -> None:
    kin = driven(server_1="live", server_2="deaf", worker_1="deaf").is_up()
    there = patiently(lambda: len(kin.members()) == 3 and kin.members())
    assert isinstance(there, dict)
    kin.told(what)
    kin.process.wait(PATIENCE_S)
    patiently(lambda: not any(map(family.is_alive, there.values())))
    assert kin.folder.exists()  # nobody was there to sweep it
    driven(server_1="live").is_up()
    assert not kin.folder.exists()


def test_what_can_never_serve_ends_with_its_code(driven: Callable[..., Driven]) -> None:
    kin = driven(server_1="refuse", server_2="live")
    assert "started again" not in kin.said()
    assert kin.process.returncode == 3


def test_told_twice_it_hurries_and_says_that_somebody_was_killed(driven: Callable[..., Driven]) -> None:
    kin = driven(ends_within_s=60.0, server_1="live", server_2="deaf").is_up()
    kin.told(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        kin.process.wait(1.0)
        pytest.fail("it did not wait for a member that takes its time")
    began = time.monotonic()
    kin.told(signal.SIGTERM)
    assert "server-2 did not end in time" in kin.said()
    assert kin.process.returncode == 1
    assert time.monotonic() - began < 10.0


def test_a_child_whose_parent_is_gone_does_nothing() -> None:
    script = "from app import family; family.adopted(1); print('works')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")

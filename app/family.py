"""The processes of one service: the one that was started, and its servers and workers, which never outlive it.

The first process only watches: it holds the port, starts the others, starts again what dies, and passes on that it is
time to go. Whoever kills it takes all with it, since the kernel ends each child with its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

log = logging.getLogger("renxing.family")
FOLDER = "RENXING_FAMILY"
"""Variable that names the folder in which a family says who its members are, and counts."""
NAME = "RENXING_MEMBER"
"""Variable that names a member: ``server-1``, ``worker-1``."""
COUNTS = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "renxing-family-"
STOPS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
HEARD = STOPS | {signal.SIGCHLD}
LOOK_S = 0.25
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
"""Before a member that died is started again; each death doubles the wait, until one has lived a while."""
A_WHILE_S = 60.0
HURRY_S = 2.0
"""What members get to end after they were told a second time."""
PR_SET_PDEATHSIG = 1


@dataclass
class Member:
    """A process to be kept alive: its name, its module, open files passed on, and variables of its own.

    ``leads`` ends the whole service when it never comes up: nobody would wait for what cannot serve.
    """

    name: str
    module: str
    passed: tuple[int, ...] = ()
    leads: bool = False
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    process: subprocess.Popen[bytes] | None = None
    pid: int = 0
    is_up: bool = False
    was_up: bool = False
    started_at: float = 0.0
    again_at: float = 0.0
    wait_s: float = FIRST_WAIT_S
    told: int = field(default=-1, repr=False)

    def start(self, environment: dict[str, str]) -> None:
        """Start it in a process group of its own, so that a terminal's Ctrl-C reaches the first process alone."""
        self.told, telling = os.pipe()
        os.set_blocking(self.told, False)
        words = [sys.executable, "-m", self.module, str(os.getpid()), str(telling), *map(str, self.passed)]
        variables = {**self.variables, **environment, NAME: self.name}
        self.process = subprocess.Popen(
            words, env=variables, pass_fds=(telling, *self.passed), process_group=0, stdin=subprocess.DEVNULL
        )
        os.close(telling)
        self.pid, self.started_at, self.is_up = self.process.pid, time.monotonic(), False

    def look(self) -> int | None:
        """How it ended; None while it lives or when it is not there."""
        if self.process is None:
            return None
        if not self.is_up:
            with contextlib.suppress(BlockingIOError):
                self.is_up = os.read(self.told, 1) == b"+"
                self.was_up |= self.is_up
        code = self.process.poll()
        if code is not None:
            self._gone()
        return code

    def _gone(self) -> None:
        os.close(self.told)
        self.process, self.is_up = None, False
        now = time.monotonic()
        self.wait_s = FIRST_WAIT_S if now - self.started_at > A_WHILE_S else min(2 * self.wait_s, LONGEST_WAIT_S)
        self.again_at = now + self.wait_s

    def tell(self, what: signal.Signals) -> None:
        """Send it a signal, when it lives."""
        if self.process is not None:
            self.process.send_signal(what)


class Family:
    """``first`` are started at once, ``then`` as soon as every one of those is up. When it is time to go ``leave`` is
    called, and they may take ``ends_within_s`` seconds.
    """

    def __init__(
        self, first: Sequence[Member], then: Sequence[Member], *, ends_within_s: float, leave: Callable[[], None]
    ) -> None:
        self.first, self.then = first, then
        self.ends_within_s, self.leave = ends_within_s, leave
        self.environment: dict[str, str] = {}
        self.folder = Path()

    def __repr__(self) -> str:
        return f"Family({', '.join(member.name for member in self.members)})"

    @property
    def members(self) -> list[Member]:
        """All of them."""
        return [*self.first, *self.then]

    def run(self, environment: dict[str, str], *, up: Callable[[], None]) -> int:
        """Start all and watch them until a signal says to stop; ``up`` is called once. The exit code."""
        with _folder() as self.folder, _heard():
            counts = self.folder / "counts"
            counts.mkdir()
            self.environment = environment | {FOLDER: str(self.folder), COUNTS: str(counts)}
            self.environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
            try:
                return self._watch(up)
            finally:
                self._kill()

    def _watch(self, up: Callable[[], None]) -> int:
        self._start(self.first)
        waiting = True
        while (heard := _next(LOOK_S)) not in STOPS:
            for member in self.members:
                code = member.look()
                if code is not None and member.leads and not member.was_up:
                    return _exit_code(code)
                if code is not None:
                    self._died(member, code)
            if waiting and all(member.is_up for member in self.first):
                waiting = False
                self._start(self.then)
                up()
            if not waiting:
                self._start([m for m in self.members if m.process is None and time.monotonic() >= m.again_at])
        return self._stop(heard)

    def _start(self, members: Sequence[Member]) -> None:
        for member in members:
            member.start(self.environment)
        if members:
            self._write()

    def _died(self, member: Member, code: int) -> None:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(member.pid, self.environment[COUNTS])  # type: ignore[no-untyped-call]
        log.warning("%s ended with %d; it is started again in %.1f s", member.name, code, member.wait_s)
        self._write()

    def _write(self) -> None:
        """Say who lives; read by ``relatives`` in the members."""
        living = {member.name: member.process.pid for member in self.members if member.process is not None}
        fresh = self.folder / "members.new"
        fresh.write_text(json.dumps(living), encoding="utf-8")
        fresh.replace(self.folder / "members.json")

    def _stop(self, heard: signal.Signals | None) -> int:
        """Tell every member to end and wait; told again, it hurries; whoever does not end is killed (exit code 1)."""
        log.info("told to end by %s", (heard or signal.SIGTERM).name)
        self.leave()
        self._tell(heard or signal.SIGTERM)
        until = time.monotonic() + self.ends_within_s
        while any(member.process for member in self.members) and time.monotonic() < until:
            if _next(LOOK_S) in STOPS:
                self._tell(signal.SIGTERM)
                until = min(until, time.monotonic() + HURRY_S)
            for member in self.members:
                member.look()
        return self._kill()

    def _tell(self, what: signal.Signals) -> None:
        for member in self.members:
            # One that is not up yet has no ear for SIGINT: Python would say so with a traceback.
            member.tell(signal.SIGINT if what is signal.SIGINT and member.is_up else signal.SIGTERM)

    def _kill(self) -> int:
        living = [member for member in self.members if member.process is not None]
        for member in living:
            log.warning("%s did not end in time and is killed", member.name)
            member.tell(signal.SIGKILL)
        for member in living:
            assert member.process is not None
            member.process.wait()
            member.look()
        return 1 if living else 0


def adopted(parent: int) -> None:
    """In a child: end when ``parent`` does, and hear signals again. Ends at once when it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)


def is_up(telling: int) -> None:
    """In a member: say that it does its work now."""
    os.write(telling, b"+")
    os.close(telling)


def relatives() -> dict[str, int]:
    """The members of the family this process belongs to: name -> process id; empty when it has none."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return {}
    try:
        written = json.loads(Path(folder, "members.json").read_bytes())
    except FileNotFoundError:
        return {}
    return {str(name): int(pid) for name, pid in written.items() if is_alive(int(pid))}


def is_alive(pid: int) -> bool:
    """Whether a process of this machine lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _next(within_s: float) -> signal.Signals | None:
    """The next signal, None when none came in time; a child that ended wakes as well."""
    heard = signal.sigtimedwait(HEARD, within_s)
    return None if heard is None else signal.Signals(heard.si_signo)


@contextlib.contextmanager
def _heard() -> Iterator[None]:
    """Signals wait until they are asked for, so that none comes at a bad moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder for as long as the family lives; those of families that were killed are swept."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = left.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not is_alive(int(pid)):
            rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def _exit_code(code: int) -> int:
    """What a shell would say of a member that ended."""
    return 128 - code if code < 0 else code

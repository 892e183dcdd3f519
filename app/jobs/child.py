"""The process that does one job: forked from its worker, which it does not outlive, with so much and no more.

It says what it does as lines of JSON in a pipe; the last line is how it ended. What it forks from has loaded the
program but computed nothing: threads of a kernel would not have come along.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import select
import signal
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NoReturn

import orjson

from app.jobs.job import Job, Said
from app.jobs.problem import problem_of
from app.jobs.task import Kind, Task
from app.settings import Settings
from data import confinement
from data.guarded import OUT_OF_MEMORY
from data.limits import Limit
from geo.errors import Fault, NotFoundError

CHUNK = 1 << 16
LINE_MAX = 16 << 20
"""Bytes of one line; who says more is not listened to."""
DYING_S = 2.0
"""Seconds for which a child that says nothing more may take to be dead."""
LESS = "Ask for fewer scenarios at once, or cut the study; an operator can allow more."
OPTION = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True)
class Ending:
    """How the work ended, in the child's own words: done with a result, or failed with a problem."""

    state: str
    said: Mapping[str, Any] = field(repr=False)


def limit(what: str, settings: Settings) -> Limit:
    """What a job may have at most of ``memory``, ``cpu`` and ``wall``, with the refusal for more."""
    return {
        "memory": Limit("memory", settings.job_memory, "bytes of memory for one job", LESS),
        "cpu": Limit("time", settings.job_cpu_s, "s of computing for one job", LESS),
        "wall": Limit("time", settings.job_wall_s, "s from a job's start to its end", LESS),
    }[what]


class Child:
    """A job's process as its worker sees it."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.began = time.monotonic()
        self.ending: Ending | None = None
        self.is_over = False
        self._pipe = pipe
        self._rest = b""

    @classmethod
    def start(cls, job: Job, settings: Settings, kinds: Mapping[str, Kind]) -> Child:
        """Fork a process that does the job. Nothing may be open in this one that two may not share."""
        ours, theirs = os.pipe()
        parent = os.getpid()
        with warnings.catch_warnings():
            # Python warns where a library has threads of its own; BLAS looks after its at a fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(ours)
            _live(parent, theirs, job, settings, kinds)
        os.close(theirs)
        os.set_blocking(ours, False)
        return cls(pid, ours)

    def heard(self, within_s: float) -> list[Said]:
        """What it says within so many seconds; ``ending`` and ``is_over`` are set when it has said all."""
        if not select.select([self._pipe], [], [], within_s)[0]:
            return []
        while not self.is_over:
            try:
                got = os.read(self._pipe, CHUNK)
            except BlockingIOError:
                break
            self.is_over = not got
            self._rest += got
            if len(self._rest) > LINE_MAX:
                self.is_over = True
        *lines, self._rest = self._rest.split(b"\n")
        try:
            return [said for line in lines if (said := self._understood(orjson.loads(line))) is not None]
        except (ValueError, KeyError, TypeError):  # one that a file has taken over says what it likes: it has died
            self.is_over = True
            return []

    def end(self) -> str:
        """Kill it and whatever it started; how it died."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self._pipe)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def died(self) -> str:
        """How it died by itself: it has nothing more to say."""
        until = time.monotonic() + DYING_S
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None and time.monotonic() < until:
            time.sleep(0.01)
        return self.end()

    def _understood(self, line: Mapping[str, Any]) -> Said | None:
        if "ending" in line:
            self.ending, self.is_over = Ending(line["ending"], line["said"]), True
            return None
        return Said(line["kind"], line["said"])


def _live(parent: int, pipe: int, job: Job, settings: Settings, kinds: Mapping[str, Kind]) -> NoReturn:
    """All there is to the child's life; it never comes back into its parent's code."""
    code = 1
    try:
        confinement.end_with_parent(parent)
        os.setsid()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)
        os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), settings.job_nice))
        gc.freeze()
        _tell(pipe, _worked(pipe, job, settings, kinds))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _worked(pipe: int, job: Job, settings: Settings, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Do the job; how it ended."""
    lock = Lock()

    def say(said: Said) -> None:
        with lock:
            _tell(pipe, {"kind": said.kind, "said": said.said})

    task = Task(job, settings, say)
    try:
        with _limited(settings):
            return {"ending": "done", "said": dict(_kind(job, kinds).run(task))}
    except Exception as error:
        known = _out_of_memory(error)
        said = limit("memory", settings).exceeded("more", job.kind) if known else error
        return {"ending": "failed", "said": problem_of(said, hidden=task.workspace.hidden)}


def _kind(job: Job, kinds: Mapping[str, Kind]) -> Kind:
    if job.kind not in kinds:
        cure = "Let a worker of the same version as the service take it."
        raise NotFoundError(Fault(f"a kind of job of {', '.join(kinds)}", repr(job.kind), job.job_id, cure))
    return kinds[job.kind]


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(said in str(error).lower() for said in OUT_OF_MEMORY)


@contextlib.contextmanager
def _limited(settings: Settings) -> Iterator[None]:
    """So much memory beyond what the process starts with, and so much computing; memory is free again afterwards."""
    most = {
        resource.RLIMIT_DATA: confinement.private_bytes() + settings.job_memory,
        resource.RLIMIT_CPU: settings.job_cpu_s, resource.RLIMIT_CORE: 0,
    }  # fmt: skip
    for kind, value in most.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)


def _tell(pipe: int, line: Mapping[str, Any]) -> None:
    rest = memoryview(orjson.dumps(line, option=OPTION) + b"\n")
    while rest:
        rest = rest[os.write(pipe, rest) :]

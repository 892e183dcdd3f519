"""A worker: takes jobs one at a time, has each done in a process of its own, and says that it lives.

::

    worker ── fork ──► child: does the job, says what it does
      │  hears it, writes what it says, heartbeats, looks at the clock
      └─ told to stop: kills the child and gives the job back; another worker takes it at once

The worker itself computes nothing and has no threads, so a job that takes all there is cannot keep it from its word.
Whoever kills the worker takes the child with it, and the system lets go of its lock: see ``app.jobs.roll``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from threading import Event

from app.jobs.child import Child, Ending, limit
from app.jobs.job import Lease, Said
from app.jobs.jobs import Jobs
from app.jobs.params import JobParams
from app.jobs.problem import problem_of
from app.jobs.roll import Roll
from app.jobs.task import Kind
from app.settings import Settings
from app.store.register import Register
from app.store.shared_spool import spool_of
from app.texts.phrases import in_chinese
from geo.errors import StorageError

log = logging.getLogger("renxing.jobs")
LOOK_S = 0.25
"""Seconds between two looks for jobs, and between two writes of what a job says."""
TIDY_S = 3600.0
"""Seconds between two rounds of throwing away what is old."""


def work(
    settings: Settings, *, stop: Event, worker_id: str = "worker", once: bool = False,
    kinds: Mapping[str, Kind] | None = None,
) -> int:  # fmt: skip
    """Do jobs until ``stop`` is set, or with ``once`` until none waits; how many were taken.

    ``stop`` may be set by a signal: the job under way is given back and costs no attempt. StorageError when the
    register cannot be had at the start; later that is waited for.
    """
    roll = Roll(settings.workspace)
    worker = roll.new_id(worker_id)
    with roll.enrolled(worker):
        return Worker(settings, worker, roll, kinds or _every_kind(), stop).work(once=once)


def _every_kind() -> Mapping[str, Kind]:
    """Loaded here, not at the top: with all that they compute with, once for every child."""
    from app.jobs.kinds import KINDS

    in_chinese("")  # reads the phrases
    return KINDS


class Worker:
    """One worker, for as long as it lives."""

    def __init__(self, settings: Settings, worker: str, roll: Roll, kinds: Mapping[str, Kind], stop: Event) -> None:
        self.settings, self.worker, self.roll, self.kinds, self.stop = settings, worker, roll, kinds, stop
        self.params = JobParams.of(settings)
        self.register = Register.open(settings.workspace, settings.database)
        self.jobs = Jobs(self.register, params=self.params)
        self._tidy_at = time.monotonic()

    def __repr__(self) -> str:
        return f"Worker({self.worker})"

    def work(self, *, once: bool) -> int:
        """Take jobs and do them; how many."""
        taken = 0
        while not self.stop.is_set():
            lease = self._spared(self._next)
            if lease is not None:
                taken += 1
                self._do(lease)
            elif once:
                break
            else:
                self.stop.wait(LOOK_S)
        self.register.close()
        return taken

    def _next(self) -> Lease | None:
        self._tidy()
        self._reclaim()
        return self.jobs.claim(self.worker)

    def _reclaim(self) -> None:
        """Free what dead workers of this host held, and what any held whose lease has run out."""
        dead = self.roll.dead()
        for freed in self.jobs.reclaim(dead):
            log.warning("job %s lost its worker and is %s", freed.job_id, freed.state)
        self.roll.strike(dead)

    def _tidy(self) -> None:
        if time.monotonic() < self._tidy_at:
            return
        self._tidy_at = time.monotonic() + TIDY_S
        self.jobs.prune()
        spool_of(self.settings.workspace, self.register).sweep(self.jobs.needed())

    def _do(self, lease: Lease) -> None:
        """Have one job done, whatever comes of it."""
        job = lease.job
        log.info("job %s (%s) is taken, attempt %d", job.job_id, job.kind, job.attempts)
        self.register.close()  # a connection of SQLite must not be in two processes
        watch = Watch(self, lease, Child.start(job, self.settings, self.kinds))
        end = watch.until_the_end()
        if not self._insisted(end):
            log.warning("job %s: its lease was lost before its end could be told", job.job_id)
        log.info("job %s ended after %.1f s", job.job_id, time.monotonic() - watch.child.began)

    def _insisted(self, end: Callable[[], bool]) -> bool:
        """Tell the end of a job, again and again while the register cannot be had; as long as a lease lasts."""
        until = time.monotonic() + self.params.lease_s
        while True:
            try:
                return end()
            except StorageError as error:
                log.error("the end of a job cannot be told: %s", error)
                if time.monotonic() > until:
                    return False
                time.sleep(LOOK_S)

    def _spared(self, ask: Callable[[], Lease | None]) -> Lease | None:
        """What ``ask`` gives; None, after a while, when the register cannot be had now."""
        try:
            return ask()
        except StorageError as error:
            log.error("no jobs can be taken: %s", error)
            self.stop.wait(4 * LOOK_S)
            return None


class Watch:
    """A worker's eye on one child."""

    def __init__(self, worker: Worker, lease: Lease, child: Child) -> None:
        self.jobs, self.settings, self.stop = worker.jobs, worker.settings, worker.stop
        self.params, self.reclaim = worker.params, worker._reclaim
        self.lease, self.child = lease, child
        self._unsaid: list[Said] = []
        now = time.monotonic()
        self._write_at, self._beat_at, self._good_until = now, now + self._beat_s, now + self.params.lease_s

    @property
    def _beat_s(self) -> float:
        return min(self.params.heartbeat_s, self.params.lease_s / 3)

    def until_the_end(self) -> Callable[[], bool]:
        """Wait for the child's end, or bring it about; what then has to be told of the job."""
        while not self.child.is_over:
            if self.stop.is_set() or not self._beat():
                self.child.end()
                return lambda: self.jobs.release(self.lease)
            if time.monotonic() - self.child.began > self.settings.job_wall_s:
                self.child.end()
                return self._refused("wall")
            self._unsaid += self.child.heard(LOOK_S)
            self._write()
        ending = self.child.ending
        return self._died(self.child.died()) if ending is None else self._ended(ending)

    def _beat(self) -> bool:
        """Say that the worker lives, when it is time; whether the job is still to be done.

        A register that cannot be had for a while is no reason to stop; one that cannot be had for a lease is.
        """
        now = time.monotonic()
        if now < self._beat_at:
            return True
        self._beat_at = now + self._beat_s
        try:
            if not self.jobs.heartbeat(self.lease):
                return False
            self._good_until = now + self.params.lease_s
            self.reclaim()
        except StorageError as error:
            log.error("no heartbeat can be written: %s", error)
        return now < self._good_until

    def _write(self) -> None:
        """Write what was said, of stages and progress the last; at most so often."""
        now = time.monotonic()
        if not self._unsaid or now < self._write_at:
            return
        self._write_at = now + LOOK_S
        try:
            self.jobs.say(self.lease, *last_of(self._unsaid))
            self._unsaid = []
        except StorageError as error:
            log.error("what a job says cannot be written: %s", error)

    def _ended(self, ending: Ending) -> Callable[[], bool]:
        self.child.end()

        def tell() -> bool:
            if self._unsaid:
                self.jobs.say(self.lease, *last_of(self._unsaid))
                self._unsaid = []
            if ending.state == "done":
                return self.jobs.finish(self.lease, ending.said)
            return self.jobs.fail(self.lease, ending.said)

        return tell

    def _died(self, how: str) -> Callable[[], bool]:
        """It fell silent: it used up its time, or something killed it."""
        if how == "SIGXCPU":
            return self._refused("cpu")
        log.warning("job %s: its process died (%s)", self.lease.job.job_id, how)
        return lambda: self.jobs.lost(self.lease, how)

    def _refused(self, what: str) -> Callable[[], bool]:
        problem = problem_of(limit(what, self.settings).exceeded("more", self.lease.job.kind))
        return lambda: self.jobs.fail(self.lease, problem)


def last_of(said: list[Said]) -> list[Said]:
    """Every line of a log, but of stages and of progress only the last, in order."""
    last = {each.kind: at for at, each in enumerate(said)}
    return [each for at, each in enumerate(said) if each.kind == "log" or at == last[each.kind]]


__all__ = ["Worker", "last_of", "work"]

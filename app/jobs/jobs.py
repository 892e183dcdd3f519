"""The queue: jobs submitted, followed, taken by workers under a lease, and ended, in SQLite or PostgreSQL alike."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, text, tuple_, update

from app.jobs.job import AGAIN, ENDED, LIVE, Asked, Event, Job, Lease, Said, State, Submitted, new_job_id
from app.jobs.params import DAY_S, JobParams
from app.jobs.problem import problem_of
from app.jobs.rows import SHOWN, event_of, job_of, locked, tell, turn
from app.store.ledger import asked_before, job, job_event, job_run
from app.store.register import Register
from geo.errors import BusyError, Fault, LostError, NotFoundError, ReusedKeyError, StateError

LOCK = 7_237_002
"""Number of the lock of PostgreSQL under which one submission at a time counts the queue."""
RUN = "run"
"""The kind of job that a day's quota counts, and that equal requests share."""
DIED = "no word from its worker"


class Jobs:
    """The queue of a register.

    A job is acknowledged when ``submit`` returns, and then ends: it is done, or its problem says why not. Times are
    those of the database where it has a clock, so workers on many machines agree; ``clock`` is for tests.
    """

    def __init__(
        self, register: Register, *, params: JobParams | None = None, clock: Callable[[], float] | None = None
    ) -> None:
        self.register = register
        self.params = params or JobParams()
        self._clock = clock

    def __repr__(self) -> str:
        return f"Jobs({self.register!r})"

    # -- for who asks --------------------------------------------------------------------------------------------------

    def submit(
        self, kind: str, asked: Mapping[str, Any], *, caller: str, study_id: str | None = None,
        again: Asked | None = None, per_day: int | None = None, job_id: str | None = None,
    ) -> Submitted:  # fmt: skip
        """Put a job in the queue; kept when this returns.

        With a key that was used before it is the job of then, and ReusedKeyError when the request was another. A run
        that waits or runs already is joined, told by the study and the ``run_ids`` asked for. BusyError when the queue
        is full (``queue``), when the caller has enough in it (``queue-caller``), or ran enough in 24 hours
        (``runs-per-day``). ``job_id`` is from ``new_job_id`` where files for the job had to be laid down before.
        """
        with self.register.writing() as connection:
            now = self._alone(connection)
            before = self._before(connection, caller, again)
            if before is not None:
                return Submitted(before, fresh=False)
            joined = _equal(connection, kind, asked, study_id)
            if joined is None:
                self._require_room(connection, caller)
                self._require_quota(connection, caller, kind, per_day, now)
            found = joined or _new(connection, job_id or new_job_id(), kind, asked, caller, study_id, now)
            if again is not None:
                _remember(connection, caller, again, found.job_id, now)
            return Submitted(found, fresh=joined is None)

    def get(self, job_id: str) -> Job:
        """One job; NotFoundError when there is none."""
        with self.register.reading() as connection:
            row = connection.execute(select(*SHOWN).where(job.c.job_id == job_id)).first()
        if row is None:
            raise _unknown(job_id)
        return job_of(row)

    def asked(self, caller: str, again: Asked | None) -> Job | None:
        """The job that a caller's key stands for already; ReusedKeyError when it came with another request."""
        if again is None:
            return None
        with self.register.writing() as connection:
            return self._before(connection, caller, again)

    def of_run(self, run_id: str) -> Job | None:
        """The job that was asked for a run: one that is live before one that ended, the newest first."""
        of = select(*SHOWN).join(job_run, job_run.c.job_id == job.c.job_id).where(job_run.c.run_id == run_id)
        with self.register.reading() as connection:
            found = [job_of(row) for row in connection.execute(of.order_by(job.c.made_at.desc(), job.c.job_id.desc()))]
        return next((each for each in found if not each.ended), found[0] if found else None)

    def forget(self, study_id: str) -> None:
        """Take back what waits or runs of a study that is gone, and let go of the keys that stand for its jobs."""
        for each in self.listed(study_id=study_id, states=LIVE, limit=1000):
            self.cancel(each.job_id)
        of_it = select(job.c.job_id).where(job.c.study_id == study_id)
        with self.register.writing() as connection:
            connection.execute(delete(asked_before).where(asked_before.c.job_id.in_(of_it)))

    def listed(
        self, *, study_id: str | None = None, states: Collection[State] = (), caller: str | None = None,
        kind: str | None = None, before: str | None = None, limit: int = 100,
    ) -> list[Job]:  # fmt: skip
        """Jobs, the newest first; ``before`` is the id of the last one of the page before."""
        where: list[ColumnElement[bool]] = []
        where += [job.c.kind == kind] if kind is not None else []
        where += [job.c.study_id == study_id] if study_id is not None else []
        where += [job.c.state.in_(states)] if states else []
        where += [job.c.caller == caller] if caller is not None else []
        if before is not None:
            where.append(tuple_(job.c.made_at, job.c.job_id) < (self.get(before).made_at, before))
        newest_first = select(*SHOWN).where(*where).order_by(job.c.made_at.desc(), job.c.job_id.desc()).limit(limit)
        with self.register.reading() as connection:
            return [job_of(row) for row in connection.execute(newest_first)]

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """What was said of a job after the event of this id, in order; none for a job there is not."""
        where = (job_event.c.job_id == job_id, job_event.c.event_id > after)
        with self.register.reading() as connection:
            rows = connection.execute(select(job_event).where(*where).order_by(job_event.c.event_id).limit(limit))
            return [event_of(row) for row in rows]

    def cancel(self, job_id: str) -> Job:
        """Let a job end: at once when it waits, within a heartbeat when it runs. StateError when it ended otherwise."""
        with self.register.writing() as connection:
            found, now = self._there(connection, job_id), self._now(connection)
            if found.state == "waiting":
                return turn(connection, found, now, "cancelled")
            if found.state == "running" and not found.cancel:
                row = update(job).where(job.c.job_id == job_id).values(cancel=True).returning(*SHOWN)
                found = job_of(connection.execute(row).one())
                tell(connection, job_id, now, [Said("state", {"state": "running", "cancel": True})])
        if found.state not in ("running", "cancelled"):
            raise StateError(Fault("a job that has not ended", f"one that is {found.state}", job_id))
        return found

    def retry(self, job_id: str) -> Job:
        """Put a job that came to nothing in the queue again. StateError for another, BusyError when it is full."""
        with self.register.writing() as connection:
            now = self._alone(connection)
            found = self._there(connection, job_id)
            if found.state not in AGAIN:
                cure = "One that waits or runs can be cancelled; ask for the same again instead."
                raise StateError(Fault(f"a job that is {', '.join(AGAIN)}", f"one that is {found.state}", job_id, cure))
            self._require_room(connection, found.caller)
            return turn(
                connection, found, now, "waiting", attempts=0, progress=0.0, stage=None, result=None, problem=None,
                started_at=None,
            )  # fmt: skip

    # -- for workers ---------------------------------------------------------------------------------------------------

    def claim(self, worker: str) -> Lease | None:
        """Take the job that waits longest; None when none does."""
        waits = job.c.state == "waiting"
        if not self._any(waits):
            return None
        with self.register.writing() as connection:
            order = (job.c.made_at, job.c.job_id)
            rows = select(*SHOWN).where(waits).order_by(*order).limit(1).with_for_update(skip_locked=True)
            row = connection.execute(rows).first()
            if row is None:
                return None
            now, token = self._now(connection), secrets.token_hex(16)
            found = turn(
                connection, job_of(row), now, "running", attempts=row.attempts + 1, token=token, worker=worker,
                started_at=now, lease_until=now + self.params.lease_s, progress=0.0, stage=None,
            )  # fmt: skip
            return Lease(found, token)

    def heartbeat(self, lease: Lease) -> bool:
        """Say that the worker lives; False when the lease is lost or the job is to be cancelled: stop, and release."""
        with self.register.writing() as connection:
            found = _held(connection, lease)
            if found is None or found.cancel:
                return False
            until = self._now(connection) + self.params.lease_s
            connection.execute(update(job).where(job.c.job_id == found.job_id).values(lease_until=until))
            return True

    def say(self, lease: Lease, *said: Said) -> bool:
        """Add what a job says, and keep its last stage and progress; False when the lease is lost."""
        with self.register.writing() as connection:
            found = _held(connection, lease)
            if found is None:
                return False
            tell(connection, found.job_id, self._now(connection), said)
            last = {each.kind: each.said[each.kind] for each in said if each.kind in ("stage", "progress")}
            if last:
                connection.execute(update(job).where(job.c.job_id == found.job_id).values(last))
            return True

    def finish(self, lease: Lease, result: Mapping[str, Any]) -> bool:
        """The job is done; False when the lease is lost."""
        return self._ended(lease, "done", result=dict(result), progress=1.0)

    def fail(self, lease: Lease, problem: Mapping[str, Any]) -> bool:
        """The job came to nothing, and would again; False when the lease is lost."""
        return self._ended(lease, "failed", problem=dict(problem))

    def release(self, lease: Lease) -> bool:
        """Give a job back untouched, which costs it no attempt; it is cancelled if that was asked."""
        with self.register.writing() as connection:
            found = _held(connection, lease)
            if found is None:
                return False
            state: State = "cancelled" if found.cancel else "waiting"
            why = "" if found.cancel else "its worker stopped"
            attempts = found.attempts - 1
            turn(connection, found, self._now(connection), state, why=why, attempts=attempts, progress=0.0, stage=None)
            return True

    def lost(self, lease: Lease, why: str) -> bool:
        """What did the work died: another takes it up, or it is parked when that happened too often."""
        with self.register.writing() as connection:
            found = _held(connection, lease)
            if found is not None:
                self._lose(connection, found, why)
            return found is not None

    def reclaim(self, dead: Collection[str] = ()) -> list[Job]:
        """Free the jobs whose lease has run out, or whose worker is known to be dead; as they are now."""
        with self.register.reading() as connection:
            now = self._now(connection)
        free = and_(job.c.state == "running", or_(job.c.lease_until < now, job.c.worker.in_(dead)))
        if not self._any(free):
            return []
        with self.register.writing() as connection:
            rows = connection.execute(select(*SHOWN).where(free).with_for_update(skip_locked=True)).all()
            return [self._lose(connection, job_of(row), DIED) for row in rows]

    def prune(self) -> int:
        """Forget what jobs said that ended long ago, and the keys of that time; how many events went."""
        with self.register.writing() as connection:
            old = self._now(connection) - self.params.kept_s
            connection.execute(delete(asked_before).where(asked_before.c.at < old))
            ended = select(job.c.job_id).where(job.c.state.in_(ENDED), job.c.ended_at < old)
            return connection.execute(delete(job_event).where(job_event.c.job_id.in_(ended))).rowcount

    def needed(self) -> set[str]:
        """Files of the spool that a job still needs or gives (SHA-256): all but what it took that is done for good."""
        with self.register.reading() as connection:
            young = or_(job.c.ended_at.is_(None), job.c.ended_at > self._now(connection) - self.params.kept_s)
            rows = connection.execute(select(job.c.state, job.c.asked, job.c.result).where(young)).all()
        return {sha for row in rows for sha in named_files(row.result if row.state == "done" else row.asked)}

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _now(self, connection: Connection) -> float:
        if self._clock is not None:
            return self._clock()
        if self.register.is_postgres:
            return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
        return time.time()

    def _alone(self, connection: Connection) -> float:
        """Count and add with nobody between; the time."""
        if self.register.is_postgres:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        return self._now(connection)

    def _any(self, where: ColumnElement[bool]) -> bool:
        """Whether there is such a job: asked without keeping writers away."""
        with self.register.reading() as connection:
            return connection.execute(select(job.c.job_id).where(where).limit(1)).first() is not None

    def _there(self, connection: Connection, job_id: str) -> Job:
        found = locked(connection, job.c.job_id == job_id)
        if found is None:
            raise _unknown(job_id)
        return found

    def _before(self, connection: Connection, caller: str, again: Asked | None) -> Job | None:
        """The job a key stands for already."""
        if again is None:
            return None
        key = (asked_before.c.caller == caller, asked_before.c.idempotency_key == again.idempotency_key)
        row = connection.execute(select(asked_before).where(*key)).first()
        if row is not None and row.digest != again.digest:
            cure = "Send another Idempotency-Key with another request."
            raise ReusedKeyError(Fault("the request that came with this key first", "another", "Idempotency-Key", cure))
        return None if row is None else self._there(connection, row.job_id)

    def _require_room(self, connection: Connection, caller: str) -> None:
        waiting = _count(connection, job.c.state == "waiting")
        cure = "Wait until some have ended, or cancel one."
        if waiting >= self.params.queue_most:
            most = f"at most {self.params.queue_most} jobs that wait"
            raise BusyError(Fault(most, str(waiting), "queue", cure), limit="queue")
        own = _count(connection, job.c.caller == caller, job.c.state.in_(LIVE))
        if own >= self.params.running_most:
            most = f"at most {self.params.running_most} jobs of one caller"
            raise BusyError(Fault(most, str(own), "queue", cure), limit="queue-caller")

    def _require_quota(self, connection: Connection, caller: str, kind: str, per_day: int | None, now: float) -> None:
        if per_day is None or kind != RUN:
            return
        made = _count(connection, job.c.caller == caller, job.c.kind == RUN, job.c.made_at > now - DAY_S)
        if made >= per_day:
            fault = Fault(f"at most {per_day} runs in 24 hours", str(made), "queue", "Ask again later.")
            raise BusyError(fault, limit="runs-per-day")

    def _ended(self, lease: Lease, state: State, **values: Any) -> bool:
        with self.register.writing() as connection:
            found = _held(connection, lease)
            if found is not None:
                turn(connection, found, self._now(connection), state, **values)
            return found is not None

    def _lose(self, connection: Connection, found: Job, why: str) -> Job:
        now = self._now(connection)
        if found.cancel:
            return turn(connection, found, now, "cancelled")
        if found.attempts < self.params.attempts:
            return turn(connection, found, now, "waiting", why=why, progress=0.0, stage=None)
        cure = "Try it again, or ask for less at once; the log of the worker may say more."
        fault = Fault("a worker that lives until the job is done", f"{found.attempts} that died ({why})", "", cure)
        return turn(connection, found, now, "parked", problem=problem_of(LostError(fault)))


def named_files(said: Any) -> Iterator[str]:
    """Every ``sha256`` in what a job was asked or gave, however deep."""
    if isinstance(said, Mapping) and isinstance(said.get("sha256"), str):
        yield said["sha256"]
    inside = said.values() if isinstance(said, Mapping) else said if isinstance(said, list) else ()
    for each in inside:
        yield from named_files(each)


def _held(connection: Connection, lease: Lease) -> Job | None:
    """The job of a lease that is still good."""
    return locked(connection, job.c.job_id == lease.job.job_id, job.c.token == lease.token, job.c.state == "running")


def _equal(connection: Connection, kind: str, asked: Mapping[str, Any], study_id: str | None) -> Job | None:
    """A live job for the same runs of the same study."""
    if kind != RUN or not asked.get("run_ids"):
        return None
    same = (job.c.kind == RUN, job.c.study_id == study_id, job.c.state.in_(LIVE), job.c.cancel.is_(False))
    rows = connection.execute(select(*SHOWN).where(*same).order_by(job.c.made_at, job.c.job_id))
    return next((job_of(row) for row in rows if row.asked.get("run_ids") == list(asked["run_ids"])), None)


def _new(
    connection: Connection, job_id: str, kind: str, asked: Mapping[str, Any], caller: str, study_id: str | None,
    now: float,
) -> Job:  # fmt: skip
    row = {"job_id": job_id, "kind": kind, "study_id": study_id, "state": "waiting", "asked": dict(asked),
           "caller": caller, "made_at": now}  # fmt: skip
    found = job_of(connection.execute(insert(job).values(row).returning(*SHOWN)).one())
    for run_id in asked.get("run_ids") or ():
        connection.execute(insert(job_run).values(run_id=run_id, job_id=job_id))
    tell(connection, job_id, now, [Said("state", {"state": "waiting", "attempt": 0})])
    return found


def _remember(connection: Connection, caller: str, again: Asked, job_id: str, now: float) -> None:
    row = {"caller": caller, "idempotency_key": again.idempotency_key, "digest": again.digest}
    connection.execute(insert(asked_before).values(**row, job_id=job_id, at=now))


def _count(connection: Connection, *where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(job).where(*where)).scalar_one())


def _unknown(job_id: str) -> NotFoundError:
    return NotFoundError(Fault("a job", repr(job_id[:80]), "the queue"))


__all__ = ["DIED", "RUN", "Jobs"]

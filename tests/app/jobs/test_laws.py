"""Whatever workers, askers and clocks do in whatever order: no job is lost, and nobody ends one that is another's."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from app.jobs import ENDED, Lease, Said
from app.store.register import Register
from geo.errors import StateError
from tests.app.jobs.conftest import Queue
from tests.app.jobs.made import emptied

LEASE_S = 10.0
ATTEMPTS = 3


@dataclass
class Held:
    """A worker's lease as the world sees it: alive until it dies or somebody else gets the job."""

    lease: Lease
    worker: str
    until: float
    ended: bool = field(default=False)


class Life(RuleBasedStateMachine):
    """The queue beside a model of it: per job the state, the tries that were lost, and who holds it."""

    register: Register
    jobs = Bundle("jobs")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        emptied(self.register)
        self.queue = Queue(self.register, lease_s=LEASE_S, attempts=ATTEMPTS, queue_most=10_000, running_most=10_000)
        self.state: dict[str, str] = {}
        self.lost: dict[str, int] = {}
        self.holder: dict[str, Held] = {}
        self.cancel: set[str] = set()
        self.order: list[str] = []
        self.workers = 0

    @rule(target=jobs)
    def submit(self) -> str:
        self.queue.clock.now += 0.01
        job_id = self.queue.put().job_id
        self.state[job_id], self.lost[job_id] = "waiting", 0
        self.order.append(job_id)
        return job_id

    @rule(seconds=st.sampled_from([0.5, 3.0, 9.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.queue.clock.now += seconds

    @rule(target=holds)
    def claim(self) -> object:
        self.workers += 1
        lease = self.queue.claim(f"h.w{self.workers}")
        waiting = [job_id for job_id in self.order if self.state[job_id] == "waiting"]
        assert (lease is None) == (not waiting)
        if lease is None:
            return multiple()
        job_id = lease.job.job_id
        assert job_id == waiting[0] and lease.job.attempts == self.lost[job_id] + 1 <= ATTEMPTS
        self.state[job_id] = "running"
        self.holder[job_id] = Held(lease, f"h.w{self.workers}", self.queue.clock.now + LEASE_S)
        return self.holder[job_id]

    @rule(held=holds)
    def beat(self, held: Held) -> None:
        job_id = held.lease.job.job_id
        good = self.holds(held) and job_id not in self.cancel
        assert self.queue.heartbeat(held.lease) == good
        if good:
            held.until = self.queue.clock.now + LEASE_S

    @rule(held=holds)
    def talk(self, held: Held) -> None:
        assert self.queue.say(held.lease, Said("log", {"log": "…"})) == self.holds(held)

    @rule(held=holds, how=st.sampled_from(["finish", "fail", "release", "lost"]))
    def leave(self, held: Held, how: str) -> None:
        job_id, mine = held.lease.job.job_id, self.holds(held)
        end = {"finish": lambda: self.queue.finish(held.lease, {"by": held.worker}),
               "fail": lambda: self.queue.fail(held.lease, {"by": held.worker}),
               "release": lambda: self.queue.release(held.lease),
               "lost": lambda: self.queue.lost(held.lease, "SIGKILL")}[how]  # fmt: skip
        assert end() == mine
        if mine and how in ("finish", "fail"):
            self.state[job_id] = {"finish": "done", "fail": "failed"}[how]
            self.cancel.discard(job_id)
        elif mine:
            self.freed(job_id, costs=how == "lost")

    @rule(data=st.data())
    def reclaim(self, data: st.DataObject) -> None:
        running = {self.holder[job_id].worker: job_id for job_id, state in self.state.items() if state == "running"}
        dead = data.draw(st.sets(st.sampled_from(sorted(running)))) if running else set()
        now = self.queue.clock.now
        due = {j for w, j in running.items() if w in dead or self.holder[j].until < now}
        assert {job.job_id for job in self.queue.reclaim(dead)} == due
        for job_id in due:
            self.freed(job_id, costs=True)

    @rule(job_id=jobs)
    def take_back(self, job_id: str) -> None:
        if self.state[job_id] in ("done", "failed", "parked"):
            with pytest.raises(StateError):
                self.queue.cancel(job_id)
            return
        self.queue.cancel(job_id)
        if self.state[job_id] == "waiting":
            self.state[job_id] = "cancelled"
        elif self.state[job_id] == "running":
            self.cancel.add(job_id)

    @rule(job_id=jobs)
    def again(self, job_id: str) -> None:
        if self.state[job_id] in ("failed", "cancelled", "parked"):
            self.queue.retry(job_id)
            self.state[job_id], self.lost[job_id] = "waiting", 0

    @invariant()
    def no_job_is_lost(self) -> None:
        there = {job.job_id: job for job in self.queue.listed(limit=10_000)}
        assert {job_id: job.state for job_id, job in there.items()} == self.state
        for job in there.values():
            assert 0 <= job.attempts <= ATTEMPTS
            assert job.ended == (job.state in ENDED) == (job.ended_at is not None)
            assert (job.result is not None) == (job.state == "done")
            assert (job.problem is not None) == (job.state in ("failed", "parked"))

    def holds(self, held: Held) -> bool:
        job_id = held.lease.job.job_id
        return self.state[job_id] == "running" and self.holder[job_id] is held

    def freed(self, job_id: str, *, costs: bool) -> None:
        self.lost[job_id] += costs
        parked = self.lost[job_id] >= ATTEMPTS
        self.state[job_id] = "cancelled" if job_id in self.cancel else "parked" if parked else "waiting"
        self.cancel.discard(job_id)


def test_life_of_a_queue(register: Register) -> None:
    machine = type("Life", (Life,), {"register": register})
    run_state_machine_as_test(machine, settings=settings(max_examples=12, stateful_step_count=40, deadline=None))
    assert register.engine.dialect.name in ("sqlite", "postgresql")

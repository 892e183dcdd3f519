"""The queue on both engines, case by case."""

from __future__ import annotations

import threading

import pytest

from app.jobs import STATES, Asked, Lease, Said
from app.store.register import Register
from geo.errors import BusyError, NotFoundError, ReusedKeyError, StateError
from tests.app.jobs.conftest import Queue
from tests.app.jobs.made import emptied


def taken(queue: Queue, worker: str = "w") -> Lease:
    lease = queue.claim(worker)
    assert lease is not None
    return lease


def states(queue: Queue, job_id: str) -> list[str]:
    return [event.said["state"] for event in queue.events(job_id) if event.kind == "state"]


def test_from_the_asking_to_the_result(queue: Queue) -> None:
    asked = {"名": '坎彭 \\ " 😀', "deep": [{"n": 1.5}, None]}
    job = queue.submit("nap", asked, caller="ann", study_id="town").job
    assert (job.state, job.asked, job.study_id, job.made_at) == ("waiting", asked, "town", queue.clock.now)
    lease = taken(queue)
    assert lease.job.job_id == job.job_id and lease.job.state == "running" and lease.job.attempts == 1
    assert queue.claim("another") is None
    said = [Said("stage", {"stage": "reading", "stage_zh": "读取"}), Said("progress", {"progress": 0.25})]
    assert queue.say(lease, *said, Said("log", {"log": "a line"}))
    now = queue.get(job.job_id)
    assert (now.stage, now.progress) == ("reading", 0.25)
    queue.clock.now += 3
    assert queue.finish(lease, {"runs": []})
    done = queue.get(job.job_id)
    assert (done.state, done.result, done.problem) == ("done", {"runs": []}, None)
    assert done.ended and done.ended_at == queue.clock.now
    assert states(queue, job.job_id) == ["waiting", "running", "done"]


def test_who_waits_longest_is_next(queue: Queue) -> None:
    first, second = queue.put(n=1), queue.put(n=2)
    assert [taken(queue).job.job_id, taken(queue).job.job_id] == [first.job_id, second.job_id]


def test_events_are_read_on_from_where_one_left_off(queue: Queue) -> None:
    job = queue.put()
    other = queue.put()
    lease = taken(queue)
    for step in range(5):
        queue.say(lease, Said("log", {"log": str(step)}))
    every = queue.events(job.job_id)
    assert [e.event_id for e in every] == sorted({e.event_id for e in every}) and len(every) == 7
    assert queue.events(job.job_id, after=every[3].event_id) == every[4:]
    assert queue.events(job.job_id, limit=2) == every[:2]
    assert len(queue.events(other.job_id)) == 1 and queue.events("none") == []


def test_who_lost_the_lease_says_nothing_more(queue: Queue) -> None:
    job = queue.put()
    old = taken(queue, "old")
    queue.clock.now += queue.params.lease_s + 1
    assert [freed.state for freed in queue.reclaim()] == ["waiting"]
    new = taken(queue, "new")
    told = len(queue.events(job.job_id))
    assert not any([
        queue.heartbeat(old), queue.say(old, Said("log", {"log": "I live"})), queue.finish(old, {}),
        queue.fail(old, {}), queue.release(old), queue.lost(old, "x"),
    ])  # fmt: skip
    assert len(queue.events(job.job_id)) == told
    assert queue.finish(new, {}) and not queue.finish(new, {})


def test_a_heartbeat_keeps_the_lease(queue: Queue) -> None:
    queue.put()
    lease = taken(queue)
    for _ in range(5):
        queue.clock.now += queue.params.lease_s - 1
        assert queue.heartbeat(lease) and queue.reclaim() == []
    queue.clock.now += queue.params.lease_s + 1
    assert len(queue.reclaim()) == 1


def test_a_dead_worker_s_job_is_free_at_once(queue: Queue) -> None:
    queue.put()
    queue.put()
    dead, alive = taken(queue, "host.a.1"), taken(queue, "host.b.1")
    assert [freed.job_id for freed in queue.reclaim(["host.a.1", "host.c.1"])] == [dead.job.job_id]
    assert queue.heartbeat(alive) and not queue.heartbeat(dead)


def test_given_up_after_three_dead_workers_with_what_happened(queue: Queue) -> None:
    job = queue.put()
    for attempt in (1, 2, 3):
        lease = taken(queue)
        assert lease.job.attempts == attempt
        assert queue.lost(lease, "SIGSEGV")
    parked = queue.get(job.job_id)
    assert parked.state == "parked" and parked.problem is not None and queue.claim("w") is None
    assert parked.problem["code"] == "lost" and "SIGSEGV" in parked.problem["detail"]
    assert "工作进程" in parked.problem["detail_zh"] and parked.problem["exit"] == 4
    again = queue.retry(job.job_id)
    assert (again.state, again.attempts, again.problem, again.ended_at) == ("waiting", 0, None, None)
    assert taken(queue).job.attempts == 1


def test_a_worker_that_stops_costs_no_attempt(queue: Queue) -> None:
    job = queue.put()
    for _ in range(5):
        assert queue.release(taken(queue))
    assert (queue.get(job.job_id).state, queue.get(job.job_id).attempts) == ("waiting", 0)


def test_cancelling(queue: Queue) -> None:
    waits, runs = queue.put(), queue.put()
    assert queue.cancel(waits.job_id).state == queue.cancel(waits.job_id).state == "cancelled"
    lease = taken(queue)
    assert lease.job.job_id == runs.job_id
    assert queue.cancel(runs.job_id).cancel and not queue.heartbeat(lease)
    assert queue.release(lease) and queue.get(runs.job_id).state == "cancelled"
    with pytest.raises(NotFoundError):
        queue.cancel("none")


def test_a_dead_worker_does_not_keep_a_job_from_being_cancelled(queue: Queue) -> None:
    job = queue.put()
    taken(queue, "host.a.1")
    queue.cancel(job.job_id)
    assert [freed.state for freed in queue.reclaim(["host.a.1"])] == ["cancelled"]


def test_what_is_done_before_the_worker_hears_stays_done(queue: Queue) -> None:
    job = queue.put()
    lease = taken(queue)
    queue.cancel(job.job_id)
    assert queue.finish(lease, {"n": 1}) and queue.get(job.job_id).state == "done"


@pytest.mark.parametrize("state", STATES)
def test_what_ended_is_not_cancelled_and_only_what_failed_is_tried_again(queue: Queue, state: str) -> None:
    job = queue.put()
    if state != "waiting":
        lease = taken(queue)
        {"running": lambda: True, "done": lambda: queue.finish(lease, {}), "failed": lambda: queue.fail(lease, {}),
         "cancelled": lambda: queue.cancel(job.job_id) and queue.release(lease),
         "parked": lambda: [queue.lost(lease, "x"), queue.lost(taken(queue), "x"), queue.lost(taken(queue), "x")],
        }[state]()  # fmt: skip
    assert queue.get(job.job_id).state == state
    if state in ("done", "failed", "parked"):
        with pytest.raises(StateError):
            queue.cancel(job.job_id)
    if state in ("failed", "cancelled", "parked"):
        assert queue.retry(job.job_id).state == "waiting"
    else:
        with pytest.raises(StateError):
            queue.retry(job.job_id)


# the same asked again


def test_a_key_stands_for_one_request(queue: Queue) -> None:
    first = queue.submit("nap", {"n": 1}, caller="ann", again=Asked("k", "d1"))
    assert first.fresh
    again = queue.submit("nap", {"n": 1}, caller="ann", again=Asked("k", "d1"))
    assert (again.job.job_id, again.fresh) == (first.job.job_id, False)
    with pytest.raises(ReusedKeyError) as refused:
        queue.submit("nap", {"n": 2}, caller="ann", again=Asked("k", "d2"))
    assert refused.value.code == "idempotency"
    assert queue.submit("nap", {"n": 1}, caller="bob", again=Asked("k", "d1")).fresh
    queue.finish(taken(queue), {})
    assert queue.submit("nap", {"n": 1}, caller="ann", again=Asked("k", "d1")).job.state == "done"


def test_equal_runs_under_way_are_one_job(queue: Queue) -> None:
    def ask(study: str, *ids: str, kind: str = "run") -> str:
        return queue.submit(kind, {"run_ids": list(ids)}, caller="ann", study_id=study).job.job_id

    first = ask("town", "a", "b")
    assert ask("town", "a", "b") == first
    assert len({first, ask("town", "a"), ask("other", "a", "b")}) == 3
    queue.cancel(first)
    assert ask("town", "a", "b") != first


def test_other_kinds_are_not_joined(queue: Queue) -> None:
    assert queue.put("export", run_ids=["a"]).job_id != queue.put("export", run_ids=["a"]).job_id


# how much


def test_limits_of_the_queue(register: Register) -> None:
    emptied(register)
    queue = Queue(register, queue_most=3, running_most=2)
    queue.put(), queue.put()
    with pytest.raises(BusyError) as refused:
        queue.put()
    assert refused.value.code == "limit-queue-caller"
    queue.finish(taken(queue), {})
    failed = queue.put()
    with pytest.raises(BusyError, match="at most 2 jobs of one caller"):
        queue.put()
    queue.put(caller="bob")
    with pytest.raises(BusyError) as refused:
        queue.put(caller="cid")
    assert refused.value.code == "limit-queue"
    queue.cancel(failed.job_id)
    queue.put(caller="cid")
    with pytest.raises(BusyError):
        queue.retry(failed.job_id)


def test_runs_of_a_day(queue: Queue) -> None:
    def ask(run: str, kind: str = "run") -> bool:
        return queue.submit(kind, {"run_ids": [run]}, caller="ann", study_id="s", per_day=2).fresh

    assert ask("a") and ask("b") and not ask("b") and ask("x", "export")
    with pytest.raises(BusyError) as refused:
        ask("c")
    assert refused.value.code == "limit-runs-per-day"
    queue.clock.now += 24 * 3600 + 1
    assert ask("c")


def test_pages_of_jobs(queue: Queue) -> None:
    ids = []
    for n in range(7):
        queue.clock.now += n % 2
        ids.append(queue.submit("nap", {}, caller=f"c{n % 2}", study_id=f"s{n % 3}").job.job_id)
    seen: list[str] = []
    while page := queue.listed(limit=3, before=seen[-1] if seen else None):
        seen += [job.job_id for job in page]
    assert sorted(seen) == sorted(ids) and len(seen) == 7
    made = [queue.get(job_id).made_at for job_id in seen]
    assert made == sorted(made, reverse=True)
    assert {job.job_id for job in queue.listed(study_id="s0", caller="c0")} == {ids[0], ids[6]}
    queue.cancel(ids[0])
    assert [job.job_id for job in queue.listed(states=("cancelled",))] == [ids[0]]


def test_what_was_said_long_ago_is_forgotten_but_not_the_result(queue: Queue) -> None:
    old, live = queue.put(), queue.put()
    queue.submit("nap", {}, caller="ann", again=Asked("k", "d"))
    queue.finish(taken(queue), {"sha256": "a" * 64, "asked": 1})
    queue.clock.now += queue.params.kept_s - 1
    assert queue.prune() == 0 and queue.needed() == {"a" * 64}
    queue.clock.now += 2
    assert queue.prune() == 3 and queue.events(old.job_id) == [] and queue.events(live.job_id)
    assert queue.get(old.job_id).result is not None and queue.needed() == set()
    assert queue.submit("nap", {}, caller="ann", again=Asked("k", "other")).fresh


def test_files_are_needed_until_their_job_is_done(queue: Queue) -> None:
    queue.put(file={"sha256": "1" * 64, "name": "a"}, parts=[{"sha256": "2" * 64}])
    lease = taken(queue)
    assert queue.needed() == {"1" * 64, "2" * 64}
    queue.fail(lease, {"code": "x"})
    assert queue.needed() == {"1" * 64, "2" * 64}
    queue.retry(lease.job.job_id)
    queue.finish(taken(queue), {"made": {"sha256": "3" * 64}})
    assert queue.needed() == {"3" * 64}


# many at once


def test_each_job_is_taken_once_by_many_workers(queue: Queue) -> None:
    ids = {queue.put(caller=f"c{n}").job_id for n in range(30)}
    got: list[str] = []

    def take(name: str) -> None:
        while (lease := queue.claim(name)) is not None:
            got.append(lease.job.job_id)
            assert queue.finish(lease, {})

    together(take, 4)
    assert sorted(got) == sorted(ids)


def test_a_key_sent_many_times_at_once_is_one_job(queue: Queue) -> None:
    got: list[tuple[str, bool]] = []

    def ask(name: str) -> None:
        done = queue.submit("nap", {}, caller="ann", again=Asked("k", "d"))
        got.append((done.job.job_id, done.fresh))

    together(ask, 8)
    assert len({job_id for job_id, _ in got}) == 1 and sum(fresh for _, fresh in got) == 1 and len(got) == 8


def together(do: object, many: int) -> None:
    threads = [threading.Thread(target=do, args=(f"w{n}",)) for n in range(many)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

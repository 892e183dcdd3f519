"""Readers of events: each has every event once and in order, and a job is looked at once for all of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Response

from app import streams
from app.jobs import Job, JobParams, Jobs, Lease
from app.jobs.job import Event, Said
from app.store.register import Register
from app.streams import Stream, Streams
from geo.errors import BusyError, NotFoundError

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "asgi": {"version": "3.0", "spec_version": "2.3"}}


class Watched(Jobs):
    """Jobs that count how often they are looked at."""

    looks = 0

    def get(self, job_id: str) -> Job:
        self.looks += 1
        return super().get(job_id)


class Client:
    """Who reads an answer, until it ends or the client is gone."""

    def __init__(self, answer: Response) -> None:
        self.got, self.status = b"", 0
        self._gone = asyncio.Event()
        self.reading = asyncio.create_task(answer(SCOPE, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.got += message.get("body", b"")
        await asyncio.sleep(0)

    async def goes(self) -> None:
        self._gone.set()
        await self.reading

    async def to_the_end(self) -> list[int]:
        await asyncio.wait_for(self.reading, 20)
        return self.ids

    @property
    def ids(self) -> list[int]:
        return [int(line[4:]) for line in self.got.decode().splitlines() if line.startswith("id: ")]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Watched]:
    register = Register.open(tmp_path)
    yield Watched(register, params=JobParams(queue_most=1000, running_most=1000))
    register.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, so that tests end soon."""
    monkeypatch.setattr(streams, "LOOK_EVERY_S", 0.05)


def held(jobs: Jobs, *, most: int = 100, most_per_caller: int = 100) -> Streams:
    return Streams(lambda: jobs, threading.Event(), most=most, most_per_caller=most_per_caller)


def begun(jobs: Jobs) -> Lease:
    """A job that a worker has taken."""
    jobs.submit("nap", {}, caller="ann")
    lease = jobs.claim("worker")
    assert lease is not None
    return lease


def say(jobs: Jobs, lease: Lease, count: int) -> None:
    assert jobs.say(lease, *(Said("log", {"text": f"{step}"}) for step in range(count)))


def ids(jobs: Jobs, job_id: str) -> list[int]:
    found: list[Event] = jobs.events(job_id, limit=100_000)
    return [event.event_id for event in found]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def opened(held: Streams, job_id: str, count: int, caller: Callable[[int], str]) -> tuple[list[Stream], int]:
    """As many readers at once: the answers, and how many were turned away."""
    asked = (held.answer(job_id, 0, caller=caller(number)) for number in range(count))
    found = await asyncio.gather(*asked, return_exceptions=True)
    busy = [each for each in found if isinstance(each, BusyError) and each.limit == "streams"]
    taken = [each for each in found if isinstance(each, Stream)]
    assert len(busy) + len(taken) == count
    return taken, len(busy)


def run(task: Coroutine[Any, Any, None]) -> None:
    asyncio.run(task)


def test_at_once_no_more_than_the_limit_are_let_in_and_one_watch_is_for_all(jobs: Watched) -> None:
    async def task() -> None:
        job_id, many = begun(jobs).job.job_id, held(jobs, most=30)
        taken, busy = await opened(many, job_id, 120, lambda number: f"caller {number}")
        assert (len(taken), busy, len(many), len(many.watched)) == (30, 90, 30, 1)
        clients = [Client(answer) for answer in taken]
        await until(lambda: all(client.ids for client in clients))
        before = jobs.looks
        await asyncio.sleep(0.5)
        assert 2 <= jobs.looks - before <= 11  # one look each 0.05 s, not thirty
        for client in clients:
            await client.goes()
        assert (len(many), many.watched) == (0, {})
        before = jobs.looks
        await asyncio.sleep(0.2)
        assert jobs.looks <= before + 1  # one that was under way

    run(task())


def test_a_caller_has_a_share_and_who_leaves_makes_room(jobs: Watched) -> None:
    async def task() -> None:
        job_id, many = begun(jobs).job.job_id, held(jobs, most=5, most_per_caller=3)
        taken, busy = await opened(many, job_id, 8, lambda _: "ann")
        assert (len(taken), busy) == (3, 5)
        other, busy = await opened(many, job_id, 4, lambda _: "bob")
        assert (len(other), busy) == (2, 2)
        clients = [Client(answer) for answer in (*taken, *other)]
        await clients[0].goes()
        assert len((await opened(many, job_id, 4, lambda _: "ann"))[0]) == 1
        clients[1].reading.cancel()  # as a server that is stopped does
        await asyncio.wait([clients[1].reading])
        assert len(many) == 4

    run(task())


def test_readers_who_come_at_different_times_have_every_event_once(jobs: Watched, monkeypatch: Any) -> None:
    monkeypatch.setattr(streams, "WINDOW", 7)  # who comes late reads from the register first

    async def task() -> None:
        lease, many = begun(jobs), held(jobs)
        job_id, clients, since = lease.job.job_id, [], []
        for round in range(6):
            await asyncio.to_thread(say, jobs, lease, 10)
            known = await asyncio.to_thread(ids, jobs, job_id)
            for after in (0, known[0] - 1, known[len(known) // 2], known[-1], 2**52 if round == 3 else known[1]):
                since.append(after)
                clients.append(Client(await many.answer(job_id, after, caller="ann")))
            await asyncio.sleep(0.03)
        assert len(many.watched) == 1
        await asyncio.to_thread(jobs.finish, lease, {})
        told = [await client.to_the_end() for client in clients]
        every = ids(jobs, job_id)
        assert told == [[each for each in every if each > after] for after in since]
        assert (len(many), many.watched) == (0, {})

    run(task())


def test_more_events_than_one_page_are_told_to_the_end(jobs: Watched) -> None:
    lease = begun(jobs)
    say(jobs, lease, 2300)
    jobs.finish(lease, {})
    every = ids(jobs, lease.job.job_id)

    async def task() -> None:
        client = Client(await held(jobs).answer(lease.job.job_id, every[50], caller="ann"))
        assert await client.to_the_end() == every[51:]

    run(task())


def test_who_has_everything_of_an_ended_job_need_not_come_again(jobs: Watched) -> None:
    lease = begun(jobs)
    jobs.finish(lease, {})
    every = ids(jobs, lease.job.job_id)

    async def task() -> None:
        many = held(jobs)
        for since in (every[-1], 2**52):
            answer = await many.answer(lease.job.job_id, since, caller="ann")
            assert (answer.status_code, answer.body, len(many)) == (204, b"", 0)
        client = Client(await many.answer(lease.job.job_id, every[-2], caller="ann"))
        assert (await client.to_the_end(), client.status) == (every[-1:], 200)
        with pytest.raises(NotFoundError):
            await many.answer("no-such-job", 0, caller="ann")
        assert len(many) == 0

    run(task())


def test_streams_end_when_the_service_leaves(jobs: Watched) -> None:
    async def task() -> None:
        leaving = threading.Event()
        many = Streams(lambda: jobs, leaving, most=9, most_per_caller=9)
        client = Client(await many.answer(begun(jobs).job.job_id, 0, caller="ann"))
        await until(lambda: bool(client.ids))
        leaving.set()
        await client.to_the_end()
        assert (len(many), many.watched) == (0, {})

    run(task())


def test_a_register_that_fails_lets_readers_go_and_is_logged_once(
    jobs: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> list[Event]:
        raise OSError("no disk")

    async def task() -> None:
        job_id, many = begun(jobs).job.job_id, held(jobs)
        clients = [Client(await many.answer(job_id, 0, caller="ann")) for _ in range(3)]
        await until(lambda: all(client.ids for client in clients))
        monkeypatch.setattr(jobs, "events", broken)
        assert all([await client.to_the_end() for client in clients])
        assert len(many) == 0

    run(task())
    assert [record.levelname for record in caplog.records if "no disk" in (record.exc_text or "")] == ["ERROR"]

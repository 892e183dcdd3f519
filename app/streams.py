"""Events of jobs as they happen, for many readers: a job is looked at once for all who read of it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextvars import Context

import orjson
from fastapi import Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from app.jobs import ENDED, Event, Jobs
from geo.errors import BusyError, Fault, NotFoundError

log = logging.getLogger("renxing")
LOOK_EVERY_S = 0.5
"""Seconds between two looks for new events of a job."""
PING_S = 15
WINDOW = 1000
"""Events of a job that are kept for its readers; one that is further behind reads from the register."""
LATER = "Ask for the job's state instead, or come again later."


class Streams:
    """The readers of events in this process, at most so many, and of one caller; used on one event loop.

    ``leaving`` is set when the service ends: its streams end then, and their readers come again with Last-Event-ID.
    """

    def __init__(self, jobs: Callable[[], Jobs], leaving: threading.Event, *, most: int, most_per_caller: int) -> None:
        self._jobs, self._leaving = jobs, leaving
        self.most, self.most_per_caller = most, most_per_caller
        self.watched: dict[str, Watch] = {}
        self._places: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._places.total()

    def __repr__(self) -> str:
        return f"Streams({len(self)} of {self.most} readers, {len(self.watched)} jobs)"

    async def answer(self, job_id: str, since: int, *, caller: str) -> Response:
        """The events of a job after one of them; 204, which a browser takes for the end, when there will be no more.

        NotFoundError for no such job, BusyError (``streams``) when too many read already.
        """
        jobs = await run_in_threadpool(self._jobs)
        job = await run_in_threadpool(jobs.get, job_id)
        near = await run_in_threadpool(jobs.events, job_id, after=max(since - 1, 0), limit=2)
        if job.state in ENDED and all(event.event_id <= since for event in near):
            return over()
        told = since if any(event.event_id == since for event in near) else 0
        # From here to the end nothing waits: no other reader is counted between.
        self._require_room(caller)
        self._places[caller] += 1
        return Stream(Reader(self, self._watch(jobs, job_id, told), since, caller))

    def leave(self, reader: Reader) -> None:
        """Free the place of a reader; a job that nobody reads of is looked at no more."""
        self._places[reader.caller] -= 1
        self._places += Counter()  # forgets who has none
        watch = reader.watch
        watch.readers -= 1
        if not watch.readers:
            watch.stop()
            self.forget(watch)

    def forget(self, watch: Watch) -> None:
        """Let who comes now begin another watch of this job."""
        if self.watched.get(watch.job_id) is watch:
            del self.watched[watch.job_id]

    def _require_room(self, caller: str) -> None:
        for most, taken, whose in (
            (self.most, len(self), ""),
            (self.most_per_caller, self._places[caller], " of one caller"),
        ):
            if taken >= most:
                raise BusyError(Fault(f"at most {most} readers{whose}", str(taken), "events", LATER), limit="streams")

    def _watch(self, jobs: Jobs, job_id: str, told: int) -> Watch:
        """The watch of a job, begun after an event that it had when nobody watches yet."""
        watch = self.watched.get(job_id)
        if watch is None:
            watch = self.watched[job_id] = Watch(jobs, job_id, told, self._leaving, ended=self.forget)
        watch.readers += 1
        return watch


class Watch:
    """One job that is looked at for all its readers: its newest events, each written once.

    Events after ``begin`` up to ``end`` (ids) are in ``window``; what was before is in the register.
    """

    def __init__(
        self, jobs: Jobs, job_id: str, told: int, leaving: threading.Event, *, ended: Callable[[Watch], None]
    ) -> None:
        self.jobs, self.job_id, self.leaving = jobs, job_id, leaving
        self.begin = self.end = told
        self.window: deque[tuple[int, bytes]] = deque()
        self.readers = 0
        self.over = False
        self.news = asyncio.Event()
        self._ended = ended
        # A context of its own: what it logs is not of the request that began it.
        self._task = asyncio.get_running_loop().create_task(self._follow(), context=Context())

    def __repr__(self) -> str:
        return f"Watch({self.job_id}, {self.readers} readers, events {self.begin}-{self.end})"

    def stop(self) -> None:
        """Look no more."""
        self._task.cancel()

    def after(self, event_id: int) -> list[tuple[int, bytes]]:
        """Events of the window after one of them, in order."""
        if event_id >= self.end:
            return []
        return [told for told in self.window if told[0] > event_id]

    async def before(self, event_id: int) -> list[tuple[int, bytes]]:
        """Events after one that the window is past, from the register."""
        found = await run_in_threadpool(self.jobs.events, self.job_id, after=event_id, limit=WINDOW)
        return [written(event) for event in found]

    async def _follow(self) -> None:
        try:
            while not self.over:
                fresh, ended = await run_in_threadpool(self._look)
                self._keep(fresh)
                self.over = (ended and not fresh) or self.leaving.is_set()
                self._tell()
                await asyncio.sleep(0 if fresh or self.over else LOOK_EVERY_S)
        except NotFoundError:
            log.info("job %s went while its events were read", self.job_id)
        except Exception:
            log.exception("events of job %s cannot be read; its readers are let go", self.job_id)
        finally:
            self.over = True
            self._ended(self)
            self._tell()

    def _look(self) -> tuple[list[tuple[int, bytes]], bool]:
        """New events, and whether the job had ended before they were asked for: then no more will come."""
        job = self.jobs.get(self.job_id)
        found = self.jobs.events(self.job_id, after=self.end, limit=WINDOW)
        return [written(event) for event in found], job.state in ENDED

    def _keep(self, fresh: list[tuple[int, bytes]]) -> None:
        self.window.extend(fresh)
        self.end = fresh[-1][0] if fresh else self.end
        while len(self.window) > WINDOW:
            self.begin, _ = self.window.popleft()

    def _tell(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class Reader:
    """Who reads the events of a job, and the last one it has (id)."""

    def __init__(self, streams: Streams, watch: Watch, since: int, caller: str) -> None:
        self.streams, self.watch, self.since, self.caller = streams, watch, since, caller

    def __repr__(self) -> str:
        return f"Reader({self.caller}, {self.watch.job_id}, after {self.since})"

    def leave(self) -> None:
        """Free its place."""
        self.streams.leave(self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Every event once and in order, as many at a time as there are, until the job has ended and all are told."""
        watch = self.watch
        while True:
            # News that come while this reader is written to are seen: over and news are those of before.
            over, news = watch.over, watch.news
            found = await watch.before(self.since) if self.since < watch.begin else watch.after(self.since)
            if found:
                self.since = found[-1][0]
                yield b"".join(said for _, said in found)
            elif self.since < watch.begin:
                self.since = watch.begin  # swept away since
            elif over:
                return
            else:
                await news.wait()
            if watch.leaving.is_set():
                return


class Stream(EventSourceResponse):
    """The answer to a reader; its place is free when it ends, however it ends."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(aiter(reader), ping=PING_S)
        self.reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write to the reader until the end, or until it is gone."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.reader.leave()


def over() -> Response:
    """204: there will be no more events. A browser that read them does not come again."""
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def written(event: Event) -> tuple[int, bytes]:
    """An event as it is sent, with its id."""
    said = orjson.dumps({"at": event.at, **event.said}).decode()
    return event.event_id, ServerSentEvent(data=said, event=event.kind, id=str(event.event_id)).encode()


__all__ = ["LOOK_EVERY_S", "Reader", "Stream", "Streams", "Watch", "over", "written"]

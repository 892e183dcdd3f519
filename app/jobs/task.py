"""What a kind of job is given, in the process that does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.jobs.job import Job, Said
from app.legible import legible
from app.settings import Settings
from app.store import Workspace
from app.store.opening import opened, register_of
from app.store.register import Register
from app.store.shared_spool import spool_of
from app.store.spool import Spool
from app.texts.phrases import in_chinese

STAGE_MAX, LOG_MAX = 200, 2000
"""Characters of a stage's name, and of one line of the log."""
LINES_MAX = 1000
"""Lines of the log that are kept of one job."""


class Task:
    """A job under way: what was asked, where the studies are, and how to say what is being done."""

    def __init__(self, job: Job, settings: Settings, say: Callable[[Said], None]) -> None:
        self.job = job
        self.settings = settings
        self._say = say
        self._lines = 0
        self._stages, self._ended = 0, 0

    def __repr__(self) -> str:
        return f"Task({self.job!r})"

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked for, as it was submitted."""
        return self.job.asked

    @property
    def study_id(self) -> str | None:
        """The study it is about."""
        return self.job.study_id

    @cached_property
    def workspace(self) -> Workspace:
        """The studies."""
        return opened(self.settings)

    @cached_property
    def register(self) -> Register:
        """The register; it was not open before this process began."""
        return register_of(self.workspace, self.settings)

    @cached_property
    def spool(self) -> Spool:
        """The files that jobs take and give."""
        return spool_of(self.settings.workspace, self.register)

    def expect(self, stages: int) -> None:
        """Say how many stages there will be; without it there is no progress to tell."""
        self._stages = stages

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Say what is being done, and when it is done how far the job is."""
        shown = legible(name)[:STAGE_MAX]
        self._say(Said("stage", {"stage": shown, "stage_zh": legible(in_chinese(name))[:STAGE_MAX]}))
        yield
        self._ended += 1
        if self._stages:
            self._say(Said("progress", {"progress": round(min(1.0, self._ended / self._stages), 3)}))

    def log(self, text: str) -> None:
        """Add a line to the job's log; after so many of them no more are kept."""
        self._lines += 1
        if self._lines <= LINES_MAX:
            self._say(Said("log", {"log": legible(text, LOG_MAX)}))


@dataclass(frozen=True)
class Kind:
    """A kind of job: ``run`` does the work and gives the result, which is JSON and small."""

    run: Callable[[Task], Mapping[str, Any]]

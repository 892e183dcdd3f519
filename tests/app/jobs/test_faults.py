"""A disk that fails at the n-th call, for every n: the error is told, nothing is half there, and trying again works."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from app.jobs import Job, Said
from app.store import Run, Workspace
from app.store.files import digest
from app.store.grids import read_grid, write_grid
from app.store.register import Register
from data.study import Layer
from geo.errors import StorageError
from geo.hazards import Grid
from tests.app import hand_made
from tests.app.jobs.conftest import Queue

CALLS = ("write", "fsync", "rename", "replace", "mkdir")
"""What a program asks of a disk, as ``os`` has it."""
AFTER_ALL = 500
"""More calls than anything here makes."""


class Disk:
    """A disk whose ``at``-th call fails, and all after it when it is full."""

    def __init__(self, patch: pytest.MonkeyPatch, code: int) -> None:
        self.code, self.at, self.calls, self.needed = code, AFTER_ALL, 0, 0
        for name in CALLS:
            patch.setattr(os, name, self._failing(getattr(os, name)))

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.at or (self.code == errno.ENOSPC and self.calls > self.at):
                raise OSError(self.code, os.strerror(self.code))
            return call(*given, **named)

        return asked

    @contextmanager
    def failing(self, at: int) -> Iterator[None]:
        """Fail from the ``at``-th call in the block on."""
        self.at, self.calls = at, 0
        yield
        self.at, self.needed = AFTER_ALL, self.calls


@pytest.fixture(params=[errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch, request.param)


def until_it_passes(disk: Disk, do: Callable[[], object], look: Callable[[], object]) -> int:
    """Do it with the first call failing, then the second, …; after each ``look`` at what there is. How many failed."""
    for at in range(1, AFTER_ALL):
        with disk.failing(at):
            try:
                do()
            except StorageError as error:
                assert error.faults, "it is said what to do"
        look()
        if disk.needed < at:
            return at - 1
    raise AssertionError("it never passes")


def whole(run: Run) -> bool:
    return all(digest(run.folder / layer.file) == layer.sha256 for layer in run.record.layers)


def test_saving_a_run(disk: Disk, tmp_path: Path) -> None:
    made = hand_made.workspace(tmp_path)
    numbers = iter(range(AFTER_ALL))
    last: list[Any] = []

    def save() -> None:
        last[:] = [hand_made.recipe(made.study("kampen").file, n=next(numbers))]
        made.save(last[0], hand_made.outcome())

    def look() -> None:
        runs = {run.run_id: run for run in Workspace.open(made.path).runs("kampen")}
        assert all(map(whole, runs.values()))
        again = made.save(last[0], hand_made.outcome())
        assert whole(again) and again.run_id == last[0].run_id
        assert list((made.root / "kampen" / "runs").glob(".new-*")) == []

    assert until_it_passes(disk, save, look) > 8


def test_remembering_the_last_run(disk: Disk, tmp_path: Path) -> None:
    made, run = hand_made.saved(tmp_path)
    before = made.latest("kampen")

    def look() -> None:
        assert {name: each.run_id for name, each in made.latest("kampen").items()} == {"flood": run.run_id}

    assert before and until_it_passes(disk, lambda: made.mark_latest(run), look) >= 2


def test_adding_a_layer(disk: Disk, tmp_path: Path) -> None:
    made = hand_made.workspace(tmp_path)
    source = tmp_path / "people.csv"
    source.write_text("x,y,people\n1,2,3\n", encoding="utf-8")
    names = [f"people{n}" for n in range(AFTER_ALL)]
    tried: list[str] = []

    def add() -> None:
        tried.append(names[len(tried)])
        source.write_text(f"x,y,people\n1,2,{len(tried)}\n", encoding="utf-8")
        made.add_layer("kampen", layer(tried[-1]), source)

    def look() -> None:
        study = Workspace.open(made.path).study("kampen")
        there = {each.layer_id: each for each in study.file.layers}
        assert all(digest(study.folder / each.file) == each.sha256 for each in there.values())
        if tried[-1] not in there:
            made.add_layer("kampen", layer(tried[-1]), source)
        assert list(made.root.rglob(".new-*")) == []

    assert until_it_passes(disk, add, look) >= 4


def layer(name: str) -> Layer:
    return Layer(layer_id=name, kind="population", file="inputs/x")


def test_making_a_study(disk: Disk, tmp_path: Path) -> None:
    made = Workspace.open(tmp_path / "workspace")
    extract = hand_made.extract(tmp_path)
    tried: list[str] = []

    def create() -> None:
        tried.append(f"town{len(tried)}")
        made.create(hand_made.study_file(tried[-1]), {"osm": extract})

    def look() -> None:
        there = Workspace.open(made.path).studies()
        assert all(digest(made.study(name).folder / "inputs/osm.osm.pbf") == digest(extract) for name in there)
        if tried[-1] not in there:
            made.create(hand_made.study_file(tried[-1]), {"osm": extract})

    assert until_it_passes(disk, create, look) > 4


# a disk that is full for whoever writes to it, libraries in C as well


@contextmanager
def no_file_above(most: int) -> Iterator[None]:
    """Let every write beyond so many bytes of a file fail, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_saving_a_run_where_no_room_is_left(tmp_path: Path) -> None:
    made, run = hand_made.saved(tmp_path)
    sizes = sorted({path.stat().st_size for path in run.folder.rglob("*") if path.is_file()})
    flood = run.raster("hazard_flood").grid.values
    told = 0
    for n, most in enumerate([0, 1, *(size - 1 for size in sizes), sizes[-1]]):
        recipe = hand_made.recipe(made.study("kampen").file, n=n)
        with no_file_above(most):
            try:
                made.save(recipe, hand_made.outcome())
            except StorageError:
                told += 1
        there = {each.run_id: each for each in made.runs("kampen")}
        assert all(map(whole, there.values()))
        again = made.save(recipe, hand_made.outcome())
        assert np.array_equal(again.raster("hazard_flood").grid.values, flood, equal_nan=True)
        assert all(len(again.table(name)) == again.layer(name).rows for name in ("communities", "streets"))
    assert told == len(sizes) + 2


def test_a_raster_is_whole_or_refused_wherever_the_room_ends(tmp_path: Path) -> None:
    """GDAL alone keeps silent when the last of a file cannot be written."""
    values = np.random.default_rng(1).random((300, 300), dtype=np.float32)
    grid = Grid(values, (10.0, 0.0, hand_made.EAST, 0.0, -10.0, hand_made.NORTH), hand_made.CRS)
    write_grid(grid, tmp_path / "whole.tif")
    size = (tmp_path / "whole.tif").stat().st_size
    for most in (0, 100, size // 2, size - 100, size - 1):
        with no_file_above(most), pytest.raises(OSError, match="large"):
            write_grid(grid, tmp_path / f"{most}.tif")
    with no_file_above(size):
        write_grid(grid, tmp_path / "again.tif")
    assert np.array_equal(read_grid(tmp_path / "again.tif").values, values)


def test_ending_a_job_where_no_room_is_left(tmp_path: Path) -> None:
    register = Register.open(tmp_path)
    queue = Queue(register)
    queue.put()
    lease = queue.claim("w")
    assert lease is not None
    with no_file_above(0), pytest.raises(StorageError, match="register that can be read and written"):
        queue.finish(lease, {"n": 1})
    assert queue.get(lease.job.job_id).state == "running"
    assert queue.finish(lease, {"n": 1}) and queue.get(lease.job.job_id).result == {"n": 1}
    with no_file_above(0), pytest.raises(StorageError):
        queue.put()
    assert len(queue.listed()) == 1
    register.close()


# the register: each statement of a transaction fails in its turn, and the end of it


class Statements:
    """The statements sent to a register; the ``at``-th fails, and ``commit`` when it is more than there are."""

    def __init__(self, register: Register) -> None:
        self.at, self.sent = AFTER_ALL, 0
        self.register = register

    def sending(self, *_: object) -> None:
        self.sent += 1
        if self.sent == self.at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    @contextmanager
    def failing(self, at: int) -> Iterator[None]:
        self.at, self.sent = at, 0
        for name in ("before_cursor_execute", "commit"):
            event.listen(self.register.engine, name, self.sending)
        try:
            yield
        finally:
            for name in ("before_cursor_execute", "commit"):
                event.remove(self.register.engine, name, self.sending)


ENDS: dict[str, Callable[[Queue, Any], object]] = {
    "finish": lambda queue, lease: queue.finish(lease, {"n": 1}),
    "fail": lambda queue, lease: queue.fail(lease, {"code": "x"}),
    "release": lambda queue, lease: queue.release(lease),
    "say": lambda queue, lease: queue.say(lease, Said("progress", {"progress": 0.5}), Said("log", {"log": "x"})),
    "reclaim": lambda queue, lease: queue.reclaim(["w"]),
    "submit": lambda queue, lease: queue.put(),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_a_worker_tells_is_told_whole_or_not_at_all(queue: Queue, end: str) -> None:
    statements = Statements(queue.register)
    queue.put()
    lease = queue.claim("w")
    assert lease is not None
    before = seen(queue)
    for at in range(1, 40):
        try:
            with statements.failing(at):
                ENDS[end](queue, lease)
            break
        except StorageError:
            assert seen(queue) == before
    else:
        pytest.fail("it never passes")
    assert at > 2 and seen(queue) != before


def seen(queue: Queue) -> tuple[list[Job], list[object]]:
    jobs = queue.listed()
    return jobs, [queue.events(job.job_id) for job in jobs]

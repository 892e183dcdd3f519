"""Many people at once on real studies while runs are computed: ``python -m tests.benchmarks.load --workspace FOLDER``.

It starts its own service over the folder (a copy: runs are added to it), lets two runs be computed all the time, and
has people use it as people do: they open a map, move it, read the table, ask a way, look features up, submit. Printed
is, for each kind of request, how many there were, how long they took, and whether that keeps to what is promised. The
exit code is 1 when something is not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import mercantile
import numpy as np

from tests.app.served import Served, serving
from tests.benchmarks.load_client import Broken, Client, Reply

PROMISED_MS = {"tile, cached": 100, "tile, cold": 300, "items": 300, "page": 500, "submit": 200}
"""p99 that issue 7 promises (milliseconds)."""
MEMORY_MOST = 1e9
"""Bytes that the server processes may have together (PSS)."""
THINK_S = (2.0, 10.0)
"""Between two things that a person does."""
OVERRIDE = "walk.max_minutes"
NUMBERS = count(1)


@dataclass(frozen=True)
class Table:
    """A table layer of a run with its box in degrees."""

    name: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Plan:
    """A study as people use it: its latest run, its layers, and the tiles that are asked for again and again."""

    study: str
    scenarios: tuple[str, ...]
    run: str
    tables: tuple[Table, ...]
    rasters: tuple[Table, ...]
    warm: tuple[str, ...]


@dataclass
class Tally:
    """What was asked and how it went."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, reply: Reply, path: str) -> None:
        """One answer; what is no success is an error."""
        self.seconds[kind].append(reply.seconds)
        if reply.status not in (200, 202, 204, 304):
            self.wrong[f"{kind}: {reply.status} {re.sub(r'[0-9]{3,}', 'N', path)[:90]}"] += 1


class Person:
    """Does one thing after another, thinking in between."""

    def __init__(self, plans: Sequence[Plan], address: tuple[str, int], tally: Tally, seed: int) -> None:
        self.plans, self.tally = plans, tally
        self.client = Client(*address)
        self.chance = random.Random(seed)
        self.does: list[Callable[[Plan], Awaitable[None]]] = [
            *[self.opens] * 12, *[self.moves] * 44, *[self.looks_up] * 14, *[self.reads] * 12, *[self.asks_a_way] * 8,
            *[self.watches] * 6, *[self.submits] * 4,
        ]  # fmt: skip

    async def lives(self, until: float) -> None:
        """Until the time is up."""
        await asyncio.sleep(self.chance.uniform(0, THINK_S[1]))
        while time.monotonic() < until:
            await self.chance.choice(self.does)(self.chance.choice(self.plans))
            await asyncio.sleep(self.chance.uniform(*THINK_S))
        await self.client.close()

    async def asks(self, kind: str, path: str, **how: Any) -> Reply | None:
        try:
            reply = await self.client.ask(path, **how)
        except (OSError, TimeoutError, Broken, asyncio.IncompleteReadError) as error:
            self.tally.wrong[f"{kind}: {type(error).__name__}"] += 1
            return None
        self.tally.note(kind, reply, path)
        return reply

    async def opens(self, plan: Plan) -> None:
        """The map: the page, then what its scripts fetch."""
        await self.asks("page", f"/studies/{plan.study}?lang={self.chance.choice(('zh', 'en'))}")
        warm = self.chance.sample(plan.warm, min(6, len(plan.warm)))
        layer = f"/api/v1/runs/{plan.run}/layers/communities.geojson"
        await asyncio.gather(self.asks("layer", layer), *(self.asks("tile, cached", path) for path in warm))

    async def moves(self, plan: Plan) -> None:
        """Tiles: most of them somebody saw before, one that nobody did."""
        warm = self.chance.sample(plan.warm, min(5, len(plan.warm)))
        cold = self.asks("tile, cold", self.somewhere_new(plan))
        await asyncio.gather(cold, *(self.asks("tile, cached", path) for path in warm))

    def somewhere_new(self, plan: Plan) -> str:
        table = self.chance.choice(plan.tables)
        x, y = self.point(table.box)
        tile = mercantile.tile(x, y, self.chance.choice((15, 16, 17, 18)))
        return f"/tiles/{plan.run}/{table.name}/{tile.z}/{tile.x}/{tile.y}.mvt"

    def point(self, box: tuple[float, float, float, float]) -> tuple[float, float]:
        """A place in a box, nearer to its middle than not."""
        west, south, east, north = box
        return self.chance.triangular(west, east), self.chance.triangular(south, north)

    async def looks_up(self, plan: Plan) -> None:
        """Features of a part of the city, as a GIS asks for them."""
        table = self.chance.choice(plan.tables)
        x, y = self.point(table.box)
        box = quote(",".join(f"{edge:.5f}" for edge in (x - 0.005, y - 0.005, x + 0.005, y + 0.005)))
        await self.asks(
            "items", f"/ogc/{plan.study}/runs/{plan.run}/collections/{table.name}/items?bbox={box}&limit=100"
        )

    async def reads(self, plan: Plan) -> None:
        """The table of communities."""
        await self.asks("summary", f"/api/v1/runs/{plan.run}/summary")

    async def asks_a_way(self, plan: Plan) -> None:
        """From where one stands to a shelter; of the first study, which is kept prepared."""
        first = self.plans[0]
        x, y = self.point(next(t for t in first.tables if t.name == "communities").box)
        reply = await self.client.ask(f"/api/v1/studies/{first.study}/route?from={x:.5f},{y:.5f}")
        if reply.status != 422:  # a place outside the streets is refused, and rightly so
            self.tally.note("way", reply, "route")

    async def watches(self, plan: Plan) -> None:
        """The jobs, and one of the runs."""
        await self.asks("jobs", "/api/v1/jobs?limit=20")
        await self.asks("record", f"/api/v1/runs/{plan.run}")

    async def submits(self, plan: Plan) -> None:
        """A run with another number, taken back at once: two are computed already."""
        reply = await self.asks("submit", f"/api/v1/studies/{plan.study}/runs", **_order(plan))
        job = _json(reply).get("job") if reply and reply.status == 202 else None
        if job:
            await self.asks("cancel", job["href"], method="DELETE")


def _order(plan: Plan) -> dict[str, Any]:
    wanted = {"scenarios": [plan.scenarios[0]], "parameters": {OVERRIDE: 20 + next(NUMBERS) / 1000}}
    return {"method": "POST", "body": json.dumps(wanted).encode()}


def _json(reply: Reply) -> Any:
    body = gzip.decompress(reply.body) if reply.headers.get("content-encoding") == "gzip" else reply.body
    return json.loads(body)


async def plans_of(client: Client, only: Sequence[str]) -> list[Plan]:
    """The studies that have a run, with their layers and tiles."""
    listed = _json(await client.ask("/api/v1/studies"))["studies"]
    wanted = [s["study_id"] for s in listed if not only or s["study_id"] in only]
    found = [await _plan(client, study) for study in sorted(wanted, key=lambda s: only.index(s) if only else s)]
    return [plan for plan in found if plan]


async def _plan(client: Client, study: str) -> Plan | None:
    about = _json(await client.ask(f"/api/v1/studies/{study}"))
    runs = [s["run_id"] for s in about["scenarios"] if s["run_id"]]
    if not runs:
        return None
    layers = _json(await client.ask(f"/api/v1/runs/{runs[-1]}/layers"))["layers"]
    there = [(layer["kind"], Table(layer["layer"], tuple(layer["bounds"]))) for layer in layers if layer["bounds"]]
    tables, rasters = ([t for kind, t in there if kind == wanted] for wanted in ("table", "raster"))
    drawn = [t for t in tables if (await client.ask(f"/tiles/{runs[-1]}/{t.name}.json")).status == 200]
    scenarios = tuple(s["scenario_id"] for s in about["scenarios"])
    return Plan(study, scenarios, runs[-1], tuple(drawn), tuple(rasters), tuple(_warm(study, runs[-1], drawn, rasters)))


def _warm(study: str, run: str, tables: Sequence[Table], rasters: Sequence[Table]) -> Iterator[str]:
    """The tiles of the middle of the city, which everybody sees."""
    west, south, east, north = next(t.box for t in tables if t.name == "communities")
    x, y = (west + east) / 2, (south + north) / 2
    for zoom in (12, 13, 14, 15):
        tile = mercantile.tile(x, y, zoom)
        for table in tables[:6]:
            yield f"/tiles/{run}/{table.name}/{tile.z}/{tile.x}/{tile.y}.mvt"
        for table in rasters:
            yield f"/tiles/{run}/{table.name}/{tile.z}/{tile.x}/{tile.y}.png"
        yield f"/tiles/{study}/base/{tile.z}/{tile.x}/{tile.y}.mvt"


def _middle(plan: Plan, table: Table) -> str:
    """A tile of a layer that nobody asks for again."""
    west, south, east, north = table.box
    tile = mercantile.tile((west + east) / 2, (south + north) / 2, 19)
    return f"/tiles/{plan.run}/{table.name}/{tile.z}/{tile.x}/{tile.y}.mvt"


async def warm_up(plans: Sequence[Plan], address: tuple[str, int]) -> None:
    """Everything that is to be warm is asked for often enough that each server process has seen it.

    Every layer is drawn once, as the job that computes a run sees to it.
    """
    for plan in plans:
        client = Client(*address, at_once=2)
        await asyncio.gather(*(client.ask(_middle(plan, table)) for table in plan.tables))
        await client.close()
        paths = [f"/studies/{plan.study}?lang={lang}" for lang in ("zh", "en")]
        paths += [*plan.warm, f"/api/v1/runs/{plan.run}/summary", f"/api/v1/runs/{plan.run}/layers/communities.geojson"]
        paths += [f"/ogc/{plan.study}/runs/{plan.run}/collections/{t.name}/items?limit=1" for t in plan.tables]
        for _ in range(8):
            client = Client(*address, at_once=4)
            await asyncio.gather(*(client.ask(path) for path in paths))
            await client.close()
    first = next(t for t in plans[0].tables if t.name == "communities").box
    middle = f"{(first[0] + first[2]) / 2:.5f},{(first[1] + first[3]) / 2:.5f}"
    for _ in range(8):
        client = Client(*address)
        with contextlib.suppress(TimeoutError):
            await client.ask(f"/api/v1/studies/{plans[0].study}/route?from={middle}")
        await client.close()


class Computing:
    """Keeps two runs computed all the time."""

    def __init__(self, plans: Sequence[Plan], address: tuple[str, int]) -> None:
        self.plans, self.client = plans, Client(*address)
        self.submitted = 0

    async def lives(self, until: float, *, live: int = 2) -> None:
        """Submit whenever fewer than ``live`` wait or run."""
        jobs: list[str] = []
        while time.monotonic() < until:
            states = [_json(await self.client.ask(job))["state"] for job in jobs]
            jobs = [job for job, state in zip(jobs, states, strict=True) if state in ("waiting", "running")]
            while len(jobs) < live:
                plan = self.plans[self.submitted % len(self.plans)]
                reply = await self.client.ask(f"/api/v1/studies/{plan.study}/runs", **_order(plan))
                jobs.append(_json(reply)["job"]["href"])
                self.submitted += 1
            await asyncio.sleep(1.0)
        for job in jobs:
            await self.client.ask(job, method="DELETE")


class Memory:
    """The memory of the service's processes while it is used: PSS, so that what they share counts once (bytes)."""

    def __init__(self, service: Served) -> None:
        self.service = service
        self.most: dict[str, float] = {}
        self.busy = self.spent()

    async def lives(self, until: float) -> None:
        """Look every few seconds."""
        while time.monotonic() < until:
            now = {name: pss(pid) for name, pid in self.service.members().items()}
            now["servers"] = sum(size for name, size in now.items() if name.startswith("server"))
            self.most = {name: max(size, self.most.get(name, 0.0)) for name, size in {**self.most, **now}.items()}
            await asyncio.sleep(3.0)

    def spent(self) -> dict[str, float]:
        """Processor time so far (seconds)."""
        return {name: cpu(pid) for name, pid in {**self.service.members(), "load": os.getpid()}.items()}


def pss(pid: int) -> float:
    """Proportional memory of a process; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0.0)


def cpu(pid: int) -> float:
    """Processor time of a process and of its children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


async def used(service: Served, asked: argparse.Namespace) -> tuple[Tally, Memory, float]:
    """People use the service for a while."""
    host, _, port = service.address.removeprefix("http://").rstrip("/").rpartition(":")
    address = (host, int(port))
    plans = await plans_of(Client(*address), asked.studies)
    print(f"studies: {', '.join(f'{p.study} ({len(p.tables)} tables)' for p in plans)}", flush=True)
    began = time.monotonic()
    await warm_up(plans, address)
    print(f"warm after {time.monotonic() - began:.0f} s; {asked.users} people for {asked.minutes:g} min", flush=True)
    tally, memory = Tally(), Memory(service)
    began = time.monotonic()
    until = began + asked.minutes * 60
    people = [Person(plans, address, tally, seed) for seed in range(asked.users)]
    computing = [Computing(plans, address).lives(until, live=asked.runs)] if asked.runs else []
    await asyncio.gather(memory.lives(until), *computing, *(person.lives(until) for person in people))
    return tally, memory, time.monotonic() - began


def report(tally: Tally, memory: Memory, took_s: float) -> bool:
    """Print what was found; whether everything that is promised was kept."""
    kept = not tally.wrong
    print(f"\n{'':16}{'n':>7}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}  ms   promised")
    for kind, seconds in sorted(tally.seconds.items()):
        p50, p95, p99, most = np.percentile(np.array(seconds) * 1000, (50, 95, 99, 100))
        promised = PROMISED_MS.get(kind)
        held = promised is None or p99 <= promised
        kept &= held
        said = "" if promised is None else f"p99 {promised} ms: {'kept' if held else 'NOT KEPT'}"
        print(f"{kind:16}{len(seconds):7}{p50:8.0f}{p95:8.0f}{p99:8.0f}{most:8.0f}       {said}")
    total = sum(map(len, tally.seconds.values()))
    print(f"{'all':16}{total:7}   {total / took_s:.0f} a second, {sum(tally.wrong.values())} errors")
    for what, n in tally.wrong.most_common(12):
        print(f"    {n:5} {what}")
    return kept & told_memory(memory, took_s)


def told_memory(memory: Memory, took_s: float) -> bool:
    """Print memory and processor time; whether the servers kept to theirs."""
    print("\nmemory at most (PSS, MB): " + ", ".join(f"{n} {v / 1e6:.0f}" for n, v in sorted(memory.most.items())))
    busy: Mapping[str, float] = {n: s - memory.busy.get(n, 0.0) for n, s in memory.spent().items()}
    print("cores in use: " + ", ".join(f"{name} {spent / took_s:.2f}" for name, spent in sorted(busy.items())))
    kept = memory.most.get("servers", 0.0) < MEMORY_MOST
    print(f"servers under {MEMORY_MOST / 1e6:.0f} MB: {'kept' if kept else 'NOT KEPT'}")
    return kept


def main() -> int:
    """Start the service, have it used, say how it did; the exit code."""
    asked = _arguments()
    words = ["--workers", str(asked.workers), "--job-workers", str(asked.job_workers)]
    settings = {"requests_per_minute": 0, "tiles_per_minute": 0, "queue_jobs_caller": 100, "log": asked.log}
    with (
        tempfile.TemporaryDirectory(prefix="renxing-load-") as folder,
        serving(asked.workspace, asked.written or Path(folder, "log"), *words, **settings) as service,
    ):
        tally, memory, took_s = asyncio.run(used(service, asked))
        return 0 if report(tally, memory, took_s) else 1


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.load", description=__doc__)
    words.add_argument("--workspace", type=Path, required=True, help="folder with computed studies (runs are added)")
    words.add_argument("--studies", type=lambda text: text.split(","), default=[], help="only these (default: all)")
    words.add_argument("--users", type=int, default=100, help="people at the same time (count)")
    words.add_argument("--minutes", type=float, default=10.0, help="how long (minutes)")
    words.add_argument("--workers", type=int, default=2, help="server processes (count)")
    words.add_argument("--job-workers", type=int, default=2, help="worker processes (count)")
    words.add_argument("--runs", type=int, default=2, help="runs that are computed meanwhile (count)")
    words.add_argument("--log", default="json", choices=("json", "off"), help="the service's log")
    words.add_argument("--written", type=Path, help="file for the service's log (default: thrown away)")
    return words.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""Fifty people who look at nothing but tiles: ``python -m tests.benchmarks.tile_load --workspace FOLDER``.

It starts its own service with two processes over the folder (a copy: caches are added to it). Everybody moves a map as
a browser does: six tiles of a place at once, then some seconds of looking. Cold tiles are ones that nobody asked for,
of any layer with a drawing and of the base map, each at a zoom from 9 to 17 and a place drawn like people's homes;
warm ones were all asked for before. Printed are how many, the median, 95 and 99 of 100, and the largest. Load and
service share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import mercantile
import numpy as np

from tests.app.served import Served, serving
from tests.benchmarks.load import Plan, plans_of
from tests.benchmarks.load_client import Client

TILES_A_VIEW = 6
ROUNDS = 6
"""Times that every layer is asked for, each over a new connection: one may go to either process."""


@dataclass(frozen=True)
class Kind:
    """How people use a map: how many tiles of a view are new to everybody, and how long they look at it."""

    said: str
    cold: int
    looking_s: tuple[float, float]


KINDS = (
    Kind("two tiles of a view new, then 2-10 s of looking", 2, (2.0, 10.0)),
    Kind("every tile seen before, 1-3 s", 0, (1.0, 3.0)),
    Kind("every tile new, 1-3 s: what it bears", 6, (1.0, 3.0)),
)
ZOOMS = range(9, 18)
OPENED_S = 240.0


class Looks:
    """What is asked for, and how long it took."""

    def __init__(self, plans: Sequence[Plan], seed: int) -> None:
        self.chance = random.Random(seed)
        self.plans = plans
        self.seen: set[str] = set()
        self.warm: list[str] = []
        self.took: dict[str, list[float]] = defaultdict(list)
        self.slow: list[tuple[float, str]] = []
        self.bytes = 0

    def view(self) -> list[str]:
        """Six neighbouring tiles of one layer."""
        plan = self.chance.choice(self.plans)
        table = self.chance.choice(plan.tables)
        base = self.chance.random() < 0.4 and plan.study == "kampen"
        west, south, east, north = table.box
        lon, lat = self.chance.triangular(west, east), self.chance.triangular(south, north)
        middle = mercantile.tile(lon, lat, min(self.chance.choice(ZOOMS), 15 if base else 17))
        around = [(middle.x + i, middle.y + j) for i in range(3) for j in range(2)]
        form = f"/tiles/{plan.study}/base" if base else f"/tiles/{plan.run}/{table.name}"
        most = 2**middle.z
        return [f"{form}/{middle.z}/{x % most}/{y % most}.mvt" for x, y in around][:TILES_A_VIEW]

    def cold(self) -> list[str]:
        """A view of which nobody saw anything."""
        while True:
            fresh = [path for path in self.view() if path not in self.seen]
            if len(fresh) == TILES_A_VIEW:
                self.seen.update(fresh)
                return fresh

    async def ask(self, client: Client, kind: str, path: str) -> None:
        reply = await client.ask(path)
        self.took[kind if reply.status in (200, 204) else f"{kind}: {reply.status}"].append(reply.seconds)
        self.slow.append((reply.seconds, f"{kind} {path}"))
        self.bytes += len(reply.body)
        self.warm.append(path)

    async def person(self, address: tuple[str, int], until: float, kind: Kind) -> None:
        """Moves the map until the time is up."""
        client = Client(*address)
        await asyncio.sleep(self.chance.uniform(0, kind.looking_s[1]))
        while time.monotonic() < until:
            cold = self.cold()[: kind.cold] if kind.cold else []
            warm = self.chance.sample(self.warm, TILES_A_VIEW - len(cold)) if len(self.warm) > TILES_A_VIEW else []
            asked = [*(("cold", path) for path in cold), *(("warm", path) for path in warm)]
            await asyncio.gather(*(self.ask(client, what, path) for what, path in asked))
            await asyncio.sleep(self.chance.uniform(*kind.looking_s))
        await client.close()


def line(kind: str, seconds: Sequence[float]) -> str:
    ms = np.array(seconds) * 1000
    middle, most, nearly, largest = np.percentile(ms, [50, 95, 99, 100])
    return f"{kind:12} {len(ms):7,}  {middle:7.1f} {most:7.1f} {nearly:7.1f} {largest:7.1f} ms (50, 95, 99, 100 of 100)"


async def open_all(address: tuple[str, int], plans: Sequence[Plan]) -> None:
    """Every layer in every process, so that cold means a cold tile and not a layer nobody opened."""
    paths = [f"/tiles/{plan.run}/{table.name}/{{}}/0/0.mvt" for plan in plans for table in plan.tables]
    paths += [f"/tiles/{plan.study}/base/{{}}/0/0.mvt" for plan in plans if plan.study == "kampen"]
    for zoom in range(ROUNDS):
        client = Client(*address)
        for path in paths:
            until = time.monotonic() + OPENED_S
            while (await client.ask(path.format(zoom))).status == 503 and time.monotonic() < until:
                await asyncio.sleep(0.5)
        await client.close()


def spent(served: Served) -> float:
    """Processor time of the service so far, seconds."""
    ticks = 0
    for pid in served.members().values():
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def measured(served: Served, users: int, seconds: float, only: Sequence[str]) -> Looks:
    where = urlsplit(served.address)
    address = (where.hostname or "127.0.0.1", where.port or 80)
    plans = await plans_of(Client(*address), only)
    began = time.monotonic()
    await open_all(address, plans)
    print(f"opened every layer of {', '.join(plan.study for plan in plans)} in {time.monotonic() - began:.1f} s")
    looks = Looks(plans, 7)
    print(f"load of the machine {os.getloadavg()[0]:.1f}")
    for kind in KINDS:
        looks.took.clear()
        until = time.monotonic() + seconds
        before, own = spent(served), time.process_time()
        await asyncio.gather(*(looks.person(address, until, kind) for _ in range(users)))
        cost, own = spent(served) - before, time.process_time() - own
        asked = sum(map(len, looks.took.values()))
        print(f"\n{users} people, {seconds:g} s, {kind.said}: {asked / seconds:.0f} tiles/s,")
        print(f"{cost:.1f} s of processor ({1000 * cost / asked:.1f} ms a tile), the load {own:.1f} s more")
        for what, took in sorted(looks.took.items()):
            print(line(what, took))
    return looks


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.tile_load")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--workers", default="2")
    parser.add_argument("--only", nargs="*", default=["kampen", "jakarta"])
    given = parser.parse_args()
    any_number = {"tiles_per_minute": 0, "requests_per_minute": 0, "job_workers": 0, "log": "off"}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(given.workspace, Path(folder, "log"), "--workers", given.workers, **any_number) as served,
    ):
        looks = asyncio.run(measured(served, given.users, given.seconds, given.only))
        print("\nthe slowest:")
        for seconds, path in sorted(looks.slow)[-8:]:
            print(f"{seconds * 1000:8.0f} ms  {path}")
        for name, pid in served.members().items():
            print(f"{name}: {memory(pid)}")


def memory(pid: int) -> str:
    """Resident and proportional memory of a process, MB."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    kb = {row.split(":")[0]: int(row.split()[1]) for row in told[1:] if row.endswith("kB")}
    return f"{kb['Rss'] / 1000:.0f} MB resident, {kb['Pss'] / 1000:.0f} MB counted in shares"


if __name__ == "__main__":
    main()

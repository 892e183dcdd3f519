"""What Prometheus reads at /metrics: requests, jobs, tiles, memory. No label takes a value from outside.

Server processes count in files of a folder that they share (``PROMETHEUS_MULTIPROC_DIR``, set by ``app.family`` before
this is imported), so it does not matter which of them is asked. Jobs are counted in the register when they are asked
for, wherever their workers run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Lock

from fastapi import Request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection, case, func, select

from app import __version__, family
from app.access import Scope
from app.jobs import STATES
from app.settings import Settings
from app.store.ledger import job
from app.store.register import Register
from geo.errors import AccessError, Fault

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Edges of the histogram of answers; those of DESIGN's limits are among them."""
JOB_SECONDS = (1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0)
COUNT_EVERY_S = 5.0
"""Jobs are counted at most this often by one process."""

ANSWERS = Counter("renxing_requests", "Requests answered.", ["method", "route", "status"])
TOOK = Histogram("renxing_request_seconds", "Time from a request to the end of its answer.", ["route"], buckets=SECONDS)
IN_FLIGHT = Gauge("renxing_requests_in_flight", "Requests under way.", multiprocess_mode="livesum")
TILES = Counter("renxing_tiles", "Tiles asked of the memory of tiles.", ["found"])
OPEN_RUNS = Gauge("renxing_open_runs", "Runs kept open to be drawn.", multiprocess_mode="livesum")
HIT, MISS = TILES.labels("hit"), TILES.labels("miss")


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request; ``route`` is the form of its path, never the path."""
    ANSWERS.labels(method, route, str(status)).inc()
    TOOK.labels(route).observe(seconds)


def require_reader(request: Request, settings: Settings) -> None:
    """Refuse whoever may not read the counts: AccessError unless a key has the scope admin or the address may.

    What came through a proxy comes from somewhere else, whatever the address says.
    """
    address = request.client.host if request.client else ""
    caller, passed_on = request.state.caller, request.state.forwarded
    named = caller.key_id is not None and caller.may(Scope.admin)
    if not named and (passed_on or not _within(address, settings.metrics_from)):
        cure = "Bring a key with the scope admin, or ask from a network of RENXING_METRICS_FROM."
        raise AccessError(Fault("a key that may read counts", "none, from an address that may not", "client", cure))


def _within(address: str, networks: str) -> bool:
    try:
        asked = ip_address(address)
    except ValueError:
        return False
    return any(asked in ip_network(one.strip(), strict=False) for one in networks.split(",") if one.strip())


def tile(*, hit: bool) -> None:
    """Count a tile that was in memory, or had to be drawn."""
    (HIT if hit else MISS).inc()


class Counts:
    """All of it, as one text; ``register`` holds the jobs."""

    def __init__(self, register: Register) -> None:
        self.jobs = JobCounts(register)

    def text(self) -> bytes:
        """The metrics of every process of this service, in Prometheus' text form."""
        registry = CollectorRegistry()
        if os.environ.get(family.COUNTS):
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry.register(REGISTRY)
        for collector in (self.jobs, Processes()):
            registry.register(collector)
        return generate_latest(registry)


class JobCounts(Collector):
    """Jobs by state, how long the next one waits, and how long those that ended took."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self._lock = Lock()
        self._at = float("-inf")
        self._kept: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """The counts, at most ``COUNT_EVERY_S`` old."""
        with self._lock:
            if time.monotonic() - self._at > COUNT_EVERY_S:
                with self.register.reading() as connection:
                    self._kept = list(_jobs(connection))
                self._at = time.monotonic()
            return self._kept

    def describe(self) -> Iterable[Metric]:
        """Nothing: what is there is known only by looking."""
        return ()


def _jobs(connection: Connection) -> Iterator[Metric]:
    yield _by_state(connection)
    first = connection.execute(select(func.min(job.c.made_at)).where(job.c.state == "waiting")).scalar()
    yield GaugeMetricFamily(
        "renxing_job_waits_seconds", "Time for which the job that comes next has waited.",
        value=0.0 if first is None else max(0.0, time.time() - first),
    )  # fmt: skip
    yield _durations(connection)


def _by_state(connection: Connection) -> Metric:
    found = {state: n for state, n in connection.execute(select(job.c.state, func.count()).group_by(job.c.state))}
    told = GaugeMetricFamily("renxing_jobs", "Jobs in each state.", labels=["state"])
    for state in STATES:
        told.add_metric([state], found.get(state, 0))
    return told


def _durations(connection: Connection) -> Metric:
    """How long jobs took from the start of the last attempt to the end, counted by edge in the database."""
    took = job.c.ended_at - job.c.started_at
    edges = [func.sum(case((took <= edge, 1), else_=0)) for edge in JOB_SECONDS]
    asked = select(job.c.kind, job.c.state, func.count(), func.sum(took), *edges)
    rows = connection.execute(asked.where(took.is_not(None)).group_by(job.c.kind, job.c.state)).all()
    told = HistogramMetricFamily("renxing_job_seconds", "Time that ended jobs took.", labels=["kind", "state"])
    for kind, state, count, total, *below in rows:
        buckets = [(str(edge), float(n)) for edge, n in zip(JOB_SECONDS, below, strict=True)]
        told.add_metric([kind, state], [*buckets, ("+Inf", float(count))], float(total))
    return told


class Processes(Collector):
    """Memory and processor time of each process of the service, its own children with it."""

    def collect(self) -> Iterable[Metric]:
        """Read from the system now."""
        about = GaugeMetricFamily("renxing_build_info", "Which Renxing this is.", labels=["version"])
        about.add_metric([__version__], 1)
        yield about
        memory = GaugeMetricFamily("renxing_memory_bytes", "Resident memory of a process.", labels=["process"])
        busy = CounterMetricFamily("renxing_cpu_seconds", "Processor time of a process.", labels=["process"])
        for name, pid in (family.relatives() or {"server-1": os.getpid()}).items():
            if (found := measured(pid)) is not None:
                memory.add_metric([name], found[0])
                busy.add_metric([name], found[1])
        yield memory
        yield busy

    def describe(self) -> Iterable[Metric]:
        """Nothing: what is there is known only by looking."""
        return ()


def measured(pid: int) -> tuple[float, float] | None:
    """Resident memory (bytes) and processor time (seconds) of a process; None when it is gone or cannot be seen."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        spent = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (OSError, IndexError):
        return None
    return float(pages * os.sysconf("SC_PAGE_SIZE")), (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")

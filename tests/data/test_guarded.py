"""Foreign files are opened in a process of their own, and it cannot do much."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio

from data import confinement, guarded
from data.guarded import Allowance
from geo.errors import ColumnError, Fault, LimitError, UnreadableError

SMALL = Allowance(memory_bytes=256 << 20, cpu_s=2, wall_s=5, file_bytes=1 << 20)


def add(a: int, b: int) -> dict[str, int]:
    return {"sum": a + b, "pid": os.getpid()}


def refuses() -> None:
    raise ColumnError(Fault("a column people", "none", "表.csv", "Map it."), Fault("x", "y"))


def breaks() -> None:
    {}["nothing"]  # type: ignore[index]


def crashes() -> None:
    os.abort()


def hoards() -> int:
    return int(np.ones(1 << 30).sum())


def spins() -> None:
    while True:
        pass


def sleeps() -> None:
    time.sleep(60)


def fills(path: str) -> None:
    Path(path).write_bytes(b"x" * (4 << 20))


def calls_out() -> str:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except PermissionError:
        pass
    else:
        return "a socket"
    try:
        subprocess.run(["true"], check=False)
    except PermissionError:
        return "nothing"
    return "a program"


def drivers() -> list[str]:
    with rasterio.Env() as env:
        return sorted({*pyogrio.list_drivers(), *env.drivers()})


def test_work_is_done_elsewhere() -> None:
    said = guarded.guarded(add, 2, 3, where="x", allowed=SMALL)
    assert said["sum"] == 5 and said["pid"] != os.getpid()


def test_a_refusal_arrives_whole() -> None:
    with pytest.raises(ColumnError) as refused:
        guarded.guarded(refuses, where="x", allowed=SMALL)
    assert refused.value.faults == (Fault("a column people", "none", "表.csv", "Map it."), Fault("x", "y"))


@pytest.mark.parametrize("work", [breaks, crashes])
def test_a_reader_that_breaks_takes_nobody_along(work: object) -> None:
    with pytest.raises(UnreadableError, match=r"town\.shp"):
        guarded.guarded(work, where="town.shp", allowed=SMALL)  # type: ignore[arg-type]


def leaves_a_child() -> None:
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)


@pytest.mark.parametrize("said", [None, {"faults": [1]}, {"faults": [{}], "error": "refuse"}, {"faults": "x"}])
def test_what_a_child_says_is_not_believed(said: object) -> None:
    assert isinstance(guarded._refusal(said), UnreadableError)


@pytest.mark.parametrize("work", [hoards, spins, sleeps, leaves_a_child])
def test_nobody_takes_more_than_allowed(work: object) -> None:
    began = time.monotonic()
    with pytest.raises(LimitError):
        guarded.guarded(work, where="x", allowed=SMALL)  # type: ignore[arg-type]
    assert time.monotonic() - began < 20


def test_files_have_a_largest_size(tmp_path: Path) -> None:
    assert guarded.answered(fills, str(tmp_path / "big"), allowed=SMALL).ending in ("failed", "killed")
    assert (tmp_path / "big").stat().st_size <= SMALL.file_bytes


@pytest.mark.skipif(not confinement.MAPS.exists(), reason="the kernel takes calls away on Linux only")
def test_no_network_and_no_other_program() -> None:
    assert guarded.guarded(calls_out, where="x", allowed=SMALL) == "nothing"


@pytest.mark.skipif(not confinement.MAPS.exists(), reason="GDAL's libraries are found on Linux only")
def test_gdal_has_only_the_drivers_it_needs() -> None:
    found = set(guarded.guarded(drivers, where="x", allowed=SMALL))
    assert {"GTiff", "GPKG", "ESRI Shapefile"} <= found <= confinement.DRIVERS
    assert "VRT" in drivers() or "OGR_VRT" in drivers()

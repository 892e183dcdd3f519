"""What a process that opens foreign files does without: sockets, other programs, and most of GDAL's drivers.

On Linux the kernel refuses the calls (seccomp); elsewhere nothing is taken away, and ``without_network`` says so.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

DRIVERS = frozenset({
    "GTiff", "AAIGrid", "SRTMHGT", "MEM", "GPKG", "GeoJSON", "GeoJSONSeq", "TopoJSON", "ESRI Shapefile", "FlatGeobuf",
})  # fmt: skip
"""The GDAL drivers that may open a foreign file."""
CALLS = {
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "execve": 59, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
        "execveat": 322, "io_uring_setup": 425, "pidfd_getfd": 438,
    }),
    "aarch64": (0xC00000B7, {
        "socket": 198, "connect": 203, "execve": 221, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
        "execveat": 281, "io_uring_setup": 425, "pidfd_getfd": 438,
    }),
}  # fmt: skip
"""By machine: what the kernel calls it (linux/audit.h), and the numbers of the calls that are refused; io_uring would
make the same calls on one's behalf."""
OTHER_NUMBERS = 0x40000000
"""From here on the numbers of x86_64's other way of calling (x32), which would reach the same calls."""
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 1, 38, 22, 2
LOAD, EQUALS, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
MAPS = Path("/proc/self/maps")


def end_with_parent(parent: int) -> None:
    """Let this process be killed when ``parent``, which started it, dies; it ends at once when that is dead already.

    On Linux alone: elsewhere nothing is done about one that dies later.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class _Step(ctypes.Structure):
    """One instruction of a filter (struct sock_filter of linux/filter.h)."""

    _fields_ = (("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("value", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.POINTER(_Step)))


def without_network() -> bool:
    """Take sockets and other programs from this process and its children, for good; whether that was possible."""
    if sys.platform != "linux" or platform.machine() not in CALLS:
        return False
    machine, calls = CALLS[platform.machine()]
    steps = _filter(machine, calls.values())
    program = _Program(len(steps), (_Step * len(steps))(*steps))
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return int(kernel.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)) == 0


def _filter(machine: int, calls: Collection[int]) -> list[_Step]:
    """Refuse these calls, allow others; a call in the manner of another machine (32 bit) is refused as well."""
    checks = [_Step(EQUALS, len(calls) - i, 0, call) for i, call in enumerate(calls)]
    return [
        _Step(LOAD, 0, 0, 4), _Step(EQUALS, 0, len(calls) + 3, machine), _Step(LOAD, 0, 0, 0),
        _Step(AT_LEAST, len(calls) + 1, 0, OTHER_NUMBERS), *checks,
        _Step(RETURN, 0, 0, ALLOW), _Step(RETURN, 0, 0, REFUSE),
    ]  # fmt: skip


def only_drivers(allowed: Collection[str] = DRIVERS) -> int:
    """Let every GDAL library in this process forget all drivers but these; how many were forgotten.

    rasterio and pyogrio each bring a GDAL of their own, and neither can be told which drivers to have.
    """
    return sum(_forget(ctypes.CDLL(path), allowed) for path in _gdal_libraries())


def _gdal_libraries() -> Iterator[str]:
    """Paths of the GDAL libraries in this process; none where the system does not say."""
    if not MAPS.exists():
        return
    loaded = {line.split(maxsplit=5)[5] for line in MAPS.read_text().splitlines() if "libgdal" in line}
    yield from sorted(loaded)


def _forget(gdal: ctypes.CDLL, allowed: Collection[str]) -> int:
    gdal.GDALGetDriver.restype = ctypes.c_void_p
    gdal.GDALGetDriverShortName.restype = ctypes.c_char_p
    gdal.GDALGetDriverShortName.argtypes = (ctypes.c_void_p,)
    gdal.CPLSetConfigOption.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
    gdal.GDALAllRegister()
    names = {gdal.GDALGetDriverShortName(gdal.GDALGetDriver(i)).decode() for i in range(gdal.GDALGetDriverCount())}
    others = sorted(names - set(allowed))
    # A driver taken away comes back the next time all are registered, which rasterio does: GDAL_SKIP is lasting.
    gdal.CPLSetConfigOption(b"GDAL_SKIP", ",".join(others).encode())
    gdal.GDALAllRegister()
    return len(others)


def private_bytes() -> int:
    """Bytes of memory this process has for itself now (what RLIMIT_DATA counts); 0 where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next((line for line in status.read_text().splitlines() if line.startswith("VmData")), "VmData: 0 kB")
    return int(line.split()[1]) * 1024

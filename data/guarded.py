"""Foreign files opened in a process of their own: without network, with so much memory and time and no more.

A reader in C that a crafted file brings to its knees takes only that process with it. What comes back is JSON, never an
object: a process that a file has taken over can say something wrong, but run nothing here. Children come from one clean
server process that has loaded the readers and opened nothing; there GDAL has forgotten every driver but a few.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.forkserver
import resource
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

import orjson

from data import confinement
from geo import errors
from geo.errors import Fault, LimitError, RenxingError, UnreadableError

CONFINED = "data.confined"
"""What the server process loads before it forks: the readers, without GDAL's other drivers."""
TEXT_MAX, FAULTS_MAX = 2000, 100
"""So much of a text from a child is kept, and so many faults."""
AGAIN = "Export it again, or simplify it; nothing was changed."
SAME = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
Ending = Literal["done", "refused", "failed", "memory", "killed", "late"]


@dataclass(frozen=True)
class Allowance:
    """What a child may use: memory beyond what it starts with, computing time, time until it answers, a file's size."""

    memory_bytes: int = 4 << 30
    cpu_s: int = 15 * 60
    wall_s: float = 30 * 60
    file_bytes: int = 8 << 30


@dataclass(frozen=True)
class Answer:
    """How a child's work ended, and what it said: the result when ``done``, faults when ``refused``."""

    ending: Ending
    said: Any
    peak_bytes: int = 0


def warm() -> None:
    """Start the server process, so that the first file does not wait for it."""
    _context()
    multiprocessing.forkserver.ensure_running()


def guarded(
    work: Callable[..., Any],
    *args: object,
    where: str,
    allowed: Allowance = Allowance(),
) -> Any:
    """What ``work(*args)`` gives, as JSON has it, computed in a child.

    ``work`` is a function of a module. What it refuses is raised here as the same class; LimitError when it needs more
    than is allowed, UnreadableError when the file breaks its reader.
    """
    answer = answered(work, *args, allowed=allowed)
    if answer.ending == "done":
        return answer.said
    if answer.ending == "refused":
        raise _refusal(answer.said)
    if answer.ending in ("memory", "late"):
        most = f"{allowed.memory_bytes >> 20:,} MiB and {allowed.wall_s:g} s"
        fault = Fault(f"a file that is read with {most}", "one that needs more", where, AGAIN)
        raise LimitError(fault, limit="work")
    raise UnreadableError(
        Fault("a file that its reader understands", f"one that breaks it ({answer.said})", where, AGAIN)
    )


def answered(work: Callable[..., Any], *args: object, allowed: Allowance) -> Answer:
    """Let a child do the work; how that ended."""
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(theirs, allowed, work, args), daemon=True)
    child.start()
    theirs.close()
    with contextlib.closing(ours):
        try:
            if not ours.poll(allowed.wall_s):
                return Answer("late", f"more than {allowed.wall_s:g} s")
            return _understood(ours.recv_bytes())
        except EOFError:
            child.join(allowed.wall_s)
            return _died(child.exitcode)
        finally:
            child.kill()
            child.join()
            child.close()


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([CONFINED])
    return context


def _serve(pipe: Connection, allowed: Allowance, work: Callable[..., Any], args: tuple[object, ...]) -> None:
    """In the child: confine it, do the work, say how it went."""
    importlib.import_module(CONFINED)
    with _limited(allowed):
        confinement.without_network()
        said = _done(work, args)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    pipe.send_bytes(orjson.dumps(said | {"peak_bytes": peak}, option=SAME))
    pipe.close()


def _done(work: Callable[..., Any], args: tuple[object, ...]) -> dict[str, Any]:
    try:
        return {"ending": "done", "said": work(*args)}
    except RenxingError as error:
        faults = [{name: str(text)[:TEXT_MAX] for name, text in asdict(fault).items()} for fault in error.faults]
        said = {"error": type(error).__name__, "faults": faults[:FAULTS_MAX], "limit": getattr(error, "limit", "")}
        return {"ending": "refused", "said": said}
    except MemoryError:
        return {"ending": "memory", "said": "out of memory"}
    except Exception as error:
        # A reader's own failure on a foreign file is an answer about the file; where it happened goes along.
        last = traceback.extract_tb(error.__traceback__)[-1]
        return {"ending": "failed", "said": f"{type(error).__name__} in {last.name}, line {last.lineno}"[:TEXT_MAX]}


@contextlib.contextmanager
def _limited(allowed: Allowance) -> Iterator[None]:
    data = confinement.private_bytes() + allowed.memory_bytes
    limits: Mapping[int, int] = {
        resource.RLIMIT_DATA: data, resource.RLIMIT_CPU: allowed.cpu_s, resource.RLIMIT_FSIZE: allowed.file_bytes,
        resource.RLIMIT_CORE: 0,
    }  # fmt: skip
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)


def _understood(message: bytes) -> Answer:
    said = orjson.loads(message)
    return Answer(said["ending"], said["said"], int(said["peak_bytes"]))


def _died(code: int | None) -> Answer:
    if code == -signal.SIGXCPU:
        return Answer("late", "more computing time than allowed")
    name = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    return Answer("killed", name)


def _refusal(said: Mapping[str, Any]) -> RenxingError:
    """The error a child raised, made again from its name and its faults."""
    kind = getattr(errors, str(said["error"]), UnreadableError)
    if not (isinstance(kind, type) and issubclass(kind, RenxingError)):
        kind = UnreadableError
    faults = [Fault(**{k: str(v) for k, v in fault.items()}) for fault in said["faults"]]
    return LimitError(*faults, limit=str(said["limit"])) if kind is LimitError else kind(*faults)

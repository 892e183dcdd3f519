"""Foreign files opened in a process of their own: without network, with so much memory and time and no more.

A reader in C that a crafted file brings to its knees takes only that process with it. What comes back is JSON, never an
object: nothing that a process says runs here. It may still read and write what its user may. Children come from one
clean server process that has loaded the readers and opened nothing; in a child GDAL forgets every driver but a few.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.forkserver
import os
import resource
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal, cast, get_args

import orjson

from data import confinement
from data.limits import CPU, MEMORY, WALL, Limit
from geo import errors
from geo.errors import Fault, LimitError, RenxingError, StorageError, UnreadableError

CONFINED = "data.confined"
"""What the server process loads before it forks: the readers."""
TEXT_MAX, FAULTS_MAX = 2000, 100
"""So much of a text from a child is kept, and so many faults."""
ANSWER_MAX = 64 << 20
"""Bytes of an answer; a child that says more is not listened to."""
AGAIN = "Export it again, or simplify it; nothing was changed."
OUT_OF_MEMORY = ("bad_alloc", "out of memory", "cannot allocate memory")
"""What readers in C say, in errors of their own, when they got no memory."""
SAME = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
UNCONFINED = "RENXING_UNCONFINED"
"""Set to 1, it lets foreign files be opened where the system cannot confine their reader."""
LOOK_S = 0.5
"""How often a waiting parent looks whether time is up, seconds."""
Ending = Literal["done", "refused", "failed", "memory", "killed", "late"]


@dataclass(frozen=True)
class Allowance:
    """What a child may use: memory beyond what it starts with, computing time, time until it answers, a file's size."""

    memory_bytes: int = MEMORY.most
    cpu_s: int = CPU.most
    wall_s: float = WALL.most
    file_bytes: int = 8 << 30

    def limit(self, ending: str) -> Limit:
        """The limit that a child met, as it was for that child."""
        if ending == "memory":
            return replace(MEMORY, most=self.memory_bytes)
        return replace(WALL, most=round(self.wall_s))


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
    if multiprocessing.current_process().daemon:
        return work(*args)  # within a child already: it is confined, and has no children of its own
    answer = answered(work, *args, allowed=allowed)
    if answer.ending == "done":
        return answer.said
    if answer.ending == "refused":
        raise _refusal(answer.said)
    if answer.ending in ("memory", "late"):
        raise allowed.limit(answer.ending).exceeded("more", where)
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
    late = threading.Event()
    with contextlib.closing(ours), _ended(child, allowed.wall_s, late):
        try:
            while not ours.poll(LOOK_S):
                if late.is_set():  # a child of the child may hold the pipe open
                    return Answer("late", f"more than {allowed.wall_s:g} s")
            return _understood(ours.recv_bytes(ANSWER_MAX))
        except (EOFError, OSError):
            child.join(allowed.wall_s)
            return Answer("late", f"more than {allowed.wall_s:g} s") if late.is_set() else _died(child.exitcode)


@contextlib.contextmanager
def _ended(child: BaseProcess, after_s: float, late: threading.Event) -> Iterator[None]:
    """The child is dead when the block ends, or after so many seconds, however little it says until then."""

    def end() -> None:
        late.set()
        _killed(child)

    clock = threading.Timer(after_s, end)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()
        clock.join()
        _killed(child)
        child.join()
        child.close()


def _killed(child: BaseProcess) -> None:
    """Kill a child and whatever it started: it leads a session of its own."""
    pid = child.pid
    if pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    child.kill()


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([CONFINED])
    return context


def _serve(pipe: Connection, allowed: Allowance, work: Callable[..., Any], args: tuple[object, ...]) -> None:
    """In the child: confine it, do the work, say how it went."""
    confinement.end_with_parent(os.getppid())  # the server process, which ends with the one that asked
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends this
    importlib.import_module(CONFINED)
    confinement.only_drivers()
    with _limited(allowed):
        sure = confinement.without_network() or os.environ.get(UNCONFINED) == "1"
        said = _done(work, args) if sure else _done(_refused_unconfined, ())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    pipe.send_bytes(orjson.dumps(said | {"peak_bytes": peak}, option=SAME))
    pipe.close()


def _refused_unconfined() -> None:
    """Raise StorageError: this system cannot take the network away from a process."""
    cure = f"Run Renxing on Linux, or set {UNCONFINED}=1 to open foreign files all the same."
    raise StorageError(Fault("a system that can confine a reader", "none (seccomp)", "foreign files", cure))


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
        if any(said in str(error).lower() for said in OUT_OF_MEMORY):
            return {"ending": "memory", "said": "out of memory"}
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
    try:
        said = orjson.loads(message)
        ending, peak = str(said["ending"]), int(said["peak_bytes"])
        if ending in get_args(Ending):
            return Answer(cast(Ending, ending), said["said"], peak)
    except (ValueError, KeyError, TypeError):
        pass  # said below: a child that a file has taken over says what it likes
    return Answer("killed", "an answer that is none")


def _died(code: int | None) -> Answer:
    if code == -signal.SIGXCPU:
        return Answer("late", "more computing time than allowed")
    name = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    return Answer("killed", name)


def _refusal(said: Any) -> RenxingError:
    """The error a child raised, made again from its name and its faults; what else it says is not believed."""
    if not isinstance(said, Mapping) or not isinstance(said.get("faults"), list):
        return UnreadableError(Fault("an answer from a reader", "something else", "", AGAIN))
    kind = getattr(errors, str(said.get("error")), UnreadableError)
    if not (isinstance(kind, type) and issubclass(kind, RenxingError)):
        kind = UnreadableError
    parts = ("expected", "found", "where", "fix")
    faults = [Fault(**{part: str(fault.get(part, "")) for part in parts}) for fault in said["faults"]
              if isinstance(fault, Mapping)]  # fmt: skip
    return LimitError(*faults, limit=str(said.get("limit", ""))) if kind is LimitError else kind(*faults)

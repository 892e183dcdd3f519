"""What can go wrong, said to a planner.

::

    RenxingError
    ├── InputError            (ValueError)         what was given does not fit; nothing was changed
    │   ├── FileMissingError  (FileNotFoundError)  the named file is not there
    │   ├── UnreadableError                        the file is there but is not what it should be
    │   ├── CrsError                               no coordinate system, or one that cannot be right
    │   ├── NoOverlapError                         a layer lies outside the study
    │   ├── ColumnError                            a table lacks columns or has values that cannot be
    │   ├── ParameterError                         an unknown parameter or a value out of range
    │   └── QueryError                             a question in an address that cannot be understood
    ├── NotFoundError         (LookupError)        no such study, run or layer
    ├── ConflictError         (FileExistsError)    it is there already, and is not overwritten
    │   ├── StaleError                             somebody else changed it meanwhile
    │   ├── ReusedKeyError                         an idempotency key that stands for another request
    │   └── StateError                             a job that is not in a state for that
    ├── AccessError           (PermissionError)    who asks may not do that
    │   ├── UnknownCallerError                     no key was given, or none that is good
    │   └── RateError                              too much at once: later
    ├── StorageError          (OSError)            the workspace cannot be read or written
    ├── LimitError            (OverflowError)      larger than a limit that is set
    │   └── BusyError                              too much under way: later
    ├── LostError             (RuntimeError)       a job whose worker died each time
    └── InfeasibleError       (RuntimeError)       the question has no answer under its constraints

Every error is ours and a builtin, so either ``except`` works. ``code`` is stable: other systems branch on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: what was expected, what was found, where, and what to do."""

    expected: str
    found: str
    where: str = ""
    fix: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cure = f" {self.fix}" if self.fix else ""
        return f"{place}expected {self.expected}, found {self.found}.{cure}"


class RenxingError(Exception):
    """The root: carries every fault found in one go."""

    code = "error"

    def __init__(self, *faults: Fault | str) -> None:
        self.faults: tuple[Fault, ...] = tuple(f for f in faults if isinstance(f, Fault))
        super().__init__("\n".join(str(f) for f in faults))

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def retold(self, faults: Iterable[Fault]) -> Self:
        """The same error with its faults in other words; whatever else it carries stays."""
        self.faults = tuple(faults)
        self.args = ("\n".join(map(str, self.faults)),)
        return self


class InputError(RenxingError, ValueError):
    """What was given does not fit; nothing was changed."""

    code = "input"


class FileMissingError(InputError, FileNotFoundError):
    """The named file is not there."""

    code = "file-missing"


class UnreadableError(InputError):
    """The file is there but is not what it should be."""

    code = "unreadable"


class CrsError(InputError):
    """No coordinate system, or one that cannot be right."""

    code = "crs"


class NoOverlapError(InputError):
    """A layer lies outside the study."""

    code = "no-overlap"


class ColumnError(InputError):
    """A table lacks columns or has values that cannot be."""

    code = "columns"


class ParameterError(InputError):
    """An unknown parameter or a value out of range."""

    code = "parameter"


class QueryError(InputError):
    """A question in an address that cannot be understood: its parameters, its filter, its coordinates."""

    code = "query"


class NotFoundError(RenxingError, LookupError):
    """No such study, run or layer."""

    code = "not-found"


class ConflictError(RenxingError, FileExistsError):
    """It is there already, and is not overwritten."""

    code = "conflict"


class StaleError(ConflictError):
    """Somebody else changed it since it was read."""

    code = "stale"


class ReusedKeyError(ConflictError):
    """An idempotency key that stands for another request already."""

    code = "idempotency"


class StateError(ConflictError):
    """A job is not in a state in which that can be done."""

    code = "state"


class AccessError(RenxingError, PermissionError):
    """Who asks may not do that."""

    code = "forbidden"


class UnknownCallerError(AccessError):
    """It must be known who asks: no key was given, or none that is good."""

    code = "unauthenticated"


class RateError(AccessError):
    """Too much at once; ``name`` is what is counted, of which ``per_minute`` are let through, again in ``wait_s``."""

    code = "rate-limited"

    def __init__(self, *faults: Fault | str, name: str = "requests", per_minute: int = 0, wait_s: int = 60) -> None:
        super().__init__(*faults)
        self.name, self.per_minute, self.wait_s = name, per_minute, wait_s


class StorageError(RenxingError, OSError):
    """The workspace cannot be read or written."""

    code = "storage"


class LimitError(RenxingError, OverflowError):
    """Larger than a limit that is set; ``limit`` names it (``cells``, ``rows``, …) and ends the code."""

    code = "limit"

    def __init__(self, *faults: Fault | str, limit: str = "") -> None:
        super().__init__(*faults)
        self.limit = limit
        if limit:
            self.code = f"limit-{limit}"


class LostError(RenxingError, RuntimeError):
    """A job whose worker died each time it was tried."""

    code = "lost"


class BusyError(LimitError):
    """So much is under way that no more is begun now; later it may be."""

    code = "busy"


class InfeasibleError(RenxingError, RuntimeError):
    """The question has no answer under its constraints."""

    code = "infeasible"


def refuse(kind: type[RenxingError], faults: Iterable[Fault]) -> None:
    """Raise ``kind`` with all ``faults`` at once; do nothing when there are none."""
    found = tuple(faults)
    if found:
        raise kind(*found)

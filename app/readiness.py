"""Whether the service can do its work, part by part: for whoever sends it requests, and for whoever repairs it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from weakref import WeakKeyDictionary

from app import family
from app.deps import Service
from app.schemas import ReadyPart
from app.store.migrations import form, newest
from geo.errors import RenxingError

SLOW_S = 5.0
"""A service whose parts take longer than this to be looked at is not ready (s)."""
Looked = Future[list[ReadyPart]]
_looking: WeakKeyDictionary[Service, Looked] = WeakKeyDictionary()
_one = threading.Lock()


async def told(held: Service) -> list[ReadyPart]:
    """Every part, looked at by a thread of its own: requests that fill all others do not hide what is wrong.

    Whoever asks meanwhile is told the same; when it takes too long, that is what is wrong.
    """
    if held.leaving.is_set():
        return parts(held)
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(_look(held))), SLOW_S)
    except TimeoutError:
        return [ReadyPart(part="service", ok=False, said=f"is slow: its parts were not looked at in {SLOW_S:g} s")]


def _look(held: Service) -> Looked:
    """What a thread finds that looks now; at most one does."""
    with _one:
        found = _looking.get(held)
        if found is None or found.done():
            found = _looking[held] = Looked()
            found.set_running_or_notify_cancel()
            threading.Thread(target=_into, args=(found, held), name="readyz", daemon=True).start()
        return found


def _into(found: Looked, held: Service) -> None:
    try:
        found.set_result(parts(held))
    except BaseException as error:
        found.set_exception(error)


def parts(held: Service) -> list[ReadyPart]:
    """Every part with what is right or wrong; asks disks and databases, so not for the event loop.

    A service that was told to end says so and nothing else.
    """
    if held.leaving.is_set():
        return [ReadyPart(part="service", ok=False, said="it was told to end")]
    return [ReadyPart(part=name, ok=said is None, said=said or right) for name, right, said in _looked(held)]


def _looked(held: Service) -> Iterator[tuple[str, str, str | None]]:
    asked: tuple[tuple[str, str, Callable[[Service], str | None]], ...] = (
        ("workspace", "can be read", _workspace),
        ("register", "can be read, and has the form this program writes", _register),
        ("disk", "has room", _disk),
        ("workers", _workers_told(held), _workers),
    )
    for name, right, wrong in asked:
        try:
            yield name, right, wrong(held)
        except RenxingError as error:
            yield name, right, held.workspace.hidden(str(error))


def _workspace(held: Service) -> str | None:
    held.workspace.studies()
    return None


def _register(held: Service) -> str | None:
    with held.register.reading() as connection:
        found = form(connection)
    wanted = newest()
    return None if found == wanted else f"has form {found}, this program writes {wanted}: restart it"


def _disk(held: Service) -> str | None:
    wanted = held.settings.disk_free_bytes
    try:
        free = shutil.disk_usage(held.settings.workspace).free
    except FileNotFoundError:
        return None  # a workspace that is not there yet is empty
    except OSError as error:
        return f"cannot be asked: {error.strerror}"
    return None if free >= wanted else f"has {free} bytes left, {wanted} are wanted (RENXING_DISK_FREE_BYTES)"


def _own_workers() -> list[str]:
    return [name for name in family.relatives() if name.startswith("worker-")]


def _workers_told(held: Service) -> str:
    if held.settings.job_workers == 0 or not family.relatives():
        return "none of this service; jobs wait for those elsewhere"
    return f"{len(_own_workers())} of {held.settings.job_workers} run"


def _workers(held: Service) -> str | None:
    """Wrong only when this service is to have workers and none lives."""
    wanted = held.settings.job_workers
    if wanted == 0 or not family.relatives() or _own_workers():
        return None
    return f"none of {wanted} lives; they are started again"

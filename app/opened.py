"""Things kept open between requests: made once however many ask at the same time, the least used let go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Opened(Generic[K, V]):
    """At most ``most`` values of ``make(key)``; safe to use from many threads. A failure is not kept."""

    def __init__(self, make: Callable[[K], V], *, most: int) -> None:
        self._make = make
        self._most = most
        self._kept: OrderedDict[K, Future[V]] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Opened({len(self._kept)} of at most {self._most})"

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V:
        """The value for ``key``; whoever asks first makes it, the others wait for it."""
        with self._lock:
            future = self._kept.get(key)
            first = future is None
            if future is None:
                future = self._kept[key] = Future()
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        if first:
            self._fill(key, future)
        return future.result()

    def _fill(self, key: K, future: Future[V]) -> None:
        try:
            future.set_result(self._make(key))
        except BaseException as error:
            with self._lock:
                if self._kept.get(key) is future:
                    del self._kept[key]
            future.set_exception(error)

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
    """At most ``most`` values of ``make(key)``; safe to use from many threads. A failure is not kept.

    Where ``weigh`` gives the memory of a value (bytes), all values together have at most ``memory``, the last one alone
    excepted.
    """

    def __init__(
        self, make: Callable[[K], V], *, most: int, weigh: Callable[[V], int] | None = None, memory: int = 0
    ) -> None:
        self._make = make
        self._most = most
        self._weigh = weigh
        self._memory = memory
        self._weights: dict[K, int] = {}
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
                self._weights.pop(self._kept.popitem(last=False)[0], None)
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
        else:
            self._lighten(key, future)

    def _lighten(self, key: K, future: Future[V]) -> None:
        """Let go of the least used until what is made weighs no more than it may."""
        if self._weigh is None:
            return
        weight = self._weigh(future.result())
        with self._lock:
            if self._kept.get(key) is future:
                self._weights[key] = weight
            while len(self._weights) > 1 and sum(self._weights.values()) > self._memory:
                old = next(kept for kept in self._kept if kept in self._weights)
                del self._kept[old], self._weights[old]

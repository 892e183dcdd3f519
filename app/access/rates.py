"""How often a caller may ask: a sliding minute for each key, or for each address without one.

Counts are kept in each server process. Connections are shared out among the processes, so each lets through its part
of a rate: a caller who keeps to one connection with N processes gets one Nth. Tiles and files of pages, of which one
map takes hundreds, are counted apart from other requests.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from app.access.scopes import Caller
from app.settings import Settings
from geo.errors import AccessError, BusyError, Fault, RateError, UnknownCallerError

LIGHT = ("/tiles/", "/static/")
"""Beginnings of paths that are counted apart."""
UNCOUNTED = frozenset({"/healthz", "/readyz"})
NETWORK_V6 = 64
"""Bits of an IPv6 address that tell one subscriber from another."""
MINUTE_S, BUSY_S = 60, 15
CHALLENGE = 'Bearer realm="renxing"'


@dataclass(frozen=True)
class Rates:
    """What is let through in a minute, in this process; 0 is no limit."""

    requests: int
    light: int
    processes: int = 1

    @classmethod
    def of(cls, settings: Settings) -> Rates:
        """As the settings say."""
        return cls(settings.requests_per_minute, settings.tiles_per_minute, settings.workers)

    @cached_property
    def _counter(self) -> SlidingWindowCounterRateLimiter:
        return SlidingWindowCounterRateLimiter(MemoryStorage())

    def charge(self, caller: Caller, path: str) -> None:
        """Count a request; RateError when it is one too many."""
        if path in UNCOUNTED:
            return
        name = "tiles" if path.startswith(LIGHT) else "requests"
        most = self.light if name == "tiles" else (caller.per_minute or self.requests)
        if most and not self._counter.hit(part := share(most, self.processes), name, bucket(caller)):
            again = self._counter.get_window_stats(part, name, bucket(caller)).reset_time - time.time()
            wait_s = max(1, math.ceil(again))
            cure = f"Wait {wait_s} s (Retry-After), and spread your requests."
            told = Fault(f"at most {most} {name} a minute", "more", caller.id, cure)
            raise RateError(told, name=name, per_minute=most, wait_s=wait_s)


@lru_cache(maxsize=1024)
def share(per_minute: int, processes: int) -> RateLimitItem:
    """The part of a rate that one process lets through."""
    return RateLimitItemPerMinute(max(1, per_minute // processes))


def bucket(caller: Caller) -> str:
    """Under what a caller is counted: the key, the address, or of IPv6 the network."""
    return caller.id if caller.key_id else _network(caller.address)


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, NETWORK_V6), strict=False)) if found.version == 6 else address


def told_beside(error: Exception) -> Mapping[str, str]:
    """The headers that go with a refusal: how to be known, or when to come again (draft-ietf-httpapi-ratelimit)."""
    if isinstance(error, UnknownCallerError):
        return {"WWW-Authenticate": CHALLENGE, "Cache-Control": "no-store"}
    if isinstance(error, RateError):
        return {
            "Retry-After": str(error.wait_s), "Cache-Control": "no-store",
            "RateLimit-Policy": f'"{error.name}";q={error.per_minute};w={MINUTE_S}',
            "RateLimit": f'"{error.name}";r=0;t={error.wait_s}',
        }  # fmt: skip
    if isinstance(error, BusyError):
        return {"Retry-After": str(BUSY_S), "Cache-Control": "no-store"}
    return {"Cache-Control": "no-store"} if isinstance(error, AccessError) else {}

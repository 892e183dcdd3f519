"""Who asks: by a key in a header, by a session's cookie, by a ticket, else by address."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from starlette.datastructures import Headers

import app.access.keys as keys
from app.access.keys import Key
from app.access.scopes import READ, Caller
from app.access.signing import Signer, secret_of, until
from app.store.register import Register
from geo.errors import Fault, RenxingError, UnknownCallerError

log = logging.getLogger("renxing")
COOKIE = "renxing_session"
SESSION, TICKET = "s1", "t1"
SESSION_H = TICKET_H = 12
KEPT_S = 1.0
"""So long a key is taken as it was read: one that is revoked is refused within this time, in every process."""
KEPT_MOST = 4096
NOT_GOOD = "a key that was not given by this service, was revoked or has ended"
T = TypeVar("T")
CURE = (
    "Send a key as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'; who runs the service makes one: renxing key create."
)


class Callers:
    """Knows callers by the register's keys. Asks the register in threads of its own, so that nobody else waits."""

    def __init__(self, register: Callable[[], Register], *, is_there: Callable[[], bool] = lambda: True) -> None:
        self._register, self._is_there = register, is_there
        self._any: tuple[float, bool] | None = None
        self._read: dict[str, tuple[float, Key | None]] = {}
        self._noted: dict[str, float] = {}
        self._signer: Signer | None = None

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(2, thread_name_prefix="keys")

    async def are_there_keys(self) -> bool:
        """Whether a key was ever made here; also when nobody can tell. A register that is not there is not made."""
        now, told = time.monotonic(), self._any
        if told is not None and now < told[0]:
            return told[1]
        if told is not None:  # one asks, the others take what was known
            self._any = (now + KEPT_S, told[1])
        found = await self._ask(self._any_key)
        self._any = (time.monotonic() + KEPT_S, found)
        return found

    def _any_key(self) -> bool:
        try:
            return self._is_there() and keys.is_any(self._register())
        except RenxingError as error:
            log.warning("nobody can tell whether there are keys, so changes need one: %s", error)
            return True

    async def known(self, headers: Headers, address: str) -> Caller | None:
        """Who sends these headers, by key; None without one. UnknownCallerError for a key that is not good."""
        texts = given(headers)
        if not texts:
            return None
        key = await self._good(texts.pop()) if len(texts) == 1 else None
        if key is None:
            raise UnknownCallerError(Fault("a key that is good", NOT_GOOD, "Authorization, X-API-Key", CURE))
        return key.caller(address, "key")

    async def in_session(self, cookie: str, address: str) -> Caller | None:
        """Who signed in; None when the cookie is not good (any more) or the key is not."""
        fields = await self._signed(cookie, SESSION)
        key = await self._key(fields[0]) if fields else None
        return key.caller(address, "session") if key else None

    async def with_ticket(self, ticket: str, address: str) -> Caller | None:
        """Who may read one study; None when the ticket is not good (any more) or the key is not."""
        fields = await self._signed(ticket, TICKET)
        key = await self._key(fields[0]) if fields else None
        if not fields or not key:
            return None
        return Caller(key.key_id, key.name, READ, address, "ticket", study_id=fields[1], per_minute=key.per_minute)

    async def session(self, text: str) -> str | None:
        """What a browser keeps so that it is known for hours; None for a key that is not good."""
        key = await self._good(text)
        return (
            (await self.signer()).sign(SESSION, key.key_id, until=until(time.time(), hours=SESSION_H)) if key else None
        )

    async def signer(self) -> Signer:
        """What signs; its secret is read once."""
        if self._signer is None:
            self._signer = Signer(await self._ask(lambda: secret_of(self._register())))
        return self._signer

    async def _signed(self, text: str, purpose: str) -> tuple[str, ...] | None:
        return (await self.signer()).read(text, purpose, now=time.time())

    async def _good(self, text: str) -> Key | None:
        """The key of a text, when it is good; its use is noted."""
        key_id = keys.id_in(text)
        key = await self._key(key_id) if key_id else None
        if key is None or not key.is_told_by(text):
            return None
        self._note_use(key.key_id)
        return key

    async def _key(self, key_id: str) -> Key | None:
        """The key of an id, when it is good now."""
        now = time.time()
        read = self._read.get(key_id)
        if read is None or now >= read[0]:
            if len(self._read) >= KEPT_MOST:
                self._read.clear()
            found = await self._ask(lambda: keys.known(self._register(), key_id))
            read = self._read[key_id] = (now + KEPT_S, found)
        return read[1] if read[1] and read[1].state(now) == "good" else None

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, question)

    def _note_use(self, key_id: str) -> None:
        """Note the use of a key in the register, at most once a minute, while nobody waits for it."""
        now = time.time()
        if now - self._noted.get(key_id, 0.0) < keys.NOTED_EVERY_S:
            return
        self._noted[key_id] = now
        self._pool.submit(lambda: keys.note_use(self._register(), key_id, now)).add_done_callback(_tell)


def given(headers: Headers) -> set[str]:
    """The keys in the headers: of ``Authorization`` only what is a bearer's, other schemes are a proxy's."""
    texts = {value.strip() for value in headers.getlist("x-api-key")}
    for value in headers.getlist("authorization"):
        scheme, _, text = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            texts.add(text.strip())
    return texts


def _tell(noted: Future[None]) -> None:
    if error := noted.exception():
        log.warning("the use of a key could not be noted: %s", error)

"""What the service signs, so that it need not remember it: sessions of browsers, and tickets that open one study.

A signed text is ``PURPOSE.FIELD.….UNTIL.MAC``: HMAC-SHA256 over all before the last dot. It is compared as text, so
every letter counts (a library that decodes the signature first takes several spellings of one).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.store import ledger
from app.store.register import Register
from geo.errors import StorageError

NAME = "signing"
SECRET_BYTES = 32
LONGEST = 300
"""Characters of a signed text at most."""
FIELD = re.compile(r"[A-Za-z0-9_-]{1,64}")
HOUR_S = 3600


class Signer:
    """Signs and reads what was signed with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return "Signer()"

    def sign(self, purpose: str, *fields: str, until: int) -> str:
        """A text for these fields, good until a time (UTC seconds); ValueError for a field that could be misread."""
        parts = [purpose, *fields, str(until)]
        if not all(FIELD.fullmatch(part) for part in parts):
            raise ValueError(f"fields of letters, digits, _ and - can be signed, not {parts!r}")
        said = ".".join(parts)
        return f"{said}.{self._mac(said)}"

    def read(self, text: str, purpose: str, *, now: float) -> tuple[str, ...] | None:
        """The fields of a text signed here for this purpose, while it is good; else None."""
        if len(text) > LONGEST or not text.isascii():
            return None
        said, _, mac = text.rpartition(".")
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        named, *fields, until = said.split(".")
        return tuple(fields) if named == purpose and now < int(until) else None

    def _mac(self, said: str) -> str:
        digest = hmac.new(self._secret, said.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def until(now: float, *, hours: int) -> int:
    """The end of a time that begins now: on a full hour, so that a page names the same ticket for up to an hour."""
    return (int(now) // HOUR_S + hours) * HOUR_S


def secret_of(register: Register) -> bytes:
    """The secret of a register, made when there is none; the same for every process."""
    wanted = select(ledger.secret.c.value).where(ledger.secret.c.name == NAME)
    with register.reading() as connection:
        found = connection.execute(wanted).scalar()
    if found is None:
        _make(register)
        with register.reading() as connection:
            found = connection.execute(wanted).scalar_one()
    return bytes(found)


def _make(register: Register) -> None:
    try:
        with register.writing() as connection:
            there = select(ledger.secret.c.name).where(ledger.secret.c.name == NAME)
            if connection.execute(there).first() is None:
                connection.execute(insert(ledger.secret).values(name=NAME, value=secrets.token_bytes(SECRET_BYTES)))
    except StorageError as error:
        if not isinstance(error.__cause__, IntegrityError):  # another process was first
            raise

"""Keys of the API: made, told once, kept as a digest, taken back.

A key is ``rx_<key_id>_<43 letters>``: the id is no secret, the letters are 256 random bits. What is kept is SHA-256 of
the whole text; a fast digest is enough for a secret that nobody can guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import Row, insert, or_, select, update

import app.access.audit as audit
from app.access.scopes import Caller, Scope, granted
from app.store.ledger import api_key
from app.store.register import Register
from geo.errors import Fault, NotFoundError, ParameterError

FORM = re.compile(r"rx_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
ID = re.compile(r"[0-9a-f]{12}")
NAME_MAX = 200
DAY_S = 86_400.0
NOTED_EVERY_S = 60.0
"""A key's last use is noted no more often than this."""


@dataclass(frozen=True)
class Key:
    """What is known of a key; times are UTC seconds, None is never (or no limit of its own)."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    made_at: float
    per_minute: int | None = None
    runs_per_day: int | None = None
    ends_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None
    digest: str = ""

    def __repr__(self) -> str:
        return f"Key({self.key_id}: {','.join(self.scopes)})"

    def state(self, now: float) -> str:
        """``good``, ``revoked`` or ``ended``."""
        if self.revoked_at is not None:
            return "revoked"
        return "ended" if self.ends_at is not None and now >= self.ends_at else "good"

    def is_told_by(self, text: str) -> bool:
        """Whether this is the text of the key."""
        return hmac.compare_digest(digest(text), self.digest)

    def caller(self, address: str, by: str) -> Caller:
        """Who asks with this key."""
        return Caller(
            self.key_id, self.name, granted(self.scopes), address, by,
            per_minute=self.per_minute, runs_per_day=self.runs_per_day,
        )  # fmt: skip


def digest(text: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def id_in(text: str) -> str | None:
    """The id in a key's text; None when it is no key."""
    found = FORM.fullmatch(text)
    return found[1] if found else None


def create(
    register: Register, name: str, scopes: tuple[Scope, ...], *, by: Caller, days: float | None = None,
    per_minute: int | None = None, runs_per_day: int | None = None,
) -> tuple[Key, str]:  # fmt: skip
    """A new key and its text, which nobody can tell again. ParameterError for a name that is none."""
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise ParameterError(Fault(f"a name of 1 to {NAME_MAX} letters in one line", repr(name[:80]), "name"))
    now = time.time()
    key_id = secrets.token_hex(6)
    text = f"rx_{key_id}_{secrets.token_urlsafe(32)}"
    ends_at = None if days is None else now + days * DAY_S
    key = Key(key_id, name, scopes, now, per_minute, runs_per_day, ends_at, digest=digest(text))
    row = {
        "key_id": key_id, "name": name, "secret_sha256": key.digest, "scopes": ",".join(scopes), "made_at": now,
        "per_minute": per_minute, "runs_per_day": runs_per_day, "ends_at": ends_at,
    }  # fmt: skip
    with register.writing() as connection:
        connection.execute(insert(api_key).values(row))
        audit.record(connection, by, "key.create", said=told(key))
    return key, text


def every(register: Register) -> list[Key]:
    """All keys, the newest first."""
    with register.reading() as connection:
        rows = connection.execute(select(api_key).order_by(api_key.c.made_at.desc(), api_key.c.key_id)).all()
    return [_key(row) for row in rows]


def is_any(register: Register) -> bool:
    """Whether a key was ever made, good or not."""
    with register.reading() as connection:
        return connection.execute(select(api_key.c.key_id).limit(1)).first() is not None


def known(register: Register, key_id: str) -> Key | None:
    """The key of an id, good or not."""
    with register.reading() as connection:
        row = connection.execute(select(api_key).where(api_key.c.key_id == key_id)).first()
    return _key(row) if row else None


def find(register: Register, told: str) -> Key:
    """The key somebody means by its id, its text or its name; NotFoundError when that is none or several."""
    key_id = id_in(told) or (told if ID.fullmatch(told) else None)
    by_id = known(register, key_id) if key_id else None
    found = [by_id] if by_id else [key for key in every(register) if key.name == told and key.revoked_at is None]
    if len(found) != 1:
        cure = "renxing key list shows every key with its id."
        many = f"{len(found)} keys of that name" if found else "none"
        raise NotFoundError(Fault("the id or the name of one key", many, "key", cure))
    return found[0]


def revoke(register: Register, named: str, *, by: Caller) -> Key:
    """Take a key back, named as ``find`` takes it; once is for good. NotFoundError when there is none."""
    key = find(register, named)
    gone = update(api_key).where(api_key.c.key_id == key.key_id, api_key.c.revoked_at.is_(None))
    with register.writing() as connection:
        if connection.execute(gone.values(revoked_at=time.time())).rowcount:
            audit.record(connection, by, "key.revoke", said=told(key))
    return find(register, key.key_id)


def told(key: Key) -> dict[str, str]:
    """What is said of a key wherever it is spoken of: nothing secret."""
    return {"key_id": key.key_id, "name": key.name, "scopes": ",".join(key.scopes)}


def note_use(register: Register, key_id: str, now: float) -> None:
    """Note when a key was used last, unless that was noted within the minute."""
    old = or_(api_key.c.used_at.is_(None), api_key.c.used_at < now - NOTED_EVERY_S)
    with register.writing() as connection:
        connection.execute(update(api_key).where(api_key.c.key_id == key_id, old).values(used_at=now))


def _key(row: Row[tuple[object, ...]]) -> Key:
    kept = dict(row._mapping)
    listed = tuple(Scope(word) for word in kept.pop("scopes").split(","))
    return Key(scopes=listed, digest=kept.pop("secret_sha256"), **kept)

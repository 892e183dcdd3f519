"""Keys are told once, kept as digests, and taken back; who did so is noted. On both engines."""

from __future__ import annotations

import string
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.access import audit, keys
from app.access.keys import Key
from app.access.scopes import ALL, NONE, READ, Caller, Scope, granted, scopes
from app.access.signing import secret_of
from app.store import ledger
from app.store.register import Register
from geo.errors import NotFoundError, ParameterError, StorageError

ANN = Caller(None, "ann", ALL, "192.0.2.1")
TEXT = f"rx_0123456789ab_{'Aa0-_' * 8}Zz9"
KEPT = Key("0123456789ab", "one", (Scope.read,), 0.0, digest=keys.digest(TEXT))


def made(register: Register, name: str = "city hall", *given: Scope, **more: object) -> tuple[Key, str]:
    return keys.create(register, name, given or (Scope.read,), by=ANN, **more)  # type: ignore[arg-type]


def test_what_is_kept_is_not_the_key(register: Register) -> None:
    key, text = made(register, "坎彭 <b>", Scope.run, Scope.edit, days=2, per_minute=5, runs_per_day=0)
    with register.reading() as connection:
        row = connection.execute(select(ledger.api_key).where(ledger.api_key.c.key_id == key.key_id)).one()
    assert text.split("_", 2)[2] not in repr(row)
    assert (row.secret_sha256, len(text), keys.id_in(text)) == (keys.digest(text), 59, key.key_id)
    again = keys.known(register, key.key_id)
    assert again == key and again.is_told_by(text)
    assert (again.scopes, again.per_minute, again.runs_per_day) == ((Scope.run, Scope.edit), 5, 0)
    assert text not in repr(again)


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(string.ascii_letters + string.digits + "-_\n\x00é"))
def test_any_other_letter_is_another_key(place: int, letter: str) -> None:
    other = TEXT[:place] + letter + TEXT[place + 1 :]
    assert (keys.id_in(other) == KEPT.key_id and KEPT.is_told_by(other)) is (other == TEXT)


def test_keys_end(register: Register) -> None:
    key, _ = made(register, days=1)
    assert [key.state(key.made_at + hours * 3600) for hours in (0, 23.9, 24, 1000)] == [
        "good",
        "good",
        "ended",
        "ended",
    ]
    assert made(register)[0].state(9e9) == "good"
    gone = keys.revoke(register, key.key_id, by=ANN)
    assert (gone.state(0), gone.state(9e9)) == ("revoked", "revoked")
    assert keys.revoke(register, key.key_id, by=ANN).revoked_at == gone.revoked_at


def test_a_key_is_found_by_what_people_have_of_it(register: Register) -> None:
    key, text = made(register, "only one")
    assert {keys.find(register, told).key_id for told in (key.key_id, text, "only one")} == {key.key_id}
    made(register, "twice")
    made(register, "twice")
    for told in ("twice", "nobody", "0" * 12, "' OR 1=1 --", "%", ""):
        with pytest.raises(NotFoundError):
            keys.find(register, told)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[2J", "\u202eevil", "x" * 201])
def test_a_name_is_one_legible_line(register: Register, name: str) -> None:
    with pytest.raises(ParameterError, match="a name"):
        made(register, name)


def test_use_is_noted_at_most_once_a_minute(register: Register) -> None:
    key, _ = made(register)
    seen = []
    for at in (1000.0, 1059.0, 1061.0):
        keys.note_use(register, key.key_id, at)
        found = keys.known(register, key.key_id)
        seen.append(found and found.used_at)
    assert seen == [1000.0, 1000.0, 1061.0]


def test_scopes_are_written_as_a_list() -> None:
    assert scopes(" run, read,run ") == (Scope.read, Scope.run)
    for text in ("", ",", "root", "read;run", "READ"):
        with pytest.raises(ParameterError, match="read, run, edit, admin"):
            scopes(text)


def test_whoever_may_do_anything_may_read_and_admin_may_all() -> None:
    assert granted([]) == NONE
    assert granted([Scope.read]) == READ
    assert granted([Scope.edit]) == {Scope.read, Scope.edit}
    assert granted([Scope.admin]) == ALL


# the audit


def test_what_is_done_and_its_note_are_kept_together(register: Register) -> None:
    key, _ = made(register, "noted")
    newest = audit.entries(register, limit=1)[0]
    assert (newest.action, newest.caller, newest.said["key_id"]) == ("key.create", "address:192.0.2.1", key.key_id)
    with pytest.raises(StorageError), register.writing() as connection:
        audit.record(connection, ANN, "half.done")
        connection.execute(ledger.api_key.insert().values(key_id=key.key_id, name="again"))
    assert audit.entries(register, limit=1)[0] == newest


def test_the_audit_is_read_in_pages_the_newest_first(register: Register) -> None:
    caller = Caller("0123456789ab", "city hall", READ, "2001:db8::1", "key")
    for number in range(5):
        audit.note(register, caller, "layer.put", study_id="paged" if number % 2 else "other", said={"n": number})
    first = audit.entries(register, limit=2)
    rest = audit.entries(register, before=first[-1].audit_id, limit=3)
    assert [entry.said["n"] for entry in (*first, *rest)] == [4, 3, 2, 1, 0]
    assert [entry.said["n"] for entry in audit.entries(register, study_id="paged")] == [3, 1]
    assert (first[0].caller, first[0].address, first[0].said["key"]) == ("key:0123456789ab", "2001:db8::1", "city hall")


@settings(max_examples=20)
@given(word=st.text(max_size=700))
def test_words_of_others_are_kept_as_words(word: str) -> None:
    kept = audit._short({"file": word, "n": 3})
    assert kept["n"] == 3 and len(kept["file"]) <= 6 * audit.WORD_MAX + 2
    assert not any(letter in kept["file"] for letter in "\x00\x1b\x07\u202e")
    assert word.isprintable() <= (kept["file"] == word or len(word) > audit.WORD_MAX)


# the secret


def test_all_processes_sign_with_one_secret(register: Register) -> None:
    with register.writing() as connection:
        connection.execute(ledger.secret.delete())
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: secret_of(register), range(8)))
    assert len(found) == 1 and len(found.pop()) == 32
    with register.reading() as connection:
        assert connection.execute(select(func.count()).select_from(ledger.secret)).scalar() == 1

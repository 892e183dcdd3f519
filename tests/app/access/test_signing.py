"""What the service signs nobody else can write, nor change by a letter."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.signing import Signer, until

SIGNER = Signer(b"a secret of the tests, 32 bytes !")
FIELDS = st.lists(st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=20), max_size=3)
TICKET = SIGNER.sign("t1", "0123456789ab", "kampen", until=2000)


@given(FIELDS, st.integers(1, 10**10), st.integers(0, 10**10))
def test_it_reads_what_it_signed_until_it_ends(fields: list[str], end: int, now: int) -> None:
    text = SIGNER.sign("t1", *fields, until=end)
    assert SIGNER.read(text, "t1", now=now) == (tuple(fields) if now < end else None)


@given(st.integers(0, len(TICKET) - 1), st.characters())
def test_any_other_letter_is_refused(place: int, letter: str) -> None:
    other = TICKET[:place] + letter + TICKET[place + 1 :]
    assert (SIGNER.read(other, "t1", now=0) is not None) is (other == TICKET)


@given(st.integers(0, len(TICKET)), st.integers(0, 7))
def test_any_changed_bit_is_refused(place: int, bit: int) -> None:
    raw = bytearray(TICKET.encode())
    raw[place % len(raw)] ^= 1 << bit
    assert SIGNER.read(raw.decode("latin-1"), "t1", now=0) is None


@given(st.text(max_size=400))
def test_any_text_can_be_read_and_is_nothing(text: str) -> None:
    assert SIGNER.read(text, "t1", now=0) is None


def test_a_ticket_is_no_session_and_a_part_is_no_whole() -> None:
    assert SIGNER.read(TICKET, "s1", now=0) is None
    assert SIGNER.read(TICKET, "t1", now=0) == ("0123456789ab", "kampen")
    assert Signer(b"another").read(TICKET, "t1", now=0) is None
    for other in (TICKET[:-1], TICKET + "=", TICKET + "A", TICKET.replace("kampen", "kampe.n"), TICKET.upper(), ""):
        assert SIGNER.read(other, "t1", now=0) is None


@pytest.mark.parametrize("field", ["", "a.b", "a b", "坎", "a\n", "x" * 65])
def test_what_could_be_misread_is_not_signed(field: str) -> None:
    with pytest.raises(ValueError, match="can be signed"):
        SIGNER.sign("t1", field, until=1)


@given(st.integers(0, 10**9))
def test_a_page_names_the_same_ticket_for_an_hour(now: int) -> None:
    end = until(now, hours=12)
    assert 11 * 3600 < end - now <= 12 * 3600
    assert end == until(now - now % 3600, hours=12) == until(now - now % 3600 + 3599, hours=12)

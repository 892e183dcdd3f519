"""So many requests a minute for each key or address, and when to come again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access import Scope, audit, keys
from app.access.rates import Rates, bucket, share
from app.access.scopes import READ, Caller
from geo.errors import RateError
from tests.app.access.site import Site


def caller(address: str = "203.0.113.7", key_id: str | None = None, per_minute: int | None = None) -> Caller:
    return Caller(key_id, "x", READ, address, per_minute=per_minute)


def let_through(rates: Rates, who: Caller, path: str, tries: int) -> int:
    """How many of some requests are let through."""
    passed = 0
    for _ in range(tries):
        try:
            rates.charge(who, path)
            passed += 1
        except RateError as error:
            assert 1 <= error.wait_s <= 60
    return passed


@given(st.integers(1, 30), st.integers(0, 60))
def test_no_more_than_the_rate_is_let_through(rate: int, tries: int) -> None:
    assert let_through(Rates(rate, 5), caller(), "/", tries) == min(rate, tries)


def test_each_caller_has_a_rate_of_its_own() -> None:
    rates = Rates(3, 6)
    assert let_through(rates, caller(), "/", 9) == 3
    assert let_through(rates, caller(), "/tiles/a/b/0/0/0.mvt", 9) == 6
    assert let_through(rates, caller("203.0.113.8"), "/", 9) == 3
    assert let_through(rates, caller(key_id="0" * 12), "/", 9) == 3
    assert let_through(rates, caller(key_id="1" * 12, per_minute=5), "/", 9) == 5
    assert let_through(rates, caller(), "/healthz", 99) == 99
    assert let_through(Rates(0, 0), caller(), "/", 99) == 99


def test_processes_share_a_rate() -> None:
    assert [share(600, processes).amount for processes in (1, 4, 7, 1000)] == [600, 150, 85, 1]


def test_one_subscriber_of_ipv6_is_one_caller() -> None:
    assert bucket(caller("2001:db8:1:2::1")) == bucket(caller("2001:db8:1:2:ffff::9"))
    assert bucket(caller("2001:db8:1:3::1")) != bucket(caller("2001:db8:1:2::1"))
    assert bucket(caller("nonsense")) == "nonsense"


def test_too_many_requests_are_told_when_to_come_again(folder: Path) -> None:
    site = Site(folder, access="keys", requests_per_minute=4, tiles_per_minute=5)
    key, text = keys.create(site.app.state.service.register, "often", (Scope.read,), by=audit.AT_HAND, per_minute=2)
    codes = [site.get("/api/v1/studies", text).status_code for _ in range(3)]
    refused = site.get("/api/v1/studies", text, headers={"Accept-Language": "zh"})
    assert codes == [200, 200, 429]
    assert (refused.json()["code"], refused.json()["title"]) == ("rate-limited", "请求过于频繁")
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= 60
    assert refused.headers["ratelimit-policy"] == '"requests";q=2;w=60'
    assert refused.headers["ratelimit"] == f'"requests";r=0;t={wait}'
    assert key.key_id in refused.json()["faults"][0]["where"]


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "rx_000000000000_" + "A" * 43}, {"X-Forwarded-For": "198.51.100.1"}]
)
def test_who_guesses_keys_or_addresses_is_counted_all_the_same(folder: Path, headers: dict[str, str]) -> None:
    site = Site(folder, access="public", requests_per_minute=3)
    codes = [site.get("/api/v1/studies", headers=headers).status_code for _ in range(6)]
    assert codes[3:] == [429, 429, 429] and 429 not in codes[:3]
    assert site.fresh(address="198.51.100.9").get("/api/v1/studies", headers=headers).status_code in (200, 401)


def test_this_machine_is_not_counted(keyless: Path) -> None:
    site = Site(keyless, address="127.0.0.1", seen_as="localhost", requests_per_minute=1, tiles_per_minute=1)
    assert {site.get("/api/v1/studies").status_code for _ in range(5)} == {200}

"""Where a request comes from is what trusted proxies say, and nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.addresses import HOST, Place, Told, by_forwarded, by_x_forwarded, is_local_name, plain
from app.settings import Settings
from geo.errors import ParameterError


def place(**settings: object) -> Place:
    return Place.of(Settings.read(**settings))


ONE = place(trusted_proxies="10.0.0.0/8, ::1, 2001:db8:1::/48")
FOR, PROTO, SEEN, PREFIX = b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix"


@pytest.mark.parametrize(("hops", "address"), [
    ("203.0.113.7", "203.0.113.7"),
    ("203.0.113.7:1234", "203.0.113.7"),
    ("[2001:db8::7]:80", "2001:db8::7"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("6.6.6.6, 203.0.113.7, 10.1.2.3", "203.0.113.7"),  # what the client made up stands to the left
    ("6.6.6.6, nonsense, 10.1.2.3", "10.1.2.3"),  # nothing before what cannot be read is believed
    ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
    ("nonsense", ""), ("", ""), (", ,", ""), ("203.0.113.7\r\nX: y", ""), ("unknown", ""),
])  # fmt: skip
def test_the_last_hop_that_is_no_proxy_is_the_client(hops: str, address: str) -> None:
    assert by_x_forwarded({FOR: hops}, ONE).address == address


@pytest.mark.parametrize(("said", "told"), [
    ({PROTO: "https", SEEN: "city.example:8443", PREFIX: "/plans/"}, Told("", "https", "city.example:8443", "/plans")),
    ({PROTO: "http, https", SEEN: "evil.example, city.example"}, Told("", "https", "city.example")),
    ({PROTO: "javascript", SEEN: "a b", PREFIX: "//evil.example"}, Told()),
    ({SEEN: "evil.example/path", PREFIX: "/a/../b"}, Told()),
    ({SEEN: "user@evil.example", PREFIX: "plans"}, Told()),
    ({SEEN: "[2001:db8::1]", PREFIX: "/a/b"}, Told(host="[2001:db8::1]", root="/a/b")),
])  # fmt: skip
def test_the_rest_is_believed_where_it_can_be(said: dict[bytes, str], told: Told) -> None:
    assert by_x_forwarded(said, ONE) == told


@pytest.mark.parametrize(("said", "told"), [
    ('for=203.0.113.7;proto=https;host="city.example"', Told("203.0.113.7", "https", "city.example")),
    ('for="[2001:db8::7]:4711";By=10.0.0.1', Told("2001:db8::7")),
    ("For=6.6.6.6, for=203.0.113.7, for=10.1.1.1;proto=http", Told("203.0.113.7", "http")),
    ("for=_hidden, for=10.1.1.1", Told("10.1.1.1")),
    ("nonsense", Told()), ("", Told()),
])  # fmt: skip
def test_forwarded_says_it_in_one_header(said: str, told: Told) -> None:
    assert by_forwarded({b"forwarded": said}, ONE) == told


@given(st.text(max_size=60))
def test_any_hop_is_an_address_or_nothing(hop: str) -> None:
    assert plain(hop) == plain(plain(hop))
    assert not set(plain(hop)) - set("0123456789abcdef.:")


def test_proxies_are_addresses_and_networks() -> None:
    trusted = {address: ONE.trusts(address) for address in ("10.1.2.3", "::ffff:10.1.2.3", "::1", "2001:db8:1::5")}
    assert set(trusted.values()) == {True}
    assert not any(map(ONE.trusts, ("11.0.0.1", "2001:db8:2::5", "", "testclient", "::2")))
    assert not place().trusts("127.0.0.1")


@pytest.mark.parametrize(("name", "value"), [
    ("trusted_proxies", "proxy.example"), ("trusted_proxies", "10.0.0.0/33"), ("public_url", "city.example"),
    ("public_url", "ftp://city.example"), ("public_url", "https://u:p@city.example"), ("public_url", "https://a b/"),
    ("public_url", "https://city.example/?x=1"), ("root_path", "plans"), ("root_path", "/a//b"), ("root_path", "/../x"),
    ("root_path", "/tiles"), ("root_path", "/api/v1"), ("public_url", "https://city.example/studies"),
])  # fmt: skip
def test_settings_that_cannot_be_are_refused(name: str, value: str) -> None:
    with pytest.raises(ParameterError, match=f"RENXING_{name.upper()}|RENXING_ROOT_PATH"):
        place(**{name: value})


def test_the_path_of_the_public_address_is_the_root_path() -> None:
    found = place(public_url="https://City.example/plans/")
    assert (found.root, found.origin) == ("/plans", "https://city.example")
    assert place(public_url="https://city.example/plans", root_path="/plans/").root == "/plans"
    with pytest.raises(ParameterError, match="RENXING_PUBLIC_URL"):
        place(public_url="https://city.example/plans", root_path="/other")


def test_hosts_are_named_with_or_without_a_port() -> None:
    named = place(allowed_hosts="plans.example, [2001:db8::1], other.example:81", public_url="https://city.example")
    known = ("plans.example", "PLANS.example:8000", "[2001:db8::1]:80", "other.example:81", "city.example")
    assert all(map(named.knows, known))
    assert not any(map(named.knows, ("", "other.example", "plans.example.evil", "evil", "xplans.example")))
    assert place().knows("anything")


@pytest.mark.parametrize(
    "host", ["a\r\nb", "a b", "a/b", "a@b", "a?b", "a#b", "a\\b", "", ":80", "[::1", "é", "a" * 300]
)
def test_a_host_is_a_name(host: str) -> None:
    assert HOST.fullmatch(host) is None


def test_this_machine_s_own_names() -> None:
    assert all(map(is_local_name, ("localhost", "LOCALHOST:8000", "127.0.0.1", "127.9.9.9:1", "[::1]:8000")))
    assert not any(
        map(is_local_name, ("localhost.evil.example", "127.0.0.1.evil.example", "evil", "", "[::2]", "0.0.0.0"))
    )

"""Under which address the service is seen, behind proxies and by any Host; and what no request smuggles in."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message, Scope

from app import links
from app.access.addresses import Place
from app.access.edge import Edge, without_secrets
from app.access.headers import HEADERS
from app.settings import Settings
from tests.app.access.site import FAR, Site, view_of
from tests.source import modules

OWN = re.compile(r"""["'(](/(?:api/v1|tiles|studies|static|ogc|docs|openapi\.json|login|logout|\?lang)[^"')\s]*)""")
"""Addresses of the service as pages and JSON write them."""
STARTS = ["/", "/docs", "/studies/kampen", "/studies/kampen/check", "/login", "/openapi.json", "/api/v1/studies"]
PROXY = {"X-Forwarded-For": "198.51.100.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "city.example",
         "X-Forwarded-Prefix": "/plans"}  # fmt: skip


@pytest.fixture(scope="module")
def behind(folder: Path) -> Site:
    """A service that a proxy shows under a path."""
    return Site(folder, public_url="https://city.example/plans", requests_per_minute=0, tiles_per_minute=0)


@pytest.fixture(scope="module")
def trusting(folder: Path) -> Site:
    """A service that believes the proxy at its side."""
    return Site(folder, trusted_proxies=FAR, requests_per_minute=0, tiles_per_minute=0)


def tile_json(site: Site, **headers: str) -> tuple[str, dict[str, str]]:
    """The address of tiles in a TileJSON, and the answer's headers."""
    run_id = site.get("/api/v1/studies/kampen/runs").json()["runs"][0]["run_id"]
    answer = site.get(f"/tiles/{run_id}/streets.json", headers=headers)
    return answer.json()["tiles"][0].partition("/tiles/")[0], dict(answer.headers)


# the root path


def test_every_address_that_is_named_honours_the_root_path_and_leads_somewhere(behind: Site) -> None:
    seen: set[str] = set()
    waiting = [f"/plans{path}" for path in STARTS]
    while waiting and len(seen) < 60:
        path = waiting.pop(0)
        if path in seen or "{" in path or path == "/plans/static":
            continue
        seen.add(path)
        answer = behind.get(path, headers={"Accept": "text/html" if "/ogc" not in path else "*/*"})
        assert answer.status_code in (200, 404) and (answer.status_code == 200 or "/ogc/" in path), path
        if "json" in answer.headers["content-type"] or "html" in answer.headers["content-type"]:
            text = answer.text.replace("\\u0026", "&").replace("&amp;", "&")
            named = set(re.findall(r"""["'(](/plans/[^"')\s]*)""", text))
            assert not [one for one in OWN.findall(text) if "openapi" not in path and "/docs" not in path], path
            waiting += sorted(named - seen)
    assert len(seen) > 20


def test_a_proxy_may_strip_the_path_or_not(behind: Site) -> None:
    with_path, without = behind.get("/plans/studies/kampen"), behind.get("/studies/kampen")
    assert with_path.status_code == 200 and with_path.text == without.text
    urls = view_of(with_path.text)["urls"]
    assert all(url.startswith("/plans/") for url in urls.values())
    assert behind.get("/plansx/studies/kampen").status_code == 404
    assert behind.get("/plans/api/v1/studies/kampen").json()["href"] == "/plans/api/v1/studies/kampen"
    assert behind.get("/plans").headers["location"] == "/plans/"
    assert behind.get("/openapi.json").json()["servers"][0]["url"] == "/plans"


def test_the_public_address_is_the_one_told(behind: Site) -> None:
    base, headers = tile_json(behind, Host="evil.example")
    assert base == "https://city.example/plans"
    assert "Host" not in headers.get("vary", "")


def test_one_place_makes_addresses() -> None:
    """Whoever makes one of the Host or of the framework's own forgets who told it (app/links.py)."""
    wrong = re.compile(r"\bbase_url\b|\.url_for\(|request\.url\.(hostname|netloc|scheme\b(?! == ))")
    found = [name for name, module in modules("app").items() if wrong.search(module.text)]
    assert found == []


# Host, and what proxies say


def test_an_address_made_of_the_host_is_kept_by_no_shared_cache(public: Site) -> None:
    base, headers = tile_json(public, Host="evil.example")
    assert base == "http://evil.example"
    assert headers["cache-control"].startswith("private") and "Host" in headers["vary"]


@pytest.mark.parametrize("path", ["/api/v1/studies/", "/studies/kampen/"])
def test_where_one_is_sent_on_to_is_on_this_host(public: Site, path: str) -> None:
    location = public.get(path, headers={"Host": "evil.example"}).headers.get("location", "")
    assert location in ("", path.rstrip("/"))


def test_hosts_that_are_not_named_are_refused(folder: Path) -> None:
    site = Site(folder, allowed_hosts="plans.example")
    assert site.get("/").status_code == 200
    assert tile_json(site)[0] == "http://plans.example"
    for host in ("evil.example", "plans.example.evil.example", "plans.example@evil"):
        assert site.get("/", headers={"Host": host}).status_code in (400, 421)
        assert site.get("/healthz", headers={"Host": "10.0.0.5:8000"}).status_code == 200
    refused = site.get("/", headers={"Host": "evil.example", "Accept-Language": "zh"})
    assert (refused.json()["code"], refused.json()["title"]) == ("misdirected-request", "主机名有误")


def test_a_trusted_proxy_is_believed_and_its_answers_are_private(trusting: Site) -> None:
    base, headers = tile_json(trusting, **PROXY)
    assert base == "https://city.example/plans"
    assert headers["cache-control"].startswith("private") and "X-Forwarded-Host" in headers["vary"]
    assert headers["strict-transport-security"].startswith("max-age=")
    page = trusting.get("/", headers=PROXY)
    assert 'href="/plans/studies/kampen' in page.text and page.headers["cache-control"].startswith("private")
    assert trusting.get("/").headers["cache-control"].startswith("public")


def test_nobody_else_is_believed(public: Site, trusting: Site) -> None:
    for asked in (public.client, trusting.fresh(address="198.51.100.77")):
        answer = asked.get("/", headers=PROXY)
        assert 'href="/studies/kampen' in answer.text and "/plans" not in answer.text
        assert "strict-transport-security" not in answer.headers


def client_of(place: Place, peer: str, headers: list[tuple[bytes, bytes]]) -> str:
    """Whom a request comes from, once it is settled."""
    seen: list[str] = []

    async def app(scope: Scope, receive: object, send: object) -> None:
        seen.append(scope["client"][0])

    async def nothing(*_: Message) -> Message:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "client": (peer, 1), "headers": headers}
    coroutine = Edge(app, place=place, header_bytes=10**6, answer=None)(scope, nothing, nothing)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        coroutine.send(None)
    return seen[0]


NAMES = st.lists(st.sampled_from(["x-forwarded-for", "forwarded", "x-real-ip"]))


@given(NAMES, st.text("0123456789.,:;=for ", max_size=40))
def test_who_is_not_trusted_is_who_it_is(names: list[str], value: str) -> None:
    sent = [(name.encode(), value.encode()) for name in names]
    assert client_of(Place.of(Settings(trusted_proxies="10.0.0.0/8")), "203.0.113.7", sent) == "203.0.113.7"


def test_one_family_of_headers_is_believed() -> None:
    both = [(b"x-forwarded-for", b"6.6.6.6"), (b"forwarded", b"for=7.7.7.7")]
    for family, seen in (("x-forwarded", "6.6.6.6"), ("forwarded", "7.7.7.7")):
        place = Place.of(Settings(trusted_proxies="10.0.0.1", proxy_headers=family))  # type: ignore[arg-type]
        assert client_of(place, "10.0.0.1", both) == seen


# hostile requests


@pytest.mark.parametrize(("path", "headers", "code"), [
    ("/", [("X-A", "a" * 40_000)], 431), ("/", [(f"X-{n}", "a") for n in range(101)], 431),
    ("/?" + "a" * 9000, [], 414), ("/", [("Host", "a b")], 400), ("/", [("Host", "evil.example/x")], 400),
    ("/", [("Host", "a"), ("Host", "b")], 400),
])  # fmt: skip
def test_what_is_too_long_or_no_request_is_refused(
    public: Site, path: str, headers: list[tuple[str, str]], code: int
) -> None:
    answer = public.client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (code, "application/problem+json")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["x-request-id"]


HOSTILE = [
    *("%0d%0aSet-Cookie:%20a=b", "%0aERROR%20forged%20line", "%00", "%1b[2J", "' OR 1=1 --", "<script>", "{{7*7}}"),
    "%2e%2e/%2e%2e/etc/passwd",
]
PATHS = (
    *("/studies/{}", "/api/v1/studies/kampen?x={}", "/tiles/{}/base.json", "/?lang={}", "/api/v1/jobs?study={}"),
    *("/api/v1/jobs/{}", "/login?next={}"),
)
SENT = (
    *("Accept-Language", "Origin", "X-Request-ID", "If-None-Match", "Referer", "X-API-Key", "Authorization", "Cookie"),
    *("Idempotency-Key", "X-Forwarded-For", "User-Agent"),
)
OURS = {"renxing", "app", "uvicorn", "py.warnings", "root"}


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_reach_no_header_and_no_log_line(
    public: Site, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sent = {name: re.sub("%(0d|0a|00|1b)", "", word).replace("%20", " ") for name in SENT}
    for path in PATHS:
        for headers in ({}, sent):
            answer = public.client.get(path.format(word), headers=headers)
            assert answer.status_code < 500 and "set-cookie" not in answer.headers
            assert not any("\n" in value or "\r" in value or "passwd" in value for value in answer.headers.values())
    assert [said for said in told(caplog) if "forged" in said] == []


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Everything that this program logged (not what the client of the tests did)."""
    ours = [record for record in caplog.records if record.name.partition(".")[0] in OURS]
    return [f"{record.getMessage()} {vars(record)}" for record in ours]


@settings(max_examples=30)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_ticket_and_no_key_stays_in_the_query(before: bytes, after: bytes) -> None:
    key = b"rx_0123456789ab_" + b"A" * 43
    left = without_secrets({"query_string": before + b"&ticket=t1.secret&" + after + key, "state": {}})
    assert key not in left and b"ticket=t1.secret" not in left


@pytest.mark.parametrize("query", ["ticket=t1.a.b", "a=1&ticket=t1.a.b", "ticket=t1.a.b&a=1", "ticket=x&ticket=t1.a.b"])
def test_a_ticket_is_taken_out_and_the_rest_is_left(query: str) -> None:
    state: dict[str, str] = {}
    assert without_secrets({"query_string": query.encode(), "state": state}) in (b"", b"a=1")
    assert state["ticket"] in ("t1.a.b", "x")


def test_neither_key_nor_ticket_is_logged(secured: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, ticket = secured.keys["read"], "t1.0123456789ab.kampen.9999999999.SECRET"
    for path in (f"studies/kampen?ticket={ticket}", f"api/v1/studies?key={key}", f"api/v1/runs/x/map?ticket={ticket}"):
        for headers in ({}, {"Authorization": f"Bearer {key}"}):
            secured.client.get(f"/{path}", headers=headers)
    assert told(caplog) and not any(key in said or "SECRET" in said for said in told(caplog))


# headers of answers


@pytest.mark.parametrize(
    "path", ["/", "/studies/kampen", "/static/start.js", "/api/v1/studies", "/nowhere", "/healthz", "/login"]
)
def test_every_answer_has_safe_headers(public: Site, path: str) -> None:
    headers = public.get(path).headers
    assert [name for name in HEADERS if name not in headers] == []
    shared = headers["cross-origin-resource-policy"] == "cross-origin"
    assert shared is path.startswith("/static/")
    sandboxed = "sandbox" in headers["content-security-policy"]
    assert ("cross-origin-opener-policy" in headers) is not sandboxed
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize(("method", "header", "code"), [
    ("GET", "", 200), ("HEAD", "", 200), ("POST", "", 400), ("PUT", "", 400), ("PATCH", "", 400), ("DELETE", "", 400),
    ("GET", "Authorization", 400), ("GET", "X-API-Key", 400),
])  # fmt: skip
def test_pages_of_others_may_read_and_nothing_else(public: Site, method: str, header: str, code: int) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": method}
    with_header = {"Access-Control-Request-Headers": header} if header else {}
    assert public.client.options("/api/v1/studies", headers=asked | with_header).status_code == code
    read = public.get("/api/v1/studies", headers={"Origin": "https://a.example"}).headers
    assert read["access-control-allow-origin"] == "*" and "access-control-allow-credentials" not in read


def test_with_keys_nothing_is_kept_by_shared_caches(secured: Site) -> None:
    run_id = secured.get("/api/v1/studies/kampen/runs", "read").json()["runs"][0]["run_id"]
    for path in ("/", f"/api/v1/runs/{run_id}", f"/api/v1/runs/{run_id}/layers/demand.geojson", "/api/v1/studies"):
        kept = secured.get(path, "read").headers["cache-control"]
        assert "public" not in kept and ("private" in kept or "no-store" in kept), path


def test_outside_a_request_addresses_begin_at_the_root() -> None:
    assert (links.here().path("/a"), links.here().absolute("/a"), links.here().data("/a", "b")) == ("/a", "/a", "/a")

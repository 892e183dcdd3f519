"""Browsers: signing in, pages that read with tickets, and what a cookie or a ticket never does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.access import Scope, audit, callers, keys
from app.access.callers import COOKIE, SESSION, TICKET
from app.access.signing import Signer, secret_of
from app.routes.login import _local
from tests.app.access.site import HOST, Site, view_of

MAP = "/studies/kampen?lang=en"


def signed_in(site: Site, scope: str = "read", **headers: str) -> None:
    sent = {"Origin": f"http://{HOST}", **headers}
    answer = site.client.post("/login", data={"key": site.keys[scope], "next": MAP}, headers=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, MAP)


@pytest.fixture
def browser(secured: Site) -> Site:
    """A browser that signed in."""
    browser = secured.browser()
    signed_in(browser)
    return browser


def signer(site: Site) -> Signer:
    return Signer(secret_of(site.app.state.service.register))


def test_who_looks_at_pages_is_asked_to_sign_in(secured: Site) -> None:
    asked = secured.fresh().get(MAP, headers={"accept": "text/html,*/*"})
    assert (asked.status_code, asked.headers["www-authenticate"]) == (401, 'Bearer realm="renxing"')
    assert 'name="next" value="/studies/kampen?lang=en"' in asked.text and "<script" not in asked.text
    policy = asked.headers["content-security-policy"]
    assert "form-action 'self'" in policy and "script-src" not in policy and "default-src 'none'" in policy
    assert secured.fresh().get("/login?lang=zh").text.count("登录") > 1
    wrong = secured.fresh().post("/login", data={"key": "rx_nonsense"})
    assert (
        wrong.status_code == 401 and 'role="alert"' in wrong.text and COOKIE not in wrong.headers.get("set-cookie", "")
    )


def test_a_session_reads_pages_and_ends(browser: Site) -> None:
    assert browser.get(MAP).status_code == 200
    assert browser.get("/login").text.count("read") >= 1
    out = browser.client.post("/logout", headers={"Origin": f"http://{HOST}"})
    assert out.status_code == 303 and browser.client.cookies.get(COOKIE) is None
    assert browser.get(MAP).status_code == 401


def test_the_cookie_is_for_the_browser_alone(folder: Path) -> None:
    for scheme, settings, path in (("http", {}, "/"), ("https", {}, "/"), ("https", {"root_path": "/plans"}, "/plans")):
        site = Site(folder, access="keys", **settings)
        answer = site.fresh(scheme=scheme).post("/login", data={"key": site.keys["read"]})
        attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
        assert {"httponly", "samesite=lax", f"path={path}"} <= attributes
        assert ("secure" in attributes) is (scheme == "https")
        assert answer.headers["location"] == f"{settings.get('root_path', '')}/"


def test_a_key_taken_back_ends_its_sessions_and_tickets(browser: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "KEPT_S", 0.0)
    held = browser.app.state.service.register
    key, text = keys.create(held, "soon gone", (Scope.read,), by=audit.AT_HAND)
    browser.client.post("/login", data={"key": text})
    url = view_of(browser.get(MAP).text)["urls"]["geojson"].replace("{table}", "demand")
    assert browser.fresh().get(url).status_code == 200
    keys.revoke(held, key.key_id, by=audit.AT_HAND)
    assert browser.get(MAP).status_code == 401
    assert browser.fresh().get(url).status_code == 401


def test_sessions_end_by_themselves(secured: Site) -> None:
    key_id = keys.id_in(secured.keys["read"]) or ""
    for purpose, end, code in ((SESSION, time.time() + 60, 200), (SESSION, time.time() - 1, 401), (TICKET, 9e9, 401)):
        cookie = signer(secured).sign(purpose, key_id, until=int(end))
        assert secured.fresh().get("/api/v1/studies", headers={"cookie": f"{COOKIE}={cookie}"}).status_code == code


@pytest.mark.parametrize("headers", [
    {}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": f"https://{HOST}"},
    {"Origin": f"http://{HOST}.evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"}, {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "cross-site"},
])  # fmt: skip
def test_a_cookie_changes_nothing_unless_our_own_page_asks(secured: Site, headers: dict[str, str]) -> None:
    site = secured.browser()
    signed_in(site, "admin")
    refused = site.ask("DELETE", "/api/v1/jobs/nothing", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert site.ask("DELETE", "/api/v1/jobs/nothing", "admin", headers=headers).status_code == 404


@pytest.mark.parametrize("headers", [{"Origin": f"http://{HOST}"}, {"Sec-Fetch-Site": "same-origin"}])
def test_our_own_page_may(secured: Site, headers: dict[str, str]) -> None:
    site = secured.browser()
    signed_in(site, "admin")
    assert site.ask("DELETE", "/api/v1/jobs/nothing", headers=headers).status_code == 404


def test_nobody_is_signed_in_by_another_site(secured: Site) -> None:
    for path in ("/login", "/logout"):
        sent = secured.fresh().post(path, data={"key": secured.keys["read"]}, headers={"Origin": "http://evil.example"})
        assert sent.status_code == 403 and "set-cookie" not in sent.headers


@pytest.mark.parametrize(("headers", "code"), [
    ({}, 404), ({"Origin": "http://localhost:8000"}, 404), ({"Origin": "null"}, 403),
    ({"Origin": "http://evil.example"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
])  # fmt: skip
def test_an_open_service_is_changed_by_no_other_site(opened: Site, headers: dict[str, str], code: int) -> None:
    assert opened.ask("DELETE", "/api/v1/jobs/nothing", headers=headers).status_code == code


# tickets


def test_a_page_reads_its_data_without_a_cookie(browser: Site) -> None:
    urls = view_of(browser.get(MAP).text)["urls"]
    stranger = browser.fresh()
    for name in ("geojson", "mvt", "png", "base"):
        assert "?ticket=t1." in urls[name]
    got = stranger.get(urls["geojson"].replace("{table}", "demand"), headers={"Origin": "null"})
    assert (got.status_code, got.headers["access-control-allow-origin"]) == (200, "*")
    assert got.headers["cache-control"].startswith("private")
    assert "ticket" not in urls["static"] and stranger.get(f"{urls['static']}/start.js").status_code == 200


def test_a_ticket_reads_one_study_and_does_nothing_else(browser: Site) -> None:
    ticket = signer(browser).sign(
        TICKET, keys.id_in(browser.keys["admin"]) or "", "kampen", until=int(time.time()) + 99
    )
    asked = browser.fresh()
    codes = {
        path: asked.get(f"{path}?ticket={ticket}").status_code
        for path in (
            "/api/v1/studies/kampen",
            "/api/v1/studies/delft",
            "/api/v1/studies",
            "/api/v1/audit",
            "/api/v1/jobs",
        )
    }
    assert list(codes.values()) == [200, 403, 403, 403, 403]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert asked.request(method, f"/api/v1/studies/kampen?ticket={ticket}").status_code in (401, 405)
    assert asked.get(f"/api/v1/studies/kampen?ticket={ticket[:-1]}").status_code == 401
    assert asked.get("/api/v1/studies/kampen", headers={"Authorization": f"Bearer {ticket}"}).status_code == 401


def test_a_ticket_makes_no_later_one(browser: Site) -> None:
    ticket = signer(browser).sign(TICKET, keys.id_in(browser.keys["read"]) or "", "kampen", until=int(time.time()) + 99)
    page = browser.fresh().get(f"{MAP}&ticket={ticket}")
    assert page.status_code == 200
    assert view_of(page.text)["urls"]["mvt"].endswith(f"?ticket={ticket}")


def test_pages_that_everybody_may_read_name_no_ticket(public: Site) -> None:
    page = public.get(MAP, "read")
    assert page.status_code == 200 and "ticket" not in page.text
    assert page.headers["cache-control"].startswith("public")


@pytest.mark.parametrize(
    "goal", ["//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/a\r\nb", "", "é"]
)
def test_one_goes_on_to_this_service_only(goal: str) -> None:
    assert _local(goal) == "/"
    assert _local("/studies/kampen?lang=zh&scenario=flood") == "/studies/kampen?lang=zh&scenario=flood"

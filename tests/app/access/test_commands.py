"""Keys and the audit on the command line, and the audit over HTTP."""

from __future__ import annotations

from app.access import audit, keys
from app.access.scopes import ALL, Caller
from app.store.register import Register
from tests.app.access.site import Site
from tests.app.command_line import Renxing


def test_a_key_is_made_shown_once_listed_and_taken_back(renxing: Renxing) -> None:
    made = renxing("key", "create", "坎彭 <b>[red]x", "--scope", "read,run", "--days", "3", "--per-minute", "9")
    text = made.out.strip()
    key_id = keys.id_in(text)
    assert made.code == 0 and key_id and text not in made.err and "shown this once" in made.err
    listed = renxing("key", "list", "--json").json["keys"]
    assert [(key["key_id"], key["scopes"], key["state"], key["per_minute"]) for key in listed] == [
        (key_id, ["read", "run"], "good", 9)
    ]
    shown = renxing("key", "list", "--lang", "zh").out
    assert "坎彭 <b>[red]x" in shown and "有效" in shown and text.split("_", 2)[2] not in shown
    assert renxing("key", "revoke", key_id, "--json").json["state"] == "revoked"
    assert "revoked" in renxing("key", "list").out
    assert [change["action"] for change in renxing("audit", "--json").json["changes"]] == ["key.revoke", "key.create"]
    assert "key.revoke" in renxing("audit").out
    everything = "".join(path.read_bytes().decode("latin-1") for path in renxing.workspace.iterdir() if path.is_file())
    assert text.split("_", 2)[2] not in everything


def test_what_cannot_be_is_refused(renxing: Renxing) -> None:
    assert renxing("key", "create", "x", "--scope", "root").code == 1
    assert renxing("key", "create", " ").code == 1
    assert renxing("key", "create", "x", "--days", "0").code == 2
    assert renxing("key", "revoke", "nobody").code == 1
    assert renxing("key", "list").code == renxing("audit").code == 0
    assert renxing("key", "list", "--json").json == {"keys": []}


def test_a_new_key_works_and_one_taken_back_does_not(secured: Site) -> None:
    held: Register = secured.app.state.service.register
    key, text = keys.create(held, "soon gone", keys.find(held, secured.keys["read"]).scopes, by=audit.AT_HAND)
    keys.revoke(held, key.key_id, by=audit.AT_HAND)
    assert secured.get("/api/v1/studies", text).status_code == 401
    assert secured.get("/api/v1/studies", "read").status_code == 200


def test_who_changed_what_is_read_by_admins_in_pages(secured: Site) -> None:
    held: Register = secured.app.state.service.register
    hostile = "x'; DROP TABLE audit; --\n<script>"
    for number in range(5):
        audit.note(
            held, Caller(None, "x", ALL, "192.0.2.1"), "layer.put", study_id="delft", said={"n": number, "w": hostile}
        )
    path, seen = "/api/v1/audit?study=delft&limit=2", []
    while path:
        answer = secured.get(path, "admin")
        assert answer.headers["cache-control"].endswith("no-store")
        seen += [change["said"]["n"] for change in answer.json()["changes"]]
        path = answer.json()["next"]
    assert seen == [4, 3, 2, 1, 0]
    newest = secured.get("/api/v1/audit?limit=1", "admin").json()["changes"][0]
    assert (newest["caller"], newest["study_id"], newest["action"]) == ("address:192.0.2.1", "delft", "layer.put")
    assert secured.get("/api/v1/audit?study=' OR 1=1 --", "admin").json() == {"changes": [], "next": None}
    assert secured.get("/api/v1/audit?limit=0", "admin").status_code == 422

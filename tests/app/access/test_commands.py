"""Keys and the audit on the command line, and the audit over HTTP."""

from __future__ import annotations

import getpass
import json
from typing import Any

import pytest

from app.access import audit, keys
from app.access.scopes import ALL, Caller
from app.store.register import FILE, Register
from geo.errors import Fault, StorageError
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


def test_changes_made_at_hand_are_noted_where_changes_are(town: Renxing) -> None:
    assert town("derive", "town", "waterside", "--name", "early").code == 0
    assert not (town.workspace / FILE).exists(), "a folder that nobody served gets no register"
    Register.open(town.workspace).close()
    assert town("derive", "town", "waterside", "--scenario", "risk").code == 0
    assert town("scenario", "town", "risk", "--time", "day").code == 0
    assert town("remove", "town", "nothing").code == 1
    assert town("remove", "town", "waterside").code == 0
    (run,) = town("run", "town", "--scenario", "normal", "--json").json["runs"]
    assert town("run", "town", "--scenario", "normal").code == 0
    changes = town("audit", "--study", "town", "--json").json["changes"]
    assert [change["action"] for change in changes] == ["run.compute", "layer.delete", "scenario.put", "layer.put"]
    assert {(change["caller"], change["said"]["user"]) for change in changes} == {("address:local", getpass.getuser())}
    assert changes[0]["said"]["runs"] == [run["run_id"]]


def test_a_change_that_cannot_be_noted_is_made_and_that_is_said(town: Renxing, monkeypatch: pytest.MonkeyPatch) -> None:
    Register.open(town.workspace).close()

    def broken(*_: object, **__: object) -> None:
        raise StorageError(Fault("room", "a full\x1b disk", "here"))

    monkeypatch.setattr(audit, "note", broken)
    said = town("derive", "town", "waterside")
    assert said.code == 0 and "could not be noted" in said.err and "\x1b disk" not in said.err
    assert town("remove", "town", "waterside").code == 0


@pytest.mark.parametrize("hostile", [
    {"a": ["\u202e\x1b[2J" * 400] * 5000}, {"\x1b[2J" * 300 + str(n): n for n in range(5000)},
    {"deep": [[[[[[["x" * 10_000]]]]]]]}, {"wide": [[{"w": "x" * 400}] * 60] * 60}, {"n": [10**400, float("nan"), 1.5]},
])  # fmt: skip
def test_what_is_noted_is_short_and_legible_however_deep(renxing: Renxing, hostile: dict[str, Any]) -> None:
    held = Register.open(renxing.workspace)
    audit.note(held, audit.AT_HAND, "study.change", said=hostile)
    (entry,) = audit.entries(held)
    text = json.dumps(entry.said, ensure_ascii=False, allow_nan=False)
    assert len(text) < 6 * audit.SAID_MAX and not any(sign in text for sign in ("\u202e", "\x1b", "\\u001b"))
    held.close()


def test_what_is_short_is_noted_as_it_is(renxing: Renxing) -> None:
    held = Register.open(renxing.workspace)
    said = {"runs": ["a", "b"], "n": 3, "share": 0.5, "none": None, "yes": True, "in": {"名": ["甲"]}}
    audit.note(held, audit.AT_HAND, "run.submit", said=said)
    assert audit.entries(held)[0].said == said
    held.close()

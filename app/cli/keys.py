"""Commands about who may ask: keys are made, listed and taken back; and who changed what."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import WORKSPACE, AsJson, InLanguage, Language, WorkspacePath, language

if TYPE_CHECKING:
    from app.access.audit import Entry
    from app.access.keys import Key
    from app.store.register import Register

KEPT_BACK = "digest"
"""What is never shown of a key."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(no_args_is_help=True, help="Make, list and take back keys for the HTTP interface.")
    keys.command("create")(create)
    keys.command("list")(list_keys)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="key")
    app.command("audit")(audit)


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is, or what for.")],
    scope: Annotated[
        str, typer.Option("--scope", help="What it may do: read, run, edit, admin; several with commas between.")
    ] = "read",
    days: Annotated[
        float | None, typer.Option("--days", min=0.001, max=36500, help="Days after which it ends (days; none: never).")
    ] = None,
    per_minute: Annotated[
        int | None,
        typer.Option("--per-minute", min=1, max=10**6, help="Requests a minute (count; none: the service's setting)."),
    ] = None,
    runs_per_day: Annotated[
        int | None, typer.Option("--runs-per-day", min=0, max=10**6, help="Runs a day (count; none: no limit).")
    ] = None,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Make a key. It is shown once, on standard output; what is kept cannot be turned back into it."""
    from app.access import audit, keys
    from app.access.scopes import scopes
    from app.cli.screen import print_json, said, say

    opened = _opened(workspace)
    quotas = {"per_minute": per_minute, "runs_per_day": runs_per_day}
    key, text = keys.create(opened, name, scopes(scope), by=audit.AT_HAND, days=days, **quotas)
    if as_json:
        print_json({"key": text, **_told(key)})
    else:
        print(text)
    say(said("key.made", language(lang), **keys.told(key)))


def list_keys(lang: InLanguage = None, as_json: AsJson = False, workspace: WorkspacePath = WORKSPACE) -> None:
    """List every key, the newest first: who has it, what it may do, when it was used. Never the key itself."""
    from app.access.keys import every
    from app.cli.screen import print_json, said, say

    found = every(_opened(workspace))
    if as_json:
        print_json({"keys": [_told(key) for key in found]})
    elif found:
        _print_keys(found, language(lang))
    else:
        say(said("key.none", language(lang)))


def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Id or name of the key, or the key itself.")],
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Take a key back, for good. A running service refuses it within a second."""
    from app.access import audit, keys
    from app.cli.screen import print_json, said, say

    gone = keys.revoke(_opened(workspace), key, by=audit.AT_HAND)
    if as_json:
        print_json(_told(gone))
    say(said("key.revoked", language(lang), **keys.told(gone)))


def audit(
    study: Annotated[str, typer.Option("--study", metavar="STUDY", help="Only changes to this study (id).")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most changes that are shown (count).")] = 50,
    before: Annotated[
        int | None, typer.Option("--before", min=1, help="Only entries before this one (number in --json).")
    ] = None,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Say who changed what, the newest first: over HTTP, with the command line, and keys made and taken back."""
    from app.access.audit import entries
    from app.cli.screen import print_json, said, say

    found = entries(_opened(workspace), study_id=study or None, before=before, limit=limit)
    if as_json:
        print_json({"changes": [asdict(entry) for entry in found]})
    elif found:
        _print_audit(found)
    else:
        say(said("audit.none", language(lang)))


def _opened(workspace: Path) -> Register:
    from app.settings import Settings
    from app.store.register import Register

    settings = Settings.read(workspace=workspace)
    return Register.open(settings.workspace, settings.database)


def _told(key: Key) -> dict[str, Any]:
    import time

    fields = {name: value for name, value in asdict(key).items() if name != KEPT_BACK}
    return fields | {"scopes": list(key.scopes), "state": key.state(time.time())}


def _print_keys(found: list[Key], lang: Language) -> None:
    import time

    from app.cli.screen import said
    from app.cli.tables import Column, print_table

    def word(name: str) -> str:
        return said(f"key.{name}", lang)

    names = {"good": "good", "ended": "ended", "revoked": "gone"}
    columns = [Column(word(name), number=False) for name in ("id", "name", "scopes", "state")]
    columns += [Column(word(name)) for name in ("ends", "used", "rate", "quota")]
    rows = [
        (key.key_id, key.name, ", ".join(key.scopes), word(names[key.state(time.time())]),
         _day(key.ends_at) or word("never"), _day(key.used_at) or word("never"), key.per_minute or word("usual"),
         word("unlimited") if key.runs_per_day is None else key.runs_per_day)
        for key in found
    ]  # fmt: skip
    print_table("", columns, rows, lang)


def _print_audit(found: list[Entry]) -> None:
    """A line each, however narrow the terminal: when (UTC), who, what, of which study, and what else is said."""
    from rich.text import Text

    from app.cli.screen import out

    for entry in found:
        said = (f"{name}={value}" for name, value in entry.said.items())
        words = (_day(entry.at), entry.caller, entry.action, entry.study_id or "–", *said)
        out().print(Text("  ".join(words)), soft_wrap=True)


def _day(at: float | None) -> str:
    """A time to the minute, UTC; empty for none."""
    return "" if at is None else datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M")

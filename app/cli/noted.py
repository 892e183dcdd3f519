"""What was changed with the command line is noted where it is also noted who changes what over HTTP."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.store import Workspace


def note(workspace: Workspace, lang: str, action: str, study_id: str | None, **told: Any) -> None:
    """Note a change that was made, with the name of the system's user, where there is a register already.

    A folder nobody ever served has none, and none is made for this. That a change could not be noted is said; it was
    made all the same.
    """
    from app.settings import Settings
    from app.store.register import FILE

    settings = Settings.read(workspace=workspace.path)
    if not settings.database and not (settings.workspace / FILE).is_file():
        return
    from app.access import audit
    from app.cli.screen import said, say
    from app.legible import SAID_MAX, legible
    from app.store.opening import register_of

    try:
        audit.note(
            register_of(workspace, settings), audit.AT_HAND, action, study_id=study_id, said={"user": _user(), **told}
        )
    except Exception as error:  # whatever it is: what was asked for is done
        say(said("unnoted", lang, why=legible(str(error), SAID_MAX)))


def _user() -> str:
    """The system's user; a container may have a number without a name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"

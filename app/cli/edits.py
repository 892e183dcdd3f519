"""Edits as words of a command line: ``--add 5.92,52.56,300,School yard``, ``--room hall=250``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from app.faults import expected
from app.schemas import WhatIfIn
from geo.errors import Fault, ParameterError, refuse

ADD = "Write --add 5.92,52.56,300 or --add 5.92,52.56,300,NAME."
ROOM = "Write --room ID=300."


def asked(
    scenario: str, against: str, add: Sequence[str], remove: Sequence[str], room: Sequence[str], close: Sequence[str],
    open_: Sequence[str],
) -> WhatIfIn:  # fmt: skip
    """What is to be changed, as the service takes it; ParameterError with everything that is wrong."""
    added, rooms = [_shelter(text) for text in add], [text.rpartition("=") for text in room]
    wrong = [Fault("LON,LAT,ROOM[,NAME]", repr(text), "--add", ADD)
             for text, new in zip(add, added, strict=True) if new is None]  # fmt: skip
    wrong += [Fault("ID=N", repr(text), "--room", ROOM)
              for text, (name, _, _) in zip(room, rooms, strict=True) if not name]  # fmt: skip
    refuse(ParameterError, wrong)
    body = {
        "scenario": scenario, "against": against, "add": added, "remove": [*remove],
        "room": {name: n for name, _, n in rooms}, "close": [*close], "open": [*open_],
    }  # fmt: skip
    try:
        return WhatIfIn.model_validate(body)
    except ValidationError as error:
        raise ParameterError(*(_fault(e) for e in error.errors())) from None


def _shelter(text: str) -> dict[str, Any] | None:
    parts = text.split(",", 3)
    if len(parts) < 3:
        return None
    return dict(zip(("lon", "lat", "room", "name"), parts, strict=False))


def _fault(error: Any) -> Fault:
    return Fault(expected(error), repr(error["input"])[:200], f"--{error['loc'][0]}")

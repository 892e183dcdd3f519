"""The log: one line a request and one for whatever is worth an operator's attention, on standard error.

Every line of the program and of the libraries goes through here, as JSON for a collector or as text for a person, with
the id of the request it belongs to. No line holds what was sent, names an id out of a path, or shows a key.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from contextvars import ContextVar
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

Form = Literal["auto", "json", "console", "off"]
OURS = "renxing"
"""The logger that says what is going on; of others only warnings are shown."""
SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is answered now; empty outside one."""
requests = logging.getLogger("renxing.requests")


def set_up(form: Form, *, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to ``stream`` (standard error) in this form."""
    out = stream or sys.stderr
    chosen = ("off" if out.isatty() else "json") if form == "auto" else form
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(out, as_json=chosen == "json"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(logging.WARNING if chosen == "off" else logging.INFO)


def named(given: str) -> str:
    """The id of a request: the one it brings when that is a short plain token, else a new one."""
    return given if SAFE_ID.fullmatch(given) else secrets.token_hex(8)


def _formatter(out: TextIO, *, as_json: bool) -> logging.Formatter:
    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request,
    ]
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    else:
        plain = structlog.dev.plain_traceback
        last.append(structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain))
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=first, processors=last)


def _with_request(_: Any, __: str, event: EventDict) -> EventDict:
    event.pop("color_message", None)  # uvicorn says everything twice
    if "request_id" not in event and (now := request_id.get()):
        event["request_id"] = now
    return event


def _json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

"""Runs the service: opens the port, starts server and worker processes, says where it is once it answers."""

from __future__ import annotations

import errno
import json
import os
import socket

from app import logs
from app.family import Family, Member
from app.settings import Settings
from geo.errors import Fault, ParameterError

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where an address that means every interface can be asked from here."""
WAITING = 2048
"""Connections that may wait to be taken (count)."""
LEAN = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**17),
    "MALLOC_TRIM_THRESHOLD_": str(2**16),
}
"""What makes a server process give memory back that it read tables with; variables that are set already stay.

Measured on a run of Kampen with every layer looked at once and ways asked: 467 MB instead of 632, at the same speed.
"""
SLACK_S = 3.0
"""What a process may take beyond its own limits before it is killed."""


def serve(settings: Settings) -> int:
    """Serve until told to end; the exit code. ParameterError when the address cannot be had."""
    logs.set_up(settings.log)
    listening = _listen(settings.host, settings.port)
    address = _address(settings.host, listening.getsockname()[1])
    family = Family(
        [_server(number, listening) for number in range(1, settings.workers + 1)],
        [Member(f"worker-{number}", "app.working") for number in range(1, settings.job_workers + 1)],
        ends_within_s=settings.drain_s + settings.grace_s + SLACK_S,
        leave=listening.close,
    )
    return family.run(
        os.environ | _environment(settings), up=lambda: print(f"Renxing is serving at {address}/", flush=True)
    )


def _server(number: int, listening: socket.socket) -> Member:
    return Member(f"server-{number}", "app.server", passed=(listening.fileno(),), leads=True, variables=LEAN)


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as server and worker processes read them."""
    plain = settings.model_dump(mode="json")
    return {f"RENXING_{name.upper()}": _written(value) for name, value in plain.items() if value is not None}


def _written(value: object) -> str:
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        cure = "Choose another --port, or --port 0 for any free one." if taken else "Choose another --host or --port."
        raise ParameterError(
            Fault("an address to serve on", error.strerror or str(error), f"{host}:{port}", cure)
        ) from error
    listening.listen(WAITING)
    return listening


def _address(host: str, port: int) -> str:
    named = ANYWHERE.get(host, host)
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"

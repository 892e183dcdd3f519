"""Runs the service: opens the port, starts the server processes, says where it can be reached once it answers."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
import urllib.request

import uvicorn
from uvicorn.supervisors import Multiprocess

from app.settings import Settings
from app.store import Workspace
from geo.errors import Fault, ParameterError

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where an address that means every interface can be asked from here."""
ASK_EVERY_S = 0.05
GIVE_UP_S = 120.0


def serve(settings: Settings) -> None:
    """Serve until interrupted. StorageError or ParameterError when the workspace or the address cannot be had."""
    Workspace.open(settings.workspace)
    listening = _listen(settings.host, settings.port)
    address = _address(settings.host, listening.getsockname()[1])
    threading.Thread(target=_announce, args=(address,), daemon=True).start()
    config = uvicorn.Config(
        "app.main:from_environment", factory=True, workers=settings.workers, server_header=False,
        access_log=settings.debug, log_level="info" if settings.debug else "warning",
    )  # fmt: skip
    os.environ.update(_environment(settings))
    with contextlib.suppress(KeyboardInterrupt):
        if settings.workers == 1:
            uvicorn.Server(config).run(sockets=[listening])
        else:
            Multiprocess(config, sockets=[listening]).run()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as server processes read them."""
    return {f"RENXING_{name.upper()}": str(value) for name, value in settings.model_dump().items()}


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
    listening.listen(2048)
    listening.set_inheritable(True)
    return listening


def _address(host: str, port: int) -> str:
    named = ANYWHERE.get(host, host)
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"


def _announce(address: str) -> None:
    """Print the address on standard output as soon as the service answers there."""
    until = time.monotonic() + GIVE_UP_S
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until:
        with contextlib.suppress(OSError), directly.open(f"{address}/healthz", timeout=5):
            print(f"Renxing is serving at {address}/", flush=True)
            return
        time.sleep(ASK_EVERY_S)

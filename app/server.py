"""One server process: ``python -m app.server PARENT TELLING LISTENING``, started by ``app.serving``."""

from __future__ import annotations

import socket
import sys
import threading
import time
from signal import SIGINT
from types import FrameType

import uvicorn

from app import family
from app.settings import Settings

GAUGES_EVERY_S = 2.0


class Server(uvicorn.Server):
    """Serves until it is told to end: asked by SIGTERM it first says that it is not ready, for ``drain_s`` seconds.

    Then no connection is taken any more and requests under way get ``grace_s`` seconds. Told twice, it does not wait.
    """

    def __init__(self, config: uvicorn.Config, leaving: threading.Event, *, drain_s: float, telling: int) -> None:
        super().__init__(config)
        self.leaving, self.drain_s, self.telling = leaving, drain_s, telling
        self.leaves_at = float("inf")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open for requests, and say so."""
        await super().startup(sockets)
        family.is_up(self.telling)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note that it is time to go; nothing else may be done inside a signal."""
        if self.leaving.is_set():
            self.force_exit = self.should_exit
            self.leaves_at = 0.0
        else:
            self.leaving.set()
            self.leaves_at = time.monotonic() + (0.0 if sig == SIGINT else self.drain_s)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to go."""
        self.should_exit |= time.monotonic() >= self.leaves_at
        return await super().on_tick(counter)


def main(parent: int, telling: int, listening: int) -> int:
    """Serve; the exit code."""
    family.adopted(parent)
    from app import logs

    settings = Settings.read()
    logs.set_up(settings.log)
    try:
        server = _server(settings, telling)
    except Exception as error:
        from app.cli.screen import complain

        return complain(error, as_json=False, debug=settings.debug)
    taken = socket.socket(fileno=listening)
    taken.set_inheritable(False)
    server.run(sockets=[taken])
    return 0


def _server(settings: Settings, telling: int) -> Server:
    from app.main import create_app

    app = create_app(settings)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_s, timeout_graceful_shutdown=settings.grace_s,
        h11_max_incomplete_event_size=settings.header_bytes,
    )  # fmt: skip
    return Server(config, app.state.service.leaving, drain_s=settings.drain_s, telling=telling)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4])))

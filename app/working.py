"""One worker process: ``python -m app.working PARENT TELLING``, started by ``app.serving``."""

from __future__ import annotations

import os
import signal
import sys
import threading

from app import family
from app.settings import Settings


def main(parent: int, telling: int) -> int:
    """Take up jobs until told to end: the one under way is given back, and another worker takes it up."""
    family.adopted(parent)
    from app import logs

    settings = Settings.read()
    logs.set_up(settings.log)
    from app.jobs.worker import work

    stop = threading.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: stop.set())
    family.is_up(telling)
    work(settings, worker_id=os.environ.get(family.NAME, "worker"), stop=stop)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))

"""A member of a family that does nothing: run as its members are; what becomes of it is in WILL.

``live`` comes up and lives, ``deaf`` does so and hears no signal, ``die`` comes up and dies, ``refuse`` never comes up.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from app import family


def main(parent: int, telling: int, will: str) -> int:
    family.adopted(parent)
    if will == "refuse":
        return 3
    if will == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    family.is_up(telling)
    if will == "live":
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if will != "die":
        threading.Event().wait()
    return 5


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), os.environ[f"WILL_{os.environ[family.NAME]}"]))

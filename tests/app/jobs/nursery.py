"""Where workers of tests are forked from: a process that has loaded everything, has no threads and computes nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from data.confinement import end_with_parent
from tests.app.jobs.made import at_work
from tests.source import ROOT


def forked(live: Callable[[], None]) -> int:
    """A process that lives so, and not longer than this one."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        end_with_parent(parent)
        live()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or does nothing any more but wait to be looked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@dataclass
class Nursery:
    """The process, as tests speak to it."""

    process: subprocess.Popen[str]

    def worker(self, settings: Settings) -> int:
        """Start a worker; its process id."""
        return self._asked({"start": settings.model_dump(mode="json")})

    def wait(self, pid: int) -> int:
        """How a worker ended."""
        return self._asked({"wait": pid})

    def _asked(self, line: object) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery; with it end all that came from it."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()


def _main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            given = Settings(**asked["start"])
            answer = forked(lambda given=given: at_work(given))  # type: ignore[misc]
        print(answer, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _main()

"""The service as an operator starts it, in processes of its own, asked over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.source import ROOT

PATIENCE_S = 90.0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """A running service."""

    def __init__(self, process: subprocess.Popen[str], address: str, log: Path) -> None:
        self.process, self.address, self.log = process, address, log

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, None, headers)

    def ask(self, verb: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        sent = None if body is None else json.dumps(body).encode()
        told = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        told |= {"Content-Type": "application/json"} if sent else {}
        request = urllib.request.Request(self.address + path.removeprefix("/"), sent, told, method=verb)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return Reply(answer.status, {n.lower(): v for n, v in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, {n.lower(): v for n, v in error.headers.items()}, error.read())

    def members(self) -> dict[str, int]:
        """The processes of the service by name."""
        found = {}
        for pid in (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()):
            if parent(pid) == self.process.pid and (name := named(pid)):
                found[name] = pid
        return found

    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def told(self, what: int) -> None:
        self.process.send_signal(what)

    def ended(self) -> int:
        return self.process.wait(PATIENCE_S)


def parent(pid: int) -> int:
    """The parent of a process; 0 when there is no such."""
    try:
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        )
    except OSError:
        return 0


def named(pid: int) -> str:
    """The name of a member; empty for another process, or one that just ends or begins."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next((v.decode() for v in variables if v.startswith(b"RENXING_MEMBER=")), "").partition("=")[2]


def patiently(asked: Callable[[], Any]) -> Any:
    """What is asked for, as soon as it is so."""
    until = time.monotonic() + PATIENCE_S
    while not (found := asked()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
    return found


@contextmanager
def serving(workspace: Path, written: Path, *words: str, **settings: object) -> Iterator[Served]:
    """A service over a workspace, up; killed at the end when it still lives."""
    command = [sys.executable, "-m", "app.cli", "serve", "--workspace", str(workspace), "--port", "0", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RENXING_DISK_FREE_BYTES": "0"}
    environment |= {f"RENXING_{name.upper()}": str(value) for name, value in settings.items()}
    with written.open("w") as errors, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Renxing is serving at http://127.0.0.1:"), written.read_text(encoding="utf-8")
            yield Served(process, line.split()[-1], written)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)

"""Walk the Dockerfile's steps in a throwaway folder: ``python -m tests.prove_image`` (``make prove-image``).

What it shows: what an engine would be sent is enough; the locked install, our own install, the bringing of assets by
the npm of the wheel and its removal work in that order, with nothing on the path but Python; the command starts
with a home of its own and its health check passes. What it cannot show: that the base image exists and its Debian
packages install (those steps are printed as skipped), and that a user who is not root may do all that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.dockerfile import ROOT, Step, below, steps
from tests.test_dockerfile import context

# Folders that the image makes; here they lie below the throwaway folder.
IMAGE_FOLDERS = re.compile(r"(?<![\w./])/(opt/renxing|src|data|var/cache/renxing)(?![\w-])")
OF_THE_BASE_IMAGE = ("apt-get ", "useradd ")
# How this machine reaches its package registries; an engine has its own ways.
OF_THIS_MACHINE = ("PIP_", "SSL_", "NODE_", "npm_", "HOME")
HEALTH_TIMEOUT_S = 60


class Image:
    """The throwaway folder, and what the steps so far have set in it."""

    def __init__(self, room: Path) -> None:
        self.room = self.folder = room
        self.path = room / "bin"
        self.path.mkdir()
        (self.path / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
        self.variables: dict[str, str] = {}

    def here(self, text: str) -> str:
        """The text with the image's folders replaced by ours."""
        return IMAGE_FOLDERS.sub(lambda match: str(self.room / match.group(1)), text)

    def take(self, step: Step) -> None:
        """Do one step, or say that it is not done."""
        doing = {"FROM": self.begin, "ENV": self.env, "WORKDIR": self.workdir, "COPY": self.copy, "RUN": self.run}
        print(f"{step.word} {step.rest}", flush=True)
        if step.word in doing:
            doing[step.word](step)

    def begin(self, _: Step) -> None:
        """A stage begins with a clean environment; its files stay, since both stages use the same folders."""
        self.variables = {"PATH": str(self.path), "HOME": str(self.room), "LANG": "C.UTF-8"}

    def env(self, step: Step) -> None:
        """Set variables."""
        for name, value in (pair.split("=", 1) for pair in step.words):
            self.variables[name] = self.here(value).replace("$PATH", self.variables["PATH"])

    def workdir(self, step: Step) -> None:
        """Go to a folder, made when it is not there."""
        self.folder = Path(self.here(step.rest))
        self.folder.mkdir(parents=True, exist_ok=True)

    def copy(self, step: Step) -> None:
        """Copy what an engine would be sent; between the stages there is nothing to do."""
        for source in step.copied_from_context:
            for name in (name for name in context() if below(name, source)):
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, self.folder / name)

    def run(self, step: Step) -> None:
        """Run a command of the build, unless it is about the base image."""
        if any(word in step.rest for word in OF_THE_BASE_IMAGE):
            print("    (skipped: needs the base image)")
            return
        started = time.perf_counter()
        machine = {name: value for name, value in os.environ.items() if name.startswith(OF_THIS_MACHINE)}
        command = ["/bin/sh", "-ec", self.here(step.rest)]
        subprocess.run(command, cwd=self.folder, env=self.variables | machine, check=True)
        print(f"    ({time.perf_counter() - started:.1f} s)")

    def serve(self, command: Step, health: Step) -> None:
        """Start the command and ask its health check until it passes; give up after a while."""
        check = Step("CMD", health.rest.partition("CMD ")[2], health.stage)
        server = self.started(command)
        try:
            deadline = time.monotonic() + HEALTH_TIMEOUT_S
            while self.started(check, stderr=subprocess.DEVNULL).wait():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("The command did not become healthy.")
                time.sleep(0.5)
        finally:
            server.terminate()
            server.wait(20)

    def started(self, step: Step, stderr: int | None = None) -> subprocess.Popen[bytes]:
        """A process of the last stage."""
        words = [self.here(word) for word in step.words]
        return subprocess.Popen(words, cwd=self.folder, env=self.variables, stderr=stderr)


def main() -> None:
    """Walk all steps, then serve once."""
    walked = steps((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="renxing-image-") as room:
        image = Image(Path(room))
        for step in walked:
            image.take(step)
        image.serve(*(next(step for step in walked if step.word == word) for word in ("CMD", "HEALTHCHECK")))
    print("Every step that does not need the base image works, and the command became healthy.")


if __name__ == "__main__":
    main()

"""The command line as a test uses it: commands on one workspace, inside this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.cli import main


class Said(NamedTuple):
    """What a command answered and said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Renxing:
    """Runs commands on one workspace inside this process."""

    def __init__(self, workspace: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.workspace, self._capture, self._patch = workspace, capture, patch

    def __call__(self, *words: object) -> Said:
        self._patch.setattr(sys, "argv", ["renxing", *map(str, words), "--workspace", str(self.workspace)])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        return Said(int(code or 0), *self._capture.readouterr())

    def beside(self, workspace: Path) -> Renxing:
        """The same on another workspace."""
        return Renxing(workspace, self._capture, self._patch)

    @property
    def studies(self) -> Path:
        return self.workspace / "studies"

    def files(self) -> dict[str, bytes]:
        """Everything in the workspace that is not derived."""
        paths = [p for p in sorted(self.workspace.rglob("*")) if p.is_file() and "cache" not in p.parts]
        return {str(p.relative_to(self.workspace)): p.read_bytes() for p in paths}


def commanded(workspace: Path, *words: object) -> None:
    """One command that is known to work, where nobody looks at what it says."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
        patch.setattr(sys, "argv", ["renxing", *map(str, words), "--workspace", str(workspace)])
        main()
    assert not left.value.code

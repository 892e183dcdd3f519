"""What names a run: every file that decides a result counts, and nothing else does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import data
from app import run
from data import standards


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package ``data``, which the digests are taken of."""
    folder = tmp_path / "data"
    shutil.copytree(data.__path__[0], folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(data, "__path__", [str(folder)])
    monkeypatch.setattr(standards, "FOLDER", folder / "standards")
    return folder


PROGRAM: Callable[[], str] = run._program_digest.__wrapped__


@pytest.mark.parametrize(("file", "digest"), [
    ("standards/levels.toml", run._standards_digest), ("standards/class_tables/levels.toml", run._standards_digest),
    ("headers.toml", PROGRAM), ("study/layers.py", PROGRAM),
])  # fmt: skip
def test_a_changed_rule_word_or_table_is_another_run(copied: Path, file: str, digest: Callable[[], str]) -> None:
    before = digest()
    assert digest() == before
    with (copied / file).open("a", encoding="utf-8") as stream:
        stream.write("\n# changed\n")
    assert digest() != before


def test_the_digests_are_those_of_the_files_not_of_where_they_lie(copied: Path, tmp_path: Path) -> None:
    before = PROGRAM(), run._standards_digest()
    (copied / "__pycache__").mkdir()
    (copied / "__pycache__/left.pyc").write_bytes(b"made by python")
    assert (PROGRAM(), run._standards_digest()) == before

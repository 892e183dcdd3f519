"""A lock is waited for, and not for ever."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from app.store import files
from geo.errors import StorageError


def test_a_lock_that_is_never_let_go_is_given_up(tmp_path: Path) -> None:
    with (
        files.locked(tmp_path / "lock"),
        pytest.raises(StorageError, match="another process has held") as error,
        files.locked(tmp_path / "lock", wait_s=0.05),
    ):
        raise AssertionError("held twice")
    assert "Try again" in str(error.value)
    with files.locked(tmp_path / "lock", wait_s=0):
        pass


def test_a_lock_that_is_let_go_in_time_is_had(tmp_path: Path) -> None:
    got, go = threading.Event(), threading.Event()

    def hold() -> None:
        with files.locked(tmp_path / "lock"):
            got.set()
            go.wait(0.1)

    holder = threading.Thread(target=hold)
    holder.start()
    assert got.wait(10)
    with files.locked(tmp_path / "lock", wait_s=30):
        assert not go.is_set()
    holder.join()

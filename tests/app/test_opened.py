"""Things kept open: made once, let go in turn."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.opened import Opened


def test_many_who_ask_at_once_get_one() -> None:
    made: list[str] = []
    gate = threading.Event()

    def make(key: str) -> object:
        made.append(key)
        gate.wait(5)
        return object()

    opened = Opened(make, most=2)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(opened.get, "a") for _ in range(8)]
        gate.set()
        assert len({id(each.result()) for each in asked}) == 1
    assert made == ["a"]


def test_the_least_used_is_let_go() -> None:
    made: list[str] = []
    opened = Opened(lambda key: made.append(key) or key, most=2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert opened.get(key) == key
    assert made == ["a", "b", "c", "b"]
    assert len(opened) == 2


def test_a_failure_is_told_to_all_and_not_kept() -> None:
    tries: list[int] = []

    def make(_: str) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise LookupError("not yet")
        return "there"

    opened = Opened(make, most=2)
    with pytest.raises(LookupError, match="not yet"):
        opened.get("a")
    assert opened.get("a") == "there"


def test_the_least_used_is_let_go_when_all_weigh_too_much() -> None:
    made: list[int] = []
    opened = Opened(lambda key: made.append(key) or key, most=10, weigh=lambda value: value, memory=10)
    for key in (4, 5, 4, 3, 5, 20, 4):
        assert opened.get(key) == key
    assert made == [4, 5, 3, 5, 20, 4]
    assert len(opened) == 1

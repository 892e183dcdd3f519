"""Tiles that are kept: within their bytes, whole or not at all, whoever writes at the same time."""

from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.cache import ENTRY_BYTES, HEAD, Packed, TileFolder, TileMemory

KEY = "ab" * 12
BODY = bytes(range(256)) * 10


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60), st.integers(0, 10 * ENTRY_BYTES))
def test_the_memory_gives_what_was_put_and_stays_small(asked: list[tuple[int, int]], limit: int) -> None:
    memory = TileMemory(limit)
    for key, size in asked:
        memory.put(f"{key}", Packed(bytes([key]) * size, zipped=False))
        found = memory.get(f"{key}")
        assert found is None or found.body == bytes([key]) * size
        assert memory._held == sum(len(tile.body) + ENTRY_BYTES for tile in memory._kept.values()) <= limit


def test_the_memory_forgets_what_was_asked_for_longest_ago() -> None:
    memory = TileMemory(2 * (ENTRY_BYTES + 4))
    for key in ("a", "b", "a", "c"):
        if memory.get(key) is None:
            memory.put(key, Packed(b"four", zipped=False))
    assert [memory.get(key) is not None for key in ("a", "b", "c")] == [True, False, True]
    assert repr(memory).startswith("TileMemory(2 tiles")


def test_large_tiles_are_zipped_and_pictures_are_not() -> None:
    packed = Packed.of(BODY)
    assert packed.zipped and gzip.decompress(packed.body) == packed.plain() == BODY
    assert Packed.of(BODY) == packed
    assert not Packed.of(b"\x89PNG" + BODY).zipped
    assert Packed.of(b"small").plain() == b"small"


def test_a_tile_comes_back_from_disk(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path, 10**6)
    assert folder.get(KEY) is None
    for tile in (Packed.of(BODY), Packed(b"", zipped=False)):
        folder.put(KEY, tile)
        assert TileFolder(tmp_path, 10**6).get(KEY) == tile
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [KEY]


@pytest.mark.parametrize("torn", [0, 1, HEAD.size - 1, HEAD.size, HEAD.size + 7, -1])
def test_a_torn_tile_is_not_given(tmp_path: Path, torn: int) -> None:
    folder = TileFolder(tmp_path, 10**6)
    folder.put(KEY, Packed.of(BODY))
    path = tmp_path / KEY[:2] / KEY
    path.write_bytes(path.read_bytes()[:torn])
    assert folder.get(KEY) is None


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_seen(tmp_path_factory: pytest.TempPathFactory, at: int, by: int) -> None:
    folder = TileFolder(tmp_path_factory.mktemp("tiles"), 10**6)
    folder.put(KEY, Packed.of(BODY))
    path = folder.folder / KEY[:2] / KEY
    content = bytearray(path.read_bytes())
    zipped, spare = 4, range(5, 8)
    content[at % len(content)] ^= by
    path.write_bytes(content)
    found = folder.get(KEY)
    assert found is None or (at % len(content) in (zipped, *spare) and found == Packed.of(BODY))


def test_a_folder_that_cannot_be_written_is_as_good_as_empty(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = TileFolder(tmp_path / "file" / "tiles", 10**6)
    folder.put(KEY, Packed.of(BODY))
    assert folder.get(KEY) is None
    assert folder.sweep() == 0


def test_the_oldest_are_swept_away_and_what_somebody_writes_is_not(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path, 20_000)
    now = time.time()
    for i in range(30):
        folder.put(f"{i:02}{'a' * 20}", Packed(bytes(1000), zipped=False))
        if (path := tmp_path / f"{i:02}" / f"{i:02}{'a' * 20}").exists():
            os.utime(path, (now - 1000 + i, now - 1000 + i))
    (tmp_path / "00").mkdir(exist_ok=True)
    young, old = tmp_path / "00" / ".new-young", tmp_path / "00" / ".new-old"
    for path in (young, old):
        path.write_bytes(b"half")
    os.utime(old, (now - 10_000, now - 10_000))
    folder.sweep()
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in left) <= 20_000
    assert young in left and old not in left
    assert folder.get(f"29{'a' * 20}") is not None
    assert folder.get(f"00{'a' * 20}") is None


def test_asking_for_a_tile_keeps_it(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path, 10**6)
    folder.put(KEY, Packed.of(BODY))
    path = tmp_path / KEY[:2] / KEY
    os.utime(path, (1, 1))
    folder.get(KEY)
    assert path.stat().st_mtime > time.time() - 60


def test_many_that_write_and_read_the_same_tile_see_it_whole(tmp_path: Path) -> None:
    folders = [TileFolder(tmp_path, 10**7) for _ in range(4)]
    wanted = {Packed.of(BODY), Packed.of(BODY[::-1])}
    seen: set[Packed | None] = set()

    def work(folder: TileFolder, tile: Packed) -> None:
        for _ in range(60):
            folder.put(KEY, tile)
            seen.add(folder.get(KEY))

    threads = [threading.Thread(target=work, args=(f, t)) for f, t in zip(folders, [*wanted, *wanted], strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen <= wanted

"""Packed maps: refused before they are read when they unpack to more than a map does."""

from __future__ import annotations

import bz2
import gzip
import random
from pathlib import Path

import pytest

from data.compressed import require_modest
from data.limits import LIMITS, RATIO_FROM
from geo.errors import LimitError, UnreadableError

PACKS = [gzip.compress, bz2.compress]


@pytest.mark.parametrize("pack", PACKS)
def test_what_shrinks_too_well_is_refused(pack, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(pack(bytes(20 << 20)))
    with pytest.raises(LimitError) as refused:
        require_modest(tmp_path / "a")
    assert refused.value.code == "limit-zip-ratio"


@pytest.mark.parametrize("pack", PACKS)
def test_maps_and_small_files_pass(pack, tmp_path: Path) -> None:
    noise = random.Random(1)
    text = "".join(f"<node id='{noise.randrange(10**9)}' lat='{noise.random()}'/>" for _ in range(20_000)).encode()
    for content in (pack(text), pack(text) + pack(text), pack(bytes(RATIO_FROM)), text, b""):
        (tmp_path / "a").write_bytes(content)
        require_modest(tmp_path / "a")
    require_modest(tmp_path / "nowhere")
    assert len(text) > RATIO_FROM / 2


@pytest.mark.parametrize("pack", PACKS)
def test_what_is_cut_off_or_wrong_is_said(pack, tmp_path: Path) -> None:
    sound = pack(bytes(1000) + b"x" * 1000)
    for content in (sound[:-5], sound[:3], sound[: len(sound) // 2] + b"\xff" * 30):
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(UnreadableError, match="a whole packed file"):
            require_modest(tmp_path / "a")


def test_each_limit_has_a_code_of_its_own() -> None:
    codes = [limit.code for limit in LIMITS]
    assert len(set(codes)) == len(codes)
    for limit in LIMITS:
        limit.require(limit.most, "x")
        with pytest.raises(LimitError, match=f"x: expected at most {limit.most:,} {limit.of}") as refused:
            limit.require(limit.most + 1, "x")
        assert refused.value.code == f"limit-{limit.code}" and refused.value.faults[0].fix

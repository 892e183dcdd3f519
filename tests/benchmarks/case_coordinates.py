"""Chinese map coordinates to WGS 84 and back."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.bench import Prepared, case


def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Places all over China, in degrees."""
    rng = np.random.default_rng(1)
    return rng.uniform(73.5, 135.1, n), rng.uniform(18.0, 53.6, n)


@case("GCJ-02 to WGS 84", unit="points", sizes=(10_000, 1_000_000))
def from_gcj(size: int | str) -> Prepared:
    from geo import shifts

    lon, lat = shifts.from_wgs84(*drawn(int(size)), "gcj02")
    return int(size), lambda: shifts.to_wgs84(lon, lat, "gcj02")


@from_gcj.rival("one step back, metres of error left (what most converters do)")
def from_gcj_in_one_step(size: int | str) -> Prepared:
    from geo import shifts

    lon, lat = shifts.from_wgs84(*drawn(int(size)), "gcj02")

    def work() -> tuple[np.ndarray, np.ndarray]:
        again_lon, again_lat = shifts.from_wgs84(lon, lat, "gcj02")
        return 2 * lon - again_lon, 2 * lat - again_lat

    return int(size), work


@case("BD-09 to WGS 84", unit="points", sizes=(10_000, 1_000_000))
def from_bd(size: int | str) -> Prepared:
    from geo import shifts

    lon, lat = shifts.from_wgs84(*drawn(int(size)), "bd09")
    return int(size), lambda: shifts.to_wgs84(lon, lat, "bd09")

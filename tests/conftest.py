"""What all tests share: where real data and a browser are, and the house's way of drawing examples.

Warnings are errors (pyproject.toml); an exception is written there with its reason, never in a test.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import shared_data as real
from tests.postgis import database as database  # a fixture
from tests.postgis import postgis as postgis  # a fixture

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
KEPT = {"RENXING_SHARED_DATA", "RENXING_ASSETS"}

# No deadline: the first example of a compiled kernel also compiles it. In CI the same examples every time.
settings.register_profile(
    "house", deadline=None, max_examples=50, derandomize=IN_CI, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


def pytest_report_header() -> str:
    """Say at the top whether the tests on real data will run."""
    return f"real data: {real.why_not() or real.folder()}"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's RENXING_ variables must not reach the tests."""
    for name in set(os.environ) - KEPT:
        if name.startswith("RENXING_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; skips, with the reason, where there is none."""
    reason = real.why_not()
    if reason:
        pytest.skip(reason)
    return real.folder()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Debian's Chromium; skips without one, but fails in CI, which installs it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if not found and IN_CI:
        pytest.fail("expected Chromium on the path (.ci/run installs it), found none")
    if not found:
        pytest.skip(f"no browser: none of {', '.join(names)} is on the path")
    return Path(str(found))

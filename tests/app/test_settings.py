"""Settings come from the environment, each with its range."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import __version__
from app.settings import Settings
from geo.errors import ParameterError
from tests.source import ROOT


def test_defaults_serve_this_machine_only() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.workspace == Path("workspace")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENXING_PORT", "8080")
    monkeypatch.setenv("RENXING_WORKSPACE", "/srv/韧性")
    monkeypatch.setenv("RENXING_NO_SUCH_SETTING", "1")
    assert (Settings().port, str(Settings().workspace)) == (8080, "/srv/韧性")


@pytest.mark.parametrize(("name", "value"), [
    ("PORT", "65536"), ("PORT", "-1"), ("WORKERS", "0"), ("TILE_FEATURES", "0"), ("TILE_BYTES", "10"),
    ("OPEN_RUNS", "0"), ("DOWNLOAD_FEATURES", "none"), ("DEBUG", "perhaps"),
])  # fmt: skip
def test_values_out_of_range_are_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"RENXING_{name}", value)
    with pytest.raises(ParameterError, match=f"RENXING_{name}: expected"):
        Settings.read()


def test_the_version_is_the_package_s() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")

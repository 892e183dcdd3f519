"""Where the real data lies that tests and benchmarks use but the project does not carry."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def folder() -> Path:
    """``RENXING_SHARED_DATA``, else ``../shared/data`` beside the repository; it need not be there."""
    return Path(os.environ.get("RENXING_SHARED_DATA") or ROOT.parent / "shared" / "data")


def why_not(*names: str) -> str:
    """Why the named files or folders below the shared data cannot be used; empty when they all can."""
    lacking = [name for name in names or (".",) if not (folder() / name).exists()]
    what = f"real data not here: {', '.join(lacking)} below {folder()} (RENXING_SHARED_DATA names the folder)"
    return what if lacking else ""

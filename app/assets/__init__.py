"""Front-end files of others: listed in ``assets.toml``, brought from npm packages by ``python -m app.assets.bring``."""

from __future__ import annotations

from app.assets.listing import Asset, folder, listed, path

__all__ = ["Asset", "folder", "listed", "path"]

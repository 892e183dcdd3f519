"""What an operator can set: environment variables that start with ``RENXING_``, read once when a command starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import Fault, ParameterError


class Settings(BaseSettings):
    """Every setting, its unit and its default. A command-line option of the same name wins over the variable."""

    model_config = SettingsConfigDict(env_prefix="RENXING_", frozen=True, extra="ignore")

    workspace: Path = Field(
        default=Path("workspace"), description="Folder that holds the studies (a path; made when it is not there)."
    )
    host: str = Field(default="127.0.0.1", description="Address to serve on (an IP address or host name).")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to serve on (0: any free one).")
    workers: int = Field(default=1, ge=1, le=64, description="Server processes (count).")
    debug: bool = Field(default=False, description="Show tracebacks of internal errors in the terminal (yes or no).")
    open_runs: int = Field(
        default=8, ge=1, le=1000, description="Runs and base maps each server process keeps in memory (count of each)."
    )
    download_features: int = Field(
        default=500_000, ge=1, description="Most features one layer download over HTTP may have (count)."
    )
    tile_features: int = Field(
        default=10_000, ge=1, le=100_000, description="Most features drawn in one vector tile (count)."
    )
    tile_bytes: int = Field(
        default=500_000, ge=1_000, description="Most bytes of one vector tile before compression (bytes)."
    )
    tile_memory: int = Field(
        default=64 * 2**20, ge=0, description="Vector tiles each server process keeps in memory (bytes)."
    )
    body_bytes: int = Field(default=2**20, ge=1_000, description="Most bytes of what one request may send (bytes).")
    held_cities: int = Field(
        default=2, ge=1, le=100, description="Prepared cities each server process keeps in memory (count)."
    )
    held_situations: int = Field(
        default=6, ge=1, le=1000, description="Scenarios of prepared cities each server process keeps (count)."
    )
    what_if_edits: int = Field(default=200, ge=1, description="Most edits one what-if question may make (count).")
    what_if_vertices: int = Field(
        default=2_000, ge=4, description="Most vertices of the polygons in one what-if question (count)."
    )
    what_if_features: int = Field(
        default=5_000, ge=1, description="Most changed rows of each layer that one answer holds (count)."
    )
    site_check_lots: int = Field(default=500, ge=1, description="Most lots one site check may ask about (count).")
    site_check_vertices: int = Field(
        default=20_000, ge=4, description="Most vertices of the lots in one site check (count)."
    )
    site_check_extent_m: int = Field(
        default=5_000, ge=1, description="Longest side of the box of a lot that may be asked about (metres)."
    )
    nominatim_url: str = Field(
        default="", description="Server that knows places by name (URL; empty: osmnx's default)."
    )
    overpass_url: str = Field(default="", description="Server that gives extracts (URL; empty: osmnx's default).")

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """The settings of the environment, those ``given`` first; ParameterError names every variable that is wrong."""
        try:
            return cls(**given)
        except ValidationError as error:
            raise ParameterError(*(_fault(e["loc"], e["msg"], e["input"]) for e in error.errors())) from None


def _fault(loc: tuple[int | str, ...], message: str, value: Any) -> Fault:
    name = str(loc[0])
    about = Settings.model_fields[name].description or name
    return Fault(f"{about.rstrip('.')}: {message.lower()}", repr(value), f"RENXING_{name.upper()}")

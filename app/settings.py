"""What an operator can set: environment variables that start with ``RENXING_``, read once when a command starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from geo.errors import Fault, ParameterError


class Settings(BaseSettings):
    """Every setting, its unit and its default. A command-line option of the same name wins over the variable."""

    model_config = SettingsConfigDict(env_prefix="RENXING_", frozen=True, extra="ignore")

    workspace: Path = Field(
        default=Path("workspace"), description="Folder that holds the studies (a path; made when it is not there)."
    )
    database: str = Field(
        default="",
        description="PostgreSQL database with PostGIS that holds everything (URL; empty: files in the workspace).",
    )
    database_readers: str = Field(
        default="", description="Role of PostgreSQL that may read the tables of results (name; empty: none)."
    )
    host: str = Field(default="127.0.0.1", description="Address to serve on (an IP address or host name).")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to serve on (0: any free one).")
    workers: int = Field(default=1, ge=1, le=64, description="Server processes (count).")
    job_workers: int = Field(
        default=1, ge=0, le=64, description="Worker processes that this service starts (count; 0: they run elsewhere)."
    )
    drain_s: float = Field(
        default=1,
        ge=0,
        le=300,
        description="Time for which a service told to end (SIGTERM) says so at /readyz and still answers (seconds).",
    )
    grace_s: int = Field(
        default=7, ge=1, le=3600, description="Time that requests under way then get to be answered (seconds)."
    )
    keep_alive_s: int = Field(
        default=75, ge=1, le=3600, description="Time for which an idle connection is kept open (seconds)."
    )
    header_bytes: int = Field(
        default=32 * 2**10, ge=4 * 2**10, le=2**20, description="Most bytes of a request's line and headers (bytes)."
    )
    disk_free_bytes: int = Field(
        default=2**30, ge=0, description="Room on the workspace's disk below which /readyz answers 503 (bytes)."
    )
    metrics_from: str = Field(
        default="127.0.0.0/8,::1/128",
        description="Networks that may read /metrics without a key (CIDR, comma between; empty: none).",
    )
    log: Literal["auto", "json", "console", "off"] = Field(
        default="auto",
        description="Log on standard error: json or console (a line a request), off (warnings only), auto (off at a "
        "terminal, else json).",
    )
    access: Literal["auto", "open", "public", "keys"] = Field(
        default="auto",
        description="Who may do what without a key: open (everything), public (read), keys (nothing), auto (open for "
        "who asks on this machine itself, else public).",
    )
    public_url: str = Field(
        default="", description="Address under which readers know the service (URL; empty: what a request says)."
    )
    root_path: str = Field(
        default="", description="Path under which a proxy shows the service, such as /renxing (a path; empty: none)."
    )
    allowed_hosts: str = Field(
        default="", description="Hosts under which the service may be asked (names, comma between; empty: any)."
    )
    trusted_proxies: str = Field(
        default="",
        description="Proxies whose word on where a request comes from is believed (addresses or networks, comma "
        "between; empty: none).",
    )
    proxy_headers: Literal["x-forwarded", "forwarded"] = Field(
        default="x-forwarded",
        description="Headers in which trusted proxies say it: x-forwarded or forwarded (RFC 7239).",
    )
    requests_per_minute: int = Field(
        default=600, ge=0, description="Requests a minute of one key, or of one address without one (count; 0: any)."
    )
    tiles_per_minute: int = Field(
        default=6_000, ge=0, description="The same for tiles and files of pages, counted apart (count; 0: any)."
    )
    debug: bool = Field(default=False, description="Show tracebacks of internal errors in the terminal (yes or no).")
    open_runs: int = Field(
        default=8, ge=1, le=1000, description="Runs and base maps each server process keeps in memory (count of each)."
    )
    answer_memory: int = Field(
        default=32 * 2**20, ge=0, description="Finished answers each server process keeps in memory (bytes)."
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
    tile_memory: int = Field(default=64 * 2**20, ge=0, description="Tiles each server process keeps in memory (bytes).")
    tile_disk: int = Field(
        default=512 * 2**20, ge=0, description="Tiles kept in the workspace's cache for all processes (bytes; 0: none)."
    )
    tile_makers: int = Field(
        default=2, ge=1, le=64, description="Tiles each server process draws at the same time (count)."
    )
    tile_wait_s: float = Field(
        default=10, gt=0, le=300, description="Longest time to wait for one tile; then 503 (seconds)."
    )
    archive_tiles: int = Field(
        default=2_000,
        ge=1,
        le=100_000,
        description="Most tiles of an archive made for a download; the deepest zooms are left out (count).",
    )
    layer_disk: int = Field(
        default=2 * 2**30,
        ge=0,
        description="Layers kept ready for tiles in the workspace's cache for all processes (bytes; 0: none).",
    )
    layer_memory: int = Field(
        default=256 * 2**20,
        ge=0,
        description="Layers, and as much of base maps, that each server process keeps ready for tiles (bytes).",
    )
    ogc_limit_max: int = Field(
        default=10_000, ge=10, le=100_000, description="Most features on one page of OGC API Features (count)."
    )
    ogc_filter_chars: int = Field(default=2_000, ge=100, description="Most characters of one filter (count).")
    ogc_filter_depth: int = Field(
        default=32, ge=4, le=100, description="Most brackets inside each other in one filter (count)."
    )
    ogc_open_layers: int = Field(
        default=64, ge=1, le=1000, description="Layers each server process keeps open for OGC API Features (count)."
    )
    ogc_memory: int = Field(
        default=128 * 2**20, ge=0, description="Most memory that these open layers may have together (bytes)."
    )
    body_bytes: int = Field(default=2**20, ge=1_000, description="Most bytes of what one request may send (bytes).")
    event_streams: int = Field(
        default=100, ge=1, description="Most readers of events that each server process serves at a time (count)."
    )
    event_streams_caller: int = Field(
        default=10, ge=1, description="Most of these readers that are of one caller (count)."
    )
    upload_bytes: int = Field(default=512 * 2**20, ge=1_000, description="Most bytes of one file that is sent (bytes).")
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
    queue_jobs: int = Field(default=100, ge=1, description="Most jobs that wait at the same time (count).")
    queue_jobs_caller: int = Field(
        default=4, ge=1, description="Most jobs of one caller that wait or run at the same time (count)."
    )
    job_lease_s: float = Field(
        default=20, ge=1, le=80, description="Time without a word after which a job is another worker's (seconds)."
    )
    job_heartbeat_s: float = Field(default=4, gt=0, le=20, description="Time between a worker's words (seconds).")
    job_attempts: int = Field(
        default=3, ge=1, le=20, description="Workers that may die over a job before it is given up (count)."
    )
    job_memory: int = Field(default=4 << 30, ge=1 << 28, description="Most memory one job may have (bytes).")
    job_cpu_s: int = Field(default=15 * 60, ge=1, description="Most computing time of one job (seconds).")
    job_wall_s: int = Field(default=30 * 60, ge=1, description="Most time from a job's start to its end (seconds).")
    job_nice: int = Field(default=10, ge=0, le=19, description="How far jobs stand behind other work (nice, number).")
    job_kept_days: float = Field(
        default=30, ge=1, description="Time for which what an ended job said is kept (days); its result stays."
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

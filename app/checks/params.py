"""The numbers by which the check calls something a fault; they are planning choices and stand in ``check.toml``."""

from __future__ import annotations

from pydantic import Field

from geo.curves import Sourced


class CheckParams(Sourced):
    """When something is a fault."""

    subject = "check"

    cover_share: float = Field(ge=0, le=1, description="Least share of the ground that hazards and communities cover.")
    thin_share: float = Field(ge=0, le=1, description="Least share of the ground over which shelters are spread.")
    off_street_share: float = Field(ge=0, le=1, description="Most of a layer's places that may lie near no street.")
    same_place_m: float = Field(ge=0, le=1000, description="Two of a kind this near may be one place, metres.")
    old_years: float = Field(gt=0, le=100, description="Data older than this is told as old, years.")

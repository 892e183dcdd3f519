"""The trunk roads of a city in a disaster (救灾干道), and how wide they and the ways to shelters are kept clear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from geo.curves import Sourced, Word
from geo.network import Network
from geo.speeds import LINK

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.str_]


class CorridorParams(Sourced):
    """Which streets are trunk roads, and what keeps clear when the buildings beside the streets have collapsed."""

    subject = "corridor"

    trunk_classes: tuple[Word, ...] = Field(description="Classes of street that are trunk roads (words).")
    trunk_least_m: float = Field(
        ge=0, le=100_000, description="Shortest piece of the trunk network that counts, metres."
    )
    emergency_m: float = Field(gt=0, le=50, description="Clear width of ways to emergency shelters, metres.")
    fixed_m: float = Field(gt=0, le=50, description="Clear width of ways to shelters for nights, metres.")
    trunk_m: float = Field(gt=0, le=100, description="Clear width of trunk roads, metres.")

    @model_validator(mode="after")
    def _widths_rise(self) -> CorridorParams:
        if not self.emergency_m <= self.fixed_m <= self.trunk_m:
            raise ValueError("corridor widths should not fall from emergency_m to fixed_m to trunk_m")
        return self

    @property
    def needs_m(self) -> Floats:
        """The clear width of ways to emergency shelters and to shelters for nights, metres."""
        return np.array([self.emergency_m, self.fixed_m])


def by_class(network: Network, *, params: CorridorParams) -> Mask:
    """Which streets are trunk roads (edges,)."""
    return np.isin(classes(network), params.trunk_classes)


def classes(network: Network) -> Texts:
    """The class of each street (OSM highway), slip roads that of their road, empty where it has none, (edges,)."""
    names = network.edge_tag("highway")
    return np.array(["" if name is None else str(name).removesuffix(LINK) for name in names], dtype=str)

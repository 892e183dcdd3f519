"""What a city keeps its distance from, gathered from its own map: water, fuel, power, industry, pipelines, railways."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from geo.standards import Standards

COLUMNS = ("source_id", "group", "kind", "name", "name_zh", "name_en")


class SetbackParams(BaseModel):
    """Which kinds of areas, lines and facilities count as a source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    water: tuple[str, ...] = Field(description="Kinds that are open water.")
    fuel: tuple[str, ...] = Field(description="Kinds that hold fuel.")
    power: tuple[str, ...] = Field(description="Kinds that carry or make power.")
    industry: tuple[str, ...] = Field(description="Kinds that are industry.")
    pipeline: tuple[str, ...] = Field(description="Kinds that are pipelines.")
    railway: tuple[str, ...] = Field(description="Kinds that are railways.")

    @classmethod
    def of(cls, standards: Standards) -> SetbackParams:
        """The defaults as the standards give them."""
        return cls(**{group: standards.words(f"setback.{group}") for group in cls.model_fields})


def sources(tables: Iterable[gpd.GeoDataFrame], *, params: SetbackParams) -> gpd.GeoDataFrame:
    """The rows of the tables (areas, lines, facilities) that are a source: ``COLUMNS`` and geometry, sorted by id.

    Each table has its id in the first column, and ``kind``; a kind named in two groups belongs to the first.
    """
    group = {kind: name for name in reversed(SetbackParams.model_fields) for kind in getattr(params, name)}
    rows = [_rows(table, group) for table in tables]
    found = pd.concat(rows, ignore_index=True)
    return found.sort_values(["source_id", "kind"], kind="stable", ignore_index=True)


def _rows(table: gpd.GeoDataFrame, group: dict[str, str]) -> gpd.GeoDataFrame:
    found = table[table["kind"].isin(group)]
    named = found.rename(columns={table.columns[0]: "source_id"}).assign(
        group=found["kind"].map(group).astype("object")
    )
    return named[[*COLUMNS, "geometry"]]

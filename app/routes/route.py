"""From a point the nearest safe shelter with room, and the way there."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from app import asking, held, told
from app.answers import sent
from app.deps import Held, NamedStudy
from app.schemas import RouteOut

router = APIRouter(prefix="/api/v1/studies", tags=["questions"])
From = Annotated[
    str, Query(alias="from", max_length=100, description="Longitude,latitude of the point (degrees, WGS 84).")
]
Profile = Annotated[Literal["walk", "elderly", "stroller", "wheelchair"], Query(description="Who asks the way.")]
ScenarioId = Annotated[
    str, Query(alias="scenario", max_length=200, description="Scenario (default: the study's first).")
]


@router.get("/{study}/route", summary="The nearest safe shelter with room, and the way there", response_model=RouteOut)
def route(
    request: Request, service: Held, named: NamedStudy, start: From, profile: Profile = "walk",
    scenario_id: ScenarioId = "",
) -> Response:  # fmt: skip
    """Where to go from a point, turn by turn, or why there is no way.

    People whom a plan has given a place keep it: there is room where some is left. The first question to a study takes
    as long as preparing it does, later ones a few milliseconds.
    """
    lon, lat = asking.position(start)
    scenario = held.scenario_of(named, scenario_id)
    guide = service.cities.guide(named, scenario.scenario_id, profile)
    found = asking.way(guide, lon, lat)
    about = {"study_id": named.study_id, "scenario_id": scenario.scenario_id, "lon": lon, "lat": lat}
    answer = {**about, **told.route(found, guide), "attribution": told.credits(named, scenario)}
    return sent(request, told.as_json(answer))

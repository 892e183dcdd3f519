"""What if: the city with a planner's changes, at once; and how its results move when thresholds move."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import asking, held, told
from app.answers import sent
from app.deps import Held, NamedStudy
from app.routes.route import ScenarioId
from app.schemas import SensitivityOut, WhatIfIn, WhatIfOut
from geo import what_if

router = APIRouter(prefix="/api/v1/studies", tags=["questions"])


@router.post("/{study}/what-if", summary="Changed rows and layers after a planner's edits", response_model=WhatIfOut)
def ask(request: Request, service: Held, named: NamedStudy, body: WhatIfIn) -> Response:
    """Shelters added, taken away or given other room, streets closed or opened, or another scenario.

    Nothing is kept: the answer is what a run with the edits would give, to the last person, of walks to shelters.
    """
    scenario = held.scenario_of(named, body.scenario)
    other = held.scenario_of(named, body.against or scenario.scenario_id)
    asking.same_time(scenario, other)
    now = service.cities.situation(named, scenario.scenario_id)
    before = service.cities.situation(named, other.scenario_id)
    wanted = asking.edits(body, now, limits=service.settings)
    changes = what_if.changes(before, what_if.apply(now, wanted) if wanted else now)
    answer = {
        "study_id": named.study_id, "scenario_id": scenario.scenario_id, "against": other.scenario_id,
        **told.changed(changes, most=service.settings.what_if_features),
        "attribution": list(dict.fromkeys([*told.credits(named, scenario), *told.credits(named, other)])),
    }  # fmt: skip
    return sent(request, told.as_json(answer))


@router.get("/{study}/sensitivity", summary="How results move when thresholds move", response_model=SensitivityOut)
def sensitivity(
    request: Request, service: Held, named: NamedStudy, scenario_id: ScenarioId = ""
) -> Response:  # fmt: skip
    """People served with walking speed, room, depth of water and the longest walk moved a little, one at a time."""
    scenario = held.scenario_of(named, scenario_id)
    found = told.moved(service.cities.moved(named, scenario.scenario_id))
    about = {"study_id": named.study_id, "scenario_id": scenario.scenario_id}
    answer = {**about, **found, "attribution": told.credits(named, scenario)}
    return sent(request, told.as_json(answer))

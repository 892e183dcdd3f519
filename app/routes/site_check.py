"""May it be built here: a point or a lot, or many lots, against every rule of distance and what is kept for others."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from app import site_told, sites, snippet
from app.answers import sent
from app.deps import Held, NamedStudy, Service
from app.site_schemas import AskedOf, LotsIn, LotsOut, SiteCheckIn, SiteCheckOut
from app.store import Study
from app.told import as_json

router = APIRouter(prefix="/api/v1/studies", tags=["questions"])
AskedBody = Annotated[AskedOf, Body(description="One place (SiteCheckIn) or many lots (LotsIn).")]


@router.post(
    "/{study}/site-check", summary="The verdict for a point or lot, with every rule",
    response_model=SiteCheckOut | LotsOut,
)  # fmt: skip
def ask(request: Request, service: Held, named: NamedStudy, body: AskedBody) -> Response:
    """Whether what is planned may stand there: let (让), prevent (防), avoid (避) or none, with each rule.

    A FeatureCollection of lots comes back with the verdict of each among its properties. The first question to a study
    takes as long as preparing its land does; whoever asks meanwhile waits for the same, later ones take milliseconds.
    """
    answer = _many(service, named, body) if isinstance(body, LotsIn) else _one(service, named, body)
    whole = {"study_id": named.study_id, **answer, "attribution": site_told.credits(named)}
    return sent(request, as_json(whole))


def _one(service: Service, named: Study, body: SiteCheckIn) -> dict[str, Any]:
    land = service.cities.land(named)
    asked = sites.asked(body, land, limits=service.settings)
    found = sites.check(asked, land)
    around = snippet.Around(asked, found, land)
    credits = "; ".join(site_told.credits(named))
    return {
        **site_told.checked(found, asked, land),
        "snippet": snippet.drawn(around, body.language, credits) if body.snippet else None,
        "features": site_told.features(around) if body.features else None,
    }


def _many(service: Service, named: Study, body: LotsIn) -> dict[str, Any]:
    sites.few(body, service.settings)
    land = service.cities.land(named)
    return site_told.lots(body.features, sites.sent(body, land, limits=service.settings))

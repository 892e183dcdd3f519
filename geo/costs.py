"""Which changes of a city are looked for, how hard, and what each costs: planning choices, to be set for the place."""

from __future__ import annotations

from pydantic import Field

from geo.curves import Sourced, Word


class CureParams(Sourced):
    """Which changes are looked for, what they cost, and when one is worth another."""

    subject = "cures"

    near_best_share: float = Field(
        gt=0, le=1, description="Share of the best change's gain from which the cheapest is proposed, 0-1."
    )
    communities: int = Field(
        ge=0,
        le=1_000_000,
        description="For how many communities, those with most people left, a change is sought, count.",
    )
    runners_up: int = Field(ge=0, le=100, description="How many other changes are told, count.")
    tries: int = Field(ge=1, le=10_000, description="How many changes are worked out for one community, count.")
    tries_whole: int = Field(
        ge=0, le=1_000_000, description="How many streets and footbridges are worked out in all, count."
    )
    street_most_m: float = Field(ge=0, le=100_000, description="Most closed street raised as one change, metres.")
    street_factor: float = Field(
        ge=1, le=1000, description="How much longer a closed street counts, a factor (number)."
    )
    bridge_most_m: float = Field(ge=0, le=2000, description="Longest footbridge proposed, metres.")
    bridge_tries: int = Field(ge=0, le=1000, description="How many footbridges are worked out a community, count.")
    site_tries: int = Field(ge=0, le=1000, description="How many spots are looked at for one community, count.")
    site_kinds: tuple[Word, ...] = Field(description="Kinds of open ground on which a shelter may stand (words).")
    room_most_share: float = Field(
        ge=0, le=100, description="How far a shelter may grow, a share of its room (number)."
    )
    site_most_people: int = Field(ge=1, description="Most people that a new shelter is made for, people.")
    room_cost_each: float = Field(ge=0, description="Cost of one more place at a shelter, thousand CNY.")
    open_cost: float = Field(ge=0, description="Cost of making a place ready as a shelter, thousand CNY.")
    open_cost_each: float = Field(ge=0, description="Cost of each person it takes in, thousand CNY.")
    street_cost_m: float = Field(ge=0, description="Cost of raising one metre of street, thousand CNY.")
    bridge_cost: float = Field(ge=0, description="Cost of a footbridge whatever its length, thousand CNY.")
    bridge_cost_m: float = Field(ge=0, description="Cost of one metre of footbridge, thousand CNY.")
    site_cost: float = Field(ge=0, description="Cost of a new shelter whatever its size, thousand CNY.")
    site_cost_each: float = Field(ge=0, description="Cost of one place in it, thousand CNY.")

    def cost(self, kind: str, *, room: int = 0, length_m: float = 0.0) -> float:
        """What a change costs, thousand CNY: by its kind, the room it makes (people) and its length (metres)."""
        once, each, metre = {
            "room": (0.0, self.room_cost_each, 0.0),
            "open": (self.open_cost, self.open_cost_each, 0.0),
            "site": (self.site_cost, self.site_cost_each, 0.0),
            "street": (0.0, 0.0, self.street_cost_m),
            "footbridge": (self.bridge_cost, 0.0, self.bridge_cost_m),
        }[kind]
        return once + each * room + metre * length_m

"""By how much thresholds are moved to see how much the results hang on them (``geo.sensitivity``)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from geo.curves import Sourced, Word

MAX_STEPS = 12
"""So many steps of one threshold can be asked for."""


def _steps(least: float, most: float) -> AfterValidator:
    """A check for numbers written as words that rise and leave out 0."""

    def check(words: tuple[str, ...]) -> tuple[str, ...]:
        values = [float(word) for word in words]
        if not all(least <= value <= most and value for value in values) or values != sorted(set(values)):
            raise ValueError(f"should be numbers other than 0 that rise, from {least:g} to {most:g}")
        return words

    return AfterValidator(check)


Few = Field(max_length=MAX_STEPS)


class SensitivityParams(Sourced):
    """By how much thresholds are moved."""

    subject = "sensitivity"

    speed_shares: Annotated[tuple[Word, ...], Few, _steps(-0.9, 5)] = Field(
        description="Changes of walking speed that are tried, as shares of it."
    )
    room_shares: Annotated[tuple[Word, ...], Few, _steps(-1, 10)] = Field(
        description="Changes of the room of shelters that are tried, as shares of it."
    )
    depth_m: Annotated[tuple[Word, ...], Few, _steps(-10, 10)] = Field(
        description="Changes of the water's depth that are tried, metres."
    )
    limit_minutes: Annotated[tuple[Word, ...], Few, _steps(-240, 240)] = Field(
        description="Changes of the longest walk that counts that are tried, minutes."
    )

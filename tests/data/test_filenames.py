from __future__ import annotations

import pytest

from data.filenames import Named, suggestions, told


@pytest.mark.parametrize(("name", "years", "hours"), [
    ("1in100_inundation_map.tif", 100, None), ("in20t010.tif", 10, None), ("flood_RP100.tif", 100, None),
    ("noah-Leyte_TaclobanCity_Flood_100year.tif", 100, None), ("100年一遇淹没.tif", 100, None),
    ("rr04-18.tif", None, 18),
    ("flood_20y_06h.tif", 20, 6), ("T0050.asc", 50, None), ("flood 1 in 25.tif", 25, None), ("h18.tif", None, 18),
    ("１００年に１度.tif", 100, None),
    *((name, None, None) for name in ("depth2015.tif", "Flood_Current_Depth.asc", "2020.tif", "map_v2.tif", "")),
])  # fmt: skip
def test_what_names_seem_to_say(name: str, years: float | None, hours: float | None) -> None:
    assert told(name) == Named(years, hours)


def test_a_name_is_asked_about_and_only_where_nobody_said() -> None:
    (said,) = suggestions("flood_RP100_06h.tif", hours=6)
    assert (said.code, said.value, said.do_en) == (
        "name_says_return_period",
        "100",
        "If it is, say --return-period 100.",
    )
    assert suggestions("flood_RP100_06h.tif", hours=6, return_period_y=100) == ()

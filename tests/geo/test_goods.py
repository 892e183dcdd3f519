"""Words and units of registers in Chinese, Japanese and English; what nobody explained is not known."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from data import standards
from geo.goods import GOODS, GoodsParams, amount, kind_of

PARAMS = GoodsParams.of(standards.load())


@pytest.mark.parametrize(("item", "kind"), [
    ("饮用水", "water_l"), ("水", "water_l"), ("水(桶装)", "water_l"), ("瓶装水", "water_l"), ("保存水", "water_l"),
    ("Mineral Water 1.5 L", "water_l"), ("方便面", "food_rations"), ("食品", "food_rations"),
    ("アルファ米", "food_rations"), ("Rations", "food_rations"), ("救灾帐篷(12㎡)", "tents"), ("棉被", "blankets"),
    ("毛布", "blankets"), ("折叠床", "beds"), ("移动厕所", "toilets"), ("仮設トイレ", "toilets"),
    ("急救包", "first_aid_kits"), ("First-aid kit", "first_aid_kits"), ("家庭应急包", "kits"), ("hygiene kits", "kits"),
    ("沙袋", None), ("水果", None),
    ("净水器", None), ("防水布", None), ("床单", None), ("卫生纸", None), ("携帯トイレ", None), ("price list", None),
    (None, None), ("", None),
])  # fmt: skip
def test_words(item: str | None, kind: str | None) -> None:
    assert kind_of(item, params=PARAMS) == kind


@pytest.mark.parametrize(("kind", "item", "unit", "each"), [
    ("water_l", "饮用水 550ml", "瓶", 0.55), ("water_l", "饮用水", "瓶", 0.5), ("water_l", "水", "吨", 1000),
    ("water_l", "矿泉水550ml*24瓶", "箱", 13.2), ("water_l", "矿泉水 500ml", "箱（24瓶）", 12),
    ("water_l", "水", "Ｌ", 1),
    ("water_l", "保存水 2L", "本", 2), ("water_l", "water", "bottles", 0.5), ("water_l", "矿泉水", "箱", np.nan),
    ("water_l", "矿泉水", "箱(24瓶)", np.nan), ("water_l", "水", None, np.nan), ("water_l", "水", "车", np.nan),
    ("food_rations", "大米", "kg", 1.67), ("food_rations", "大米10kg", "袋", 16.7),
    ("food_rations", "大米", "袋", np.nan),
    ("food_rations", "方便面", "袋", 0.33), ("food_rations", "方便面24包", "箱", 7.92),
    ("food_rations", "食品", "份", 0.33),
    ("food_rations", "rations", "rations", 1), ("food_rations", "食品", "箱", np.nan), ("tents", "帐篷", "顶", 1),
    ("blankets", "棉被", None, 1), ("first_aid_kits", "急救包", "箱", np.nan), ("toilets", "移动厕所", "座", 1),
])  # fmt: skip
def test_units(kind: str, item: str, unit: str | None, each: float) -> None:
    assert amount(kind, item, 10, unit, params=PARAMS) == pytest.approx(10 * each, nan_ok=True)


def test_the_size_may_stand_in_a_column_of_its_own() -> None:
    assert amount("water_l", "矿泉水", 2, "箱", "550ml*24瓶/箱", params=PARAMS) == pytest.approx(26.4)
    assert amount("food_rations", "大米", 2, "袋", "10kg/袋", params=PARAMS) == pytest.approx(33.4)


def test_a_planner_explains_words_and_units() -> None:
    more = PARAMS.model_copy(update={"water_containers": ("箱=12",), "boxes": ("carton",), "tents_words": ("窝棚",)})
    assert amount("water_l", "矿泉水", 10, "箱", params=more) == 120
    assert kind_of("窝棚", params=more) == "tents" and kind_of("帐篷", params=more) is None
    with pytest.raises(ValidationError, match=r"bottle=0\.5"):
        GoodsParams.model_validate(PARAMS.model_dump() | {"water_containers": ("bottle",)})


def test_every_goods_has_its_own_words() -> None:
    lists = [getattr(PARAMS, name) for name in GoodsParams.model_fields if name.endswith("_words")]
    words = [word for listed in lists for word in listed]
    assert len(lists) == len(GOODS) + 1 and len(words) == len(set(words))

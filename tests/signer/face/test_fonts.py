"""The font subsets that ship with the project."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from signer.glyphs import FOLDER

# Names of the counties and townships that have a No. 2 seal, and what their documents are written with.
COUNTIES = "章贡南康赣信丰大余上犹崇义安远龙南全南定南兴国宁都于都瑞金会昌寻乌石城区县市"
TOWNSHIPS = (
    "潋江江背埠头古龙岗长冈东村良村兴莲高兴均村茶园杰村龙口社富崇贤枫边城岗永丰隆坪方太鼎龙南坑樟木兴江梅窖崀乡镇"
)
SIGNS = "〔〕（）“”《》【】，。、；：？！—…·　０１２３４５６７８９㎡³㎥〇①⑩ⅠⅡ℃‰×No12（35）"


@pytest.fixture(params=["NotoSerifSC-Bold.ttf", "NotoSerifSC-Regular.ttf"])
def font(request: pytest.FixtureRequest) -> Iterator[TTFont]:
    with TTFont(FOLDER / request.param, lazy=True) as font:
        yield font


def gb2312() -> str:
    return "".join(
        bytes([row, cell]).decode("gb2312", errors="ignore") for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF)
    )


@pytest.mark.parametrize("text", [COUNTIES, TOWNSHIPS, SIGNS, gb2312(), "岽磜堘墈氹圳埇甪"])
def test_every_character_is_there(font: TTFont, text: str) -> None:
    assert [character for character in text if ord(character) not in font.getBestCmap()] == []


def test_the_size_stays_bearable(font: TTFont) -> None:
    assert Path(font.reader.file.name).stat().st_size < 6_000_000


def test_the_fonts_may_be_embedded_and_say_their_licence(font: TTFont) -> None:
    assert font["OS/2"].fsType == 0
    assert font["name"].getDebugName(1) == "Noto Serif SC"
    assert "SIL Open Font License" in font["name"].getDebugName(13)


def test_licence_and_log_ship_beside_them() -> None:
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FOLDER / "LICENSE_FONT").read_text()
    assert "Subset only" in (FOLDER / "FONTLOG.txt").read_text()

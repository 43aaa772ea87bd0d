"""Honest files, each of another kind: they must pass, or get as far as trust goes where others signed them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
from attacks.base import Base, Sealed, packed
from attacks.case import PASSED, UNCLEAR, Case
from pikepdf import Array, Dictionary, Name
from PIL import Image
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from world import ITEM_WORDS, START, letter

Make = Callable[[Base], bytes]


def _file(change: Callable[[pikepdf.Pdf], None], **how: Any) -> Callable[[Path], None]:
    def made(path: Path) -> None:
        with pikepdf.open(path, allow_overwriting_input=True) as pdf:
            change(pdf)
            pdf.save(path, **how)

    return made


def _same(pdf: pikepdf.Pdf) -> None:
    """Nothing is changed; what matters is how it is saved."""


def _empty_field(pdf: pikepdf.Pdf) -> None:
    widget = pdf.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T="盖章处", Rect=Array([300, 500, 420, 620]), F=4)
    )
    widget.P = pdf.pages[0].obj
    pdf.pages[0].obj.Annots = Array([widget])
    pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=Array([widget]), SigFlags=3))


def _link(pdf: pikepdf.Pdf) -> None:
    action = Dictionary(S=Name.URI, URI="https://www.example.gov.cn/")
    mark = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=Array([60, 60, 160, 80]), Border=Array([0, 0, 0]), A=action
    )
    pdf.pages[0].obj.Annots = pdf.make_indirect(Array([pdf.make_indirect(mark)]))


def _outline(pdf: pikepdf.Pdf) -> None:
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem("正文", 0))


def _scan(pdf: pikepdf.Pdf) -> None:
    """A scanned page behind the letter."""
    picture, out = Image.effect_noise((600, 800), 60), BytesIO()
    picture.save(out, "PDF", resolution=72)
    with pikepdf.open(BytesIO(out.getvalue())) as scan:
        pdf.pages.append(scan.pages[0])


def _large(pdf: pikepdf.Pdf) -> None:
    """A few megabytes of scanned pages."""
    for _ in range(4):
        picture, out = Image.effect_noise((1200, 1600), 90), BytesIO()
        picture.save(out, "PDF", resolution=144, quality=95)
        with pikepdf.open(BytesIO(out.getvalue())) as scan:
            pdf.pages.append(scan.pages[0])


SEALED: dict[str, Callable[[Base], Sealed]] = {
    "special-equipment-registration": lambda base: base["final"],
    "public-venue-hygiene-licence": lambda base: base["town"],
    "felling-licence": lambda base: base["forest"],
    "three-pages": lambda base: base["pages"],
    "thirty-pages": lambda base: base.seal(pages=30),
    "object-streams": lambda base: base["packed"],
    "linearized": lambda base: base.seal(pdf=_file(_same, linearize=True)),
    "no-object-streams": lambda base: base.seal(
        pdf=_file(_same, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    ),
    "uncompressed": lambda base: base.seal(pdf=_file(_same, compress_streams=False)),
    "saved-anew": lambda base: base.seal(pdf=_file(_same)),
    "pdf-2.0": lambda base: base.seal(pdf=_file(_same, force_version="2.0")),
    "with-a-link": lambda base: base.seal(pdf=_file(_link)),
    "with-an-outline": lambda base: base.seal(pdf=_file(_outline)),
    "with-a-scan": lambda base: base.seal(pdf=_file(_scan)),
    "large": lambda base: base.seal(pdf=_file(_large)),
    "in-a-waiting-field": lambda base: base.seal(
        pdf=_file(_empty_field), placement={"kind": "field", "name": "盖章处"}
    ),
    "at-a-position": lambda base: base.seal(placement={"kind": "position", "page": 1, "x_mm": "100", "y_mm": "150"}),
    "at-a-keyword": lambda base: base.seal(placement={"kind": "keyword", "text": "审批文书编号"}),
    "seam-seal": lambda base: base.seal(pages=4, placement={"kind": "date_line", "seam": True}),
    "two-seals": lambda base: base["twice"],
    "three-seals": lambda base: base.second(
        base.second(base.seal(final=False), final=False), copy="duplicate 2",
        placement={"kind": "position", "page": 1, "x_mm": "110", "y_mm": "60"},
    ),
    "two-seals-object-streams": lambda base: base.second(base.seal(pdf=packed, final=False)),
}  # fmt: skip


def _later() -> Iterator[tuple[str, str, Make]]:
    """What a seal that locks permits to be appended."""
    for name in ("final", "packed", "pages", "twice", "town"):
        yield f"validation-data-on-{name}", name, lambda base, name=name: base.stranger.validation_data(base[name].data)
        yield f"time-stamp-on-{name}", name, lambda base, name=name: base.stranger.timestamp(base[name].data)
    yield (
        "validation-data-and-time-stamp",
        "final",
        lambda base: base.stranger.timestamp(base.stranger.validation_data(base.final)),
    )
    yield "three-time-stamps", "final", _three_timestamps


def _three_timestamps(base: Base) -> bytes:
    data = base.final
    for number in range(3):
        data = base.stranger.timestamp(base.stranger.validation_data(data), name=f"Stamp{number}")
    return data


def _plain(base: Base) -> bytes:
    return letter((ITEM_WORDS["city"], "外来文件", "某单位", "2026年11月2日"))


FOREIGN: dict[str, Make] = {
    "pades": lambda base: base.stranger.sign(_plain(base)),
    "pkcs7-detached": lambda base: base.stranger.sign(_plain(base), sub_filter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED),
    "sha512": lambda base: base.stranger.sign(_plain(base), digest="sha512"),
    "visible": lambda base: base.stranger.sign(_plain(base), box=(60, 300, 260, 380)),
    "certified-p1": lambda base: base.stranger.sign(_plain(base), certify=MDPPerm.NO_CHANGES),
    "certified-p2": lambda base: base.stranger.sign(_plain(base), certify=MDPPerm.FILL_FORMS),
    "certified-p3": lambda base: base.stranger.sign(_plain(base), certify=MDPPerm.ANNOTATE),
    "two-signatures": lambda base: base.stranger.sign(base.stranger.sign(_plain(base)), name="Second"),
    "two-visible-signatures": lambda base: base.stranger.sign(
        base.stranger.sign(_plain(base), box=(60, 300, 260, 380)), name="Second", box=(300, 300, 500, 380)
    ),
    "signed-then-time-stamped": lambda base: base.stranger.timestamp(base.stranger.sign(_plain(base))),
    "certified-then-extended": lambda base: base.stranger.validation_data(
        base.stranger.sign(_plain(base), certify=MDPPerm.NO_CHANGES)
    ),
}


def cases() -> Iterator[Case]:
    """At least forty."""
    for name in SEALED:
        yield Case(
            family="sealed", name=name, make=lambda base, name=name: base[name].data, codes=(), expected=PASSED, of=name
        )
    for name, of, make in _later():
        yield Case(family="extended", name=name, make=make, codes=(), expected=PASSED, of=of)
    for name, make in FOREIGN.items():
        trusted: dict[str, Any] = {"family": "foreign", "make": make, "of": None, "codes": ()}
        yield Case(name=f"{name}-trusted", trust=lambda base: base.trusting_stranger(), expected=PASSED, **trusted)
    stranger: dict[str, Any] = {"family": "foreign", "make": FOREIGN["pades"], "of": None, "expected": UNCLEAR}
    yield Case(name="pades-of-a-stranger", codes=("no_trusted_path",), **stranger)
    plain: dict[str, Any] = {"family": "sealed", "make": lambda base: base.final, "codes": (), "expected": PASSED}
    yield Case(
        name="another-seal-revoked", trust=lambda base: replace(base.trust, crls=(base.crl("town", START),)), **plain
    )

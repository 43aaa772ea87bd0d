"""The appended bytes: texts, numbers, references, and a file of 100 MB in little memory."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Object

from signer.update import number, text_string

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Papers, Signatory

BIG = 100_000_000


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_is_read_back(text: str) -> None:
    if text.isascii():
        assert str(Object.parse(text_string(text))) == text
    else:
        assert bytes(Object.parse(text_string(text))).decode("utf-16") == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a(b)\\c", b"(a\\(b\\)\\\\c)"),
        ("章", b"<FEFF7AE0>"),
        ("𡌶", b"<FEFFD844DF36>"),
        ("a\nb", b"<FEFF0061000A0062>"),
    ],
)
def test_texts_as_written(text: str, written: bytes) -> None:
    assert text_string(text) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, b"1"),
        (1.5, b"1.5"),
        (-0.00001, b"0"),
        (1e-7, b"0"),
        (123456.78912, b"123456.7891"),
        (-2.5, b"-2.5"),
        (100, b"100"),
    ],
)
def test_numbers_have_no_exponent_and_no_minus_zero(value: float, written: bytes) -> None:
    assert number(value) == written


def test_same_document_and_statement_give_the_same_bytes(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    source = papers.streams()
    for name in ("one.pdf", "two.pdf"):
        desk.prepare(source, tmp_path / name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_the_file_identifier_keeps_its_first_half(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    source = papers.streams()
    desk.prepare(source, tmp_path / "sealed.pdf")
    with pikepdf.open(source) as before, pikepdf.open(tmp_path / "sealed.pdf") as after:
        assert bytes(after.trailer.ID[0]) == bytes(before.trailer.ID[0])
        assert bytes(after.trailer.ID[1]) != bytes(before.trailer.ID[1])
        assert after.trailer.Root.objgen == before.trailer.Root.objgen


def test_annotations_of_the_page_stay(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    pdf = desk.blank(2)
    note = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]))
    shared = pdf.make_indirect(Array([pdf.make_indirect(note)]))
    for page in pdf.pages:
        page.obj.Annots = shared
    desk.prepare(papers.write(pdf, "notes.pdf"), tmp_path / "sealed.pdf")
    with pikepdf.open(tmp_path / "sealed.pdf") as sealed:
        kinds = [[str(each.Subtype) for each in page.obj.Annots] for page in sealed.pages]
    # An array that two pages share must not bring the seal to both.
    assert kinds == [["/Link", "/Widget"], ["/Link"]]


def test_a_source_with_its_own_newline_gets_no_second(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    source = papers.classic()
    assert source.read_bytes().endswith(b"\n")
    desk.prepare(source, tmp_path / "sealed.pdf")
    assert not (tmp_path / "sealed.pdf").read_bytes()[source.stat().st_size :].startswith(b"\n")


SCRIPT = """
import resource, sys
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from signer.face import Face
from signer.placement import Spot
from signer.prepare import prepare
from signer.seal_file import measure, embed
source, target, certificate, digest = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
face = Face(diameter=119.055, diameter_mm=Decimal(42), operators=b"q 0 0 9 9 re f Q", path="")
spot = Spot(page_index=0, x=100, y=100, width=119.055, height=119.055, rotation=0)
layout = prepare(source, target, face=face, spots=(spot,), seam=(), field=None, final=True, signer_name="A",
                 reason="", location="", now=datetime(2026, 11, 23, tzinfo=UTC))
measure(target, layout, source_digest=bytes.fromhex(digest), chain=(certificate.read_bytes(),),
        algorithm="ecdsa-p256-sha256")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_hundred_megabytes_need_little_memory(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    pdf = desk.blank()
    pdf.Root.Noise = pdf.make_stream(os.urandom(BIG))
    source = papers.write(pdf, "big.pdf")
    digest = subprocess.run(["sha256sum", source], capture_output=True, text=True, check=True).stdout.split()[0]
    (tmp_path / "certificate").write_bytes(p256.chain[0])
    command = [sys.executable, "-c", SCRIPT, source, tmp_path / "sealed.pdf", tmp_path / "certificate", digest]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert int(done.stdout) * 1024 < BIG / 4
    (tmp_path / "sealed.pdf").unlink()
    source.unlink()

"""A PDF that cannot be sealed becomes one that can; what is taken out is told."""

import pikepdf
import pytest
from world import letter

from tests.cli.conftest import run

SAID = ("特种设备使用登记", "审批文书编号：赣审〔2026〕1号", "赣州市行政审批局", "2026年11月2日")


@pytest.fixture
def scripted(tmp_path):
    """A letter with a script that runs when it is opened."""
    plain, path = tmp_path / "plain.pdf", tmp_path / "scripted.pdf"
    plain.write_bytes(letter(SAID))
    with pikepdf.open(plain) as pdf:
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        pdf.save(path)
    return path


def test_a_script_is_taken_out_and_told(scripted, tmp_path):
    out = tmp_path / "clean.pdf"

    ran = run("normalise", scripted, "--out", out, "--json")

    assert ran.code == 0, ran
    assert [each["code"] for each in ran.json["removed"]] == ["action"]
    assert ran.json["objections"] == []
    assert b"app.alert" not in out.read_bytes()


def test_people_read_what_was_taken_out(scripted, tmp_path):
    ran = run("normalise", scripted, "--out", tmp_path / "clean.pdf")

    assert ran.code == 0
    assert "action" in ran.out
    assert "负责人" in ran.out


def test_what_cannot_be_mended_is_told(tmp_path):
    path = tmp_path / "fontless.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = pdf.make_stream(b"BT /F1 12 Tf 72 72 Td (x) Tj ET")
        pdf.save(path)

    ran = run("normalise", path, "--out", tmp_path / "clean.pdf", "--json")

    assert ran.code == 1
    assert [each["code"] for each in ran.json["objections"]] == ["font-not-embedded"]


def test_no_file_is_overwritten(scripted, tmp_path):
    (tmp_path / "there.pdf").write_bytes(b"mine")

    ran = run("normalise", scripted, "--out", tmp_path / "there.pdf", "--json")

    assert (ran.code, ran.json["error"]["code"]) == (2, "file-exists")
    assert (tmp_path / "there.pdf").read_bytes() == b"mine"


def test_what_is_not_a_pdf_is_a_typed_refusal(tmp_path):
    (tmp_path / "x.pdf").write_bytes(b"not a PDF")

    ran = run("normalise", tmp_path / "x.pdf", "--out", tmp_path / "clean.pdf", "--json")

    assert ran.code == 1
    assert ran.json["error"]["code"]
    assert not (tmp_path / "clean.pdf").exists()

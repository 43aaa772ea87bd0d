"""Many files in one go: what is told of each, and which exit code wins."""

import json
import shutil
from pathlib import Path

import pytest

from sealing import clock, impressions, receipts
from sealing.seal import Sealer


@pytest.fixture
def sealed(desk, tmp_path: Path) -> Path:
    """A folder with one sealed file, its receipt beside it, and what a stranger trusts."""
    folder = tmp_path / "batch"
    folder.mkdir()
    with desk.open() as shop:
        submission = desk.world.submission("city", desk.folder)
        outcome = Sealer(shop, clock=clock.utc_now).seal(submission, desk.world.clients["platform"])
        with shop.database.read() as connection:
            impression = impressions.get(connection, str(outcome.impression))
        receipt = receipts.receipt(shop, impression, clock.utc_now())
        shutil.copy(shop.documents.read_path(str(outcome.sealed_digest)), folder / "good.pdf")
        (folder / "good.receipt.json").write_bytes(receipt.to_bytes())
        (tmp_path / "root.pem").write_text(shop.installation.root)
        (tmp_path / "log.key").write_text(shop.identity.vkey)
    return folder


def verified(desk, *arguments: object):
    trust = desk.folder
    return desk.run("verify", *arguments, "--trust", trust / "root.pem", "--log-key", trust / "log.key")


def broken(folder: Path) -> Path:
    data = (folder / "good.pdf").read_bytes()
    path = folder / "broken.pdf"
    path.write_bytes(data.replace(b"/ByteRange [0", b"/ByteRange [9"))
    shutil.copy(folder / "good.receipt.json", folder / "broken.receipt.json")
    return path


def test_a_folder_of_good_files_passes_by_the_receipts_beside_them(desk, sealed: Path) -> None:
    ran = verified(desk, sealed)
    assert ran.code == 0, ran
    assert "[1/1]" in ran.err + ran.out
    assert "passed" in ran.out


def test_json_is_one_line_a_file(desk, sealed: Path) -> None:
    (sealed / "plain.pdf").write_bytes(b"%PDF-1.4\n")
    ran = verified(desk, sealed, "--json")
    lines = [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    assert {Path(each["file"]).name: each["verdict"]["indication"] for each in lines} == {
        "good.pdf": "TOTAL_PASSED",
        "plain.pdf": "INDETERMINATE",
    }
    assert ran.code == 2


def test_failed_outweighs_cannot_tell(desk, sealed: Path) -> None:
    (sealed / "plain.pdf").write_bytes(b"%PDF-1.4\n")
    broken(sealed)
    assert verified(desk, sealed).code == 1


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_judged(desk, sealed: Path) -> None:
    (sealed / "gone.pdf").symlink_to(sealed / "nowhere.pdf")
    (sealed / "odd.pdf").write_bytes((sealed / "good.pdf").read_bytes())
    (sealed / "odd.receipt.json").mkdir()
    ran = verified(desk, sealed, "--json")
    told = {Path(each["file"]).name: each for each in map(json.loads, ran.out.splitlines())}
    assert told["good.pdf"]["verdict"]["indication"] == "TOTAL_PASSED"
    assert told["gone.pdf"]["error"]["code"] == told["odd.pdf"]["error"]["code"] == "file-unreadable"
    assert ran.code == 2


def test_a_receipt_that_is_none_makes_its_file_uncertain(desk, sealed: Path) -> None:
    (sealed / "good.receipt.json").write_text("{}")
    ran = verified(desk, sealed)
    assert ran.code == 2
    assert "receipt-unreadable" in ran.out.replace("\n", "")


def test_an_empty_folder_and_a_receipt_for_many_are_refused(desk, sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    nothing, many = (
        verified(desk, tmp_path / "empty"),
        verified(desk, sealed, "--receipt", sealed / "good.receipt.json"),
    )
    assert (nothing.code, many.code) == (2, 2)
    assert "no-files" in nothing.err
    assert "receipt-of-which" in many.err

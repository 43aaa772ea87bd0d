"""The worker's function: JSON in, JSON out, also through the real sandbox."""

import json
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.pool import Pool
from sealing.entries import signature_subject
from verify.desk import judge_document, list_signatures
from verify.receipt import Receipt, ReceiptError
from verify.trust import TrustError


def arguments(archive, **changed: Any) -> dict[str, Any]:
    return {
        "document": str(archive.final.path),
        "receipt": archive.final.receipt.to_json(),
        "roots": [root.public_bytes(Encoding.PEM).decode() for root in archive.trust.roots],
        "logs": [log.vkey for log in archive.trust.logs],
        "crls": [b64encode(archive.crl()).decode()],
        "now": "2026-11-03T01:00:00.000000Z",
    } | changed


def test_the_desk_judges(archive) -> None:
    answer = judge_document(**arguments(archive))
    assert answer["d"] == "yinxin/verdict/v1"
    assert answer["indication"] == "TOTAL_PASSED"
    assert answer["judged_at"] == "2026-11-03T01:00:00.000000Z"
    assert answer["signatures"][0]["certificate"]["revocation"] == {"signer": "good", "path": ["good", "not_checked"]}
    assert json.loads(json.dumps(answer)) == answer


def test_a_log_can_be_asked_in_two_steps(archive) -> None:
    first = judge_document(**arguments(archive, receipt=None))
    digests = first["signatures"][0]["digests"]
    assert first["indication"] == "INDETERMINATE"
    for state, receipt, expected in (
        ("found", archive.final.receipt.to_json(), "TOTAL_PASSED"),
        ("found", None, "TOTAL_PASSED"),
        ("absent", None, "TOTAL_FAILED"),
        ("abandoned", None, "TOTAL_FAILED"),
    ):
        answers = {digests["sealed"]: {"state": state, "receipt": receipt}}
        assert judge_document(**arguments(archive, receipt=None, log_answers=answers))["indication"] == expected
    nothing = judge_document(**arguments(archive, receipt=None, log_answers={}))
    assert nothing["indication"] == "INDETERMINATE"


def test_the_signatures_are_listed_as_the_verdict_names_them(archive) -> None:
    for path, number in ((archive.final.path, 1), (archive.twice, 2), (archive.abandoned.path, 1)):
        judged = judge_document(**arguments(archive, document=str(path), receipt=None))["signatures"]
        listed = list_signatures(document=str(path))
        assert listed == [each["digests"]["to_be_signed"] for each in judged]
        assert len(listed) == number


def test_the_record_names_each_signature(archive) -> None:
    """What a log at hand looks up: the newest entry about a signature says what became of it."""
    found = []
    with archive.shop.database.read() as connection:
        for path in (archive.final.path, archive.abandoned.path):
            (digest,) = list_signatures(document=str(path))
            found.append(archive.shop.book.latest(connection, signature_subject(digest)).kind)
        assert archive.shop.book.latest(connection, signature_subject("sha256:" + "0" * 64)) is None
    assert found == ["seal.impressed", "seal.abandoned"]


@pytest.mark.parametrize("data", [b"", b"%PDF-", b"%PDF-1.7\n" + b"<" * 5000, b"\xff" * 100])
def test_a_file_that_cannot_be_read_has_no_signatures_to_ask_about(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.pdf").write_bytes(data)
    assert list_signatures(document=str(tmp_path / "x.pdf")) == []


def test_a_log_is_not_asked_about_a_seal_of_another(archive) -> None:
    other = archive.other_log("log.example/other").vkey
    digests = judge_document(**arguments(archive, receipt=None))["signatures"][0]["digests"]
    for state in ("absent", "abandoned", "found"):
        given = arguments(archive, receipt=None, logs=[other], log_answers={digests["sealed"]: {"state": state}})
        verdict = judge_document(**given)
        assert verdict["indication"] == "INDETERMINATE"
        assert verdict["signatures"][0]["ledger"]["state"] == "not_asked"


def test_further_receipts_cross_as_well(archive) -> None:
    given = arguments(
        archive,
        document=str(archive.twice),
        receipt=archive.second.to_json(),
        further_receipts=[archive.unfinished.receipt.to_json()],
    )
    assert judge_document(**given)["indication"] == "TOTAL_PASSED"


@pytest.mark.parametrize(
    ("changed", "error", "code"),
    [
        ({"receipt": {"d": "other"}}, ReceiptError, "receipt-unreadable"),
        ({"roots": ["no certificate"]}, TrustError, "root-unreadable"),
        ({"logs": ["no key"]}, TrustError, "log-key-unreadable"),
        ({"crls": ["*"]}, TrustError, "crl-unreadable"),
    ],
)
def test_bad_arguments_are_named(archive, changed, error, code) -> None:
    with pytest.raises(error) as raised:
        judge_document(**arguments(archive, **changed))
    assert raised.value.code == code
    assert raised.value.zh
    assert raised.value.en


def test_it_works_in_a_worker(archive) -> None:
    name = "verify.desk:judge_document"
    with Pool(1, allowed=(name,), memory_bytes=512 * 1024 * 1024, seconds=20, warm=("verify.desk",)) as pool:
        assert pool.call(name, arguments(archive))["indication"] == "TOTAL_PASSED"


def test_it_works_in_a_fresh_process_with_no_database(archive, tmp_path: Path) -> None:
    """Nothing but four files; and neither database, server nor private keys are loaded."""
    (tmp_path / "receipt").write_bytes(archive.final.receipt.to_bytes())
    (tmp_path / "roots").write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in archive.trust.roots))
    (tmp_path / "logs").write_text("\n".join(log.vkey for log in archive.trust.logs))
    code = f"""
import sys
from datetime import UTC, datetime
from pathlib import Path
from verify.judge import judge
from verify.receipt import Receipt
from verify.trust import Trust
folder = Path({str(tmp_path)!r})
trust = Trust.read((folder / "roots",), (folder / "logs",))
receipt = Receipt.from_bytes((folder / "receipt").read_bytes())
verdict = judge(Path({str(archive.final.path)!r}), receipt=receipt, trust=trust, now=datetime(2026, 11, 3, tzinfo=UTC))
print(verdict.indication, *({{"sqlalchemy", "fastapi", "keystore.files"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["TOTAL_PASSED"]


def test_a_receipt_survives_its_file(archive) -> None:
    again = Receipt.from_bytes(archive.final.receipt.to_bytes())
    assert again == archive.final.receipt
    assert archive.judge(archive.final.path, again, now=datetime(2026, 11, 3, tzinfo=UTC)).indication == "TOTAL_PASSED"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b'{"d":"yinxin/receipt/v1","evidence":{},"impression":1}', b"\xff", b"{" * 100_000],
)
def test_what_is_no_receipt_is_named(data) -> None:
    with pytest.raises(ReceiptError) as raised:
        Receipt.from_bytes(data)
    assert raised.value.code == "receipt-unreadable"


def test_a_receipt_has_a_limit(archive) -> None:
    with pytest.raises(ReceiptError, match="4194304"):
        Receipt.from_bytes(b" " * (4 * 1024 * 1024 + 1))

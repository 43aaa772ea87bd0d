"""The record is time-stamped once a day by somebody else: here another installation, judged by openssl."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from servers import running

from ledger import witnessed
from ledger.canonical import canonical, parse
from ledger.entry import Draft
from ledger.errors import ProofError
from ledger.evidence import MOST_TOKENS, Evidence
from ledger.ids import new_id
from sealing.clock import utc_now
from sealing.settings import Settings
from sealing.witnessing import DAY, Witnessing, evidence
from sealing.workshop import Workshop, initialise, open_workshop


def append(shop: Workshop) -> int:
    with shop.database.write() as connection:
        draft = Draft(kind="test.entry", subjects=(new_id("tst"),), groups={"row": {"n": 1}})
        return shop.book.append(connection, draft, utc_now()).index


@pytest.mark.tool("openssl")
def test_a_checkpoint_is_stamped_once_a_day_and_the_evidence_carries_it(tmp_path: Path) -> None:
    theirs, ours = Settings(data=tmp_path / "theirs"), tmp_path / "ours"
    installation = initialise(theirs, utc_now())
    (tmp_path / "root.pem").write_bytes(installation.root_certificate.public_bytes(Encoding.PEM))
    with running(theirs, tmp_path) as authority:
        settings = Settings(
            data=ours,
            timestamp_url=f"{authority.address}/v1/authority/tsa",
            timestamp_roots=tmp_path / "root.pem",
            outbound_networks=("127.0.0.0/8",),
            unsafe_outbound_http=True,
        )
        initialise(settings, utc_now())
        with open_workshop(settings) as shop:
            index = append(shop)
            Witnessing(shop, utc_now).round()
            shown = evidence(shop, index, ["row"], utc_now())
            (token,) = shown.tokens
            append(shop)
            Witnessing(shop, utc_now).round()
            assert evidence(shop, index, ["row"], utc_now()) == shown
            with shop.database.read() as connection:
                last = witnessed.last_token(connection)
            assert last is not None
            late = last + DAY - timedelta(minutes=1)
            Witnessing(shop, lambda: late).round()
            with shop.database.read() as connection:
                assert witnessed.last_token(connection) == last
    _openssl_agrees(tmp_path, token, shown)
    _survives_json(shown)


def _openssl_agrees(folder: Path, token: bytes, shown: Evidence) -> None:
    (folder / "token.der").write_bytes(token)
    text = shown.checkpoint.partition("\n\n")[0] + "\n"
    (folder / "checkpoint.txt").write_text(text, encoding="utf-8")
    command = ["openssl", "ts", "-verify", "-token_in", "-in", folder / "token.der", "-data", folder / "checkpoint.txt"]
    ran = subprocess.run([*command, "-CAfile", folder / "root.pem"], capture_output=True, text=True, check=False)
    assert "Verification: OK" in ran.stdout + ran.stderr, ran.stderr


def _survives_json(shown: Evidence) -> None:
    assert Evidence.from_json(parse(canonical(shown.to_json()))) == shown
    plain = replace(shown, tokens=())
    assert "tokens" not in plain.to_json()
    assert Evidence.from_json(plain.to_json()) == plain
    for tokens in ("AAAA", ["%"], [1], ["AAAA"] * (MOST_TOKENS + 1), None):
        with pytest.raises(ProofError):
            Evidence.from_json(plain.to_json() | {"tokens": tokens})

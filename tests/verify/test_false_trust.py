"""What must not be mistaken for trust: lone time-stamps, one witness by two names, validation data that came late."""

from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from test_times import LATER, SOON, Case, case, complete, root_crl, said
from time_units import archived, with_store

from ledger.cosignature import WitnessIdentity
from verify.verdict import Indication

__all__ = ["case"]


@pytest.mark.parametrize("trusted", [False, True], ids=["unknown authority", "trusted authority"])
def test_a_file_with_time_stamps_alone_is_not_passed(case: Case, trusted: bool) -> None:
    plain = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(plain, force_version="1.7")
    data = archived(plain.getvalue(), case.outside.unit, SOON)
    verdict = case.judge((data, None), timestamp_roots=(case.outside.root,) if trusted else ())
    assert verdict.indication is Indication.INDETERMINATE, verdict.all_findings
    assert said(verdict)["no_signature"] == "doubt"


def test_a_witness_named_twice_counts_once(case: Case) -> None:
    again = WitnessIdentity(name="witness.example/alias", public_key=case.witness.public_key)
    given = (case.archive.final.data, case.cosigned(case.archive.final.receipt))
    verdict = case.judge(given, witnesses=(case.witness, case.witness, again))
    assert verdict.signatures[0].ledger["witnessed"] == "witnessed 1 of 1"


def test_an_archive_time_stamp_before_the_revocation_data_is_no_lta(case: Case) -> None:
    whole = complete(case)
    bare, _ = case.stamped(case.outside.unit)
    some = with_store(bare, certificates=[case.archive.issuer])
    stamped = archived(some, case.outside.unit, LATER)
    lists = [case.archive.crl(now=SOON), root_crl(case), case.outside.crl(now=SOON)]
    late = with_store(stamped, crls=lists, certificates=[case.archive.issuer])
    good = archived(whole, case.outside.unit, LATER)
    assert _level(case, good) == "PAdES-B-LTA"
    assert _level(case, late) == "PAdES-B-LT"


def _level(case: Case, data: bytes) -> str | None:
    verdict = case.judge(case.recorded(data, level="PAdES-B-B"), now=LATER + timedelta(minutes=1))
    return verdict.signatures[0].level

"""Seals with time-stamps and validation data: honest ones pass, tampered time-stamps are named."""

import pytest
from asn1crypto.cms import ContentInfo
from attacks.appending import SHADOW
from attacks.base import NOW, Base, Sealed, open_base
from attacks.incremental import Update
from attacks.places import with_cms

from sealing.administration.seals import SealPolicy
from verify.judge import judge
from verify.verdict import Verdict


@pytest.fixture(scope="module", params=["PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA"])
def levelled(request, tmp_path_factory):
    policy = SealPolicy(level=request.param, check_mark="qr")
    with open_base(tmp_path_factory.mktemp("levels"), policy) as base:
        yield base


def judged(base: Base, data: bytes, sealed: Sealed) -> Verdict:
    path = base.folder / "judged.pdf"
    path.write_bytes(data)
    return judge(path, receipt=sealed.receipt, trust=base.trust, now=NOW)


def against(verdict: Verdict) -> set[str]:
    return {each.code for each in verdict.all_findings if each.severity in {"failure", "doubt"}}


def test_an_honest_seal_passes(levelled: Base) -> None:
    verdict = judged(levelled, levelled.final, levelled["final"])
    assert (str(verdict.indication), against(verdict)) == ("TOTAL_PASSED", set())


@pytest.mark.parametrize("name", ["replace-content-object", "hide-crop-box", "page-added"])
def test_a_later_change_is_named(levelled: Base, name: str) -> None:
    update = Update(levelled.final)
    SHADOW[name](update)
    verdict = judged(levelled, update.write(), levelled["final"])
    assert str(verdict.indication) == "TOTAL_FAILED"
    assert "changed_after_sealing" in against(verdict)


def test_the_time_stamp_of_another_seal_is_refused(levelled: Base) -> None:
    mine, theirs = (_cms(levelled[name].data) for name in ("final", "other"))
    mine["content"]["signer_infos"][0]["unsigned_attrs"] = theirs["content"]["signer_infos"][0]["unsigned_attrs"]
    verdict = judged(levelled, _with_seal(levelled.final, mine), levelled["final"])
    assert str(verdict.indication) == "TOTAL_FAILED"
    assert any("timestamp" in code or "time_stamp" in code for code in against(verdict)), against(verdict)


def _seal_end(data: bytes) -> int:
    """Where the revision of the seal ends: its end-of-file line is the first behind its ByteRange."""
    return data.index(b"%%EOF", data.index(b"/ByteRange")) + len(b"%%EOF\n")


def _cms(data: bytes) -> ContentInfo:
    start = data.index(b"<", data.index(b"/Contents", data.index(b"/ByteRange"))) + 1
    return ContentInfo.load(bytes.fromhex(data[start : data.index(b">", start)].decode()))


def _with_seal(data: bytes, cms: ContentInfo) -> bytes:
    end = _seal_end(data)
    return with_cms(data[:end], cms.dump()) + data[end:]

"""Every region of a sealed file and of a sealed file's length: a change anywhere is named."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest
from verify_updates import places

from verify.verdict import Indication, Verdict

FAILED = Indication.TOTAL_FAILED
Against = Callable[[Verdict], set[str]]
SAMPLES = 6


def regions(data: bytes, source_length: int) -> dict[str, tuple[int, int]]:
    """Names for the parts of the file."""
    _, length, second, _ = places(data)
    cms = length + 1 + 2 * (4 + int.from_bytes(bytes.fromhex(data[length + 5 : length + 9].decode()), "big"))
    marks = [
        ("header", 0),
        ("approved", 16),
        ("revision", source_length),
        ("signature", length),
        ("padding", cms),
        ("behind the signature", second),
        ("end", len(data) - 40),
        ("", len(data)),
    ]
    return {name: (start, end) for (name, start), (_, end) in pairwise(marks)}


def sampled(start: int, end: int) -> list[int]:
    """Places in a region, its first and last byte among them."""
    step = max(1, (end - 1 - start) // (SAMPLES - 1))
    return sorted({*range(start, end, step), end - 1})


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


NAMES = ("header", "approved", "revision", "signature", "padding", "behind the signature", "end")


def where(archive, name: str) -> list[int]:
    length = archive.final.receipt.evidence.openings["document"].value["source_length"]
    return sampled(*regions(archive.final.data, length)[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_bit_fails_with_the_receipt(archive, name) -> None:
    for at in where(archive, name):
        verdict = archive.judge(flipped(archive.final.data, at), archive.final.receipt)
        assert verdict.indication is FAILED, (at, verdict.all_findings)


@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_bit_fails_without_the_receipt(archive, name) -> None:
    """Nothing but the file and the roots; a flip inside an embedded certificate at least breaks the chain."""
    for at in where(archive, name):
        verdict = archive.judge(flipped(archive.final.data, at, 0x10))
        codes = {each.code for each in verdict.all_findings if each.severity == "failure"}
        allowed = {"no_trusted_path"} if name == "signature" else set()
        named = codes or {each.code for each in verdict.all_findings if each.severity == "doubt"} & allowed
        assert named, (at, verdict.all_findings)


def test_a_changed_letter_of_the_text_is_a_hash_failure(archive, against: Against) -> None:
    data = archive.final.data
    at = data.index(b"stream\n") + 20
    verdict = archive.judge(flipped(data, at), archive.final.receipt)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "HASH_FAILURE")
    assert "document_changed" in against(verdict)


def test_a_changed_signature_value_is_a_crypto_failure(archive, against: Against) -> None:
    """The last bytes of the CMS are the signature value (RFC 5652 5.3)."""
    data = archive.final.data
    _, length, second, _ = places(data)
    end = length + len(data[length : second - 1].rstrip(b"0"))
    digits = b"0123456789abcdef"
    at = end - 6
    other = digits[(digits.index(data[at : at + 1].lower()) + 1) % 16]
    verdict = archive.judge(data[:at] + bytes([other]) + data[at + 1 :])
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "SIG_CRYPTO_FAILURE")
    assert "signature_value_wrong" in against(verdict)


def test_an_exchanged_digest_is_a_crypto_failure_too(archive, against: Against) -> None:
    """Text and message-digest are both exchanged, but the key signed the other digest."""
    data = archive.final.data
    at = data.index(b"stream\n") + 20
    changed = flipped(data, at)
    verdict = archive.judge(changed)
    found = bytes.fromhex(verdict.signatures[0].digests["byte_range"].removeprefix("sha256:"))
    before = archive.final.receipt.evidence.openings["document"].value["byte_range_digest"].removeprefix("sha256:")
    written = changed.replace(before.encode(), found.hex().encode())
    assert written != changed
    verdict = archive.judge(written)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "SIG_CRYPTO_FAILURE")
    assert "document_changed" not in against(verdict)


@pytest.mark.parametrize("name", NAMES)
def test_a_deleted_byte_fails(archive, name) -> None:
    for at in where(archive, name)[::2]:
        data = archive.final.data
        verdict = archive.judge(data[:at] + data[at + 1 :])
        assert verdict.indication is FAILED, (at, verdict.all_findings)


@pytest.mark.parametrize("name", NAMES)
def test_an_inserted_byte_fails(archive, name) -> None:
    for at in where(archive, name)[::2]:
        data = archive.final.data
        verdict = archive.judge(data[:at] + b" " + data[at:])
        assert verdict.indication is FAILED, (at, verdict.all_findings)


def test_a_truncated_file_fails_with_its_receipt(archive) -> None:
    data = archive.final.data
    for length in (0, 1, 100, len(data) // 4, len(data) // 2, len(data) - 100, len(data) - 7, len(data) - 1):
        verdict = archive.judge(data[:length], archive.final.receipt)
        assert verdict.indication is FAILED, (length, verdict.all_findings)


def test_a_cut_that_leaves_the_signature_fails_without_receipt(archive) -> None:
    data = archive.final.data
    for length in (places(data)[2], len(data) - 100, len(data) - 7, len(data) - 1):
        verdict = archive.judge(data[:length])
        assert verdict.indication is FAILED, (length, verdict.all_findings)


def test_the_earlier_revision_of_a_twice_sealed_file_is_judged_for_what_it_is(archive, against: Against) -> None:
    """Rolled back to its first seal, the file waits for its final one again, and the second receipt fits nothing."""
    data = archive.unfinished.data
    assert archive.twice.read_bytes().startswith(data)
    assert against(archive.judge(data, archive.unfinished.receipt)) == {"not_final"}
    assert "receipt_of_another_file" in against(archive.judge(data, archive.second))


def test_the_first_seal_of_a_twice_sealed_file_is_watched_too(archive) -> None:
    data = archive.twice.read_bytes()
    at = archive.unfinished.data.index(b"stream\n") + 20
    verdict = archive.judge(flipped(data, at), archive.unfinished.receipt, further_receipts=[archive.second])
    assert [each.indication for each in verdict.signatures] == [FAILED, FAILED]


@pytest.mark.parametrize("seed", range(6))
def test_no_mutation_passes_and_none_raises(archive, seed) -> None:
    """Bytes exchanged, parts doubled, moved and cut out at random, with and without the receipt."""
    chance = Random(seed)
    source = [archive.final, archive.streams][seed % 2]
    for _ in range(25):
        data = bytearray(source.data)
        for _ in range(chance.randint(1, 4)):
            at, length = chance.randrange(len(data)), chance.choice((1, 1, 2, 30, 700))
            part = bytes(data[at : at + length])
            match chance.randrange(4):
                case 0:
                    data[at : at + length] = chance.randbytes(len(part))
                case 1:
                    data[at:at] = part + b" "
                case 2:
                    del data[at : at + length]
                case _:
                    to = chance.randrange(len(data))
                    data[to : to + len(part)] = part
        if bytes(data) == source.data:
            continue
        verdict = archive.judge(bytes(data), source.receipt)
        assert verdict.indication is FAILED
        assert archive.judge(bytes(data)).indication is not Indication.TOTAL_PASSED


def test_every_verdict_is_json_able(archive) -> None:
    verdict = archive.judge(flipped(archive.final.data, 5000), archive.final.receipt).to_json()
    assert verdict["indication"] == "TOTAL_FAILED"
    assert verdict["signatures"][0]["findings"][0].keys() == {"code", "severity", "zh", "en", "sub_indication"}

"""Files made to look sealed, or sealed files made to look different: each by the way it is attacked."""

import re
from collections.abc import Callable

import pytest
from verify_updates import Stranger, annotate, places, plain_update, rename_field, startxref

from verify.verdict import Indication, Verdict

PASSED, CANNOT_TELL, FAILED = Indication.TOTAL_PASSED, Indication.INDETERMINATE, Indication.TOTAL_FAILED
Against = Callable[[Verdict], set[str]]
WITH = pytest.mark.parametrize("with_receipt", [True, False], ids=["receipt", "no receipt"])


def receipt_of(archive, with_receipt: bool):
    return archive.final.receipt if with_receipt else None


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """The same length, so that every offset still holds; what is replaced must be there."""
    assert data.count(old) >= 1
    assert len(old) == len(new)
    at = data.rfind(old)
    return data[:at] + new + data[at + len(old) :]


# What may be appended


def test_validation_data_may_be_appended(archive, stranger: Stranger, against: Against) -> None:
    verdict = archive.judge(stranger.validation_data(archive.final.data), archive.final.receipt)
    assert (verdict.indication, against(verdict)) == (PASSED, set())
    assert "permitted_later_changes" in {each.code for each in verdict.all_findings}
    assert verdict.signatures[0].coverage["later_bytes"] > 0
    assert not verdict.signatures[0].coverage["whole_file"]


def test_a_document_timestamp_may_be_appended_and_proves_nothing_yet(archive, stranger, against: Against) -> None:
    verdict = archive.judge(stranger.timestamp(archive.final.data), archive.final.receipt)
    assert (verdict.indication, against(verdict)) == (PASSED, set())
    assert [each.kind for each in verdict.signatures] == ["seal", "timestamp"]
    assert "timestamp_issuer_not_judged" in {each.code for each in verdict.all_findings}


def test_a_file_with_a_cross_reference_stream_is_judged_alike(archive, stranger, against: Against) -> None:
    receipt = archive.streams.receipt
    assert b"/Type /XRef" in archive.streams.data[-4000:]
    assert archive.judge(archive.streams.path, receipt).indication is PASSED
    for later in (stranger.validation_data(archive.streams.data), stranger.timestamp(archive.streams.data)):
        verdict = archive.judge(later, receipt)
        assert (verdict.indication, against(verdict)) == (PASSED, set())
    verdict = archive.judge(annotate(archive.streams.data), receipt)
    assert verdict.indication is FAILED
    assert "changed_after_sealing" in against(verdict)


def test_validation_data_and_a_timestamp_and_more_validation_data(archive, stranger, against: Against) -> None:
    data = stranger.validation_data(stranger.timestamp(stranger.validation_data(archive.final.data)))
    verdict = archive.judge(data, archive.final.receipt)
    assert (verdict.indication, against(verdict)) == (PASSED, set())


# Incremental saving attacks


@WITH
def test_an_opaque_annotation_over_a_locked_file_fails(archive, against: Against, with_receipt) -> None:
    verdict = archive.judge(annotate(archive.final.data), receipt_of(archive, with_receipt))
    assert verdict.indication is FAILED
    assert "changed_after_sealing" in against(verdict)


def test_an_opaque_annotation_over_an_unlocked_file_fails(archive, against: Against) -> None:
    verdict = archive.judge(annotate(archive.unfinished.data), archive.unfinished.receipt)
    assert verdict.indication is FAILED
    assert "changed_after_sealing" in against(verdict)


@WITH
def test_an_annotation_that_a_stranger_signed_fails(archive, stranger, against: Against, with_receipt) -> None:
    verdict = archive.judge(stranger.sign(annotate(archive.final.data)), receipt_of(archive, with_receipt))
    assert verdict.indication is FAILED
    assert "changed_after_sealing" in against(verdict)


@WITH
def test_a_second_signature_after_the_final_seal_fails(archive, stranger, against: Against, with_receipt) -> None:
    verdict = archive.judge(stranger.sign(archive.final.data), receipt_of(archive, with_receipt))
    assert verdict.indication is FAILED
    assert "changed_after_sealing" in against(verdict)


@pytest.mark.parametrize("junk", [b"901 0 obj\n<< /Hidden true >>\nendobj\n", b"% junk\n", b"junk\n"])
def test_a_strangers_timestamp_does_not_whitewash_junk(archive, stranger, against: Against, junk) -> None:
    """Anyone can make a time-stamp that covers what they appended."""
    verdict = archive.judge(stranger.timestamp(plain_update(archive.final.data, junk)), archive.final.receipt)
    assert verdict.indication is FAILED
    assert "uncovered_bytes" in against(verdict)


def test_a_renamed_field_fails(archive, against: Against) -> None:
    """The lock is read as it was when signed, wherever the field is found later."""
    verdict = archive.judge(rename_field(archive.twice.read_bytes()), archive.second)
    assert verdict.indication is FAILED
    assert "changed_after_sealing" in against(verdict)


def test_a_lock_that_is_taken_off_later_still_holds(archive, against: Against) -> None:
    verdict = archive.judge(rename_field(archive.twice.read_bytes(), drop="/Lock"), archive.second)
    assert verdict.indication is FAILED
    assert verdict.signatures[-1].final
    assert "changed_after_sealing" in against(verdict)


def test_a_visible_timestamp_over_the_text_fails(archive, stranger, against: Against) -> None:
    verdict = archive.judge(stranger.timestamp(archive.final.data, box=(100, 400, 400, 500)), archive.final.receipt)
    assert verdict.indication is FAILED
    assert "changed_after_sealing" in against(verdict)


@pytest.mark.parametrize(
    "end",
    [b"%%EOF \n", b"%%EOF\n\n", b"%%EOG\n", b"%%EO", b"%%EOF\n%", b"%%EOF\r\n\r\n", b"%%eof\n", b"%% EOF\n", b""],
)
@WITH
def test_an_update_with_a_malformed_end_fails(archive, against: Against, end, with_receipt) -> None:
    """Readers follow such an update, so what a library says about the covered part is not enough."""
    verdict = archive.judge(plain_update(archive.final.data, end=end), receipt_of(archive, with_receipt))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert "uncovered_bytes" in against(verdict)


@pytest.mark.parametrize("end", [b"%%EOF", b"%%EOF\n", b"%%EOF\r\n", b"%%EOF\r"])
def test_an_update_of_unused_objects_is_well_formed(archive, end) -> None:
    """Nothing refers to the object, so it changes nothing; what matters here is that the scan does not cry wolf."""
    verdict = archive.judge(plain_update(archive.final.data, end=end), archive.final.receipt)
    assert "uncovered_bytes" not in {each.code for each in verdict.all_findings}


@pytest.mark.parametrize(
    "body",
    [b"% a comment\n", b"junk\n", b"%PDF-1.7\n", b"<html></html>\n", b"0", b"endobj\n", b"startxref\n0\n%%EOF\n"],
)
def test_anything_between_objects_of_an_update_fails(archive, against: Against, body) -> None:
    verdict = archive.judge(plain_update(archive.final.data, body), archive.final.receipt)
    assert verdict.indication is FAILED
    assert "uncovered_bytes" in against(verdict)


@pytest.mark.parametrize(
    "tail", [b" ", b"\n", b"\r\n", b"\x00", b"x", b"%%EOF\n", b"\n%%EOF", b"garbage " * 1000, b"\x00" * 5000]
)
@WITH
def test_bytes_behind_the_end_fail(archive, against: Against, tail, with_receipt) -> None:
    verdict = archive.judge(archive.final.data + tail, receipt_of(archive, with_receipt))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert against(verdict) & {"uncovered_bytes", "pdf_broken"}


def test_an_update_without_cross_references_fails(archive, against: Against) -> None:
    """A reader that rebuilds the table takes the later definition of the page."""
    data = archive.final.data
    page = re.findall(rb"(\d+) 0 obj\s*<<[^>]*/Type /Page\b", data)
    number = int(page[-1]) if page else 14
    body = b"%d 0 obj\n<< /Type /Page >>\nendobj\n" % number
    for end in (b"", b"startxref\n%d\n%%%%EOF\n" % startxref(data), b"trailer\n<< >>\n"):
        verdict = archive.judge(data + body + end, archive.final.receipt)
        assert verdict.indication is FAILED
        assert against(verdict) & {"uncovered_bytes", "pdf_broken"}


def test_an_update_that_hides_an_unlisted_object_fails(archive, against: Against) -> None:
    hidden = b"901 0 obj\n<< /Hidden true >>\nendobj\n"
    verdict = archive.judge(plain_update(archive.final.data, hidden), archive.final.receipt)
    assert verdict.indication is FAILED
    assert "uncovered_bytes" in against(verdict)


def test_an_update_whose_table_points_into_the_signed_part_fails(archive, against: Against) -> None:
    """The table may not bring bytes back to life that lie elsewhere."""
    data = plain_update(archive.final.data)
    at = data.rindex(b"\n900 1\n") + 7
    verdict = archive.judge(data[:at] + b"%010d" % 20 + data[at + 10 :], archive.final.receipt)
    assert verdict.indication is FAILED
    assert against(verdict) & {"uncovered_bytes", "pdf_broken"}


def test_an_update_that_forgets_the_form_fails(archive, against: Against) -> None:
    """A catalog without a form: the signature is still there, but nothing reaches it."""
    data = archive.final.data
    root = int(re.findall(rb"/Root (\d+) 0 R", data)[-1])
    text = b"%d 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\nendobj\n" % root
    section = len(data) + len(text)
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size 999 /Root %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        root, len(data), root, startxref(data), section,
    )  # fmt: skip
    verdict = archive.judge(data + text + table)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert against(verdict) == {"signature_unreachable"}


# Signature wrapping and forging


def reranged(data: bytes, *numbers: int) -> bytes:
    found = re.search(rb"/ByteRange \[[0-9 ]*\] *", data[data.rindex(b"/ByteRange") :])[0]
    written = b"/ByteRange [%s]" % b" ".join(b"%d" % each for each in numbers)
    return replaced(data, found, written.ljust(len(found)))


@WITH
@pytest.mark.parametrize("shift", ["begin", "short", "hole", "long", "overlap", "zero", "huge"])
def test_a_byte_range_of_another_shape_fails(archive, against: Against, shift, with_receipt) -> None:
    data = archive.final.data
    first, length, second, rest = places(data)
    numbers = {
        "begin": (1, length - 1, second, rest),
        "short": (first, length, second, rest - 7),
        "hole": (first, length - 10, second, rest),
        "long": (first, length, second, rest + 10),
        "overlap": (first, second + 5, second, rest),
        "zero": (0, 0, 0, 0),
        "huge": (first, length, second, 10**15),
    }[shift]
    verdict = archive.judge(reranged(data, *numbers), receipt_of(archive, with_receipt))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert "signature_malformed" in against(verdict)


@pytest.mark.parametrize("written", [b"[0 1 2]", b"[]", b"null", b"[0 -1 5 5]", b"5 0 R", b"[0 1 2 3 4 5]", b"(0 1)"])
def test_a_byte_range_of_another_kind_fails(archive, against: Against, written) -> None:
    """Universal signature forgery: some readers take a signature without a usable ByteRange for a valid one."""
    data = archive.final.data
    found = re.search(rb"/ByteRange \[[0-9 ]*\] *", data[data.rindex(b"/ByteRange") :])[0]
    verdict = archive.judge(replaced(data, found, (b"/ByteRange " + written).ljust(len(found))))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert "signature_malformed" in against(verdict)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/ByteRange", b"/ByteRongX"),
        (b"/Contents", b"/Kontents"),
        (b"/Type /Sig ", b"/Type /Sog "),
    ],
)
def test_a_signature_with_a_lost_entry_fails(archive, old, new) -> None:
    verdict = archive.judge(replaced(archive.final.data, old, new))
    assert verdict.indication is FAILED


def test_empty_contents_fail(archive, against: Against) -> None:
    data = archive.final.data
    _, length, second, _ = places(data)
    verdict = archive.judge(data[:length] + b"<" + b"0" * (second - length - 2) + b">" + data[second:])
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert "signature_malformed" in against(verdict)


def test_something_behind_the_cms_in_contents_fails(archive, against: Against) -> None:
    """Nobody signs the padding, so it must say nothing."""
    data = bytearray(archive.final.data)
    second = places(bytes(data))[2]
    data[second - 40 : second - 1] = b"4" * 39
    verdict = archive.judge(bytes(data))
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert "signature_malformed" in against(verdict)


def test_a_wrapped_signature_fails(archive, against: Against) -> None:
    """The signed second part is moved back, and bytes of the attacker stand where it was."""
    data = archive.final.data
    first, length, second, rest = places(data)
    wedge = b"\n990 0 obj\n<< /Evil true >>\nendobj\n".ljust(400)
    moved = data[:second] + wedge + data[second:]
    verdict = archive.judge(reranged(moved, first, length, second + len(wedge), rest))
    assert verdict.indication is FAILED
    assert against(verdict) & {"signature_malformed", "pdf_broken"}


def test_two_byte_ranges_in_one_signature_fail(archive, against: Against) -> None:
    data = replaced(archive.final.data, b"/Filter /Adobe.PPKLite", b"/ByteRange [0 1 2 3]  ")
    verdict = archive.judge(data)
    assert verdict.indication is FAILED
    assert against(verdict) & {"signature_malformed", "pdf_broken"}


@pytest.mark.parametrize("written", [b"/ByteRange [0 1 2 3]", b"/Byte#52ange [0 1 2 3]", b"/#42yteRange[0 1 2 3]"])
def test_a_byte_range_that_no_field_reaches_is_broken_not_unsigned(archive, against: Against, written) -> None:
    body = b"%%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    body = body.replace(b"%%", b"%") + b"2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n"
    lone = b"3 0 obj\n<< /Type /Sig %s /Contents <00> >>\nendobj\n" % written
    data = body + lone
    offsets = [data.index(b"%d 0 obj" % number) for number in (1, 2, 3)]
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % each for each in offsets)
    data += table + b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    verdict = archive.judge(data)
    assert (verdict.indication, verdict.sub_indication) == (FAILED, "FORMAT_FAILURE")
    assert against(verdict) == {"signature_unreachable"}


def test_an_unsigned_file_is_only_unsigned(archive, against: Against) -> None:
    first = archive.final.data[: archive.final.receipt.evidence.openings["document"].value["source_length"]]
    verdict = archive.judge(first)
    assert (verdict.indication, against(verdict)) == (CANNOT_TELL, {"no_signature"})
    assert verdict.sub_indication == "SIGNED_DATA_NOT_FOUND"


def test_a_lone_byte_range_behind_an_honest_seal_fails(archive, against: Against) -> None:
    data = plain_update(archive.final.data).replace(b"/Note (later)", b"/ByteRange [] ")
    verdict = archive.judge(data, archive.final.receipt)
    assert verdict.indication is FAILED
    assert "signature_unreachable" in against(verdict)

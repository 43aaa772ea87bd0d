"""The strict reader of PDF syntax, and the scan of later revisions that stands on it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verify_updates import plain_update

from verify.file_scan import byte_range_places, later_revisions, read_signature_object
from verify.pdf_syntax import SyntaxFaultError, read_value


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"/Name", "name", b"Name"),
        (b"/Byte#52ange", "name", b"ByteRange"),
        (b"  12 ", "number", b"12"),
        (b"-0.5", "number", b"-0.5"),
        (b"12 0 R", "reference", b"12 0"),
        (b"12 0 obj", "number", b"12"),
        (b"true]", "word", b"true"),
        (b"<0a 0B>", "hex", b"0a 0B"),
        (b"(a(b)c)", "string", b"a(b)c"),
        (rb"(a\)b\\)", "string", rb"a\)b\\"),
    ],
)
def test_simple_values(data, kind, text) -> None:
    value = read_value(data, 0)
    assert (value.kind, value.text) == (kind, text)


def test_containers_know_where_their_members_stand() -> None:
    data = b"<< /A [1 2 (x)] /B << /C <00> >> >>tail"
    value = read_value(data, 0)
    assert value.end == len(data) - 4
    assert [item.text for item in value.members[b"A"].items] == [b"1", b"2", b"x"]
    inner = value.members[b"B"].members[b"C"]
    assert data[inner.start : inner.end] == b"<00>"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<< /A 1",
        b"<< /A >>",
        b"<< /A 1 /A 2 >>",
        b"<< /A 1 /#41 2 >>",
        b"<< (A) 1 >>",
        b"[1 2",
        b"(a",
        b"<0g>",
        b"% comment\n1",
        b"[1 % comment\n 2]",
        b"truex",
        b"1.2.3",
        b"+",
        b"<<" * 100,
        b"[" * 100_000,
    ],
)
def test_what_is_not_plain_syntax_is_refused(data) -> None:
    with pytest.raises(SyntaxFaultError):
        read_value(data, 0)


@given(st.binary(max_size=200))
def test_nothing_but_a_fault_is_raised(data) -> None:
    for read in (lambda: read_value(data, 0), lambda: later_revisions(data, 0), lambda: read_signature_object(data, 0)):
        with suppress(SyntaxFaultError):
            read()


values = st.recursive(
    st.sampled_from([b"1", b"-2.5", b"/N", b"(s)", b"<0A>", b"null", b"7 0 R"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda many: b"[" + b" ".join(many) + b"]")
        | st.lists(inner, max_size=4).map(
            lambda many: b"<<" + b" ".join(b"/K%d %s" % each for each in enumerate(many)) + b">>"
        )
    ),
    max_leaves=12,
)


@given(values, st.sampled_from([b"", b" ", b"\n", b"/X", b">>", b"]"]))
def test_a_value_ends_where_it_ends(written, behind) -> None:
    assert read_value(written + behind, 0).end == len(written)


BASE = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"


def test_a_well_formed_revision_is_read() -> None:
    (found,) = later_revisions(plain_update(BASE), len(BASE))
    assert found.start == len(BASE)
    assert found.objects == {(900, 0): len(BASE)}


def test_two_revisions_are_read() -> None:
    data = plain_update(plain_update(BASE), number=901)
    assert [list(each.objects) for each in later_revisions(data, len(BASE))] == [[(900, 0)], [(901, 0)]]


@pytest.mark.parametrize(("end", "rest"), [(b"%%EOF", b"\n"), (b"%%EOF", b"\r\n"), (b"%%EOF\n", b""), (b"%%EOF", b"")])
def test_one_line_end_may_stand_behind_the_covered_part(end, rest) -> None:
    covered = BASE[:-6] + end
    assert later_revisions(covered + rest, len(covered)) == []


@pytest.mark.parametrize(
    "rest", [b"\n", b" ", b"x", b"\r\n\n", b"1 0 obj\n<< >>\nendobj\n", b"startxref\n0\n%%EOF\n", b"%%EOF\n"]
)
def test_anything_else_is_refused(rest) -> None:
    with pytest.raises(SyntaxFaultError):
        later_revisions(BASE + rest, len(BASE))


def stream(dictionary: bytes, data: bytes, end: bytes = b"\nendstream") -> bytes:
    return BASE + b"9 0 obj\n<< %s >>\nstream\n%s%s\nendobj\n" % (dictionary, data, end)


def finished(data: bytes) -> bytes:
    """With a table behind the object."""
    return data + b"xref\n0 0\ntrailer\n<< >>\nstartxref\n%d\n%%%%EOF\n" % len(data)


@pytest.mark.parametrize(
    ("dictionary", "data"),
    [(b"/Length 3", b"abc"), (b"/Length 9", b"endstream"), (b"/Length 8 0 R", b"abc")],
)
def test_a_stream_is_as_long_as_it_says(dictionary, data) -> None:
    written = stream(dictionary, data)
    if b"R" in dictionary:
        written += b"8 0 obj 3 endobj\n"
    (found,) = later_revisions(finished(written), len(BASE))
    assert (9, 0) in found.objects


@pytest.mark.parametrize(
    "dictionary", [b"/Length 2", b"/Length 400", b"", b"/Length (3)", b"/Length 77 0 R", b"/Length -1"]
)
def test_a_stream_of_another_length_is_refused(dictionary) -> None:
    with pytest.raises(SyntaxFaultError):
        later_revisions(finished(stream(dictionary, b"abcd")), len(BASE))


@pytest.mark.parametrize(
    "text", [b"/ByteRange", b"/ByteRange[", b"/#42yteRange ", b"/B#79te#52ange", b"/#42#79#74#65#52#61#6e#67#65 "]
)
def test_every_spelling_of_byte_range_is_found(text) -> None:
    assert byte_range_places(b"xx" + text) == [2]


@pytest.mark.parametrize("text", [b"/ByteRanges", b"ByteRange", b"/ByteRang", b"/byterange ", b"/Byte Range"])
def test_other_names_are_not_found(text) -> None:
    assert byte_range_places(text) == []

"""Universal signature forgery: what a verifier needs is missing, empty or absurd ("1 Trillion Dollar Refund", 4.1)."""

from collections.abc import Callable, Iterator

from attacks.base import Base
from attacks.case import Case
from attacks.places import byte_range, cms_of, replaced, with_byte_range, with_contents

FAMILY = "universal-forgery"
MALFORMED = ("signature_malformed", "pdf_broken", "signature_unreachable")

_LITERAL: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "empty": b"[]",
    "one-number": b"[0]",
    "three-numbers": b"[0 1 2]",
    "five-numbers": b"[0 1 2 3 4]",
    "six-numbers": b"[0 1 2 3 4 5]",
    "all-zero": b"[0 0 0 0]",
    "negative-start": b"[-1 1 2 3]",
    "negative-length": b"[0 -1 5 5]",
    "negative-second": b"[0 9 -9 9]",
    "negative-rest": b"[0 9 9 -9]",
    "string": b"(0 1 2 3)",
    "hex-string": b"<00010203>",
    "name": b"/Zero",
    "one-integer": b"0",
    "dictionary": b"<< /A 0 >>",
    "indirect": b"5 0 R",
    "indirect-to-nothing": b"9999 0 R",
    "nested-array": b"[[0 1 2 3]]",
    "of-strings": b"[(0) (1) (2) (3)]",
    "of-names": b"[/0 /1 /2 /3]",
    "of-nulls": b"[null null null null]",
    "of-references": b"[5 0 R 6 0 R]",
    "reals": b"[0.0 9.0 20.0 9.0]",
}
_NUMBERS: dict[str, Callable[[int, int, int], tuple[int, ...]]] = {
    "starts-at-1": lambda length, second, rest: (1, length - 1, second, rest),
    "ends-early": lambda length, second, rest: (0, length, second, rest - 7),
    "ends-late": lambda length, second, rest: (0, length, second, rest + 10),
    "wider-hole-before": lambda length, second, rest: (0, length - 10, second, rest),
    "wider-hole-behind": lambda length, second, rest: (0, length, second + 9, rest - 9),
    "no-hole": lambda length, second, rest: (0, second + rest, second + rest, 0),
    "overlapping": lambda length, second, rest: (0, second + 5, second, rest),
    "swapped": lambda length, second, rest: (second, rest, 0, length),
    "oversized": lambda length, second, rest: (0, length, second, 10**9),
    "oversized-first": lambda length, second, rest: (0, 10**9, second, rest),
    "only-the-head": lambda length, second, rest: (0, length, length, 0),
}


def _contents(data: bytes) -> dict[str, bytes]:
    der, (_, length, second, _) = cms_of(data), byte_range(data)
    digits = der.hex().encode()
    return {
        "null": b"null",
        "empty": b"<>",
        "one-byte": b"<00>",
        "all-zeros": b"<" + b"0" * (second - length - 2) + b">",
        "odd-digits": b"<" + digits[:-1] + b">",
        "not-hex": b"<zz" + digits[2:] + b">",
        "white-space-inside": b"<" + digits[:40] + b" \n" + digits[40:] + b">",
        "literal-string": b"()",
        "name": b"/Nothing",
        "array": b"[ ]",
        "number": b"-1",
        "indirect-to-nothing": b"9999 0 R",
        "truncated": b"<" + digits[:200] + b">",
        "more-behind-the-signature": b"<" + digits + b"4141" * 20 + b">",
        "random": b"<" + bytes(range(1, 256)).hex().encode() + b">",
    }


def cases() -> Iterator[Case]:
    """Every form of a missing or absurd ByteRange, Contents or field value."""
    for name, written in _LITERAL.items():
        yield _case(f"byte-range-{name}", lambda base, written=written: with_byte_range(base.final, written))
    for name, change in _NUMBERS.items():
        yield _case(f"byte-range-{name}", lambda base, change=change: _numbers(base.final, change))
    for name in _contents_names():
        yield _case(f"contents-{name}", lambda base, name=name: _other_contents(base.final, name))
    for name, (old, new) in _LOST.items():
        yield _case(name, lambda base, old=old, new=new: replaced(base.final, old, new), *_LOST_CODES)


_LOST = {
    "byte-range-missing": (b"/ByteRange", b"/ByteRongX"),
    "byte-range-twice": (b"/Filter /Adobe.PPKLite", b"/ByteRange [0 1 2 3]  "),
    "contents-missing": (b"/Contents", b"/Kontents"),
    "sub-filter-missing": (b"/SubFilter", b"/SobFilter"),
    "sub-filter-unknown": (b"/ETSI.CAdES.detached", b"/ETSI.CAdES.detaXhed"),
    "sub-filter-sha1": (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1    "),
    "signature-type-other": (b"/Type /Sig ", b"/Type /Sog "),
}
_LOST_CODES = ("document_changed", "sub_filter_not_supported", *MALFORMED)


def _contents_names() -> list[str]:
    return [
        "null", "empty", "one-byte", "all-zeros", "odd-digits", "not-hex", "white-space-inside", "literal-string",
        "name", "array", "number", "indirect-to-nothing", "truncated", "more-behind-the-signature", "random",
    ]  # fmt: skip


def _case(name: str, make: Callable[[Base], bytes], *codes: str) -> Case:
    return Case(family=FAMILY, name=name, make=make, codes=codes or MALFORMED)


def _numbers(data: bytes, change: Callable[[int, int, int], tuple[int, ...]]) -> bytes:
    _, length, second, rest = byte_range(data)
    return with_byte_range(data, b"[%s]" % b" ".join(b"%d" % each for each in change(length, second, rest)))


def _other_contents(data: bytes, name: str) -> bytes:
    return with_contents(data, _contents(data)[name])

"""Mutations of sealed files, of the CMS in them and of upload bodies, by seed; the same seed gives the same bytes."""

from random import Random

TOKENS = (
    b"/ByteRange", b"/Contents", b"/Kids", b"/Parent", b"/Annots", b"/AcroForm", b"/Fields", b"/V", b"/Prev",
    b"/XRefStm", b"/Encrypt", b"/Length", b"0 R", b"1 0 obj", b"endobj", b"stream\n", b"endstream", b"xref\n",
    b"trailer\n",
    b"startxref\n", b"%%EOF\n", b"<<", b">>", b"[", b"]", b"(", b"<", b">", b"null", b"-1", b"9" * 20, b"\x00", b"%",
)  # fmt: skip
_PARTS = (1, 1, 2, 8, 30, 700)


def mutated(data: bytes, chance: Random) -> bytes:
    """One to six changes: bytes exchanged, parts cut out, doubled, moved or appended, words of the syntax put in."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randrange(max(1, len(out))), chance.choice(_PARTS)
        part = bytes(out[at : at + length])
        match chance.randrange(7):
            case 0:
                out[at : at + length] = chance.randbytes(len(part))
            case 1:
                out[at:at] = part
            case 2:
                del out[at : at + length]
            case 3:
                to = chance.randrange(max(1, len(out)))
                out[to : to + len(part)] = part
            case 4:
                token = chance.choice(TOKENS)
                out[at : at + len(token)] = token
            case 5:
                out[at:at] = chance.choice(TOKENS)
            case _:
                out += part + chance.choice(TOKENS)
    return bytes(out)


def mutated_der(der: bytes, chance: Random) -> bytes:
    """Changes that keep a value nearly readable: tags, lengths and single bytes."""
    out = bytearray(der)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out))
        match chance.randrange(4):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                out[at] = chance.choice((0x00, 0x02, 0x04, 0x05, 0x06, 0x30, 0x31, 0x80, 0x81, 0x84, 0xA0, 0xFF))
            case 2:
                del out[at : at + chance.choice(_PARTS)]
                out = out or bytearray(b"\x30")
            case _:
                out[at:at] = out[at : at + chance.choice(_PARTS)]
    return bytes(out)

"""Writes signer/data/srgb.icc: a small sRGB matrix profile, ICC version 2.1, from the published numbers.

Version 2 because PDF/A-1 knows no later one; IEC 61966-2-1 for the curve; the primaries are adapted from
D65 to the D50 of the profile connection space (Bradford). Run it again after a change; a test compares.
"""

import struct
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "signer" / "data" / "srgb.icc"
CURVE_POINTS = 256
D50 = (0.9642, 1.0, 0.8249)
# Columns of the sRGB matrix, Bradford-adapted to D50; they add up to D50.
PRIMARIES = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.71410),
}
TEXT = "sRGB"


def fixed(value: float) -> bytes:
    """An s15Fixed16Number."""
    return struct.pack(">i", round(value * 65536))


def xyz(values: tuple[float, float, float]) -> bytes:
    """An XYZType tag."""
    return b"XYZ \0\0\0\0" + b"".join(fixed(value) for value in values)


def curve() -> bytes:
    """The sRGB transfer function as a sampled curveType tag."""
    samples = []
    for point in range(CURVE_POINTS):
        value = point / (CURVE_POINTS - 1)
        linear = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        samples.append(round(linear * 65535))
    return b"curv\0\0\0\0" + struct.pack(f">I{CURVE_POINTS}H", CURVE_POINTS, *samples)


def description() -> bytes:
    """A textDescriptionType tag with its empty Unicode and ScriptCode parts."""
    text = TEXT.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)


def profile() -> bytes:
    """The whole profile."""
    shared = curve()
    tags = [
        (b"desc", description()),
        (b"cprt", b"text\0\0\0\0" + b"No copyright claimed\0"),
        (b"wtpt", xyz(D50)),
    ]
    tags += [(name, xyz(values)) for name, values in PRIMARIES.items()]
    tags += [(name, shared) for name in (b"rTRC", b"gTRC", b"bTRC")]
    position = 128 + 4 + 12 * len(tags)
    table, body, seen = b"", b"", {}
    for name, data in tags:
        if data not in seen:
            padded = data + bytes(-len(data) % 4)
            seen[data] = position
            position += len(padded)
            body += padded
        table += name + struct.pack(">II", seen[data], len(data))
    return header(position) + struct.pack(">I", len(tags)) + table + body


def header(length: int) -> bytes:
    """The 128-byte header: display device, RGB to XYZ, perceptual; the date is the standard's."""
    made = struct.pack(">6H", 1999, 10, 1, 0, 0, 0)
    start = struct.pack(">I4sI4s4s4s", length, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    rest = b"acsp" + bytes(4 + 4 + 4 + 4 + 8 + 4) + b"".join(fixed(value) for value in D50)
    return (start + made + rest).ljust(128, b"\0")


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(profile())
    print(f"{TARGET}: {len(profile())} bytes")

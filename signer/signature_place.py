"""The empty place of a signature or time-stamp in a revision: written first, measured when all else is known.

ISO 32000-2 12.8.1: the ByteRange covers everything but the value of ``/Contents`` with its brackets.
"""

from signer.byte_layout import HOLE, Layout
from signer.update import Update

# Twelve digits reach a terabyte; the array is padded with blanks, so that offsets are known before it is.
_BYTE_RANGE_WIDTH = len(b"[0 ] ") + 3 * 13
EMPTY_PLACE = b"/ByteRange %s/Contents %s" % (b"[0 ]".ljust(_BYTE_RANGE_WIDTH), HOLE)
"""The two entries of a signature dictionary that :func:`assemble` completes."""


def assemble(update: Update, signature: bytes, identifier: bytes) -> tuple[bytes, Layout]:
    """The bytes to append, and where the contents of the object ``signature`` lie in the whole file.

    That object holds :data:`EMPTY_PLACE`, before any text of others. ``identifier`` becomes the second half of the
    file identifier.
    """
    start = update.structure.length
    offset = update.offset_of(signature) - start
    appended = bytearray(update.assemble(identifier))
    # Searched from the signature's own offset, before its texts: nothing in the file can stand in for it.
    contents = start + appended.index(b"/Contents <", offset) + len(b"/Contents ")
    length, after = start + len(appended), contents + len(HOLE)
    byte_range = (0, contents, after, length - after)
    at = appended.index(b"/ByteRange [", offset) + len(b"/ByteRange ")
    appended[at : at + _BYTE_RANGE_WIDTH] = (b"[%d %d %d %d]" % byte_range).ljust(_BYTE_RANGE_WIDTH)
    layout = Layout(
        source_length=start, contents_offset=contents, contents_length=len(HOLE), byte_range=byte_range, length=length
    )
    return bytes(appended), layout

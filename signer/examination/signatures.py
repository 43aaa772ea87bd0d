"""Signatures that are there already: what they cover, whether those bytes are unchanged, what they forbid.

Integrity only. Who signed, and whether to trust them, is for ``verify``.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from signer.examination.document import Dict, Document, Value, is_reference, text
from signer.examination.layout import Layout
from signer.examination.objection import Objection

# RFC 5652 11.2: the attribute's OID, a set, an octet string.
_MESSAGE_DIGEST = re.compile(re.escape(bytes.fromhex("06092a864886f70d010904")) + b"\x31.\x04(.)", re.DOTALL)
_BY_LENGTH = {20: ("sha1",), 28: ("sha224",), 32: ("sha256", "sm3"), 48: ("sha384",), 64: ("sha512",)}
_MOST_FIELDS = 10_000
_CHUNK = 1 << 20
_FORBIDS_ALL = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureInfo:
    """One signature: ``end`` is the offset where its ByteRange ends; ``permits`` its DocMDP level or None."""

    field: str
    object: str
    byte_range: tuple[int, ...]
    end: int
    intact: bool
    permits: int | None


@dataclass(frozen=True, slots=True)
class SignatureFields:
    """The signature fields of the form, with and without a signature."""

    signed: tuple[SignatureInfo, ...]
    empty: tuple[str, ...]


def signature_fields(document: Document) -> SignatureFields:
    """Walk the form's fields. Names are the fully qualified ones (ISO 32000-2 12.7.4.2)."""
    signed, empty = [], []
    for name, owner, field in _fields(document):
        if document.get(field, "/FT") != "/Sig":
            continue
        signature = document.dictionary(field.get("/V"))
        if signature:
            signed.append(_signature(document, name, owner, field))
        else:
            empty.append(name)
    return SignatureFields(tuple(sorted(signed, key=lambda one: one.end)), tuple(empty))


def _fields(document: Document) -> Iterator[tuple[str, str, Dict]]:
    """Terminal fields with inherited /FT and /V; widgets without a name of their own belong to their parent."""
    form = document.dictionary(document.root.get("/AcroForm"))
    waiting: list[tuple[Value, str, Dict]] = [
        (value, "", {}) for value in reversed(document.array(form.get("/Fields")))
    ]
    seen: set[str] = set()
    while waiting and len(seen) < _MOST_FIELDS:
        reference, path, inherited = waiting.pop()
        owner = reference[:-2] if is_reference(reference) else "trailer"
        if owner in seen:
            continue
        seen.add(owner)
        node = document.dictionary(reference)
        name = document.get(node, "/T")
        path = ".".join(part for part in (path, text(name)) if part)
        own = inherited | {key: node[key] for key in ("/FT", "/V") if key in node}
        kids = [kid for kid in document.array(node.get("/Kids")) if "/T" in document.dictionary(kid)]
        if kids:
            waiting.extend((kid, path, own) for kid in reversed(kids))
        else:
            yield path, owner, own | node


def _signature(document: Document, name: str, owner: str, field: Dict) -> SignatureInfo:
    signature = document.dictionary(field["/V"])
    values = tuple(document.resolve(value) for value in document.array(signature.get("/ByteRange")))
    well_formed = _is_whole(document, values)
    return SignatureInfo(
        field=name,
        object=field["/V"][:-2] if is_reference(field["/V"]) else owner,
        byte_range=values if well_formed else (),
        end=values[2] + values[3] if well_formed else 0,
        intact=well_formed and _unchanged(document, signature, values),
        permits=_permits(document, signature, field),
    )


def _is_whole(document: Document, values: tuple[Value, ...]) -> bool:
    """Whether the ByteRange starts at 0, leaves out one hexadecimal string only and lies in the file."""
    if len(values) != 4 or not all(isinstance(value, int) and value >= 0 for value in values):  # noqa: PLR2004
        return False
    start, first, second, rest = values
    data = document.data
    return bool(
        start == 0
        and 0 < first < second
        and second + rest <= len(data)
        and data[first : first + 1] == b"<"
        and data[second - 1 : second] == b">"
    )


def _unchanged(document: Document, signature: Dict, values: tuple[int, ...]) -> bool:
    contents = document.get(signature, "/Contents")
    if not isinstance(contents, str) or not contents.startswith("b:"):
        return False
    cms = bytes.fromhex(contents[2:])
    if document.get(signature, "/SubFilter") == "/ETSI.RFC3161":
        return any(digest in cms for digest in _digests(document, values, (20, 32, 48, 64)))
    for found in _MESSAGE_DIGEST.finditer(cms):
        length = found[1][0]
        stated = cms[found.end() : found.end() + length]
        if stated in _digests(document, values, (length,)):
            return True
    return False


def _digests(document: Document, values: tuple[int, ...], lengths: tuple[int, ...]) -> list[bytes]:
    names = [name for length in lengths for name in _BY_LENGTH.get(length, ())]
    hashes = [hashlib.new(name) for name in names if name in hashlib.algorithms_available]
    for start, count in (values[0:2], values[2:4]):
        for at in range(start, start + count, _CHUNK):
            chunk = document.data[at : min(at + _CHUNK, start + count)]
            for one in hashes:
                one.update(chunk)
    return [one.digest() for one in hashes]


def _permits(document: Document, signature: Dict, field: Dict) -> int | None:
    """The narrowest level among DocMDP references and the field's own /Lock (12.8.2.2, 12.7.5.5)."""
    levels = []
    for reference in document.array(signature.get("/Reference")):
        dictionary = document.dictionary(reference)
        parameters = document.dictionary(dictionary.get("/TransformParams"))
        method = document.get(dictionary, "/TransformMethod")
        if method == "/DocMDP":
            levels.append(document.resolve(parameters.get("/P", 2)))
        elif method == "/FieldMDP" and "/P" in parameters:
            levels.append(document.get(parameters, "/P"))
    lock = document.dictionary(field.get("/Lock"))
    if "/P" in lock:
        levels.append(document.get(lock, "/P"))
    numbers = [level for level in levels if isinstance(level, int)]
    return min(numbers) if numbers else None


def forbidden(fields: SignatureFields) -> Iterator[Objection]:
    """A signature that forbids any further one, or whose bytes were changed."""
    for signature in fields.signed:
        if signature.permits == _FORBIDS_ALL:
            yield Objection(
                code="no-further-signature",
                zh=f"签名域 {signature.field} 已锁定文件，不得再签",
                en=f"The signature {signature.field} locks the document; no further one is permitted",
                object=signature.object,
            )
        if not signature.intact:
            yield Objection(
                code="signature-not-intact",
                zh=f"签名域 {signature.field} 覆盖的内容已被改动或无法核对",
                en=f"What the signature {signature.field} covers was changed or cannot be checked",
                object=signature.object,
            )


def stray_byte_ranges(document: Document, fields: SignatureFields) -> Iterator[Objection]:
    """A dictionary with a /ByteRange that no field of the form reaches is broken, never "unsigned"."""
    known = {signature.object for signature in fields.signed}
    for found in document.dictionaries():
        if "/ByteRange" in found.dictionary and found.owner not in known:
            yield Objection(
                code="signature-unreachable",
                zh=f"对象 {found.owner} 是没有签名域的签名",
                en=f"Object {found.owner} is a signature that no field holds",
                object=found.owner,
            )


def several_definitions(layout: Layout, fields: SignatureFields) -> Iterator[Objection]:
    """Objects defined more than once, but for revisions that each end in an intact signature; unlisted ones."""
    signed_ends = {signature.end for signature in fields.signed if signature.intact}
    repeated = layout.repeated()
    for number, places in sorted(repeated.items()):
        later = sorted(places)[1:]
        same_place = len({offset for offset, _ in places}) < len(places)
        if same_place or not all(_revision_is_signed(layout, offset, signed_ends) for offset, _ in later):
            yield Objection(
                code="multiple-definitions",
                zh=f"对象 {number} 在文件中有 {len(places)} 个定义，应只有 1 个",
                en=f"Object {number} is defined {len(places)} times in the file, expected once",
                object=f"{number} 0",
            )
    for name, offset in layout.unlisted:
        if int(name.split()[0]) not in repeated:
            yield Objection(
                code="unlisted-object",
                zh=f"偏移 {offset} 处的对象 {name} 不在交叉引用表中",
                en=f"Object {name} at offset {offset} is not in the cross-reference data",
                object=name,
            )


def _revision_is_signed(layout: Layout, offset: int, signed_ends: set[int]) -> bool:
    """Whether the %%EOF that closes the revision of ``offset`` is where an intact signature's ByteRange ends."""
    end = next((end for end in layout.ends if end > offset), 0)
    return any(end <= signed <= end + 2 for signed in signed_ends)

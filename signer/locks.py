"""Signature fields of a document, what earlier signatures forbid, and what ours locks.

ISO 32000-2 12.8.2.2 (DocMDP), 12.8.2.4 (FieldMDP) and 12.7.5.5 (signature field lock dictionaries).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pikepdf import Array, Dictionary, Object

from signer.errors import DocumentRejectedError, PlacementError
from signer.structure import Structure, entries, inherited

NO_CHANGES = 1
"""DocMDP level P=1: nothing may change afterwards but validation data and document time-stamps."""
_DEEPEST = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureField:
    """A signature field, empty or signed; ``name`` is the fully qualified one."""

    name: str
    field: Object

    @property
    def signature(self) -> Dictionary | None:
        """The signature dictionary; None while the field is empty."""
        value = inherited(self.field, "/V")
        return value if isinstance(value, Dictionary) else None

    @property
    def lock(self) -> Dictionary | None:
        """The field's lock dictionary, if it has one."""
        lock = self.field.get("/Lock")
        return lock if isinstance(lock, Dictionary) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What our signature adds: entries of its dictionary, a lock for its field, an entry in ``/Perms``."""

    references: tuple[bytes, ...] = ()
    field_lock: bytes | None = None
    certifies: bool = False


def signature_fields(structure: Structure) -> tuple[SignatureField, ...]:
    """All signature fields under the catalog's ``/AcroForm``. Raises ``DocumentRejectedError`` on a loop."""
    form = structure.catalog.get("/AcroForm")
    fields = form.get("/Fields") if isinstance(form, Dictionary) else None
    return tuple(_walk(fields, "", 0)) if isinstance(fields, Array) else ()


def _walk(fields: Array, prefix: str, depth: int) -> Iterator[SignatureField]:
    if depth > _DEEPEST:
        raise DocumentRejectedError(
            "tree-too-deep",
            f"表单域嵌套超过{_DEEPEST}层，可能成环",
            f"form fields are nested deeper than {_DEEPEST} levels and may form a loop",
        )
    for field in fields:
        if not isinstance(field, Dictionary):
            continue
        name = f"{prefix}.{field['/T']}".lstrip(".") if "/T" in field else prefix
        children = field.get("/Kids")
        if isinstance(children, Array) and any("/T" in child for child in children if isinstance(child, Dictionary)):
            yield from _walk(children, name, depth + 1)
        elif str(inherited(field, "/FT")) == "/Sig":
            yield SignatureField(name=name, field=field)


def protect(
    structure: Structure,
    fields: Sequence[SignatureField],
    *,
    target: SignatureField | None,
    name: str,
    final: bool,
) -> Protection:
    """What to add so that ``final`` holds for a signature in the field ``name``.

    ``target`` is that field when it exists already. ``final`` certifies at P=1 when ours is the only
    signature and locks everything at P=1 on a file that is signed already. Raises
    ``DocumentRejectedError``: ``forbids-signature``, ``empty-signature-fields``, ``field-lock-contradicts``.
    """
    signed = [field for field in fields if field.signature is not None]
    _check_earlier(structure, signed, target=target, name=name)
    waiting = [field.name for field in fields if field.signature is None and field.name != name]
    if final and waiting:
        raise DocumentRejectedError(
            "empty-signature-fields",
            f"文件还有待签的签名域：{'、'.join(waiting)}，不能作为最后一次用印",
            f"signature fields are still empty ({', '.join(waiting)}), so this seal cannot be the final one",
        )
    own = _own_lock(target, strict=final and bool(signed), final=final)
    lock = own or (entries_of_full_lock() if final and signed else None)
    data = structure.catalog.unparse()
    references = (_field_reference(lock, data),) if lock else ()
    certifies = final and not signed
    if certifies:
        references = (_document_reference(), *references)
    return Protection(references=references, field_lock=lock if lock != own else None, certifies=certifies)


def entries_of_full_lock() -> bytes:
    """The entries of a lock on all fields that permits no further change."""
    return b"/Action /All /P %d" % NO_CHANGES


def _own_lock(target: SignatureField | None, *, strict: bool, final: bool) -> bytes | None:
    """The entries of the target's own lock. It must say no more, and with ``strict`` no less, than asked."""
    lock = target.lock if target else None
    if target is None or lock is None:
        return None
    full = str(lock.get("/Action")) == "/All" and lock.get("/P") == NO_CHANGES
    if (strict and not full) or (not final and lock.get("/P") == NO_CHANGES):
        raise DocumentRejectedError(
            "field-lock-contradicts",
            f"签名域 {target.name} 自带的锁定规则与 final={final} 相矛盾",
            f"the lock of signature field {target.name} contradicts final={final}",
        )
    return entries(lock, "/Type")


def _field_reference(lock: bytes, data: bytes) -> bytes:
    return (
        b"<< /Type /SigRef /TransformMethod /FieldMDP /Data %s"
        b" /TransformParams << /Type /TransformParams /V /1.2 %s >> >>" % (data, lock)
    )


def _document_reference() -> bytes:
    return (
        b"<< /Type /SigRef /TransformMethod /DocMDP"
        b" /TransformParams << /Type /TransformParams /V /1.2 /P %d >> >>" % NO_CHANGES
    )


def _check_earlier(
    structure: Structure, signed: Sequence[SignatureField], *, target: SignatureField | None, name: str
) -> None:
    permissions = structure.catalog.get("/Perms")
    certified = permissions.get("/DocMDP") if isinstance(permissions, Dictionary) else None
    locks = [lock for field in signed for lock in _locks(field)]
    if isinstance(certified, Dictionary):
        locks += _reference_parameters(certified)
    by_level = [lock for lock in locks if lock.get("/P") == NO_CHANGES]
    by_field = [lock for lock in locks if _covers(lock, name)]
    # Viewers and pyHanko accept a new visible signature after certification only in a field that was there.
    if by_level or by_field or (certified is not None and target is None):
        raise DocumentRejectedError(
            "forbids-signature",
            "文件中已有的签名（认证签名或锁定）不允许再加盖签名",
            "an earlier signature (certification or lock) forbids a further signature",
        )


def _locks(field: SignatureField) -> Iterator[Dictionary]:
    if field.lock is not None:
        yield field.lock
    if field.signature is not None:
        yield from _reference_parameters(field.signature)


def _reference_parameters(signature: Dictionary) -> list[Dictionary]:
    found = signature.get("/Reference")
    each = [item for item in found if isinstance(item, Dictionary)] if isinstance(found, Array) else []
    parameters = [item.get("/TransformParams") for item in each]
    return [each for each in parameters if isinstance(each, Dictionary)]


def _covers(lock: Dictionary, name: str) -> bool:
    listed = lock.get("/Fields")
    fields = [str(field) for field in listed] if isinstance(listed, Array) else []
    named = any(name == field or name.startswith(f"{field}.") for field in fields)
    match str(lock.get("/Action", "")):
        case "/All":
            return True
        case "/Include":
            return named
        case "/Exclude":
            return not named
        case _:
            return False


def find_empty(fields: Sequence[SignatureField], name: str) -> SignatureField:
    """The empty signature field called ``name``.

    Raises ``PlacementError`` (``field-not-found``, ``field-signed``) or ``DocumentRejectedError``
    (``field-has-conditions``: seed values we would have to obey).
    """
    found = next((field for field in fields if field.name == name), None)
    if found is None:
        known = "、".join(field.name for field in fields) or "无"
        raise PlacementError(
            "field-not-found",
            f"没有名为 {name} 的签名域，现有：{known}",
            f"no signature field {name}, found: {known}",
        )
    if found.signature is not None:
        raise PlacementError(
            "field-signed",
            f"签名域 {name} 已签名，应为空域",
            f"signature field {name} is signed, an empty one is needed",
        )
    if "/SV" in found.field:
        raise DocumentRejectedError(
            "field-has-conditions",
            f"签名域 {name} 带有签名条件（/SV），本系统不按其签名",
            f"signature field {name} sets conditions (/SV), which are not supported",
        )
    return found

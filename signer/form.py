"""The interactive form and the catalog: what a revision with a signature field changes in them."""

from pikepdf import Array, Dictionary, Object

from signer.structure import Structure, entries
from signer.update import Update

_FORM_FLAGS = 1 | 2
"""/SigFlags: signatures exist, and the file may only be appended to."""


def register(structure: Structure, update: Update, field: bytes | None) -> dict[str, bytes]:
    """Put a new field into the interactive form, which keeps its other entries, and set its flags.

    Answers what the catalog must say about it: nothing where the form is an object of its own.
    """
    form = structure.catalog.get("/AcroForm")
    if not isinstance(form, Dictionary):
        return {"/AcroForm": b"<< /Fields [%s] /SigFlags %d >>" % (field or b"", _FORM_FLAGS)}
    changes = {} if form.get("/SigFlags") == _FORM_FLAGS else {"/SigFlags": b"%d" % _FORM_FLAGS}
    listed = form.get("/Fields")
    kept = [each.unparse() for each in listed] if isinstance(listed, Array) else []
    if field and isinstance(listed, Array) and listed.is_indirect:
        update.replace(listed, b"[%s]" % b" ".join([*kept, field]))
    elif field:
        changes["/Fields"] = b"[%s]" % b" ".join([*kept, field])
    if changes and form.is_indirect:
        update.replace(form, changed(form, changes))
    elif changes:
        return {"/AcroForm": changed(form, changes)}
    return {}


def new_name(structure: Structure, stem: str) -> str:
    """A field name, ``stem`` and a number, that no field of the form has."""
    form = structure.catalog.get("/AcroForm")
    listed = form.get("/Fields") if isinstance(form, Dictionary) else None
    fields = [each for each in listed if isinstance(each, Dictionary)] if isinstance(listed, Array) else []
    taken = {str(each.get("/T")) for each in fields}
    return next(name for count in range(1, len(taken) + 2) if (name := f"{stem}{count}") not in taken)


def changed(existing: Object, changes: dict[str, bytes]) -> bytes:
    """The source of a dictionary with some entries written anew."""
    written = b" ".join(b"%s %s" % (key.encode(), value) for key, value in changes.items())
    return b"<< %s %s >>" % (entries(existing, *changes), written)

"""What was done to the file after a signature, and whether the signature allows it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pikepdf
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel, SuspiciousModification
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields

from verify.change_words import sentences
from verify.file_scan import LaterRevision
from verify.object_comparison import TooMuchToCompareError
from verify.pdf_syntax import FileBytes
from verify.revision_changes import Change, Kind, changes_since
from verify.signature_reading import PARSER_ERRORS, Reading, Signatures
from verify.verdict import Finding, doubt, failure, note

NO_CHANGES = 1
"""DocMDP level P=1 (ISO 32000-2 table 257): validation data and document time-stamps only."""
ANNOTATIONS = 3
"""DocMDP level P=3: annotations as well."""
_DEFAULT_LEVEL = 2
_LINE_END = 2
_MOST_TOLD = 20
_ALWAYS: frozenset[Kind] = frozenset({"validation_data", "timestamp_added", "properties"})
_FILLING: frozenset[Kind] = frozenset(
    {"signature_added", "signature_field_added", "field_changed", "structure", "form_entry", "title"}
)
ANNOTATING: frozenset[Kind] = frozenset({"annotation_added", "annotation_removed", "annotation_changed"})


def permitted_level(reading: Reading) -> int | None:
    """The strictest level that DocMDP, FieldMDP or the field's lock set, read as they were when signed.

    ISO 32000-2 12.8.2.2, 12.8.2.4, 12.7.5.5. Raises what pyHanko raises for an object it cannot read.
    """
    references = reading.written.members.get(b"Reference")
    levels = [] if references is None else list(_reference_levels(reading))
    lock = _field_then(reading).get("/Lock")
    if lock is not None:
        levels += _level(lock.get_object())
    return min(levels, default=None)


def _field_then(reading: Reading) -> Any:  # noqa: ANN401  pyHanko's own object
    if reading.last_revision:
        return reading.dictionary
    then = reading.reader.get_historical_resolver(reading.revision)
    try:
        for _, value, field in enumerate_sig_fields(then):
            if value is not None and field.get_object().raw_get("/V").reference == reading.reference:
                return field.get_object()
    except PARSER_ERRORS:
        return reading.dictionary  # the signed revision cannot be read: its digest says so
    return reading.dictionary  # a form that was rewritten since; the difference analysis says so


def _reference_levels(reading: Reading) -> Iterator[int]:
    array = reading.written.members[b"Reference"]
    parameters = [each.members.get(b"TransformParams") for each in array.items]
    if array.kind != "array" or any(each is None or each.kind != "dictionary" for each in parameters):
        yield from _indirect_levels(reading.embedded().sig_object)
        return
    for reference, found in zip(array.items, parameters, strict=True):
        level = found.members.get(b"P") if found else None
        method = reference.members.get(b"TransformMethod")
        if level is not None:
            yield level.integer()
        elif method is not None and method.text == b"DocMDP":
            yield _DEFAULT_LEVEL


def _indirect_levels(signature: DictionaryObject) -> Iterator[int]:
    """Where parts of the reference stand in objects of their own."""
    for reference in signature.get("/Reference", ArrayObject()):
        parameters = reference.get_object().get("/TransformParams")
        method = str(reference.get_object().get("/TransformMethod"))
        if parameters is not None:
            yield from _level(parameters.get_object()) or ([_DEFAULT_LEVEL] if method == "/DocMDP" else [])


def _level(parameters: Any) -> list[int]:  # noqa: ANN401  pyHanko's own object
    level = parameters.get("/P")
    return [int(level)] if level is not None else []


def judge_changes(data: FileBytes, reading: Reading, signatures: Signatures, *, lenient: bool) -> tuple[Finding, ...]:
    """What was appended to the file ``data`` after this signature."""
    if nothing_follows(data, reading):
        return ()
    if lenient or signatures.reader.xrefs.hybrid_xrefs_present:
        return (
            doubt(
                "later_changes_unclear",
                "签名之后有追加内容，而文件结构不规范，无法确定改了什么",
                "something was appended after the signature, and the file's structure is too irregular to tell what",
            ),
        )
    found: list[Finding] = []
    try:
        found.extend(_differences(data, reading, signatures))  # keeps what came before an error
    except (*PARSER_ERRORS, pikepdf.PdfError, TooMuchToCompareError) as error:
        found.append(
            doubt(
                "later_changes_unclear",
                f"签名之后追加的内容无法分析（{type(error).__name__}）",
                f"what was appended after the signature cannot be analysed ({type(error).__name__})",
            )
        )
    return tuple(found)


def nothing_follows(data: FileBytes, reading: Reading) -> bool:
    """Whether at most the line end behind ``%%EOF`` stands after this signature."""
    return reading.written.covered_end >= len(data) - _LINE_END


def differences(data: FileBytes, reading: Reading, signatures: Signatures) -> tuple[Change, ...]:
    """What the file says otherwise than it did when this signature was made, permitted or not.

    Raises ``pikepdf.PdfError`` and :class:`verify.object_comparison.TooMuchToCompareError`.
    """
    xrefs = signatures.reader.xrefs
    later = range(reading.revision + 1, xrefs.total_revisions)
    written = {
        (reference.idnum, reference.generation)
        for revision in later
        for reference in (*xrefs.explicit_refs_in_revision(revision), *xrefs.refs_freed_in_revision(revision))
    }
    return changes_since(data, reading.written.covered_end, written)


def permitted_kinds(level: int | None) -> frozenset[Kind]:
    """What may differ behind a signature of this DocMDP level (None: without one); ISO 32000-2 table 257."""
    return _ALWAYS if level == NO_CHANGES else _ALWAYS | _FILLING


def _differences(data: FileBytes, reading: Reading, signatures: Signatures) -> Iterator[Finding]:
    level = permitted_level(reading)
    try:
        found = differences(data, reading, signatures)
    except (pikepdf.PdfError, TooMuchToCompareError):
        yield from _by_library(reading, signatures, level)
        raise
    forbidden = [each for each in found if each.kind not in permitted_kinds(level)]
    if forbidden and level == ANNOTATIONS and all(each.kind in ANNOTATING for each in forbidden):
        yield from _told(_annotated, forbidden, data, reading)
        return
    yield from _told(_changed, forbidden, data, reading)
    if not forbidden:
        yield from _by_library(reading, signatures, level)
    allowed = [each for each in found if each not in forbidden]
    if allowed and not forbidden:
        words = sentences(allowed[:_MOST_TOLD], data, reading.written.covered_end)
        yield note(
            "permitted_later_changes",
            f"签名之后追加了签名允许的内容：{'；'.join(each.zh for each in words)}",
            f"something that the signature permits was appended after it: {'; '.join(each.en for each in words)}",
        )


def _told(
    finding: Callable[[str, str], Finding], changes: list[Change], data: FileBytes, reading: Reading
) -> Iterator[Finding]:
    """One finding for each change, up to a number of them."""
    for words in sentences(changes[:_MOST_TOLD], data, reading.written.covered_end):
        yield finding(words.zh, words.en)
    if more := len(changes[_MOST_TOLD:]):
        yield finding(f"另有{more}处改动", f"{more} further changes")


def _by_library(reading: Reading, signatures: Signatures, level: int | None) -> Iterator[Finding]:
    """The second opinion: pyHanko's difference analysis, revision by revision."""
    result = _review(reading, signatures)
    if not isinstance(result, DiffResult):
        yield _changed(f"出现不允许的改动（{result}）", f"a change that is not permitted ({result})")
    elif level is not None and result.modification_level.value > level:
        yield _changed(
            f"改动程度为 {result.modification_level.name}，签名只允许 P={level}",
            f"changes of the kind {result.modification_level.name}, where the signature permits P={level}",
        )
    elif level == NO_CHANGES:
        yield from _not_timestamps(reading, signatures)


def _review(reading: Reading, signatures: Signatures) -> DiffResult | SuspiciousModification:
    """Each later revision is held against the one before it, once for all signatures that permit the same.

    Where the signature locks fields, all of them are held against the signed revision.
    """
    embedded, reader = reading.embedded(), signatures.reader
    if embedded.fieldmdp is not None:
        return DEFAULT_DIFF_POLICY.review_file(
            reader, reading.revision, field_mdp_spec=embedded.fieldmdp, doc_mdp=embedded.docmdp_level
        )
    worst = DiffResult(ModificationLevel.NONE, set())
    for revision in range(reading.revision + 1, reader.xrefs.total_revisions):
        result = _step(revision, signatures, embedded.docmdp_level)
        if not isinstance(result, DiffResult):
            return result
        worst = max(worst, result, key=lambda each: each.modification_level.value)
    return worst


def _step(revision: int, signatures: Signatures, doc_mdp: MDPPerm | None) -> DiffResult | SuspiciousModification:
    known = signatures.reviews.get((revision, doc_mdp))
    if known is not None:
        return known
    before, after = (signatures.reader.get_historical_resolver(each) for each in (revision - 1, revision))
    result: DiffResult | SuspiciousModification
    try:
        result = DEFAULT_DIFF_POLICY.apply(before, after, doc_mdp=doc_mdp)
    except SuspiciousModification as suspicion:
        result = suspicion
    signatures.reviews[revision, doc_mdp] = result
    return result


def _not_timestamps(reading: Reading, signatures: Signatures) -> Iterator[Finding]:
    """New signature fields behind a locking seal: invisible document time-stamps alone are permitted."""
    before = {str(name) for name, _, _ in enumerate_sig_fields(_then(reading, signatures.reader))}
    new = [each for each in signatures.readings if each.field not in before]
    for each in new:
        if not each.is_timestamp or _visible(each):
            yield _changed(f"追加了签名域 {each.field}", f"a signature field was added: {each.field}")
    for name in signatures.empty_fields:
        if name not in before:
            yield _changed(f"追加了空签名域 {name}", f"an empty signature field was added: {name}")


def _then(reading: Reading, reader: PdfFileReader) -> Any:  # noqa: ANN401  pyHanko's own object
    return reader.get_historical_resolver(reading.revision)


def _visible(reading: Reading) -> bool:
    rectangle = reading.dictionary.get("/Rect", ArrayObject())
    left, bottom, right, top = (float(each) for each in rectangle) if len(rectangle) else (0.0,) * 4
    return left != right and bottom != top


def strictly_from(readings: Sequence[Reading]) -> int:
    """From where on every byte must belong to a well-formed revision: the end of the first signature that locks.

    Whoever signs after that, a stranger too, only covers what must already be right. Without a lock it is the end of
    the last signature.
    """
    locking = [each.written.covered_end for each in readings if permitted_level(each) == NO_CHANGES]
    return min(locking) if locking else max(each.written.covered_end for each in readings)


def judge_tail(tail: list[LaterRevision], signatures: Signatures) -> tuple[Finding, ...]:
    """Whether the revisions that no signature covers are what the cross-reference data says, object by object."""
    xrefs = signatures.reader.xrefs
    total = xrefs.total_revisions
    if len(tail) > total - 1:
        return (_hidden("修订数与交叉引用表不符", "the revisions are not those of the cross-reference data"),)
    for revision, found in zip(range(total - len(tail), total), tail, strict=True):
        if xrefs.get_startxref_for_revision(revision) != found.startxref:
            return (_hidden("修订与交叉引用表不符", "a revision is not the one of the cross-reference data"),)
        listed = {(ref.idnum, ref.generation): ref for ref in xrefs.explicit_refs_in_revision(revision)}
        places = {key: xrefs.get_historical_ref(ref, revision) for key, ref in listed.items()}
        in_file = {key: place for key, place in places.items() if isinstance(place, int)}
        unlisted = {key for key, at in found.objects.items() if key not in in_file and at != found.startxref}
        if unlisted or any(found.objects.get(key) != place for key, place in in_file.items()):
            return (_hidden("有未列入或另有所指的对象", "an object is not listed, or the table points somewhere else"),)
    return ()


def _changed(zh: str, en: str) -> Finding:
    return failure("changed_after_sealing", f"签名之后文件被改动：{zh}", f"changed after the signature: {en}")


def _annotated(zh: str, en: str) -> Finding:
    return doubt(
        "annotated_after_signing",
        f"签名之后加了批注，签名允许（P=3），但批注不在签名之内：{zh}",
        f"annotated after the signature, which permits it (P=3), but does not vouch for it: {en}",
    )


def _hidden(zh: str, en: str) -> Finding:
    return failure(
        "uncovered_bytes",
        f"签名未覆盖的内容不是规范的修订：{zh}",
        f"bytes that no signature covers are not a well-formed revision: {en}",
        "FORMAT_FAILURE",
    )

"""What is drawn or rewired after sealing by a well-formed update: shadow, evil annotation, sneaky signature and kin.

"Shadow Attacks" (hide, replace, hide-and-replace), "Breaking the Specification" (evil annotation, sneaky signature),
and the later attacks on the appearance and the dictionary of a signature field.
"""

from collections.abc import Callable, Iterator

from attacks.base import Base
from attacks.case import FAILED, UNCLEAR, Case
from attacks.incremental import Update, stream
from attacks.saving import FORGED, put_content
from attacks.stranger import with_field
from pikepdf import Array, Dictionary, Name, String
from pyhanko.sign.fields import MDPPerm

CHANGED = ("changed_after_sealing",)
COVER = b"1 g 0 0 400 80 re f 0 g 10 20 80 30 re f"
BOX = (60, 680, 460, 760)

Edit = Callable[[Update], None]


def _written(data: bytes, edit: Edit) -> bytes:
    update = Update(data)
    edit(update)
    return update.write()


def _page(key: str, value: object) -> Edit:
    def edit(update: Update) -> None:
        page = update.page
        page[key] = value
        update.put(page)

    return edit


def _root(key: str, value: object) -> Edit:
    def edit(update: Update) -> None:
        root = update.pdf.Root
        if value is None:
            del root[key]
        else:
            root[key] = value
        update.put(root)

    return edit


def _font_replaced(update: Update) -> None:
    """Every font of the page becomes another one: the same codes, other characters."""
    page = update.page
    fonts = page.Resources.Font
    for name in list(fonts.keys()):
        number = fonts[name].objgen[0]
        update.objects[number] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"


def _resources_replaced(update: Update) -> None:
    page = update.page
    page.Resources = Dictionary()
    update.put(page)


def _content_replaced(update: Update) -> None:
    put_content(update, FORGED)


def _content_in_place(update: Update) -> None:
    """The content stream itself is written again under its own number."""
    contents = update.page.Contents
    first = contents[0] if isinstance(contents, Array) else contents
    update.put_stream(first.objgen[0], b"", FORGED)


def _other_tree(update: Update) -> None:
    """A second page tree with other pages; the catalog points there."""
    content = update.add(stream(b"", FORGED))
    root = update.pdf.Root
    tree = update._next + 1
    page = update.add(b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R >>" % (tree, content))
    number = update.add(b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % page)
    if number != tree:
        raise AssertionError(number)
    body = root.unparse(resolved=True).replace(b"/Pages " + root.Pages.unparse(), b"/Pages %d 0 R" % number)
    update.objects[root.objgen[0]] = body


def _page_added(update: Update) -> None:
    content = update.add(stream(b"", FORGED))
    tree = update.pdf.Root.Pages
    page = update.add(
        b"<< /Type /Page /Parent %s /MediaBox [0 0 595 842] /Contents %d 0 R >>" % (tree.unparse(), content)
    )
    kids = b" ".join(each.unparse() for each in tree.Kids)
    update.objects[tree.objgen[0]] = b"<< /Type /Pages /Kids [%s %d 0 R] /Count %d >>" % (
        kids,
        page,
        len(tree.Kids) + 1,
    )


def _kids(order: Callable[[list[bytes]], list[bytes]]) -> Edit:
    def edit(update: Update) -> None:
        tree = update.pdf.Root.Pages
        kids = order([each.unparse() for each in tree.Kids])
        update.objects[tree.objgen[0]] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))

    return edit


def _layers(update: Update) -> None:
    group = update.add(b"<< /Type /OCG /Name (x) >>")
    root = update.pdf.Root
    body = root.unparse(resolved=True)
    own = b"/OCProperties << /OCGs [%d 0 R] /D << /OFF [%d 0 R] >> >> >>" % (group, group)
    update.objects[root.objgen[0]] = body[: body.rindex(b">>")] + own


SHADOW: dict[str, Edit] = {
    "replace-content-object": _content_replaced,
    "replace-content-in-place": _content_in_place,
    "replace-fonts": _font_replaced,
    "replace-resources": _resources_replaced,
    "hide-and-replace-page-tree": _other_tree,
    "hide-page-box": _page("/MediaBox", Array([0, 0, 200, 200])),
    "hide-crop-box": _page("/CropBox", Array([0, 0, 200, 200])),
    "replace-rotate": _page("/Rotate", 180),
    "replace-user-unit": _page("/UserUnit", 3),
    "hide-layers": _layers,
    "replace-open-action": _root("/OpenAction", Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))),
    "replace-names": _root("/Names", Dictionary(JavaScript=Dictionary(Names=Array([])))),
    "replace-page-action": _page("/AA", Dictionary(O=Dictionary(S=Name.JavaScript, JS=String("1")))),
    "replace-page-labels": _root("/PageLabels", Dictionary(Nums=Array([0, Dictionary(S=Name.D, St=9)]))),
    "page-added": _page_added,
}
TREE: dict[str, Edit] = {
    "page-removed": _kids(lambda kids: kids[:-1]),
    "pages-swapped": _kids(lambda kids: [*kids[1:], kids[0]]),
    "page-doubled": _kids(lambda kids: [*kids, kids[0]]),
}

_MARKS: dict[str, bytes] = {
    "FreeText": b"/DA (/Helv 12 Tf 0 g) /Contents (PAID)",
    "Stamp": b"/Name /Approved",
    "Square": b"/IC [1 1 1] /C [1 1 1]",
    "Circle": b"/IC [1 1 1]",
    "Redact": b"/IC [0 0 0]",
    "Highlight": b"/QuadPoints [60 760 460 760 60 680 460 680] /C [1 1 1]",
    "Ink": b"/InkList [[60 700 460 740]] /BS << /W 40 >> /C [1 1 1]",
    "Line": b"/L [60 720 460 720] /BS << /W 40 >>",
    "Text": b"/Contents (see here)",
    "Link": b"/A << /S /URI /URI (https://evil.example) >>",
    "FileAttachment": b"/Name /Paperclip",
    "Watermark": b"",
}


def _mark(kind: str) -> Edit:
    def edit(update: Update) -> None:
        look = update.add_form(COVER, (0, 0, 400, 80))
        entries = b"<< /Type /Annot /Subtype /%s /Rect [%d %d %d %d] /F 4 %s /AP << /N %d 0 R >> >>"
        update.annotate(update.add(entries % (kind.encode(), *BOX, _MARKS[kind], look)))

    return edit


def _text_field(update: Update, *, signature: bool = False) -> None:
    """A widget over the text, with a look of its own."""
    look = update.add_form(COVER, (0, 0, 400, 80))
    kind = b"/FT /Sig" if signature else b"/FT /Tx /V (1000000)"
    entries = b"<< /Type /Annot /Subtype /Widget %s /T (Evil) /Rect [%d %d %d %d] /F 4 /AP << /N %d 0 R >> >>"
    number = update.add(entries % (kind, *BOX, look))
    update.annotate(number)
    _add_to_form(update, number)


def _add_to_form(update: Update, number: int) -> None:
    root = update.pdf.Root
    form = root.AcroForm
    listed = b" ".join(each.unparse() for each in form.Fields)
    body = form.unparse(resolved=True).replace(
        b"/Fields " + form.Fields.unparse(), b"/Fields [ %s %d 0 R ]" % (listed, number)
    )
    if form.is_indirect:
        update.objects[form.objgen[0]] = body
    else:
        whole = root.unparse(resolved=True)
        update.objects[root.objgen[0]] = whole.replace(b"/AcroForm " + form.unparse(), b"/AcroForm " + body)


# The dictionary of the signature field, and more pictures of the same signature


def _seal(key: str, value: object) -> Edit:
    def edit(update: Update) -> None:
        seal = update.seal
        if value is None:
            if key in seal:
                del seal[key]
        else:
            seal[key] = value
        update.put(seal)

    return edit


def _look_replaced(update: Update) -> None:
    number = update.add_form(COVER, (0, 0, 400, 80))
    seal = update.seal
    body = seal.unparse(resolved=True).replace(b"/AP " + seal.AP.unparse(), b"/AP << /N %d 0 R >>" % number)
    update.objects[seal.objgen[0]] = body


def _look_overwritten(update: Update) -> None:
    look = update.seal.AP.N
    update.put_stream(look.objgen[0], b"/Type /XObject /Subtype /Form /BBox [0 0 400 80]", COVER)


def _look_of_another_object(update: Update) -> None:
    """The appearance is pointed at a stream that was in the file already: nothing new is written."""
    page = update.page
    contents = page.Contents[0] if isinstance(page.Contents, Array) else page.Contents
    seal = update.seal
    seal.AP = Dictionary(N=contents)
    update.put(seal)


def _value_elsewhere(update: Update) -> None:
    number = update.add(b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached >>")
    seal = update.seal
    body = seal.unparse(resolved=True).replace(b"/V " + seal.V.unparse(), b"/V %d 0 R" % number)
    update.objects[seal.objgen[0]] = body


def _second_widget(update: Update) -> None:
    """One more widget that shows the same signature, over the text."""
    seal = update.seal
    entries = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T %s /V %s /Rect [%d %d %d %d] /F 132 /AP %s >>"
    body = entries % (seal.T.unparse(), seal.V.unparse(), *BOX, seal.AP.unparse())
    update.annotate(update.add(body))


def _widget_below(update: Update) -> None:
    """A widget whose parent is the sealed field."""
    look = update.add_form(COVER, (0, 0, 400, 80))
    entries = b"<< /Type /Annot /Subtype /Widget /Parent %s /Rect [%d %d %d %d] /F 4 /AP << /N %d 0 R >> >>"
    update.annotate(update.add(entries % (update.seal.unparse(), *BOX, look)))


def _stamp_like_a_seal(update: Update) -> None:
    """The face of the seal once more, as a stamp that belongs to no signature."""
    entries = b"<< /Type /Annot /Subtype /Stamp /Rect [%d %d %d %d] /F 4 /AP %s >>"
    update.annotate(update.add(entries % (*BOX, update.seal.AP.unparse())))


def _field_with_the_same_value(update: Update) -> None:
    seal = update.seal
    look = update.add_form(COVER, (0, 0, 400, 80))
    entries = (
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Twin) /V %s /Rect [%d %d %d %d] /F 132 /AP << /N %d 0 R >> >>"
    )
    number = update.add(entries % (seal.V.unparse(), *BOX, look))
    update.annotate(number)
    _add_to_form(update, number)


APPEARANCE: dict[str, Edit] = {
    "second-widget": _second_widget,
    "widget-below-the-field": _widget_below,
    "stamp-like-the-seal": _stamp_like_a_seal,
    "field-with-the-same-value": _field_with_the_same_value,
}
DICTIONARY: dict[str, Edit] = {
    "look-replaced": _look_replaced,
    "look-overwritten": _look_overwritten,
    "look-of-another-object": _look_of_another_object,
    "look-removed": _seal("/AP", None),
    "moved": _seal("/Rect", Array(BOX)),
    "enlarged": _seal("/Rect", Array([0, 0, 595, 842])),
    "hidden": _seal("/F", 2),
    "renamed": _seal("/T", String("Renamed")),
    "lock-dropped": _seal("/Lock", None),
    "lock-changed": _seal("/Lock", Dictionary(Type=Name.SigFieldLock, Action=Name.All, P=3)),
    "value-elsewhere": _value_elsewhere,
    "value-dropped": _seal("/V", None),
    "kind-changed": _seal("/FT", Name.Tx),
    "action-added": _seal("/A", Dictionary(S=Name.JavaScript, JS=String("1"))),
}
LOCKS = frozenset({"lock-dropped", "lock-changed"})
"""Of the second seal, which has a lock of its own."""
FORM: dict[str, Edit] = {
    "form-removed": _root("/AcroForm", None),
    "form-empty": _root("/AcroForm", Dictionary(Fields=Array([]))),
    "form-of-no-dictionary": _root("/AcroForm", 5),
    "fields-of-no-array": _root("/AcroForm", Dictionary(Fields=7)),
    "xfa": _root("/AcroForm", Dictionary(Fields=Array([]), XFA=String("x"))),
}


def _certified(base: Base, level: MDPPerm) -> bytes:
    """A file of a stranger, certified at this level: our own seals lock or do not certify."""
    return base.stranger.sign(base["pages"].data[: _source_length(base)], certify=level, name="Author")


def _source_length(base: Base) -> int:
    return int(base["pages"].receipt.evidence.openings["document"].value["source_length"])


def _foreign(name: str, level: MDPPerm, edit: Edit, family: str) -> Case:
    p3 = level is MDPPerm.ANNOTATE
    return Case(
        family=family,
        name=f"{name}-at-P{level.value}",
        make=lambda base: _written(_certified(base, level), edit),
        codes=("annotated_after_signing",) if p3 and family == "evil-annotation" else CHANGED,
        expected=FAILED,
        of=None,
        trust=lambda base: base.trusting_stranger(),
    )


def cases() -> Iterator[Case]:
    """All families of this module."""
    yield from _on("shadow", SHADOW, "final", CHANGED)
    yield from _on("shadow", TREE, "pages", CHANGED)
    yield from _on("evil-annotation", {kind: _mark(kind) for kind in _MARKS}, "final", CHANGED)
    few = {kind: _mark(kind) for kind in ("FreeText", "Stamp", "Highlight")} | {"Widget": _text_field}
    yield from _on("evil-annotation", {"Widget": _text_field}, "final", CHANGED)
    yield from _on("evil-annotation", few, "unlocked", CHANGED)
    for level in (MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE):
        for kind, edit in few.items():
            found = _foreign(kind, level, edit, "evil-annotation")
            by_level = level is MDPPerm.ANNOTATE and kind != "Widget"
            codes = ("annotated_after_signing",) if by_level else CHANGED
            yield Case(**_as(found, codes=codes, expected=UNCLEAR if by_level else FAILED))
    yield from _sneaky()
    yield from _on("signature-appearance", APPEARANCE, "final", (*CHANGED, "signature_malformed"))
    yield from _on("signature-appearance", APPEARANCE, "unlocked", (*CHANGED, "signature_malformed"))
    broken = ("signature_unreachable", "signature_malformed", "pdf_broken", *CHANGED)
    yield from _on("signature-dictionary", DICTIONARY, "final", broken, leave_out=LOCKS)
    yield from _on("signature-dictionary", {name: DICTIONARY[name] for name in sorted(LOCKS)}, "twice", broken)
    yield from _on("signature-dictionary", DICTIONARY, "unlocked", broken, leave_out=LOCKS)
    yield from _on("removed-form", FORM, "final", broken)


def _as(case: Case, **changed: object) -> dict[str, object]:
    names = ("family", "name", "make", "codes", "expected", "of", "trust", "now", "bounded")
    return {name: getattr(case, name) for name in names} | changed


def _on(
    family: str, edits: dict[str, Edit], of: str, codes: tuple[str, ...], leave_out: frozenset[str] = frozenset()
) -> Iterator[Case]:
    for name, edit in edits.items():
        if name in leave_out:
            continue
        yield Case(
            family=family,
            name=name if of != "unlocked" else f"{name}-without-lock",
            make=lambda base, edit=edit: _written(base[of].data, edit),
            codes=codes,
            of=of,
        )


def _sneaky() -> Iterator[Case]:
    """A signature whose picture covers what was signed."""
    locked = {"family": "sneaky-signature", "codes": CHANGED}
    yield Case(name="signed-at-P1", make=lambda base: base.stranger.sign(base.final, box=BOX), **locked)
    yield Case(name="time-stamp-at-P1", make=lambda base: base.stranger.timestamp(base.final, box=BOX), **locked)
    yield Case(name="empty-field-at-P1", make=lambda base: _written(base.final, _empty_field), **locked)
    yield Case(name="invisible-at-P1", make=lambda base: base.stranger.sign(base.final), **locked)
    yield Case(
        name="empty-field-without-lock",
        make=lambda base: _written(base.unlocked, _empty_field),
        of="unlocked",
        family="sneaky-signature",
        codes=("signature_covers_content", "looks_different", *CHANGED),
        expected=UNCLEAR,
    )
    covering = {"family": "sneaky-signature", "codes": ("signature_covers_content",), "expected": UNCLEAR}
    yield Case(
        name="signed-without-lock", of="unlocked", make=lambda base: _covering(base, base.unlocked),
        trust=lambda base: base.trusting_stranger(), **covering,
    )  # fmt: skip
    for level in (MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE):
        yield Case(
            name=f"signed-at-P{level.value}", of=None,
            make=lambda base, level=level: _covering(base, _certified(base, level)),
            trust=lambda base: base.trusting_stranger(), family="sneaky-signature", codes=CHANGED,
        )  # fmt: skip
        yield Case(
            name=f"signed-in-a-waiting-field-at-P{level.value}", of=None,
            make=lambda base, level=level: _filled(base, level),
            trust=lambda base: base.trusting_stranger(), **covering,
        )  # fmt: skip
    yield Case(
        name="empty-field-at-P2", of=None, trust=lambda base: base.trusting_stranger(),
        family="sneaky-signature", codes=CHANGED,
        make=lambda base: _written(_certified(base, MDPPerm.FILL_FORMS), _empty_field),
    )  # fmt: skip


def _filled(base: Base, level: MDPPerm) -> bytes:
    """A field that waited over the text when the file was certified gets an opaque picture and is signed."""
    source = base["pages"].data[: _source_length(base)]
    waiting = base.stranger.sign(with_field(source, "Evil", BOX), certify=level, name="Author")
    return base.stranger.sign(waiting, name="Evil", cover=True)


def _empty_field(update: Update) -> None:
    _text_field(update, signature=True)


def _covering(base: Base, data: bytes) -> bytes:
    """An empty field with an opaque picture over the text, which a trusted stranger then signs."""
    return base.stranger.sign(_written(data, _empty_field), name="Evil", cover=True)

"""An installation with documents to show, and the real server over it: for the page tests and the screenshots."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore
from servers import Server, running
from sqlalchemy import select
from world import CITY, ORGANS, World, build_world, letter

from registry.store import Act, Actor
from sealing import receipts
from sealing.administration.document_status import StatusRequest, set_status
from sealing.administration.seals import SealPolicy
from sealing.clock import utc_now
from sealing.impressions import get
from sealing.seal import Sealer
from sealing.tables import impressions
from sealing.workshop import open_workshop

HOSTILE = "<script>document.title='owned'</script>\"'><img src=x onerror=alert(1)>"
"""Does something where a page forgets to escape it."""

MARKED = SealPolicy(level="PAdES-B-B", check_mark="qr")
"""Seals with a QR code beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file, and what is printed on it."""

    path: Path
    number: str = ""
    code: str = ""
    receipt: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running server and the files a visitor may bring."""

    server: Server
    folder: Path
    genuine: Document
    annulled: Document
    covered: Path
    tampered: Path
    foreign: Path
    plain: Path

    def url(self, path: str) -> str:
        return self.server.address + path


@contextmanager
def open_site(folder: Path, **changed: str) -> Iterator[Site]:
    """Seal two documents, spoil copies of them, and serve; ``changed`` are settings of the server."""
    settings, plan = build_world(folder / "data", utc_now(), policy=MARKED)
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        genuine, annulled = _sealed(world, folder, "city"), _sealed(world, folder, "forest")
        _annul(world, annulled)
    data = genuine.path.read_bytes()
    with running(settings, folder, **changed) as server:
        yield Site(
            server=server,
            folder=folder,
            genuine=genuine,
            annulled=annulled,
            covered=_written(folder / "covered.pdf", covered(data)),
            tampered=_written(folder / "tampered.pdf", _flipped(data)),
            foreign=_written(folder / "foreign.pdf", foreign_pdf()),
            plain=_written(folder / "plain.pdf", letter(("公告", ORGANS[CITY][0], "2026年11月2日"))),
        )


def foreign_pdf() -> bytes:
    """A visible signature by somebody else, whose certificate and field bear hostile names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, HOSTILE[:64]), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "甲<b>")]
    )
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    now = utc_now()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1)).add_extension(usage, critical=True)
    certificate = builder.sign(key, SHA256()).public_bytes(Encoding.DER)
    signer = SimpleSigner(
        asn1_x509.Certificate.load(certificate),
        keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        SimpleCertificateStore(),
    )
    writer = IncrementalPdfFileWriter(BytesIO(letter(("信函", "某公司", "2026年11月2日"))))
    field = SigFieldSpec("A<i>b</i>", box=(300, 480, 420, 560))
    meta = PdfSignatureMetadata(field_name="A<i>b</i>", reason=HOSTILE)
    signed: bytes = PdfSigner(meta, signer, new_field_spec=field).sign_pdf(writer).getvalue()
    return signed


def covered(data: bytes) -> bytes:
    """The first lines of the first page under a white rectangle, in a well-formed revision of its own."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    box = ArrayObject([NumberObject(each) for each in (70, 700, 400, 790)])
    look = StreamObject(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): box,
        },
        stream_data=b"1 1 1 rg 70 700 330 90 re f",
    )
    note = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/Stamp"),
            NameObject("/Rect"): box,
            NameObject("/F"): NumberObject(4),
            NameObject("/AP"): DictionaryObject({NameObject("/N"): writer.add_object(look)}),
        }
    )
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Annots"].append(writer.add_object(note))
    writer.update_container(page["/Annots"])
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _sealed(world: World, folder: Path, name: str) -> Document:
    submission = world.submission(name, folder)
    outcome = Sealer(world.shop).seal(submission, world.clients["platform"])
    assert outcome.impression is not None, outcome.findings
    with world.shop.database.read() as connection:
        row = get(connection, outcome.impression)
    sealed = world.shop.documents.read_path(row.sealed_digest).read_bytes()
    receipt = receipts.receipt(world.shop, row, utc_now()).to_bytes()
    return Document(
        path=_written(folder / f"{name}.pdf", sealed),
        number=submission.order.document_number,
        code=check_code(world, outcome.impression),
        receipt=_written(folder / f"{name}.receipt.json", receipt),
    )


def check_code(world: World, impression: str) -> str:
    """The code that stands beside the seal of ``impression``, from the record."""
    with world.shop.database.read() as connection:
        document = world.shop.book.entry(connection, get(connection, impression).entry).value("document")
    assert isinstance(document, dict)
    return str(document["check_code"])


def _annul(world: World, document: Document) -> None:
    digest = "sha256:" + sha256(document.path.read_bytes()).hexdigest()
    with world.shop.database.read() as connection:
        row = connection.execute(select(impressions).where(impressions.c.sealed_digest == digest)).one()
    now = utc_now()
    act = Act(by=Actor(id="per-" + "a" * 26, name="示例", organ=row.grantor), why="听证后撤销", now=now)
    request = StatusRequest(status="annulled", effective=now.date(), document="兴林撤〔2026〕1号")
    set_status(world.shop, row.id, request, act)


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 5
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path

"""Real keys and certificates, PDFs of every structure, and the three programs that judge a sealed file."""

import io
import re
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
import typst
from asn1crypto.x509 import Certificate as OracleCertificate
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Page, Pdf, String
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from signer.byte_layout import Layout
from signer.face import Face
from signer.placement import Spot
from signer.prepare import prepare
from signer.seal_file import Prepared, SealedFile, embed, measure

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

# Drawn by hand, so that these tests stand without fonts: a frame, a wedge that shows which way is up, a bar
# that shows where left is.
FACE = Face(
    diameter=119.055,
    diameter_mm=Decimal(42),
    operators=(b"q 0 0 119.055 119.055 re 3 3 113 113 re f* 30 20 m 100 20 l 60 100 l h f 8 50 10 20 re f Q\n"),
    path="",
)


@dataclass(slots=True, kw_only=True)
class Signatory:
    """A real key with a certificate under a root of its own; counts how often the key is used."""

    algorithm: str
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    chain: tuple[bytes, ...]
    root: x509.Certificate
    uses: list[bytes] = field(default_factory=list)

    def sign(self, message: bytes) -> bytes:
        self.uses.append(message)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), SHA256())
        return self.key.sign(message, ec.ECDSA(SHA256()))


def _name(text: str) -> x509.Name:
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "CN")
    organ = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "测试单位")
    return x509.Name([country, organ, x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: str, public: x509.base.CertificatePublicKeyTypes, root_key: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=not ca, content_commitment=not ca, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("测试根"))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime.now(UTC) + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(issuer_id, critical=False)
        .sign(root_key, SHA256())
    )


def _signatory(algorithm: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Signatory:
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("测试根", root_key.public_key(), root_key, ca=True)
    own = _certificate("测试专用章（12）", key.public_key(), root_key, ca=False)
    chain = (own.public_bytes(Encoding.DER), root.public_bytes(Encoding.DER))
    return Signatory(algorithm=algorithm, key=key, chain=chain, root=root)


@pytest.fixture(scope="session")
def p256() -> Signatory:
    return _signatory("ecdsa-p256-sha256", ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="session")
def rsa3072() -> Signatory:
    return _signatory("rsa3072-sha256", rsa.generate_private_key(65537, 3072))


@pytest.fixture(params=["p256", "rsa3072"])
def signatory(request: pytest.FixtureRequest) -> Signatory:
    """Each kind of key in turn."""
    return request.getfixturevalue(request.param)


def blank(pages: int = 1) -> Pdf:
    """Pages with a line of text; their size is inherited from the page tree."""
    pdf = Pdf.new()
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    for number in range(pages):
        text = pdf.make_stream(b"BT /F1 24 Tf 72 700 Td (Page %d of %d) Tj ET" % (number + 1, pages))
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, 595, 842]),
            Contents=text,
            Resources=Dictionary(Font=Dictionary(F1=font)),
        )
        pdf.pages.append(Page(pdf.make_indirect(page)))
    for page in pdf.pages:
        del page.obj["/MediaBox"]
    pdf.Root.Pages.MediaBox = Array([0, 0, 595, 842])
    return pdf


@dataclass(frozen=True, slots=True)
class Papers:
    """Makes documents in a folder."""

    folder: Path

    def write(self, pdf: Pdf, name: str, *, streams: bool = False) -> Path:
        mode = ObjectStreamMode.generate if streams else ObjectStreamMode.disable
        pdf.save(self.folder / name, object_stream_mode=mode)
        return self.folder / name

    def classic(self, pages: int = 2) -> Path:
        return self.write(blank(pages), "classic.pdf")

    def streams(self, pages: int = 2) -> Path:
        """Cross-reference stream, pages inside an object stream."""
        path = self.write(blank(pages), "streams.pdf", streams=True)
        assert b"/ObjStm" in path.read_bytes()
        return path

    def typst(self, standard: str | None = "a-2b") -> Path:
        """Three pages as the demonstration makes them, in a part of PDF/A; no newline at the end."""
        text = b"\n#pagebreak()\n".join([b"#lorem(180)"] * 3)
        made = typst.compile(
            b'#set page(paper: "a4")\n= Decision\n' + text, pdf_standards=[standard] if standard else []
        )
        (self.folder / "typst.pdf").write_bytes(made)
        return self.folder / "typst.pdf"

    def hybrid(self, *, hiding: bool = False) -> Path:
        """A classic table, and an empty one before it in the chain whose stream adds an object.

        With ``hiding`` it is one section only, whose table calls the object free that its stream shows.
        """
        parts = [
            b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /Lang 6 0 R >>\nendobj\n",
            b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>\nendobj\n",
            b"3 0 obj\n<< /Type /Page /Parent 2 0 R /Resources << >> /Contents 4 0 R >>\nendobj\n",
            b"4 0 obj\n<< /Length 20 >>\nstream\n72 72 100 100 re S  \nendstream\nendobj\n",
            b"5 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Length 12 >>\nstream\n6 0 (en-GB) \nendstream\nendobj\n",
            b"7 0 obj\n<< /Type /XRef /Size 8 /W [1 4 1] /Index [6 1] /Root 1 0 R /Length 6 >>\nstream\n",
        ]
        parts[-1] += b"\x02\0\0\0\x05\0\nendstream\nendobj\n"
        data, offsets = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n", []
        for part in parts:
            offsets.append(len(data))
            data += part
        used = [b"%010d 00000 n \n" % offset for offset in offsets]
        table = b"".join([b"0000000006 65535 f \n", *used[:5], b"0000000000 00001 f \n", used[5]])
        at, stream = len(data), b" /XRefStm %d" % offsets[5]
        data += b"xref\n0 8\n%strailer\n<< /Size 8 /Root 1 0 R%s >>\n" % (table, stream if hiding else b"")
        data += b"startxref\n%d\n%%%%EOF\n" % at
        if not hiding:
            newest = len(data)
            data += b"xref\n0 0\ntrailer\n<< /Size 8 /Root 1 0 R /Prev %d%s >>\n" % (at, stream)
            data += b"startxref\n%d\n%%%%EOF\n" % newest
        (self.folder / "hybrid.pdf").write_bytes(data)
        return self.folder / "hybrid.pdf"

    def with_field(self, *, streams: bool = False, kids: bool = False, **extra: object) -> Path:
        """One page with an empty signature field ``Box``; ``kids`` keeps its widget apart."""
        pdf = blank(1)
        page = pdf.pages[0].obj
        shape = {"F": 4, "Rect": Array([200, 200, 400, 350])} | extra
        widget = Dictionary(Type=Name.Annot, Subtype=Name.Widget, P=page, **shape)
        own = Dictionary(FT=Name.Sig, T=String("Box"))
        if kids:
            field_object = pdf.make_indirect(own)
            widget.Parent = field_object
            shown = pdf.make_indirect(widget)
            field_object.Kids = Array([shown])
        else:
            widget.update(own)
            field_object = shown = pdf.make_indirect(widget)
        page.Annots = pdf.make_indirect(Array([shown]))
        fields = pdf.make_indirect(Array([field_object]))
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=fields, DA=String("/Helv 0 Tf 0 g")))
        return self.write(pdf, "field.pdf", streams=streams)


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


class Desk:
    """Seals files with everything that a test does not care about filled in."""

    face = FACE
    now = NOW
    blank = staticmethod(blank)

    def at(self, page: int = 1, centre: tuple[float, float] = (300, 300), rotation: int = 0) -> Spot:
        """A whole seal with its centre at a point of user space."""
        size, (x, y) = FACE.diameter, centre
        return Spot(page_index=page - 1, x=x - size / 2, y=y - size / 2, width=size, height=size, rotation=rotation)

    def slices(self, pages: int) -> list[Spot]:
        """A seam seal along the right edge of unturned A4 pages."""
        width, size = FACE.diameter / pages, FACE.diameter
        return [
            Spot(
                page_index=n,
                x=595 - width,
                y=360,
                width=width,
                height=size,
                rotation=0,
                clip=(n / pages, (n + 1) / pages),
            )
            for n in range(pages)
        ]

    def prepare(self, source: Path, target: Path, **options: object) -> Layout:
        stated = {
            "face": FACE, "spots": () if options.get("field") else (self.at(),), "seam": (), "field": None,
            "final": True, "signer_name": "测试专用章（12）", "reason": "Approval (test)", "location": "", "now": NOW,
        } | options  # fmt: skip
        return prepare(source, target, **stated)

    def measure(self, source: Path, target: Path, layout: Layout, signatory: Signatory) -> Prepared:
        digest = sha256(source.read_bytes()).digest()
        chain, algorithm = signatory.chain, signatory.algorithm
        return measure(target, layout, source_digest=digest, chain=chain, algorithm=algorithm)

    def seal(self, source: Path, target: Path, signatory: Signatory, **options: object) -> SealedFile:
        layout = Layout.from_json(self.prepare(source, target, **options).to_json())
        prepared = self.measure(source, target, layout, signatory)
        return embed(prepared, signatory.sign(prepared.to_be_signed))


@pytest.fixture
def desk() -> Desk:
    return Desk()


class Judges:
    """What others say of a sealed file."""

    def byte_ranges(self, path: Path) -> list[tuple[int, ...]]:
        found = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", path.read_bytes())
        return [tuple(int(each) for each in match) for match in found]

    def contents(self, path: Path) -> tuple[bytes, bytes]:
        """The CMS of the last signature without its padding, and the bytes it covers."""
        data = path.read_bytes()
        first, length, second, rest = self.byte_ranges(path)[-1]
        der = bytes.fromhex(data[length + 1 : second - 1].decode())
        octets = der[1] & 0x7F
        cms = der[: 2 + octets + int.from_bytes(der[2 : 2 + octets], "big")]
        return cms, data[first : first + length] + data[second : second + rest]

    def pdfsig(self, path: Path, *, signatures: int = 1) -> list[str]:
        """What poppler objects to; empty when all signatures are valid and one covers the whole file."""
        said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
        parts = re.split(r"^Signature #\d+:$", said, flags=re.MULTILINE)[1:]
        bad = [part for part in parts if "Signature is Valid." not in part]
        whole = re.findall(r"^\s+- Total document signed", said, re.MULTILINE)
        if len(parts) != signatures or len(whole) != 1:
            bad.append(said)
        return bad

    def openssl(self, path: Path, root: x509.Certificate) -> str:
        """What openssl objects to in the last signature, judged as detached CAdES; empty when content."""
        folder = path.parent
        cms, covered = self.contents(path)
        (folder / "cms.der").write_bytes(cms)
        (folder / "covered").write_bytes(covered)
        (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
        command = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", folder / "cms.der"]
        command += ["-content", folder / "covered", "-CAfile", folder / "root.pem", "-purpose", "any"]
        done = subprocess.run([*command, "-out", folder / "out"], capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr

    def pyhanko(self, path: Path, *roots: x509.Certificate) -> list[PdfSignatureStatus]:
        """PyHanko's status of each signature, difference analysis included."""
        trusted = [OracleCertificate.load(root.public_bytes(Encoding.DER)) for root in roots]
        reader = PdfFileReader(io.BytesIO(path.read_bytes()), strict=True)
        context = ValidationContext(trust_roots=trusted, allow_fetching=False)
        return [validate_pdf_signature(each, context) for each in reader.embedded_signatures]


@pytest.fixture
def judges() -> Judges:
    return Judges()

"""Real keys and certificates, PDFs of every structure, and the three programs that judge a sealed file."""

import io
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import typst
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pikepdf import Array, Dictionary, Name, Pdf

from signer.byte_layout import Layout
from signer.prepare import prepare
from signer.seal_file import SealedFile, embed, measure

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PNG_FOLDER_NAME = "rendered"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainFace:
    """A face drawn by hand: a ring and a letter-like wedge that shows which way is up."""

    diameter: float = 119.055
    operators: bytes = (
        b"q 0 0 119.055 119.055 re 3 3 m 116 3 l 116 116 l 3 116 l h f* "
        b"20 20 m 100 20 l 60 100 l h 40 30 m 60 75 l 80 30 l h f* 5 50 m 15 50 l 15 70 l h f Q"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    page: int
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    page: int
    left: float
    right: float


@dataclass(slots=True, kw_only=True)
class Signatory:
    """A real key with a certificate under its own root; counts how often the key is used."""

    algorithm: str
    key: Any
    chain: tuple[bytes, ...]
    root: x509.Certificate
    uses: list[bytes] = field(default_factory=list)

    def sign(self, message: bytes) -> bytes:
        self.uses.append(message)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), SHA256())
        return self.key.sign(message, ec.ECDSA(SHA256()))


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "测试单位"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _certificate(subject: str, issuer: str, public: Any, issuer_key: Any, *, ca: bool) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=not ca, content_commitment=not ca, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime.now(UTC) + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, SHA256())
    )


def make_signatory(algorithm: str) -> Signatory:
    """A fresh key of the kind, certified by a fresh root."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("测试根", "测试根", root_key.public_key(), root_key, ca=True)
    if algorithm == "rsa3072-sha256":
        key: Any = rsa.generate_private_key(65537, 3072)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    own = _certificate("测试专用章（12）", "测试根", key.public_key(), root_key, ca=False)
    chain = (own.public_bytes(Encoding.DER), root.public_bytes(Encoding.DER))
    return Signatory(algorithm=algorithm, key=key, chain=chain, root=root)


@pytest.fixture(scope="session")
def p256() -> Signatory:
    return make_signatory("ecdsa-p256-sha256")


@pytest.fixture(scope="session")
def rsa3072() -> Signatory:
    return make_signatory("rsa3072-sha256")


def written(pdf: Pdf, path: Path, **options: Any) -> Path:
    pdf.save(path, **options)
    return path


def blank(pages: int = 1) -> Pdf:
    """Pages with text of the Latin alphabet and a size inherited from the page tree."""
    pdf = Pdf.new()
    for number in range(pages):
        content = f"BT /F1 24 Tf 72 700 Td (Page {number + 1} of {pages}) Tj ET".encode()
        pdf.pages.append(
            pikepdf.Page(
                pdf.make_indirect(
                    Dictionary(
                        Type=Name.Page,
                        MediaBox=Array([0, 0, 595, 842]),
                        Contents=pdf.make_stream(content),
                        Resources=Dictionary(
                            Font=Dictionary(
                                F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
                            )
                        ),
                    )
                )
            )
        )
    for page in pdf.pages:
        del page.obj["/MediaBox"]
    pdf.Root.Pages.MediaBox = Array([0, 0, 595, 842])
    return pdf


CLASSIC = {"object_stream_mode": pikepdf.ObjectStreamMode.disable}
STREAMS = {"object_stream_mode": pikepdf.ObjectStreamMode.generate}


def typst_pdf(path: Path, standard: str | None = "a-2b", pages: int = 3) -> Path:
    """A PDF as the demonstration makes them, in a given PDF/A part."""
    source = b"#set page(paper: \"a4\")\n#set text(lang: \"en\")\n= Decision\n" + b"\n#pagebreak()\n".join(
        [b"#lorem(180)"] * pages
    )
    made = typst.compile(source, pdf_standards=[standard] if standard else [])
    path.write_bytes(made)
    return path


def seal(
    source: Path,
    target: Path,
    signatory: Signatory,
    *,
    spots: Any = (Spot(page=1, x=300, y=300),),
    seam: Any = (),
    field: str | None = None,
    final: bool = True,
) -> SealedFile:
    """All of a seal in one go, with a hand-drawn face."""
    layout = prepare_plain(source, target, spots=spots, seam=seam, field=field, final=final)
    prepared = measure(
        target,
        Layout.from_json(layout.to_json()),
        source_digest=sha256(source.read_bytes()).digest(),
        chain=signatory.chain,
        algorithm=signatory.algorithm,
    )
    return embed(prepared, signatory.sign(prepared.to_be_signed))


def prepare_plain(source: Path, target: Path, **options: Any) -> Layout:
    """``prepare`` with everything that a test does not care about filled in."""
    options = {
        "face": PlainFace(),
        "spots": (Spot(page=1, x=300, y=300),),
        "seam": (),
        "field": None,
        "final": True,
        "signer_name": "测试专用章（12）",
        "reason": "Approval (test)",
        "location": "",
        "now": NOW,
    } | options
    return prepare(source, target, **options)


def contents(path: Path, byte_range: tuple[int, int, int, int]) -> tuple[bytes, bytes]:
    """The CMS of a signature without its padding, and the bytes it covers."""
    data = path.read_bytes()
    first, length, second, rest = byte_range
    covered = data[first : first + length] + data[second : second + rest]
    der = bytes.fromhex(data[length + 1 : second - 1].decode())
    long_form = der[1] & 0x7F
    return der[: 2 + long_form + int.from_bytes(der[2 : 2 + long_form], "big")], covered


def byte_ranges(path: Path) -> list[tuple[int, int, int, int]]:
    found = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", path.read_bytes())
    return [tuple(int(each) for each in match) for match in found]  # type: ignore[misc]  # four by the pattern


def judged_by_pdfsig(path: Path) -> list[str]:
    """What poppler says of each signature."""
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    parts = re.split(r"^Signature #\d+:$", said, flags=re.MULTILINE)[1:]
    assert parts, said
    return parts


def valid_in_pdfsig(path: Path, *, signatures: int = 1, whole: bool = True) -> bool:
    parts = judged_by_pdfsig(path)
    last_covers = "Total document signed" in parts[-1] and "Not total" not in parts[-1]
    return (
        len(parts) == signatures and all("Signature is Valid." in part for part in parts) and last_covers is whole
    )


def valid_in_openssl(path: Path, signatory: Signatory, folder: Path) -> str:
    """Verify the last signature as detached CAdES; the answer is openssl's, empty when it is content."""
    cms, covered = contents(path, byte_ranges(path)[-1])
    (folder / "cms.der").write_bytes(cms)
    (folder / "covered").write_bytes(covered)
    (folder / "root.pem").write_bytes(signatory.root.public_bytes(Encoding.PEM))
    done = subprocess.run(
        ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", folder / "cms.der",
         "-content", folder / "covered", "-CAfile", folder / "root.pem", "-purpose", "any", "-out", "/dev/null"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr


def judged_by_pyhanko(path: Path, *roots: x509.Certificate) -> list[Any]:
    """pyHanko's status of each signature, difference analysis included."""
    from asn1crypto.x509 import Certificate
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    reader = PdfFileReader(io.BytesIO(path.read_bytes()), strict=True)
    trusted = [Certificate.load(root.public_bytes(Encoding.DER)) for root in roots]
    return [
        validate_pdf_signature(each, ValidationContext(trust_roots=trusted, allow_fetching=False))
        for each in reader.embedded_signatures
    ]


Maker = Callable[[Path], Path]

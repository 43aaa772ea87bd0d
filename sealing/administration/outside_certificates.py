"""A seal certified by an outside authority: ask with a request, import what comes back.

Only an authority whose root stands in the setting ``licensed_roots`` counts as licensed (电子签名法 16); the face of
such a seal no longer carries 样章.
"""

from cryptography import x509
from sqlalchemy import Connection

from authority.names import seal_subject
from authority.outside import accept_outside_certificate, make_csr
from keystore.interface import SigningKey
from ledger.entry import Draft
from ledger.ids import new_id
from registry.records import Organ, SealKey
from registry.store import Act, Stored
from sealing.administration import certification
from sealing.administration.acts import acting
from sealing.administration.key_steps import check_living, lock_agreement
from sealing.errors import InstallationError
from sealing.grounds import intent_grounds
from sealing.workshop import Workshop


def request_certificate(shop: Workshop, seal_id: str, act: Act) -> bytes:
    """A certification request (PKCS #10, PEM) for the seal's present key; the use of the key is recorded first.

    Raises ``NotFoundError``, ``TransitionError``, ``authority`` and ``keystore`` errors.
    """
    with acting(shop, act) as changes:
        seal = lock_agreement(changes, seal_id).record
        check_living(seal)
        key = _key(changes.connection, shop, seal_id)
        grantor = changes.store.find_one(changes.connection, Organ, code=seal.owner).record
        request = {"seal": seal.id, "key": key.ref, "by": act.by.id, "why": act.why}
        draft = Draft(kind="certificate.requested", subjects=(new_id("cer"),), groups={"request": request})
        entry = shop.book.append(changes.connection, draft, act.now)
    subject = seal_subject(
        seal_name=seal.name,
        seal_number=seal.number,
        grantor_name=grantor.legal_name,
        grantor_code=grantor.code,
    )
    return make_csr(key, subject, intent_grounds(shop, key, intent=entry.index, group="request", now=act.now))


def import_certificate(shop: Workshop, seal_id: str, pem_chain: bytes, act: Act) -> Stored[SealKey]:
    """Make a licensed authority's certificate for the seal's present key the one that seals.

    Raises :class:`InstallationError` ``no-licensed-roots``, ``authority.errors.OutsideCertificateError``,
    ``TransitionError``.
    """
    roots = licensed_roots(shop)
    with acting(shop, act) as changes:
        lock_agreement(changes, seal_id)
        key = _key(changes.connection, shop, seal_id)
        ders = accept_outside_certificate(pem_chain, key.public_key, roots, act.now)
        chain = [x509.load_der_x509_certificate(each) for each in ders]
        return certification.record_chain(changes, seal_id, key.ref, chain, issuer="licensed")


def licensed_roots(shop: Workshop) -> list[x509.Certificate]:
    """The roots of licensed authorities. Raises :class:`InstallationError`."""
    path = shop.settings.licensed_roots
    if path is None:
        raise InstallationError(
            "no-licensed-roots",
            "未设置 licensed_roots（持牌电子认证机构根证书），不接受外部证书",
            "licensed_roots (the roots of licensed authorities) is not set; no outside certificate is accepted",
        )
    try:
        roots = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InstallationError(
            "licensed-roots-unreadable",
            f"{path} 不是可读的 PEM 证书文件",
            f"{path} is not a readable file of PEM certificates",
        ) from error
    if any(root.public_key() == shop.installation.root_certificate.public_key() for root in roots):
        raise InstallationError(
            "embedded-root-is-not-licensed",
            f"{path} 含有本系统的内置根证书；它不是持牌机构的根证书",
            f"{path} holds the embedded root of this installation, which is no licensed authority's",
        )
    return roots


def _key(connection: Connection, shop: Workshop, seal_id: str) -> SigningKey:
    present = shop.registry.find_one(connection, SealKey, seal=seal_id, current=True).record
    return shop.keystore.open(present.key_ref)

"""A person's own key on this machine, with which a proposal or a decision is signed; it goes nowhere else."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A person by id, and their key with the id under which its public half is registered."""

    person: str
    kid: str
    key: "EllipticCurvePrivateKey"


def read_signer(shop: "Workshop", person: str, key_file: Path) -> Signer:
    """The person's registered key whose private half is in ``key_file`` (PEM, P-256).

    A key with a passphrase is asked for it at the terminal. Raises :class:`UsageError` ``signing-key-unreadable`` or
    ``signing-key-not-registered``; neither says anything of the key.
    """
    from base64 import b64decode  # noqa: PLC0415  only where something is signed

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415  as above

    from registry.records import PersonKey  # noqa: PLC0415  loads the database

    key = read_private_key(key_file)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with shop.database.read() as connection:
        found = [each.record for each in shop.registry.find(connection, PersonKey, person=person)]
    same = [each for each in found if b64decode(each.public_key) == public]
    if not same:
        raise UsageError(
            "signing-key-not-registered",
            f"{key_file} 的公钥未登记在 {person} 名下（其名下有 {len(found)} 把）",
            f"the public half of {key_file} is not registered for {person}, who has {len(found)} keys",
        )
    newest = max(same, key=lambda each: each.valid_from)
    return Signer(person=person, kid=newest.id, key=key)


def read_private_key(path: Path) -> "EllipticCurvePrivateKey":
    """The P-256 key in a PEM file. Raises :class:`UsageError` ``signing-key-unreadable``."""
    from cryptography.hazmat.primitives.asymmetric.ec import (  # noqa: PLC0415  only where something is signed
        SECP256R1,
        EllipticCurvePrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  as above

    pem = path.read_bytes()
    try:
        try:
            key = load_pem_private_key(pem, None)
        except TypeError:  # it has a passphrase
            key = load_pem_private_key(pem, _passphrase())
    except ValueError:
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise UsageError(
            "signing-key-unreadable",
            f"{path} 应为 P-256 私钥（PEM），口令须正确",
            f"{path} should be a P-256 private key in PEM, its passphrase right",
        )
    return key


def _passphrase() -> bytes:
    import getpass  # noqa: PLC0415  beside its only use
    import sys  # noqa: PLC0415  as above

    if not sys.stdin.isatty():
        raise UsageError(
            "signing-key-unreadable",
            "私钥有口令，须在终端上使用",
            "the private key has a passphrase, which is asked for at a terminal only",
        )
    return getpass.getpass("私钥口令（不显示）/ passphrase of the private key (not shown): ").encode()

"""Checks one signature value under the algorithm that its structure names (RFC 5652, RFC 6960).

The digest that the algorithm implies must be the one that the structure names beside it: a value is never tried
with another digest than was claimed.
"""

from asn1crypto import algos
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from authority.errors import SignatureValueError

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303  read, and told to be weak, never made
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
STRONG = frozenset({"sha256", "sha384", "sha512"})
"""Digests that ETSI TS 119 312 lets a signature rest on."""


def check_value(
    key: CertificatePublicKeyTypes,
    value: bytes,
    message: bytes,
    *,
    algorithm: algos.SignedDigestAlgorithm,
    digest: str | None = None,
) -> str:
    """The digest's name, when ``value`` is a signature by ``key`` over ``message``.

    ``algorithm`` is the AlgorithmIdentifier of the signature, ``digest`` the name of the digest that the structure
    claims beside it (None: it names none). Raises :class:`SignatureValueError`: ``signature-algorithm`` (unknown, or
    the two do not belong together), ``signature-value`` (not by this key).
    """
    try:
        scheme, implied = algorithm.signature_algo, _implied(algorithm)
    except (ValueError, TypeError, KeyError) as problem:
        raise _unfit(str(algorithm["algorithm"].dotted)) from problem
    name = implied or digest
    if digest is not None and implied not in {None, digest}:
        raise _unfit(f"{algorithm['algorithm'].native} / {digest}")
    if name not in HASHES:
        raise _unfit(f"{scheme} / {name}")
    try:
        _verify(key, value, message, scheme=scheme, algorithm=algorithm, name=name)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as problem:
        raise SignatureValueError(
            "signature-value",
            "签名值不能用证书公钥验证",
            "the signature value does not verify with the certificate's key",
        ) from problem
    return name


def _implied(algorithm: algos.SignedDigestAlgorithm) -> str | None:
    """The digest that the identifier itself fixes; plain rsaEncryption and EdDSA fix none."""
    if algorithm["algorithm"].native in {"rsassa_pkcs1v15", "ed25519", "ed448"}:
        return None
    return str(algorithm.hash_algo)


def _verify(  # each is one part of the AlgorithmIdentifier's meaning
    key: CertificatePublicKeyTypes,
    value: bytes,
    message: bytes,
    *,
    scheme: str,
    algorithm: algos.SignedDigestAlgorithm,
    name: str,
) -> None:
    chosen = HASHES[name]
    if scheme == "rsassa_pkcs1v15" and isinstance(key, rsa.RSAPublicKey):
        key.verify(value, message, padding.PKCS1v15(), chosen)
    elif scheme == "rsassa_pss" and isinstance(key, rsa.RSAPublicKey):
        key.verify(value, message, _pss(algorithm, chosen), chosen)
    elif scheme == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(value, message, ec.ECDSA(chosen))
    elif scheme in {"ed25519", "ed448"} and isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(value, message)
    else:
        raise TypeError(scheme)


def _pss(algorithm: algos.SignedDigestAlgorithm, chosen: hashes.HashAlgorithm) -> padding.PSS:
    """The padding, whose mask must be made with the same digest (RFC 4055 3.1 recommends so)."""
    parameters = algorithm["parameters"]
    mask = parameters["mask_gen_algorithm"]
    if mask["algorithm"].native != "mgf1" or HASHES.get(mask["parameters"]["algorithm"].native) is not chosen:
        raise ValueError("mask generation")
    return padding.PSS(mgf=padding.MGF1(chosen), salt_length=parameters["salt_length"].native)


def _unfit(found: str) -> SignatureValueError:
    return SignatureValueError(
        "signature-algorithm",
        f"签名算法 {found} 未知，或与所记的摘要算法不符",
        f"the signature algorithm {found} is unknown, or does not fit the digest algorithm beside it",
    )

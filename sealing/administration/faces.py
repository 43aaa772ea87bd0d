"""What a seal looks like: the face it would put on a document now, and that of one that is yet to be made."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from registry.records import Agreement, Seal, SealKey
from registry.seals import seal_name
from sealing.administration.seals import parties_of
from sealing.workshop import Workshop
from signer.face import Face, draw
from signer.specimen import Specimen


def face(shop: Workshop, connection: Connection, seal_id: str) -> Face:
    """The seal's face; with 样章 unless its certificate is a licensed authority's.

    ``face(…).svg()`` and ``face(…).png(pixels)`` are pictures of it. Raises ``NotFoundError``.
    """
    seal = shop.registry.get(connection, Seal, seal_id).record
    key = shop.registry.look_one(connection, SealKey, seal=seal_id, current=True)
    specimen = Specimen(
        name=seal.name,
        number=seal.number,
        diameter_mm=Decimal(seal.specimen.diameter_mm),
        sample=key is None or key.record.issuer == "internal",
    )
    return draw(specimen)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingFace:
    """The name that a new seal would bear, and its face."""

    name: str
    face: Face


def coming_face(
    shop: Workshop, connection: Connection, agreement: Agreement, diameter_mm: str, now: datetime
) -> ComingFace:
    """What a seal issued under ``agreement`` now would look like; a sample, as the embedded authority certifies it.

    ``diameter_mm`` is decimal text, 20 to 45 millimetres. Raises ``RecordInvalidError`` as issuing does,
    ``signer.specimen.SpecimenError``.
    """
    parties = parties_of(connection, shop, agreement, now)
    number = 1 if parties.setup is None else parties.setup.number
    name = seal_name(parties.grantor, number)
    specimen = Specimen(name=name, number=number, diameter_mm=Decimal(diameter_mm), sample=True)
    return ComingFace(name=name, face=draw(specimen))

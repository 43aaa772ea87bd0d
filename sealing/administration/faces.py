"""What a seal looks like: the face it would put on a document now."""

from decimal import Decimal

from sqlalchemy import Connection

from registry.records import Seal, SealKey
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

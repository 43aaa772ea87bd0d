"""Receipts: made when asked for, from the record."""

from datetime import datetime

from sealing.impressions import Impression
from sealing.witnessing import evidence
from sealing.workshop import Workshop
from verify.receipt import GROUPS, Receipt


def receipt(shop: Workshop, impression: Impression, now: datetime) -> Receipt:
    """The receipt of one impression. Called outside any transaction.

    Raises ``NotWitnessedError`` when too few witnesses have cosigned yet, ``ledger`` errors when the entry does not
    fit the log, ``keystore`` errors when no checkpoint covers it yet and none can be signed.
    """
    return Receipt(impression=impression.id, evidence=evidence(shop, impression.entry, GROUPS, now))

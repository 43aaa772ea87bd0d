"""Destroy the private keys of a cancelled seal, with the evidence of what held them.

Each key is intended, destroyed, recorded; the seal itself is called destroyed when the last of its keys is. A run that
ended between is finished by running it again: a key that an earlier run was about to destroy, and that the keystore
no longer shows, is gone. A key that is missing for any other reason is not called destroyed.
"""

from collections.abc import Mapping
from contextlib import suppress

from keystore.interface import Grounds, KeyNotFoundError
from ledger.entry import Draft
from registry import key_life
from registry.changes import Changes
from registry.errors import TransitionError
from registry.record import derived_id
from registry.records import Seal, SealKey
from registry.store import Act, Stored
from sealing.administration import key_steps, two_persons
from sealing.administration.acts import acting
from sealing.grounds import Consent, destruction_grounds
from sealing.workshop import Workshop


def destroy(shop: Workshop, seal_id: str, act: Act) -> Stored[Seal]:
    """Destroy every key of the seal in the keystore, record the evidence, and call the seal destroyed.

    Two persons: ``destroy_seal``. Raises ``TransitionError`` for a seal that is not cancelled, ``keystore`` errors
    (``key-not-destroyed``, ``key-not-found``, …): what was recorded until then stays, the seal is not destroyed.
    """
    intended, consent = _intended(shop, seal_id, act)
    for ref, intent in intended.items():
        grounds = destruction_grounds(shop, shop.keystore, intent=intent, consent=consent, now=act.now)
        evidence = _destroyed(shop, ref, grounds)
        with acting(shop, act) as changes:
            _locked(changes, seal_id)
            key_steps.destroy(changes, seal_id, ref, evidence)
    with acting(shop, act) as changes:
        _locked(changes, seal_id)
        return changes.change_seal(seal_id, "destroy")


def _intended(shop: Workshop, seal_id: str, act: Act) -> tuple[dict[str, int], Consent | None]:
    """The keys that are still to be destroyed, each with the entry that says so first, and what two persons signed."""
    present = shop.keystore.refs()
    with acting(shop, act) as changes:
        seal = _locked(changes, seal_id).record
        if seal.state != "cancelled":
            raise TransitionError(
                "seal-change-refused",
                f"印章状态为 {seal.state}，销毁只能从 cancelled 进行",
                f"the seal is {seal.state}; destroy is possible from cancelled only",
            )
        refs = _not_destroyed(changes, seal_id)
        intended = {ref: _intend(changes, shop, seal_id, ref, present=ref in present) for ref in refs}
        return intended, two_persons.consent(changes)


def _not_destroyed(changes: Changes, seal_id: str) -> list[str]:
    keys = [found.record for found in changes.store.find(changes.connection, SealKey, seal=seal_id)]
    for key in keys:
        if key.state != "destroyed":
            key_life.after(key.state, "destroy", role="administrator")
    return sorted({key.key_ref for key in keys if key.state != "destroyed"})


def _intend(changes: Changes, shop: Workshop, seal_id: str, ref: str, *, present: bool) -> int:
    subject = derived_id("des", ref)
    if not present and shop.book.latest(changes.connection, subject) is None:
        raise KeyNotFoundError(
            f"密钥库中没有密钥 {ref}，也没有销毁它的记录；不能称其已销毁",
            f"the keystore has no key {ref}, and nobody was about to destroy it; it is not called destroyed",
        )
    draft = Draft(
        kind="key_destruction.intended",
        subjects=(subject,),
        groups={"key": {"seal": seal_id, "key": ref, "by": changes.act.by.id, "why": changes.act.why}},
    )
    return shop.book.append(changes.connection, draft, changes.act.now).index


def _destroyed(shop: Workshop, ref: str, grounds: Grounds | None) -> Mapping[str, str]:
    """What the backend saw. A key gone since an earlier run is looked for once more: only its absence is seen."""
    with suppress(KeyNotFoundError):
        return shop.keystore.destroy(ref, grounds).evidence
    if ref in shop.keystore.refs():
        raise KeyNotFoundError(f"密钥 {ref} 时有时无", f"the key {ref} is listed, and cannot be found")
    return {"backend": ref.partition(":")[0], "objects_before": "0", "objects_after": "0", "seen": "absent"}


def _locked(changes: Changes, seal_id: str) -> Stored[Seal]:
    two_persons.require(changes, "destroy_seal", seal=seal_id)
    return key_steps.lock_agreement(changes, seal_id)

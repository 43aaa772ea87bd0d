"""The record for everybody: checkpoint, tiles and proofs (C2SP tlog-checkpoint, tlog-tiles; RFC 9162 2.1)."""

from base64 import b64encode
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.bodies import Answer
from api.callers import PUBLIC
from api.service import Service, Serving
from ledger import merkle, store, witnessed
from ledger.book import SignedCheckpoint
from ledger.errors import EntryNotFoundError
from ledger.tiles import TilePath, tile

router: Final = APIRouter(prefix="/v1", tags=["record"], dependencies=[PUBLIC])
_NOTE: Final = "text/plain; charset=utf-8"
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_FOR_A_MOMENT: Final = {"Cache-Control": "public, max-age=2"}
_RECENT: Final = timedelta(minutes=5)
"""A cosigned checkpoint of this age at most is given out rather than a newer one that nobody has cosigned."""
Size = Annotated[int, Query(ge=1, lt=2**53)]


class LogAnswer(Answer):
    """Which log this is, and the key its checkpoints are verified with (C2SP signed-note verifier key)."""

    origin: str
    vkey: str
    size: int


class ProofAnswer(Answer):
    """A proof in the tree of ``size`` entries: hashes in base64, from the leaf upwards."""

    size: int
    root: str
    proof: list[str]


class InclusionAnswer(ProofAnswer):
    """That entry ``entry`` with this leaf hash is in the tree."""

    entry: int
    leaf_hash: str


@router.get("/log", operation_id="readLog")
def read_log(service: Serving) -> LogAnswer:
    """The log's identity and its size."""
    identity = service.shop.identity
    return LogAnswer(origin=identity.origin, vkey=identity.vkey, size=_checkpoint(service).size)


@router.get("/checkpoint", operation_id="readCheckpoint", response_class=Response)
def read_checkpoint(service: Serving) -> Response:
    """The newest cosigned checkpoint when there is a recent one, else a signed note over all entries there are now."""
    return Response(_newest_note(service), media_type=_NOTE, headers=_FOR_A_MOMENT)


@router.get("/tile/{path:path}", operation_id="readTile", response_class=Response)
def read_tile(service: Serving, path: Annotated[str, Path(max_length=60)]) -> Response:
    """A tile of hashes or a bundle of entries. Entries hold salted commitments, no personal data."""
    wanted = TilePath.parse(f"tile/{path}")
    size = _checkpoint(service).size
    with service.shop.database.read() as connection:
        content = tile(connection, wanted, size)
    return Response(content, media_type="application/octet-stream", headers=_FOR_EVER)


@router.get("/proofs/inclusion", operation_id="proveInclusion")
def prove_inclusion(
    service: Serving, entry: Annotated[int, Query(ge=0, lt=2**53)], size: Size | None = None
) -> InclusionAnswer:
    """That an entry is in the tree of ``size`` entries, by default the present one."""
    tree = _tree(service, size)
    if entry >= tree:
        raise _no_such(entry, tree)
    with service.shop.database.read() as connection:
        found = service.shop.book.entry(connection, entry)
        proof = merkle.inclusion_proof(entry, tree, store.node_reader(connection))
        root = merkle.range_at(tree, store.node_reader(connection)).root()
    return InclusionAnswer(
        size=tree,
        root=_text(root),
        proof=[_text(each) for each in proof],
        entry=entry,
        leaf_hash=_text(found.leaf_hash),
    )


@router.get("/proofs/consistency", operation_id="proveConsistency")
def prove_consistency(service: Serving, old: Size, size: Size | None = None) -> ProofAnswer:
    """That the tree of ``old`` entries is the beginning of the one of ``size`` entries."""
    tree = _tree(service, size)
    if old > tree:
        raise _no_such(old - 1, tree)
    with service.shop.database.read() as connection:
        proof = merkle.consistency_proof(old, tree, store.node_reader(connection))
        root = merkle.range_at(tree, store.node_reader(connection)).root()
    return ProofAnswer(size=tree, root=_text(root), proof=[_text(each) for each in proof])


def _newest_note(service: Service) -> str:
    now, book = service.now(), service.shop.book
    with service.shop.database.read() as connection:
        cosigned = witnessed.newest(connection, book.witnesses, needed=max(1, service.shop.settings.witnesses_needed))
    if cosigned is not None and now - cosigned.time < _RECENT:
        return cosigned.note
    return _checkpoint(service).note


def _checkpoint(service: Service) -> SignedCheckpoint:
    with service.shop.database.read() as connection:
        size = store.read_head(connection).range.size
    return service.shop.book.checkpoint(service.now(), size)


def _tree(service: Service, size: int | None) -> int:
    present = _checkpoint(service).size
    if size is not None and size > present:
        raise _no_such(size - 1, present)
    return present if size is None else size


def _no_such(entry: int, size: int) -> EntryNotFoundError:
    return EntryNotFoundError(
        f"台账有 {size} 条，没有第 {entry} 条", f"the record has {size} entries, there is no entry {entry}"
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode()

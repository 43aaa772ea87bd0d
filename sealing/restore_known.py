"""What is known of the ledger beside a backup: checkpoints that were signed or cosigned before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger import merkle
from ledger.checkpoint import open_checkpoint
from ledger.errors import LedgerError, ProofError
from ledger.store import node_reader, read_head
from sealing.backup import ANCHORS
from sealing.errors import BackupError
from sealing.outside_services import outbound_client
from sealing.witness_exchange import COSIGNED, ask
from sealing.workshop import Workshop

_SECONDS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A tree head that somebody holds. ``root`` is None where only its size is told; ``size`` 0: nobody answered."""

    where: str
    size: int
    root: bytes | None


def known_checkpoints(
    shop: Workshop, checkpoints: Sequence[Path], previous: Sequence[Path], now: datetime
) -> list[Known]:
    """The checkpoints in these files and data folders, and what the configured witnesses say.

    Raises :class:`BackupError` for a checkpoint that this log did not sign.
    """
    found = [_read(shop, path) for path in checkpoints]
    for folder in previous:
        found += [_read(shop, folder / name) for name in ANCHORS if (folder / name).exists()]
    return [*found, *_witnessed(shop, now)]


def check_known(shop: Workshop, known: Sequence[Known]) -> BackupError | None:
    """Why the ledger at hand must not take the place of the one that is known, or None."""
    with shop.database.read() as connection:
        size = read_head(connection).range.size
        for each in sorted(known, key=lambda each: -each.size):
            if each.size > size:
                return BackupError(
                    "restore-rolls-back",
                    f"备份的账本有 {size} 条，而 {each.where} 已有 {each.size} 条：恢复将丢失 {each.size - size} 条",
                    f"the backup's ledger has {size} entries, {each.where} knows {each.size}:"
                    f" restoring it would lose {each.size - size}",
                )
            if each.size == 0:
                return BackupError(
                    "restore-not-witnessed",
                    f"{each.where} 未作答，无法确认恢复不会回退账本",
                    f"{each.where} gave no answer, so nobody can tell whether the restore rolls the ledger back",
                )
            if each.root is not None and _root_at(each.size, node_reader(connection)) != each.root:
                return BackupError(
                    "restore-forks",
                    f"备份的账本在 {each.size} 条处与 {each.where} 不是同一账本",
                    f"at {each.size} entries the backup's ledger is not the one that {each.where} knows",
                )
    return None


def _root_at(size: int, read: merkle.NodeReader) -> bytes | None:
    try:
        return merkle.range_at(size, read).root()
    except ProofError:
        return None


def _read(shop: Workshop, path: Path) -> Known:
    try:
        checkpoint = open_checkpoint(path.read_text(encoding="utf-8"), shop.identity)
    except (LedgerError, UnicodeDecodeError) as error:
        raise BackupError(
            "checkpoint-foreign",
            f"{path} 不是 {shop.identity.origin} 签发的检查点",
            f"{path} is no checkpoint that the log in the backup has signed ({shop.identity.vkey})",
        ) from error
    return Known(where=str(path), size=checkpoint.size, root=checkpoint.root)


def _witnessed(shop: Workshop, now: datetime) -> Iterator[Known]:
    if not shop.witnesses:
        return
    client = outbound_client(shop.settings, [each.url for each in shop.witnesses], seconds=_SECONDS)
    with shop.database.read() as connection:
        size = read_head(connection).range.size
    for witness in shop.witnesses:
        answer, _note = ask(shop, client, witness, known=size, now=now)
        where = f"witness {witness.identity.name}"
        if answer.outcome == COSIGNED:
            continue
        if answer.size is None:
            yield Known(where=where, size=0, root=None)
        elif answer.size > size:
            yield Known(where=where, size=answer.size, root=None)
        else:
            yield Known(where=where, size=answer.size, root=b"")

"""Back the whole embedded installation up, and restore it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import console
from cli.options import AsJson, Data, argument, group
from cli.workplace import now, opened, read_settings

commands = group("备份与恢复 / backup and restore")


@commands.command()
@console.guarded
def backup(
    target: Annotated[Path, argument("备份文件（新建） / the file to write")],
    recipient: Annotated[list[str], typer.Option("--recipient", help="age1… 公钥，可多个 / age recipients")],
    *,
    with_key_encryption_key: Annotated[
        bool,
        typer.Option("--with-key-encryption-key", help="连同密钥加密密钥（应另存分片） / also the key-encryption key"),
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """备份整个安装，服务可照常运行；内容以 age 加密 / Back everything up while the service runs; encrypted with age."""
    from sealing.backup import back_up  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        made = back_up(
            shop,
            target,
            recipient,
            now(),
            with_key_encryption_key=with_key_encryption_key,
            progress=console.progress(quiet=as_json),
        )
    facts: dict[str, Any] = {
        "backup": str(target),
        "digest": made.digest,
        "bytes": made.size,
        "entries": made.entries,
        "root": made.root,
        "documents": made.documents,
        "keys": made.keys,
        "key_encryption_key": made.key_encryption_key,
    }
    if as_json:
        console.show_json(facts)
        return
    console.show_facts(facts)
    if not made.keys:
        console.tell("私钥在令牌或密钥服务中，不在备份内 / the keys are in a token or key service, not in the backup")
    elif not made.key_encryption_key:
        console.tell("恢复时需要密钥加密密钥的分片 / to restore it, the shares of the key-encryption key are needed")


@commands.command()
@console.guarded
def restore(  # noqa: PLR0913  each is a file that the operator has
    source: Annotated[Path, argument("备份文件 / the backup", exists=True, dir_okay=False)],
    folder: Annotated[Path, argument("空目录 / an empty folder")],
    *,
    identity: Annotated[
        Path, typer.Option("--identity", help="age 私钥文件（0600） / age identity", exists=True, dir_okay=False)
    ],
    key_encryption_key: Annotated[
        Path | None,
        typer.Option("--key-encryption-key", help="密钥加密密钥文件 / its file", exists=True, dir_okay=False),
    ] = None,
    share: Annotated[
        list[Path] | None, typer.Option("--share", help="密钥加密密钥的分片文件 / files of its shares", exists=True)
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option("--checkpoint", help="已知的检查点 / a known checkpoint", exists=True)
    ] = None,
    proposal: Annotated[
        Path | None, typer.Option("--proposal", help="第一人的声明 / the first person's statement", exists=True)
    ] = None,
    decision: Annotated[
        Path | None, typer.Option("--decision", help="第二人的声明 / the second person's statement", exists=True)
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """恢复到空目录；全部核查，账本回退须两人声明 / Restore; a rollback of the ledger needs two persons' statements."""
    from sealing.restore import Restoring  # noqa: PLC0415  loads the database
    from sealing.restore import restore as bring_back  # noqa: PLC0415  as above

    settings = read_settings(data)
    asked = Restoring(
        backup=source,
        folder=folder,
        identity=identity,
        key_encryption_key=_key(key_encryption_key, share or []),
        checkpoints=checkpoint or [],
        previous=[settings.data],
        consent=_consent(proposal, decision),
    )
    restored = bring_back(settings, asked, now(), console.progress(quiet=as_json))
    facts: dict[str, Any] = {
        "installation": restored.installation,
        "log": restored.log,
        "entries": restored.entries,
        "known": restored.known,
        "entry": restored.entry,
        "said_by": list(restored.said_by),
    }
    if as_json:
        console.show_json(facts)
        return
    console.show_facts(facts)
    console.tell(
        "请与仪式记录核对账本公钥 / compare the log's key with the protocol of the ceremony",
        f"  yinxin doctor --data {folder}",
    )


def _key(path: Path | None, shares: list[Path]) -> bytes | None:
    from keystore.at_rest import KEY_BYTES  # noqa: PLC0415  only where a key is read
    from keystore.interface import KeyEncryptionKeyError  # noqa: PLC0415  as above
    from keystore.private_file import read_private  # noqa: PLC0415  as above

    if path is not None and shares:
        raise console.UsageError(
            "two-keys-given", "文件与分片只能给一种", "give the key's file or its shares, not both"
        )
    if path is not None:
        return read_private(path, limit=KEY_BYTES, error=KeyEncryptionKeyError)
    if not shares:
        return None
    from sealing.key_shares import combine, read_share  # noqa: PLC0415  as above

    return combine([read_share(each) for each in shares])


def _consent(proposal: Path | None, decision: Path | None) -> Any:  # noqa: ANN401  loaded only where it is needed
    if proposal is None and decision is None:
        return None
    if proposal is None or decision is None:
        raise console.UsageError(
            "one-statement-given", "须同时给出两份声明", "both statements are needed, the proposal and its decision"
        )
    from sealing.restore_consent import Consent  # noqa: PLC0415  as above

    return Consent(
        proposal=proposal.read_text(encoding="ascii", errors="replace").strip(),
        decision=decision.read_text(encoding="ascii", errors="replace").strip(),
    )

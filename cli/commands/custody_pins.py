"""Keys of those who approve and of administrators, as the custody process has pinned them: ``yinxin custody-pin …``."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import console
from cli.options import AsJson, Data, KeyFile, argument, group
from cli.workplace import read_public_key, read_settings

if TYPE_CHECKING:
    from custody.pins import Pin, Pins

commands = group("密钥进程所信公钥（在密钥主机上）/ keys the custody process believes; on its host, as its user")

Id = Annotated[str, argument("登记的密钥编号（pky-…、cak-…）/ id of the registered key")]


@commands.command("list")
@console.guarded
def list_(*, data: Data = None, as_json: AsJson = False) -> None:
    """列出已固定的公钥及其指纹，供当面核对 / List the pinned keys with fingerprints, to be compared in person."""
    rows = [_facts(each) for each in _pins(data).every()]
    if as_json:
        console.show_json(rows)
    else:
        console.show_table(("id", "kind", "holder", "how", "fingerprint"), (list(row.values()) for row in rows))


@commands.command()
@console.guarded
def add(
    key_id: Id,
    *,
    key: KeyFile,
    holder: Annotated[str, typer.Option("--holder", help="持有人（人员或客户端编号）/ id of whose it is")],
    kind: Annotated[Literal["person", "client"], typer.Option("--kind", help="人员或客户端 / whose kind")] = "person",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """当面核对后列入；已记录的同一公钥由此确认 / List a key that was shown in person; a recorded one is confirmed."""
    from custody.pins import Pin as NewPin  # noqa: PLC0415  loads what reads records
    from ledger.ids import is_id  # noqa: PLC0415  as above
    from registry.statements import check_public_key  # noqa: PLC0415  as above

    for each in (key_id, holder):
        if not is_id(each):
            raise console.UsageError("id-malformed", f"{each!r} 不是编号", f"{each!r} is no id")
    public_key = read_public_key(key)
    check_public_key(public_key)
    pin = NewPin(id=key_id, kind=kind, holder=holder, public_key=public_key, how="listed")
    _pins(data).add(pin)
    if as_json:
        console.show_json(_facts(pin))
    else:
        console.show_facts(_facts(pin))


@commands.command()
@console.guarded
def remove(key_id: Id, *, data: Data = None) -> None:
    """不再相信该公钥 / Believe this key no longer."""
    _pins(data).remove(key_id)
    console.say(key_id)


def _pins(data: Path | None) -> "Pins":
    from custody.pins import Pins as Folder  # noqa: PLC0415  loads what reads records
    from custody.process import PINS, make_private_folder  # noqa: PLC0415  as above

    home = read_settings(data).data / "custody"
    make_private_folder(home)
    return Folder(home / PINS)


def _facts(pin: "Pin") -> dict[str, str]:
    return {
        "id": pin.id,
        "kind": pin.kind,
        "holder": pin.holder,
        "how": pin.how,
        "fingerprint": f"sha256:{sha256(pin.public_key).hexdigest()}",
    }

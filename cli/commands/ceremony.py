"""The key ceremony, a step a command; and the installation made from it."""

import sys
from pathlib import Path
from typing import Annotated

import click
import typer

from cli import console
from cli.options import AsJson, Data, argument, group
from cli.workplace import now, read_settings

commands = group("密钥仪式：离线根、签发密钥、分片、记录 / key ceremony: offline root, issuing key, shares, protocol")
founding = group("建立安装 / make an installation")

RootFolder = Annotated[Path, argument("离线介质上的目录 / folder on offline media")]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="口令文件（0600） / file with the passphrase", exists=True)
]
Outcome = Annotated[Path, argument("交给目标机的目录 / folder that goes to the target machine")]


@commands.command("root")
@console.guarded
def make_root(
    folder: RootFolder,
    *,
    name: Annotated[
        str, typer.Option("--name", help="根的名称 / its name")
    ] = "印信离线根（未获许可） Yinxin offline root",
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """第一步（离线机）：制作根密钥与根证书 / Step 1, offline machine: make the root."""
    from sealing.ceremony import certificate_fingerprint, note  # noqa: PLC0415  loads what makes certificates
    from sealing.offline_root import make_offline_root  # noqa: PLC0415  as above

    made = make_offline_root(folder, name, _passphrase(passphrase_file, again=True), now())
    facts = {"root": certificate_fingerprint(made), "until": f"{made.not_valid_after_utc:%F}", "name": name}
    note(folder, "root", facts, now())
    _told(facts, as_json=as_json, then="目标机 / on the target machine: yinxin ceremony request issuer.csr")


@commands.command("request")
@console.guarded
def request(
    target: Annotated[Path, argument("写出的签发请求 / the request to write")],
    *,
    name: Annotated[str, typer.Option("--name", help="签发机构名称 / its name")] = "印信签发（未获许可） Yinxin issuer",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """第二步（目标机）：在密钥库中制作签发密钥 / Step 2, target machine: make the issuing key in its keystore."""
    from sealing.ceremony import request_issuer  # noqa: PLC0415  loads the keys

    facts = request_issuer(read_settings(data), target, name, now())
    _told(
        facts, as_json=as_json, then="离线机 / offline: yinxin ceremony issue ROOT issuer.csr OUT --public-key sha256:…"
    )


@commands.command("issue")
@console.guarded
def issue(
    folder: RootFolder,
    csr: Annotated[Path, argument("签发请求 / the request", exists=True)],
    target: Outcome,
    *,
    public_key: Annotated[str, typer.Option("--public-key", help="目标机所示公钥指纹 / as the target machine told it")],
    public_url: Annotated[str, typer.Option("--public-url", help="服务的公开地址 / public address of the service")],
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """第三步（离线机）：以根签发签发机构证书 / Step 3, offline machine: certify the issuing authority."""
    from sealing.ceremony import check_request  # noqa: PLC0415  as above
    from sealing.ceremony import issue as certify  # noqa: PLC0415  as above
    from sealing.offline_root import open_root_key  # noqa: PLC0415  as above

    check_request(csr, public_key)
    key = open_root_key(folder, _passphrase(passphrase_file))
    facts = certify(folder, key, csr, target, now(), public_url=public_url)
    _told(facts, as_json=as_json, then=f"目标机 / on the target machine: yinxin init --ceremony {target.name}")


@commands.command("shares")
@console.guarded
def shares(
    *,
    needed: Annotated[int, typer.Option("--needed", help="几份可合成 / how many give it back", min=2)],
    of: Annotated[int, typer.Option("--of", help="共几份 / how many there are", min=2)],
    out: Annotated[
        Path | None, typer.Option("--out", help="每份一文件的目录；不给则逐份显示 / folder; else shown one by one")
    ] = None,
    data: Data = None,
) -> None:
    """将密钥加密密钥分为若干份 / Split the key-encryption key into shares, proven by recombination."""
    from keystore.private_file import write_private  # noqa: PLC0415  only where shares are written
    from sealing.ceremony import make_shares  # noqa: PLC0415  as above

    if out is None and not sys.stdout.isatty():
        raise console.UsageError(
            "no-terminal", "无终端，请用 --out", "there is no terminal to show shares on; use --out"
        )
    made = make_shares(read_settings(data), needed=needed, of=of, now=now())
    for number, share in enumerate(made, start=1):
        if out is not None:
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(out / f"share-{number}-of-{of}.txt", f"# {number}/{of}, {needed} needed\n{share}\n".encode())
        else:
            console.say(f"第 {number} 份，共 {of} 份 / share {number} of {of}", share)
            typer.prompt("抄录后按回车 / press Enter once it is written down", default="", show_default=False)
            click.clear()
    console.tell(f"{of} 份，任 {needed} 份可合成，已验证 / {of} shares, any {needed} give the key back; proven")


@commands.command("recover-key")
@console.guarded
def recover_key(
    target: Annotated[Path, argument("写出的密钥文件 / the key file to write")],
    share: Annotated[list[Path], typer.Option("--share", help="分片文件 / a share's file", exists=True)],
    *,
    fingerprint: Annotated[str | None, typer.Option("--fingerprint", help="应有的指纹 / as in the protocol")] = None,
) -> None:
    """由分片恢复密钥加密密钥 / Give the key-encryption key back from its shares."""
    from sealing.ceremony import recover_key as combine  # noqa: PLC0415  as above
    from sealing.key_shares import read_share  # noqa: PLC0415  as above

    console.say(combine([read_share(each) for each in share], target, fingerprint))


@commands.command("list")
@console.guarded
def sign_list(
    folder: RootFolder,
    target: Annotated[Path, argument("写出的列表 / the list to write")],
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """每年（离线机）：重新签发根的吊销列表 / Each year, offline machine: sign the root's list anew."""
    from sealing.ceremony import note  # noqa: PLC0415  as above
    from sealing.offline_root import open_root_key, sign_root_list  # noqa: PLC0415  as above
    from sealing.root_list import write_whole  # noqa: PLC0415  as above

    write_whole(target, sign_root_list(folder, open_root_key(folder, _passphrase(passphrase_file)), now()))
    note(folder, "list", {}, now())
    console.say(f"目标机 / on the target machine: yinxin ceremony accept-list {target.name}")


@commands.command("accept-list")
@console.guarded
def accept_list(
    source: Annotated[Path, argument("根的吊销列表 / the root's list", exists=True)], *, data: Data = None
) -> None:
    """每年（目标机）：换上根的新吊销列表 / Each year, target machine: put the root's new list in place."""
    from sealing.installation import Installation  # noqa: PLC0415  as above
    from sealing.root_list import accept_root_list  # noqa: PLC0415  as above

    settings = read_settings(data)
    found = accept_root_list(settings, Installation.read(settings.data / "installation.json"), source, now())
    console.say(f"有效至 / holds until {found.next_update:%F}")


@commands.command("protocol")
@console.guarded
def protocol(
    target: Annotated[Path, argument("写出的文本 / the text to write")],
    records: Annotated[list[Path], argument("各步所在目录 / folders of the steps", exists=True, file_okay=False)],
    *,
    present: Annotated[int, typer.Option("--present", help="在场人数 / how many were present", min=2)] = 3,
) -> None:
    """仪式记录，供打印签名 / The protocol, to be printed and signed by those present."""
    from sealing.ceremony import read_steps  # noqa: PLC0415  as above
    from sealing.ceremony_protocol import protocol as text  # noqa: PLC0415  as above
    from sealing.root_list import write_whole  # noqa: PLC0415  as above

    steps = [step for folder in records for step in read_steps(folder)]
    if not steps:
        raise console.UsageError(
            "no-steps", "这些目录中没有仪式步骤", "no step of a ceremony is noted in these folders"
        )
    write_whole(target, text(steps, present=present).encode())


@founding.command("init")
@console.guarded
def init(
    *,
    ceremony: Annotated[
        Path | None,
        typer.Option("--ceremony", help="仪式结果目录 / outcome of a ceremony", exists=True, file_okay=False),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """建立安装；有仪式结果时根密钥不在此处 / Make an installation; from a ceremony without the root's key."""
    from sealing.ceremony import found_from  # noqa: PLC0415  as above
    from sealing.workshop import initialise  # noqa: PLC0415  as above

    settings = read_settings(data)
    made = initialise(settings, now()) if ceremony is None else found_from(settings, ceremony, now())
    _told(
        {"installation": made.id, "log": made.log_origin, "root_key": made.root_key or "offline"},
        as_json=as_json,
        then="yinxin doctor",
    )


def _passphrase(path: Path | None, *, again: bool = False) -> str:
    from keystore.interface import KeyUnreadableError  # noqa: PLC0415  only where one is asked
    from keystore.private_file import read_private  # noqa: PLC0415  as above

    if path is not None:
        return read_private(path, limit=4096, error=KeyUnreadableError).decode("utf-8").rstrip("\n")
    return str(typer.prompt("根密钥口令 / passphrase of the root key", hide_input=True, confirmation_prompt=again))


def _told(facts: dict[str, str], *, as_json: bool, then: str) -> None:
    if as_json:
        console.show_json(facts)
    else:
        console.show_facts(facts)
        console.tell(f"下一步 / next: {then}")

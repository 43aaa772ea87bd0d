"""Seals 2号章, which one organ grants to another: ``yinxin grant …``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import console, records, seal_limits
from cli.options import AsJson, Data, Why, argument, group
from cli.proposing import As, SignWith, Statement, propose
from cli.seal_limits import LIFTED
from cli.workplace import act, opened

if TYPE_CHECKING:
    from sealing.administration.seals import SealStep

commands = group("2号章的刻制、启用、停用、注销 / issue seals and lead them through their life")

Seal = Annotated[str, argument("印章编号（sea-…）/ id of the seal")]
LevelName = Literal["PAdES-B-B", "PAdES-B-T", "PAdES-B-LT", "PAdES-B-LTA"]
MarkName = Literal["none", "code", "qr"]
Level = Annotated[LevelName, typer.Option(help="签名级别 / level")]
MayLower = Annotated[
    bool, typer.Option("--may-lower/--never-lower", help="达不到时公开降级 / lower openly what cannot be had")
]
Mark = Annotated[MarkName, typer.Option(help="核验标记 / check mark beside the face")]
Key = Annotated[Literal["ecdsa-p256-sha256", "rsa3072-sha256"], typer.Option("--algorithm", help="密钥算法 / key")]
Reason = Annotated[
    Literal["cessation_of_operation", "superseded", "privilege_withdrawn", "key_compromise"],
    typer.Option(help="吊销原因（RFC 5280）/ why the certificates are revoked"),
]
PNG_PIXELS = 1200


@commands.command()
@console.guarded
def issue(  # noqa: PLR0913  each is a name on the command line
    agreement: Annotated[str, argument("协议编号 / id of the agreement")],
    *,
    as_: As,
    sign_with: SignWith,
    why: Why,
    custodian: Annotated[str | None, typer.Option(help="保管人（人员编号）/ custodian")] = None,
    daily_cap: Annotated[int | None, typer.Option(help="每日上限 / daily cap")] = None,
    diameter_mm: Annotated[str, typer.Option(help="直径毫米 / diameter in mm")] = "42",
    algorithm: Key = "ecdsa-p256-sha256",
    level: Level = "PAdES-B-LT",
    may_lower: MayLower = False,
    check_mark: Mark = "qr",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """提案按设置表刻制印章并签发证书；另一人批准后即办 / Propose the seal that the setup table foresees."""
    content = {
        "agreement": agreement,
        "custodian": custodian,
        "daily_cap": daily_cap,
        "diameter_mm": diameter_mm,
        "algorithm": algorithm,
        "level": level,
        "may_lower": may_lower,
        "check_mark": check_mark,
    }
    with opened(data) as shop:
        propose(shop, "issue_seal", content, Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command()
@console.guarded
def enable(seal: Seal, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """启用 / Enable."""
    _change(seal, "enable", why, data, as_json=as_json)


@commands.command()
@console.guarded
def suspend(seal: Seal, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """停用，证书同时冻结 / Suspend; the certificate is held."""
    _change(seal, "suspend", why, data, as_json=as_json)


@commands.command()
@console.guarded
def suspect(seal: Seal, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """疑似失密：立即吊销全部证书并停用，换钥后方可再用 / The key may be taken: revoke at once and suspend."""
    from sealing.administration import seals  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(seals.suspect(shop, seal, act(why)), json=as_json)


@commands.command()
@console.guarded
def resume(seal: Seal, *, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """恢复 / Resume."""
    _change(seal, "resume", why, data, as_json=as_json)


@commands.command()
@console.guarded
def cancel(
    seal: Seal,
    *,
    as_: As,
    sign_with: SignWith,
    why: Why,
    reason: Reason = "cessation_of_operation",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """提案注销：证书吊销，不能恢复 / Propose to cancel for good; the certificates are revoked."""
    content = {"seal": seal, "reason": reason}
    with opened(data) as shop:
        propose(shop, "cancel_seal", content, Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command()
@console.guarded
def destroy(seal: Seal, *, as_: As, sign_with: SignWith, why: Why, data: Data = None, as_json: AsJson = False) -> None:
    """提案销毁已注销印章的私钥 / Propose to destroy the private keys of a cancelled seal."""
    with opened(data) as shop:
        propose(shop, "destroy_seal", {"seal": seal}, Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command()
@console.guarded
def custodian(
    seal: Seal,
    person: Annotated[str, argument("人员编号 / id of the person")],
    *,
    why: Why,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """指定保管人 / Name the custodian."""
    from sealing.administration import seals  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(seals.set_custodian(shop, seal, person, act(why)), json=as_json)


@commands.command()
@console.guarded
def policy(  # noqa: PLR0913  each is a name on the command line
    seal: Seal,
    *,
    why: Why,
    level: Annotated[LevelName | None, typer.Option(help="签名级别 / level")] = None,
    check_mark: Annotated[MarkName | None, typer.Option(help="核验标记 / check mark beside the face")] = None,
    may_lower: Annotated[
        bool | None,
        typer.Option("--may-lower/--never-lower", help="达不到时公开降级 / lower openly what cannot be had"),
    ] = None,
    daily_cap: Annotated[int | None, typer.Option(help="每日上限 / daily cap")] = None,
    monthly_cap: Annotated[int | None, typer.Option(help="每月上限 / monthly cap")] = None,
    hours: Annotated[
        str | None, typer.Option(help="用章时段（北京时间）/ hours in Beijing", metavar="08:30-18:00")
    ] = None,
    working_days_only: Annotated[
        bool | None, typer.Option("--working-days-only/--every-day", help="只限工作日 / on working days only")
    ] = None,
    network: Annotated[list[str] | None, typer.Option(help="来源网段，可重复 / network of callers, repeatable")] = None,
    burst_floor: Annotated[
        int | None, typer.Option(help="一小时内多少次以内不算突增 / uses in an hour that are no burst")
    ] = None,
    suspend_on_burst: Annotated[
        bool | None, typer.Option("--suspend-on-burst/--alert-only", help="突增时自动停用 / suspend on a burst")
    ] = None,
    lift: Annotated[
        list[str] | None, typer.Option(help=f"取消的限制，可重复 / limit to lift, repeatable: {', '.join(LIFTED)}")
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """选定签名级别、核验标记与用章限制；未写明的不变 / Choose level, check mark and limits; the rest stays."""
    from registry.records import Seal as SealRecord  # noqa: PLC0415  loads the database
    from sealing.administration import seals  # noqa: PLC0415  as above

    given = {
        "daily_cap": daily_cap,
        "monthly_cap": monthly_cap,
        "networks": tuple(network) if network else None,
        "burst_floor": burst_floor,
        "suspend_on_burst": suspend_on_burst,
    }
    with opened(data) as shop:
        with shop.database.read() as connection:
            present = shop.registry.get(connection, SealRecord, seal).record
        chosen = seals.SealPolicy(
            level=level or present.level,
            may_lower=present.may_lower if may_lower is None else may_lower,
            check_mark=check_mark or present.check_mark,
            limits=seal_limits.chosen(
                present.all_limits, given, hours=hours, working_days_only=working_days_only, lift=lift or ()
            ),
        )
        records.show(seals.set_policy(shop, seal, chosen, act(why)), json=as_json)


@commands.command()
@console.guarded
def file(
    seal: Seal,
    position: Annotated[int, argument("第几次变更，从 1 起 / which change, from 1", min=1)],
    filing_number: Annotated[str, argument("备案号 / filing number")],
    *,
    why: Why,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """填写某次变更的备案号（只填一次）/ Fill the 备案 number of one change, once."""
    from sealing.administration import seals  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(seals.file_change(shop, seal, position - 1, filing_number, act(why)), json=as_json)


@commands.command()
@console.guarded
def renew_key(
    seal: Seal,
    *,
    as_: As,
    sign_with: SignWith,
    why: Why,
    algorithm: Key = "ecdsa-p256-sha256",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """提案换发密钥与证书 / Propose a new key and certificate for the seal."""
    content = {"seal": seal, "algorithm": algorithm}
    with opened(data) as shop:
        propose(shop, "rotate_key", content, Statement(person=as_, key=sign_with, why=why), as_json=as_json)


@commands.command("list")
@console.guarded
def list_(*, data: Data = None, as_json: AsJson = False) -> None:
    """列出印章 / List the seals."""
    from registry.records import Seal as SealRecord  # noqa: PLC0415  loads the database

    with opened(data) as shop, shop.database.read() as connection:
        columns = ("id", "name", "owner", "state", "custodian", "agreement")
        records.show_list(shop.registry.find(connection, SealRecord), columns, json=as_json)


@commands.command()
@console.guarded
def show(seal: Seal, *, data: Data = None, as_json: AsJson = False) -> None:
    """显示印章、各次变更与证书 / Show a seal, its changes and certificates."""
    from registry.records import Seal as SealRecord  # noqa: PLC0415  loads the database
    from registry.records import SealKey  # noqa: PLC0415  as above

    with opened(data) as shop, shop.database.read() as connection:
        found = shop.registry.get(connection, SealRecord, seal)
        keys = shop.registry.find(connection, SealKey, seal=seal)
    keys.sort(key=lambda each: each.record.key_version)
    certificates = [_certificate(records.as_json(each)) for each in keys]
    records.show(found, json=as_json, certificates=certificates)


@commands.command()
@console.guarded
def face(
    seal: Seal,
    target: Annotated[Path, argument("写入的 .svg 或 .png / .svg or .png to write")],
    *,
    data: Data = None,
) -> None:
    """输出印面预览 / Draw the seal's face."""
    from sealing.administration import faces  # noqa: PLC0415  loads the signer

    suffix = target.suffix.lower()
    if suffix not in {".svg", ".png"}:
        raise console.UsageError(
            "picture-format", f"{target.name} 应以 .svg 或 .png 结尾", f"{target.name} should end with .svg or .png"
        )
    with opened(data) as shop, shop.database.read() as connection:
        drawn = faces.face(shop, connection, seal)
    content = drawn.svg().encode() if suffix == ".svg" else drawn.png(PNG_PIXELS)
    with target.open("xb") as picture:  # never over a file that is there
        picture.write(content)
    console.say(f"{target}：{len(content)} 字节 / bytes")


@commands.command()
@console.guarded
def request_certificate(seal: Seal, *, why: Why, data: Data = None) -> None:
    """输出向持牌机构申请证书的请求（PKCS #10）/ Print a certificate request for a licensed authority."""
    from sealing.administration import outside_certificates  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        pem = outside_certificates.request_certificate(shop, seal, act(why))
    console.say(pem.decode("ascii").rstrip("\n"))


@commands.command()
@console.guarded
def import_certificate(
    seal: Seal,
    chain: Annotated[Path, argument("证书及其链 PEM / the certificate with its chain", exists=True, dir_okay=False)],
    *,
    why: Why,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """导入持牌机构签发的证书 / Import the certificate of a licensed authority."""
    from sealing.administration import outside_certificates  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        stored = outside_certificates.import_certificate(shop, seal, chain.read_bytes(), act(why))
        records.show(stored, json=as_json)


def _change(seal: str, change: "SealStep", why: str, data: Path | None, *, as_json: bool) -> None:
    from sealing.administration import seals  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        records.show(seals.change_state(shop, seal, change, act(why)), json=as_json)


def _certificate(key: dict[str, object]) -> dict[str, object]:
    """What people ask of a certificate; the bytes are in the API."""
    wanted = (
        "key_version",
        "serial",
        "issuer",
        "not_before",
        "not_after",
        "retired_at",
        "revoked_at",
        "revoked_reason",
    )
    return {name: key[name] for name in wanted}

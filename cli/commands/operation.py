"""Run the service and look after it: serve, demo, audit, recover, erase, checkpoint."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from cli import console
from cli.exit_codes import DONE, REFUSED
from cli.options import AsJson, Data, Why, argument, group
from cli.workplace import act, now, opened, read_settings

if TYPE_CHECKING:
    from sealing.audit import AuditFinding
    from sealing.settings import Settings
    from sealing.workshop import Workshop

commands = group("运行与维护 / operation")


@commands.command()
@console.guarded
def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="监听地址 / address", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="监听端口 / port", show_default=False)] = None,
) -> None:
    """启动服务；首次启动时建立安装并发布目录 / Start the service; the first start sets it up."""
    from sealing.workshop import initialise  # noqa: PLC0415  loads the database and the keys

    settings = read_settings(data, host=host, port=port)
    initialise(settings, now())
    published = _publish_once(settings.data)
    _welcome(settings, published)
    from api.server import serve as serve_http  # noqa: PLC0415  loads the HTTP server
    from web.pages import add_pages  # noqa: PLC0415  as above

    serve_http(settings, complete=add_pages)


@commands.command()
@console.guarded
def demo(
    folder: Annotated[Path, typer.Option(help="输出目录 / where its files go")] = Path("demo-output"),
    *,
    show: Annotated[bool, typer.Option(help="显示每一步 / show each step")] = True,
    keys: Annotated[
        Literal["software", "softhsm"], typer.Option(help="私钥在何处 / where the private keys are")
    ] = "software",
) -> None:
    """完整演示：真实服务、盖章、核验与各种拒绝 / The whole story on a real server, refusals included."""
    from demo.run import run  # noqa: PLC0415  loads typesetting

    raise typer.Exit(run(folder, show, keys))


@commands.command()
@console.guarded
def audit(
    *,
    keys: Annotated[
        bool, typer.Option("--keys", help="只核对用钥记录与账本 / compare the record of key uses with the ledger")
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """核查账本、登记表、用章记录与文件，指出每一处不符 / Walk everything and name what is wrong; exit 1 if broken."""
    if keys:
        _audit_keys(data, as_json=as_json)
    from sealing.audit import audit as walk  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        found = walk(shop, now(), console.progress(quiet=as_json))
        size = _size(shop)
    broken = [each for each in found if each.severity == "broken"]
    if as_json:
        rows = [{name: getattr(each, name) for name in ("severity", "code", "where", "zh", "en")} for each in found]
        console.show_json({"sound": not broken, "entries": size, "findings": rows})
    else:
        _show_findings(found)
        console.say(_conclusion(size, broken=len(broken), notes=len(found) - len(broken)))
    raise typer.Exit(REFUSED if broken else DONE)


def _audit_keys(data: Path | None, *, as_json: bool) -> NoReturn:
    from sealing.audit_keys import audit_keys  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        compared = audit_keys(shop)
    found = compared.findings
    failed = any(each.severity == "broken" for each in found)
    if as_json:
        rows = [{name: getattr(each, name) for name in ("severity", "code", "where", "zh", "en")} for each in found]
        console.show_json({"sound": not failed, "uses": compared.uses, "begins": compared.begins, "findings": rows})
    else:
        _show_findings(found)
        verdict = "不符 / not as the ledger tells" if failed else "与账本相符 / as the ledger tells"
        console.say(f"核对用钥 {compared.uses} 次：{verdict}；{compared.uses} key uses compared")
    raise typer.Exit(REFUSED if failed else DONE)


@commands.command()
@console.guarded
def recover(*, data: Data = None, as_json: AsJson = False) -> None:
    """关闭超时的办理和提案，停用协议届满的印章 / Close lapsed attempts and proposals, suspend lapsed seals."""
    from sealing.administration.agreement_seals import suspend_lapsed  # noqa: PLC0415  loads the database
    from sealing.administration.proposals import end_overdue  # noqa: PLC0415  as above
    from sealing.recover import recover as close  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        closed = close(shop, now)
        suspended = suspend_lapsed(shop, now())
        overdue = end_overdue(shop, now())
    rows = [{"attempt": each.attempt, "application": each.application, "intent": each.intent_entry} for each in closed]
    if as_json:
        console.show_json({"abandoned": rows, "suspended": suspended, "proposals": overdue})
        return
    if rows:
        console.show_table(("attempt", "application", "intent"), (list(row.values()) for row in rows))
    console.say(f"作废 {len(rows)} 项办理，停用 {len(suspended)} 枚印章，关闭 {len(overdue)} 项逾期提案")
    console.say(f"{len(rows)} attempts abandoned, {len(suspended)} seals suspended, {len(overdue)} proposals closed")


@commands.command()
@console.guarded
def erase(
    entry: Annotated[int, argument("账本记录序号 / number of the entry", min=0)],
    groups: Annotated[list[str], argument("字段组，如 persons / groups, e.g. persons")],
    why: Why,
    *,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """依规清除一条记录中的个人信息，并记入账本 / Erase personal data of an entry; that it was erased is recorded."""
    from sealing.erasure import erase as erase_groups  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        recorded = erase_groups(shop, entry, groups, act(why))
    if as_json:
        console.show_json({"entry": entry, "groups": sorted(set(groups)), "recorded": recorded})
        return
    console.say(f"已清除，记为第 {recorded} 条 / erased; recorded as entry {recorded}")


@commands.command()
@console.guarded
def checkpoint(
    *,
    data: Data = None,
    since: Annotated[
        Path | None,
        typer.Option("--since", help="旧检查点文件，核对一致性 / an older note to check against", exists=True),
    ] = None,
    vkey: Annotated[bool, typer.Option("--vkey", help="只输出账本公钥 / print the log's key only")] = False,
    as_json: AsJson = False,
) -> None:
    """输出最新的已签检查点；--since 证明账本只增不改 / Print the newest signed checkpoint of the ledger."""
    with opened(data) as shop:
        if vkey:
            console.say(shop.identity.vkey)
            return
        signed = shop.book.checkpoint(now(), _size(shop))
        consistency = None if since is None else _consistency(shop, since, signed.size, signed.root)
    if as_json:
        known: dict[str, Any] = {} if consistency is None else {"consistent_with": consistency}
        console.show_json(
            {"size": signed.size, "root": signed.root.hex(), "note": signed.note, "vkey": shop.identity.vkey, **known}
        )
        return
    console.say(signed.note.rstrip("\n"))
    console.tell(f"账本公钥 / verifier key: {shop.identity.vkey}")
    if consistency is not None:
        console.tell(f"与 {consistency} 条时的检查点一致 / consistent with the checkpoint over {consistency} entries")


def _publish_once(data: Path) -> int:
    """Publish the shipped catalogue where there is none at all; the number of rows."""
    from registry.records import CatalogueItem  # noqa: PLC0415  with the workshop
    from sealing.administration.catalogue import publish_shipped  # noqa: PLC0415  as above

    with opened(data) as shop:
        with shop.database.read() as connection:
            if shop.registry.find(connection, CatalogueItem):
                return 0
        return publish_shipped(shop, act("首次启动发布随附目录 / the shipped catalogue, at the first start"))


def _welcome(settings: "Settings", published: int) -> None:
    folder, here = shlex.quote(str(settings.data)), f"http://{settings.host}:{settings.port}"
    console.say(
        f"印信 Yinxin：查验页 / verification page {here}/verify，接口说明 / description of the API {here}/openapi.json",
        f"数据 / data：{settings.data.absolute()}",
        *((f"已发布目录 {published} 行 / published {published} rows of the catalogue",) if published else ()),
        "登记客户端，密钥只显示一次 / register a client, its secret is shown once:",
        f"  yinxin client register --data {folder} --name 运维 --role operator --why 开通",
        "取得令牌 / get a token:",
        f"  curl -u cli-…:SECRET -d grant_type=client_credentials {here}/oauth/token",
        "停止：Ctrl-C / stop with Ctrl-C",
    )


def _show_findings(found: "list[AuditFinding]") -> None:
    if found:
        rows = ((each.severity, each.code, each.where, f"{each.zh}\n{each.en}") for each in found)
        console.show_table(("severity", "code", "where", ""), rows)


def _conclusion(size: int, *, broken: int, notes: int) -> str:
    if broken:
        return f"✗ {size} 条记录，{broken} 处不符，{notes} 条提示 / {broken} broken, {notes} notes in {size} entries"
    return f"✓ {size} 条记录完好，{notes} 条提示 / {size} entries are sound, {notes} notes"


def _size(shop: "Workshop") -> int:
    from ledger import store  # noqa: PLC0415  with the workshop

    with shop.database.read() as connection:
        return store.read_head(connection).range.size


def _consistency(shop: "Workshop", old: Path, size: int, root: bytes) -> int:
    """The size of the older tree, after proving that the present one extends it. Raises ``ProofError``."""
    from ledger import merkle, store  # noqa: PLC0415  with the workshop
    from ledger.checkpoint import open_checkpoint  # noqa: PLC0415  as above

    try:
        note = old.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise console.UsageError("note-unreadable", f"{old} 不是检查点", f"{old} is no checkpoint") from None
    earlier = open_checkpoint(note, shop.identity)
    if earlier.size > size:
        raise console.CommandError(
            "record-shorter",
            f"账本有 {size} 条，旧检查点有 {earlier.size} 条：账本被回退",
            f"the ledger has {size} entries, the older checkpoint {earlier.size}: it was rolled back",
        )
    with shop.database.read() as connection:
        proof = merkle.consistency_proof(earlier.size, size, store.node_reader(connection))
    merkle.verify_consistency(earlier.size, size, proof, first_root=earlier.root, second_root=root)
    return earlier.size

"""Judge a sealed PDF offline, or decide an old entry again."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli import console
from cli.batch_judging import EXITS, Judging, files_in, judge_batch
from cli.exit_codes import DONE, REFUSED
from cli.options import AsJson, Data, argument, group
from cli.workplace import moment, now, opened

commands = group("核验 / judging")


def _given(name: str, help_: str) -> Any:  # noqa: ANN401  as typer gives it
    return typer.Option(name, help=help_, exists=True, dir_okay=False, show_default=False)


@commands.command()
@console.guarded
def verify(  # noqa: PLR0913  each is a question of its own, and a name on the command line
    files: Annotated[list[Path] | None, argument("PDF 文件或文件夹 / PDFs or folders", exists=True)] = None,
    *,
    receipt: Annotated[list[Path] | None, _given("--receipt", "回执 / the receipt, once a seal")] = None,
    trust: Annotated[list[Path] | None, _given("--trust", "受信任的根证书 PEM / trusted roots")] = None,
    timestamp_root: Annotated[
        list[Path] | None, _given("--timestamp-root", "外部时间戳根证书 PEM / roots of outside time-stamps")
    ] = None,
    log_key: Annotated[list[Path] | None, _given("--log-key", "账本公钥文件 / verifier keys of ledgers")] = None,
    witness: Annotated[list[Path] | None, _given("--witness", "见证方公钥文件 / verifier keys of witnesses")] = None,
    crl: Annotated[list[Path] | None, _given("--crl", "吊销列表 / revocation list")] = None,
    ocsp: Annotated[list[Path] | None, _given("--ocsp", "吊销应答 DER / OCSP answer, DER")] = None,
    at: Annotated[str | None, typer.Option(help="核验所指时间 RFC 3339 / judge as of", show_default=False)] = None,
    replay: Annotated[
        int | None, typer.Option(help="重做第 N 条裁决（需要安装）/ decide entry N again", show_default=False)
    ] = None,
    seconds: Annotated[int, typer.Option(help="每个文件的时限，秒 / time limit a file, seconds", min=1, max=3600)] = 30,
    language: Annotated[Literal["zh", "en"], typer.Option(help="报告语言 / language of the report")] = "zh",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """离线核验：0 通过，1 不通过，2 无法判定 / Judge sealed PDFs offline: 0 passed, 1 failed, 2 cannot tell."""
    if bool(files) == (replay is not None):
        raise console.UsageError(
            "file-or-replay", "应给出 PDF 文件或 --replay 之一", "give either PDF files or --replay"
        )
    if not files:
        raise typer.Exit(_replay(data, replay or 0, as_json=as_json))
    from verify.bounded import Limits  # noqa: PLC0415  only where files are judged
    from verify.trust import Trust  # noqa: PLC0415  as above

    trusted = Trust.read(
        tuple(trust or ()),
        tuple(log_key or ()),
        tuple(crl or ()),
        ocsps=tuple(ocsp or ()),
        timestamp_roots=tuple(timestamp_root or ()),
        witnesses=tuple(witness or ()),
    )
    judging = Judging(trust=trusted, now=moment(at) or now(), limits=Limits(seconds=seconds))
    if len(files) > 1 or files[0].is_dir():
        raise typer.Exit(_judge_many(files, receipt, judging, as_json=as_json))
    raise typer.Exit(_judge_one(files[0], receipt or [], judging, language=None if as_json else language))


def _judge_one(file: Path, receipts: list[Path], judging: Judging, *, language: Literal["zh", "en"] | None) -> int:
    """JSON without a language."""
    from verify.bounded import judge_bounded  # noqa: PLC0415  only where a file is judged
    from verify.receipt import Receipt  # noqa: PLC0415  as above
    from verify.report import lines  # noqa: PLC0415  as above

    verdict = judge_bounded(
        file,
        [Receipt.from_bytes(path.read_bytes()) for path in receipts],
        trust=judging.trust,
        now=judging.now,
        limits=judging.limits,
    )
    if language is None:
        console.show_json(verdict.to_json())
    else:
        console.say(*lines(verdict, language))
    return EXITS[str(verdict.indication)]


def _judge_many(given: list[Path], receipts: list[Path] | None, judging: Judging, *, as_json: bool) -> int:
    if receipts:
        raise console.UsageError(
            "receipt-of-which",
            "核验多个文件时回执应放在各 PDF 旁（同名 .receipt.json），不用 --receipt",
            "for several files the receipts are found beside each PDF (same name, .receipt.json), not by --receipt",
        )
    found = files_in(given)
    if not found:
        raise console.UsageError("no-files", "文件夹中没有 PDF 文件", "there is no PDF in the folder")
    return judge_batch(found, judging, as_json=as_json)


def _replay(data: Path | None, entry: int, *, as_json: bool) -> int:
    from sealing.replay import replay  # noqa: PLC0415  loads the database

    with opened(data) as shop:
        found = replay(shop, entry)
    if as_json:
        console.show_json(
            {
                "entry": found.entry,
                "rule_set": found.rule_set,
                "same": found.same,
                "recorded": found.recorded,
                "again": found.again,
            }
        )
    else:
        _show_replayed(found.recorded, found.again)
        word = "一致 / the same" if found.same else "不一致 / not the same"
        console.say(f"第 {entry} 条，规则集 {found.rule_set}：{word}")
    return DONE if found.same else REFUSED


def _show_replayed(recorded: list[dict[str, object]], again: list[dict[str, object]]) -> None:
    anew = {str(each["code"]): each for each in again}
    then = {str(each["code"]): each for each in recorded}
    rows = (
        (code, _mark(then.get(code)), _mark(anew.get(code)), "" if then.get(code) == anew.get(code) else "≠")
        for code in [*then, *(code for code in anew if code not in then)]
    )
    console.show_table(("规则 / rule", "记录 / recorded", "重做 / again", ""), rows)


def _mark(finding: dict[str, object] | None) -> str:
    return "–" if finding is None else ("✓" if finding["passed"] else "✗")

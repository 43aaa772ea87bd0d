"""Judge a sealed PDF offline, or decide an old entry again."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli import console
from cli.exit_codes import CANNOT_TELL, DONE, REFUSED
from cli.options import AsJson, Data, argument, group
from cli.workplace import moment, now, opened

commands = group("核验 / judging")

_EXITS = {"TOTAL_PASSED": DONE, "TOTAL_FAILED": REFUSED, "INDETERMINATE": CANNOT_TELL}


def _given(name: str, help_: str) -> Any:  # noqa: ANN401  as typer gives it
    return typer.Option(name, help=help_, exists=True, dir_okay=False, show_default=False)


@commands.command()
@console.guarded
def verify(  # noqa: PLR0913  each is a question of its own, and a name on the command line
    file: Annotated[Path | None, argument("PDF 文件 / the PDF", exists=True, dir_okay=False)] = None,
    *,
    receipt: Annotated[list[Path] | None, _given("--receipt", "回执 / the receipt, once a seal")] = None,
    trust: Annotated[list[Path] | None, _given("--trust", "受信任的根证书 PEM / trusted roots")] = None,
    log_key: Annotated[list[Path] | None, _given("--log-key", "账本公钥文件 / verifier keys of ledgers")] = None,
    crl: Annotated[list[Path] | None, _given("--crl", "吊销列表 / revocation list")] = None,
    at: Annotated[str | None, typer.Option(help="核验所指时间 RFC 3339 / judge as of", show_default=False)] = None,
    replay: Annotated[
        int | None, typer.Option(help="重做第 N 条裁决（需要安装）/ decide entry N again", show_default=False)
    ] = None,
    seconds: Annotated[int, typer.Option(help="核验时限，秒 / time limit, seconds", min=1, max=3600)] = 30,
    language: Annotated[Literal["zh", "en"], typer.Option(help="报告语言 / language of the report")] = "zh",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """离线核验：0 通过，1 不通过，2 无法判定 / Judge a sealed PDF offline: 0 passed, 1 failed, 2 cannot tell."""
    if (file is None) == (replay is None):
        raise console.UsageError(
            "file-or-replay", "应给出 PDF 文件或 --replay 之一", "give either a PDF file or --replay"
        )
    if file is None:
        raise typer.Exit(_replay(data, replay or 0, as_json=as_json))
    from verify.bounded import Limits, judge_bounded  # noqa: PLC0415  only where a file is judged
    from verify.receipt import Receipt  # noqa: PLC0415  as above
    from verify.report import lines  # noqa: PLC0415  as above
    from verify.trust import Trust  # noqa: PLC0415  as above

    verdict = judge_bounded(
        file,
        [Receipt.from_bytes(path.read_bytes()) for path in receipt or ()],
        trust=Trust.read(tuple(trust or ()), tuple(log_key or ()), tuple(crl or ())),
        now=moment(at) or now(),
        limits=Limits(seconds=seconds),
    )
    if as_json:
        console.show_json(verdict.to_json())
    else:
        console.say(*lines(verdict, language))
    raise typer.Exit(_EXITS[str(verdict.indication)])


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

"""What the demo tells its reader: each step while it happens, and a table of everything at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.evidence import Judged
from demo.refusals import Refusal


@dataclass(slots=True, kw_only=True)
class Report:
    """Tells the steps if ``show``; ``wrong`` holds what was not as expected."""

    console: Console
    show: bool
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """One step, with the seconds it took."""
        begun = time.perf_counter()
        if self.show and self.console.is_terminal:
            with self.console.status(words):
                yield
        else:
            yield
        self.tell(f"[green]✓[/] {words} [dim]{time.perf_counter() - begun:.1f} s[/]")

    def tell(self, words: str) -> None:
        """A line, for whoever watches."""
        if self.show:
            self.console.print(words, highlight=False)

    def refused(self, refusal: Refusal) -> None:
        """One refusal: every rule that failed, and the sentence of the one that was meant."""
        findings = refusal.answer.findings
        if not refusal.as_expected:
            self.wrong.append(f"{refusal.name}: 应由 {refusal.rule} 拒绝，实为 {', '.join(findings) or '已盖章'}")
        mark = "[yellow]✗ 拒绝[/]" if refusal.as_expected else "[red]？不符[/]"
        self.tell(f"{mark} {escape(refusal.name)}")
        for code, zh in findings.items():
            style = "bold" if code == refusal.rule else "dim"
            self.tell(f"    [{style}]{code}[/] {escape(' '.join(zh.split()))}")

    def judged(self, judged: Judged) -> None:
        """What verify and pdfsig say of one sealed file."""
        if not judged.sound:
            self.wrong.append(f"{judged.sealed.document.name}: {judged.verdict}, pdfsig {judged.pdfsig}")

    def summary(self, judged: list[Judged], refusals: list[Refusal]) -> None:
        """Both tables."""
        sealed = Table("盖章文书", "离线核验", "pdfsig", "文件", title="已盖章 / sealed", title_justify="left")
        for each in judged:
            pdfsig = "未安装" if each.pdfsig is None else ("有效" if each.pdfsig else "无效")
            sealed.add_row(each.sealed.title, each.verdict, pdfsig, each.sealed.document.name)
        refused = Table("情形", "应拒绝的规则", "结果", title="已拒绝 / refused", title_justify="left")
        for refusal in refusals:
            others = len(refusal.answer.findings) - 1
            result = f"拒绝（另 {others} 条）" if others > 0 else "拒绝"
            refused.add_row(refusal.name, refusal.rule, result if refusal.as_expected else "不符")
        self.console.print(sealed, refused)

    def files(self, places: dict[str, Path]) -> None:
        """Where everything lies."""
        table = Table("内容", "位置", title="文件 / files", title_justify="left")
        for name, place in places.items():
            table.add_row(name, str(place))
        self.console.print(table)

    def end(self, seconds: float) -> int:
        """The last line and the exit code: 0 only if everything was as expected."""
        for each in self.wrong:
            self.console.print(f"[red]✗[/] {escape(each)}", highlight=False)
        word = "[red]有不符之处 / not as expected[/]" if self.wrong else "[green]全部如预期 / everything as expected[/]"
        self.console.print(f"{word}，用时 {seconds:.1f} 秒", highlight=False)
        return 1 if self.wrong else 0

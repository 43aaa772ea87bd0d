"""The doctor: looks at an installation as it stands and says, check by check, what was found and what to do."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from ledger.anchor import Anchor
from ledger.checkpoint import open_checkpoint
from ledger.migrate import revision, revisions
from ledger.moments import from_text
from ledger.store import read_head
from registry.calendar import Calendar
from registry.proposals import Proposal
from registry.records import CalendarDay, SealKey, ServiceKey
from sealing import applications
from sealing.clock_trust import ClockWatch
from sealing.root_list import NAME as ROOT_LIST
from sealing.root_list import read_root_list
from sealing.settings import Settings
from sealing.witness_states import witness_states
from sealing.workshop import Workshop

State = Literal["ok", "warning", "failed"]
SOON = timedelta(days=30)
LEAST_DISK = 1_000_000_000
_OTHERS = 0o077
_NOTICE_MONTH = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: ``found`` as (zh, en), and what to do where it is not ok."""

    name: str
    state: State
    found: tuple[str, str]
    advice: tuple[str, str] = ("", "")


def permissions(settings: Settings) -> Iterator[Check]:
    """Folders and secrets are their owner's alone. Needs no open installation."""
    secret = settings.key_encryption_key_path.parent
    places = [settings.data, secret, settings.data / "keys", settings.data / "custody", settings.data / "documents"]
    for path in [*places, *(secret.iterdir() if secret.is_dir() else ())]:
        if path.exists() and path.stat().st_mode & _OTHERS:
            mode = f"{path.stat().st_mode & 0o777:04o}"
            yield Check(
                name="permissions",
                state="failed" if secret in (path, path.parent) else "warning",
                found=(f"{path} 的权限为 {mode}，他人可访问", f"{path} has mode {mode}: others can reach it"),
                advice=(f"chmod go= {path}", f"chmod go= {path}"),
            )


def disk(settings: Settings) -> Check:
    """Room for documents and the database."""
    free = shutil.disk_usage(settings.data).free
    found = (f"剩余 {free // 10**6} MB", f"{free // 10**6} MB are free")
    if free >= LEAST_DISK:
        return Check(name="disk", state="ok", found=found)
    advice = ("腾出空间；磁盘写满时不能盖章", "make room: nothing can be sealed on a full disk")
    return Check(name="disk", state="warning", found=found, advice=advice)


def examine(shop: Workshop, now: datetime) -> list[Check]:
    """All checks of an open installation; one that cannot be made counts as failed."""
    checks = [*permissions(shop.settings), disk(shop.settings)]
    made: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("clock", lambda: _clock(shop, now)),
        ("keystore", lambda: _keystore(shop)),
        ("database", lambda: _database(shop)),
        ("checkpoint", lambda: _checkpoint(shop)),
        ("certificates", lambda: _certificates(shop, now)),
        ("witnesses", lambda: _witnesses(shop)),
        ("attempts", lambda: _attempts(shop, now)),
        ("proposals", lambda: _proposals(shop, now)),
        ("calendar", lambda: _calendar(shop, now)),
    )
    for name, make in made:
        try:
            checks += make()
        except Exception as error:  # noqa: BLE001  whatever it was, the check was not made
            zh, en = getattr(error, "zh", type(error).__name__), getattr(error, "en", type(error).__name__)
            checks.append(Check(name=name, state="failed", found=(zh, en), advice=("查看日志", "see the log")))
    return checks


def cannot_open(settings: Settings, zh: str, en: str) -> list[Check]:
    """What can be said of an installation that does not open, and why it does not."""
    advice = ("见 docs/backup.md 与 docs/keys.md", "docs/backup.md and docs/keys.md tell what to do")
    found = Check(name="installation", state="failed", found=(zh, en), advice=advice)
    return [*permissions(settings), disk(settings), found]


def _clock(shop: Workshop, now: datetime) -> Iterator[Check]:
    with shop.database.read() as connection:
        last = read_head(connection).time
    ClockWatch.of(shop.settings).check(now, from_text(last) if last else None)
    if shop.settings.time_sources:
        yield Check(name="clock", state="ok", found=("与时间源一致", "agrees with the time sources"))
    else:
        yield Check(
            name="clock",
            state="warning",
            found=("未设置时间源", "there are no time sources to compare with"),
            advice=("设置 YINXIN_TIME_SOURCES", "set YINXIN_TIME_SOURCES"),
        )


def _keystore(shop: Workshop) -> Iterator[Check]:
    refs = shop.keystore.refs()
    for ref in (shop.installation.log_key, shop.installation.issuer_key):
        shop.keystore.open(ref)
    yield Check(name="keystore", state="ok", found=(f"应答，有 {len(refs)} 个密钥", f"answers, {len(refs)} keys"))


def _database(shop: Workshop) -> Iterator[Check]:
    found, known = revision(shop.database), revisions()[0]
    healthy = "ok"
    if shop.database.dialect == "sqlite":
        with shop.database.read() as connection:
            healthy = str(connection.exec_driver_sql("PRAGMA quick_check").scalar_one())
    told = (f"版本 {found}，完整性 {healthy}", f"at {found}, integrity {healthy}")
    if healthy != "ok":
        yield Check(name="database", state="failed", found=told, advice=("恢复备份", "restore a backup"))
    elif found != known:
        advice = (f"运行 yinxin init 升级到 {known}", f"run yinxin init to bring it to {known}")
        yield Check(name="database", state="failed", found=told, advice=advice)
    else:
        yield Check(name="database", state="ok", found=told)


def _checkpoint(shop: Workshop) -> Iterator[Check]:
    note = Anchor(shop.settings.data / "last-checkpoint").read()
    with shop.database.read() as connection:
        size = read_head(connection).range.size
    signed = open_checkpoint(note, shop.identity).size if note else 0
    told = (f"账本 {size} 条，最近检查点 {signed} 条", f"{size} entries, the last checkpoint over {signed}")
    if signed > size:
        advice = ("账本被退回，停止服务并核查", "the ledger was rolled back: stop the service and find out why")
        yield Check(name="checkpoint", state="failed", found=told, advice=advice)
    else:
        yield Check(name="checkpoint", state="ok", found=told)


def _certificates(shop: Workshop, now: datetime) -> Iterator[Check]:
    """Those of service keys are renewed by the service itself."""
    installation = shop.installation
    with shop.database.read() as connection:
        keys: list[SealKey | ServiceKey] = [each.record for each in shop.registry.find(connection, SealKey)]
        keys += [each.record for each in shop.registry.find(connection, ServiceKey)]
    ends = {"root": installation.root_certificate.not_valid_after_utc}
    ends["issuer"] = installation.issuer_certificate.not_valid_after_utc
    for key in keys:
        if key.retired_at is None and key.revoked_at is None:
            ends[key.id] = key.not_after
    if installation.root_key is None:
        ends["root list"] = read_root_list(shop.settings.data / ROOT_LIST, installation)[1].next_update
    due = {name: end for name, end in ends.items() if end - now < SOON and not _renews_itself(keys, name)}
    for name, end in sorted(due.items()):
        yield Check(
            name="certificates",
            state="failed" if end <= now else "warning",
            found=(f"{name} 有效至 {end:%F}", f"{name} holds until {end:%F}"),
            advice=("及时换发（见 docs/keys.md）", "have it renewed in time (docs/keys.md)"),
        )
    if not due:
        yield Check(name="certificates", state="ok", found=(f"{len(ends)} 张均有效", f"all {len(ends)} hold"))


def _renews_itself(keys: list[SealKey | ServiceKey], name: str) -> bool:
    return any(isinstance(key, ServiceKey) and key.id == name for key in keys)


def _witnesses(shop: Workshop) -> Iterator[Check]:
    for each in witness_states(shop):
        told = (f"{each.name}：{each.outcome}", f"{each.name}: {each.outcome}")
        advice = ("", "") if each.good else ("联系见证人", "ask whoever runs the witness")
        yield Check(name="witnesses", state="ok" if each.good else "warning", found=told, advice=advice)


def _attempts(shop: Workshop, now: datetime) -> Iterator[Check]:
    with shop.database.read() as connection:
        lapsed = applications.lapsed(connection, now)
    if lapsed:
        told = (f"{len(lapsed)} 项办理已超时", f"{len(lapsed)} attempts have lapsed")
        yield Check(name="attempts", state="warning", found=told, advice=("运行 yinxin recover", "run yinxin recover"))
    else:
        yield Check(name="attempts", state="ok", found=("没有超时的办理", "none has lapsed"))


def _proposals(shop: Workshop, now: datetime) -> Iterator[Check]:
    """Those that wait are told; those past their time, or interrupted, are for ``yinxin recover``."""
    with shop.database.read() as connection:
        found = [
            each.record
            for state in ("open", "approved")
            for each in shop.registry.find(connection, Proposal, state=state)
        ]
    waiting = [each for each in found if each.is_open(now)]
    over = len(found) - len(waiting)
    told = (f"{len(waiting)} 项待决定，{over} 项逾期或中断", f"{len(waiting)} wait, {over} are overdue or interrupted")
    advice = ("运行 yinxin recover", "run yinxin recover") if over else ("", "")
    yield Check(name="proposals", state="warning" if over else "ok", found=told, advice=advice)


def _calendar(shop: Workshop, now: datetime) -> Iterator[Check]:
    """Working days are counted by it; from November on the next year's notice should be there."""
    wanted = now.year + (now.month >= _NOTICE_MONTH)
    with shop.database.read() as connection:
        registered = {each.record.date.year for each in shop.registry.find(connection, CalendarDay)}
    _, estimated = Calendar().is_workday(date(wanted, 7, 1))
    if not estimated or wanted in registered:
        yield Check(name="calendar", state="ok", found=(f"已知 {wanted} 年", f"{wanted} is known"))
        return
    yield Check(
        name="calendar",
        state="warning",
        found=(f"没有 {wanted} 年的节假日安排", f"the holidays of {wanted} are not known"),
        advice=("按国务院办公厅通知提案：yinxin item set-day", "propose them by the notice: yinxin item set-day"),
    )

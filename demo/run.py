"""``yinxin demo``: from an empty folder to sealed documents, receipts, verdicts and refusals, on a real server."""

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import httpx2
from rich.console import Console

from demo import cases, registration
from demo.approval_system import ApprovalSystem, Sealed
from demo.documents import hygiene_decision
from demo.evidence import Judged, TrustFiles, audit, audit_keys, export_register, judge_all
from demo.people import Registered
from demo.refusals import Refusal, Stage, refusals, resume
from demo.registration import Clients
from demo.report import Report
from demo.service import Client, DemoError, Server, serving
from demo.softhsm import softhsm
from demo.two_persons import by_two

Keys = Literal["software", "softhsm"]
"""Where the private keys are: in encrypted files, or in a SoftHSM token that is made for the run."""
_MADE = (
    "data",
    "token",
    "sealed",
    "server.log",
    "register.csv",
    "register.xlsx",
    "root.pem",
    "log.vkey",
    "issuer.crl",
    "faces",
)
"""What a run makes in its folder, and the next one begins without. Nothing else in it is touched."""
_WIDTH = 132
"""Columns where the output goes to a file or a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One run: where it happens, who acts, and who is told."""

    folder: Path
    server: Server
    clients: Clients
    registered: Registered
    system: ApprovalSystem
    report: Report


def run(folder: Path, show: bool, keys: Keys = "software") -> int:  # noqa: FBT001  the command's own switch
    """Run everything in ``folder`` with the private keys in ``keys``; 0 only if all went as expected, else 1."""
    report, begun = Report(console=_console(), show=show), time.perf_counter()
    folder = folder.absolute()
    try:
        _clear(folder)
        with serving(folder, softhsm(folder / "token") if keys == "softhsm" else {}) as server:
            report.tell(f"[green]✓[/] 服务已启动 {server.url} [dim]{time.perf_counter() - begun:.1f} s[/]")
            scene = _register(folder, server, report)
            stage, sealed = _seal(scene)
            judged = _judge(scene, sealed)
            refused = _refuse(scene, stage)
            judged += _judge(scene, _resume(scene, stage))
            judged += _judge(scene, _rotate(scene))
            _conclude(scene, judged, refused)
    except (DemoError, httpx2.TransportError) as error:
        report.wrong.append(f"{type(error).__name__}: {error}")
    return report.end(time.perf_counter() - begun)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def _clear(folder: Path) -> None:
    """An empty place for this run. Raises :class:`DemoError` where something of another kind has our names."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    if data.exists() and not (data / "yinxin.db").exists():
        raise DemoError(f"{data} 不是演示的数据目录，不予清空 / is no data folder of the demo and is left alone")
    for name in _MADE:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (folder / "sealed").mkdir()
    (folder / "faces").mkdir()


def _register(folder: Path, server: Server, report: Report) -> Scene:
    with report.step("登记首个客户端（命令行），核对目录：市县 20＋45＋53 项，县乡 26 项"):
        operator = registration.bootstrap(server)
        registration.check_catalogue(operator)
    registered = registration.begin(operator)
    with report.step("登记单位、人员、密钥和三个机器客户端"):
        registration.register_offices(operator, registered)
        registration.register_people(operator, registered)
        clients = registration.register_clients(server, operator, registered)
    for name in ("city", "town", "forest"):
        grant = registered.grants[name]
        with report.step(f"协议 {grant.number}：{grant.grantor.name} → {grant.grantee.name}，双方签署，刻制印章"):
            seal = registration.conclude(clients.grantors, registered, grant)
            face = clients.grantors.get(f"/v1/seals/{registered.seals[name]}/face.svg", accept="image/svg+xml")
            (folder / "faces" / f"{seal}.svg").write_bytes(face.content)
    with report.step("第四份协议，很快到期，留待后用"):
        registration.conclude(clients.grantors, registered, registered.grants["short"])
    day = (datetime.now(UTC) + timedelta(hours=8)).date()
    system = ApprovalSystem(client=clients.platform, registered=registered, folder=folder / "sealed", day=day)
    return Scene(folder=folder, server=server, clients=clients, registered=registered, system=system, report=report)


def _seal(scene: Scene) -> tuple[Stage, list[Sealed]]:
    system, report, sealed = scene.system, scene.report, list[Sealed]()
    with report.step("案一 特种设备使用登记：决定书（骑缝章）、登记证正本、副本，一次批准三枚印"):
        sealed += cases.equipment(system)
    with report.step("案二 公共场所卫生许可（首次）：决定书、许可证"):
        case = cases.hygiene_case(system)
        sealed += cases.hygiene(system, case)
    with report.step("案三 林木采伐许可证 22.5 立方米：先申请、后批准（系统代证）、再盖章"):
        sealed += cases.felling(system, "22.5", attested=True, steps=True)
    with report.step("采伐蓄积正好 15 立方米：可以盖章"):
        sealed += cases.felling(system, "15")
    with report.step("燃气经营许可证变更（附件2 第28项）：可以盖章"):
        sealed += cases.gas_change(system)
    return Stage(system=system, clients=scene.clients, used=case), sealed


def _judge(scene: Scene, sealed: list[Sealed]) -> list[Judged]:
    words = f"离线核验 {len(sealed)} 份（每份一个新进程，无数据库、无网络）"
    with scene.report.step(words), Client(scene.server.url) as public:
        judged = judge_all(sealed, TrustFiles.fetch(public, scene.folder))
    for each in judged:
        scene.report.judged(each)
    return judged


def _refuse(scene: Scene, stage: Stage) -> list[Refusal]:
    refused = []
    for refusal in refusals(stage):
        scene.report.refused(refusal)
        refused.append(refusal)
    return refused


def _resume(scene: Scene, stage: Stage) -> list[Sealed]:
    with scene.report.step("印章恢复后又可盖章"):
        resume(stage, "town")
        case = cases.hygiene_case(scene.system)
        return scene.system.seal_case(case, [hygiene_decision(case.particulars)])


def _rotate(scene: Scene) -> list[Sealed]:
    with scene.report.step("两名管理员换发印章密钥：一人提案、一人批准；新证书盖章，旧文书照常核验"):
        content = {"seal": scene.registered.seals["town"], "algorithm": "ecdsa-p256-sha256"}
        office = scene.registered.grants["town"].grantor
        by_two(scene.clients.grantors, scene.registered, office, "rotate_key", content)
        case = cases.hygiene_case(scene.system)
        return scene.system.seal_case(case, [hygiene_decision(case.particulars)])


def _conclude(scene: Scene, judged: list[Judged], refused: list[Refusal]) -> None:
    report, folder = scene.report, scene.folder
    with report.step("导出用章台账 CSV、XLSX"):
        csv, xlsx = export_register(scene.clients.grantors, folder)
    with report.step(f"核查全部账本、登记与文件（其中 {scene.registered.proposals} 项由两名管理员办理）"):
        found = audit(scene.server)
    with report.step("核对密钥进程的每次用钥与账本"):
        report.wrong += [f"audit --keys: {each}" for each in audit_keys(scene.server)]
    if not found["sound"] or found["findings"]:
        report.wrong.append(f"audit: {found['findings']}")
    report.summary(judged, refused)
    places = {
        "盖章文书、回执、核验结论": folder / "sealed",
        "印模": folder / "faces",
        "用章台账": csv,
        "用章台账（表格）": xlsx,
        "根证书": folder / "root.pem",
        "账本公钥": folder / "log.vkey",
        f"数据（账本 {found['entries']} 条）": scene.server.data,
        "服务日志": scene.server.log,
    }
    report.files(places)

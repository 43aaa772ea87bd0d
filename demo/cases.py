"""The cases that are sealed."""

from demo.approval_system import ApprovalSystem, Case, Sealed
from demo.documents import (
    equipment_decision,
    equipment_licence,
    felling_licence,
    gas_decision,
    hygiene_decision,
    hygiene_licence,
)

EQUIPMENT, GAS_CHANGE, HYGIENE, FELLING = ("001-2", 30), ("001-2", 28), ("002-2", 14), ("002-2", 12)


def equipment(system: ApprovalSystem) -> list[Sealed]:
    """特种设备使用登记: decision with a seam seal, licence original and duplicate; one approval for the three."""
    case = system.case("city", EQUIPMENT, word="赣市审特设", licence="梯11赣B{number:05}（{short:02}）")
    particulars = case.particulars
    papers = [
        equipment_decision(particulars),
        equipment_licence(particulars),
        equipment_licence(particulars, duplicate=1),
    ]
    return system.seal_case(case, papers)


def hygiene_case(system: ApprovalSystem) -> Case:
    """公共场所卫生许可, first issue, for a barber's shop."""
    return system.case(
        "town",
        HYGIENE,
        word="兴审卫",
        licence="赣卫公证字〔{year}〕第360732-{number:05}号",
        facts={"venue_kind": "理发店"},
    )


def hygiene(system: ApprovalSystem, case: Case) -> list[Sealed]:
    """Decision and licence under one approval."""
    return system.seal_case(case, [hygiene_decision(case.particulars), hygiene_licence(case.particulars)])


def felling_case(system: ApprovalSystem, volume: str, name: str = "forest") -> Case:
    """林木采伐许可证 for ``volume`` cubic metres on a villager's own hill."""
    return system.case(
        name,
        FELLING,
        word="兴林采",
        licence="兴林采证字〔{year}〕第{number:05}号",
        facts={"volume_m3": volume, "land_kind": "自留山", "holder_kind": "农村居民"},
    )


def felling(system: ApprovalSystem, volume: str, *, attested: bool = False, steps: bool = False) -> list[Sealed]:
    """One felling licence; in two steps if asked, approved through the system's attestation if asked."""
    case = felling_case(system, volume)
    return system.seal_case(case, [felling_licence(case.particulars, volume)], attested=attested, steps=steps)


def gas_change(system: ApprovalSystem) -> list[Sealed]:
    """燃气经营许可证变更, which may be sealed; 新办 may not."""
    case = system.case("city", GAS_CHANGE, word="赣市审燃", basis="change", predecessor="赣燃证字〔2021〕第90001号")
    return system.seal_case(case, [gas_decision(case.particulars, change=True)])

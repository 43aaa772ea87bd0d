"""How a check says no."""

from typing import NoReturn

from keystore.interface import GroundsError


def refuse(zh: str, en: str) -> NoReturn:
    """Raise :class:`keystore.interface.GroundsError`: what was found and what was expected."""
    raise GroundsError(f"密钥进程拒绝：{zh}", f"the custody process refuses: {en}")


def refuse_unless(held: bool, zh: str, en: str) -> None:  # noqa: FBT001  the thing that is asserted
    """:func:`refuse` unless ``held``."""
    if not held:
        refuse(zh, en)

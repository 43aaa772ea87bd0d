"""The whole table: attack files and honest ones."""

from attacks import appending, bombs, cryptography_cases, forgery, honest, saving
from attacks.case import Case

ATTACKS: tuple[Case, ...] = (
    *forgery.cases(),
    *saving.cases(),
    *appending.cases(),
    *cryptography_cases.cases(),
    *bombs.cases(),
)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(each.family for each in ATTACKS))
HONEST: tuple[Case, ...] = tuple(honest.cases())

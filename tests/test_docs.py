"""The pages say only what is there: links, targets, commands, settings, codes, tables, files and tests they name."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import click
import pytest
import typer
from test_architecture import HOMES, MAY_IMPORT

from cli.main import app
from sealing.order import Order
from sealing.seal import STEPS
from sealing.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """The page without fenced blocks."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def code_spans(page: Path) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", prose(page)))


def rows(text: str, heading: str) -> list[list[str]]:
    """The body rows of the table whose first head cell is ``heading``."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("|") else []
        if cells and cells[0].strip() == heading:
            inside = True
        elif not cells:
            inside = False
        elif inside and not cells[0].startswith("---"):
            found.append(cells)
    return found


def slug(heading: str) -> str:
    """The anchor that a heading gets on the usual hosts."""
    kept = "".join(each for each in heading.strip().lower() if each.isalnum() or each in " -_")
    return kept.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)}


@pages
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [each for each in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if not re.match(r"[a-z]+:", each)]
    assert [target for target in targets if not leads_somewhere(page, target)] == []


def leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    goal = (page.parent / path) if path else page
    return goal.exists() and (not anchor or anchor in anchors(goal))


@pages
def test_every_heading_stands_once(page: Path) -> None:
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    assert len(headings) == len(set(headings))


@pages
def test_no_page_names_a_place_on_one_machine(page: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:work|home|root|tmp|Users|opt|mnt|srv)/\S*", text_of(page)) == []


def is_file_name(span: str) -> bool:
    packages = "|".join([*MAY_IMPORT, "tests", "docs", "benchmarks", "scripts"])
    return re.fullmatch(rf"({packages})/[\w./-]*", span) is not None


@pages
def test_every_file_named_is_there(page: Path) -> None:
    assert [span for span in sorted(code_spans(page)) if is_file_name(span) and not (ROOT / span).exists()] == []


def defined_in(module: Path) -> set[str]:
    """Names that a module defines or imports at its top, and the members of its classes."""
    names: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        names |= _names(node)
    return names


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef):
        return {node.name, *(f"{node.name}.{each}" for part in node.body for each in _names(part))}
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    return set()


@pages
def test_every_dotted_name_is_there(page: Path) -> None:
    """``sealing.seal.STEPS``, ``signer.desk:prepare_document`` and the like, with or without arguments behind."""
    missing = []
    for span in sorted(code_spans(page)):
        match = re.match(rf"({'|'.join(MAY_IMPORT)})((?:[.:]\w+)+)(?:\(|$)", span)
        if match and not _exists(match[1], re.split(r"[.:]", match[2])[1:]):
            missing.append(span)
    assert missing == []


def _exists(package: str, steps: list[str]) -> bool:
    place = ROOT / package
    while steps and (place / steps[0]).is_dir():
        place /= steps.pop(0)
    if steps and (place / f"{steps[0]}.py").is_file():
        place = place / f"{steps.pop(0)}.py"
        return not steps or ".".join(steps) in defined_in(place)
    return not steps or steps == ["csv"]


def test_every_make_target_named_is_there_and_none_is_left_out() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", MAKEFILE, flags=re.MULTILINE))
    told = {re.findall(r"make (\w+)", cells[0])[0] for cells in rows(README, "target")}
    assert told == targets
    for page in PAGES:
        named = re.findall(r"`make (\w+)`", text_of(page)) + re.findall(r"^make (\w+)", text_of(page), re.MULTILINE)
        assert set(named) <= targets, page


def commands() -> dict[str, click.Command]:
    """Every command by its words: ``audit``, ``organ register`` and so on."""

    def walk(command: click.Command, words: tuple[str, ...]) -> None:
        found[" ".join(words)] = command
        for name, child in getattr(command, "commands", {}).items():
            walk(child, (*words, name))

    found: dict[str, click.Command] = {}
    walk(typer.main.get_command(app), ())
    return found


@pages
def test_every_command_named_is_there(page: Path) -> None:
    known = commands()
    for words in re.findall(r"(?:^|[`/$ ])yinxin ((?:[a-z][a-z-]*(?: |(?=[`\n])))+)", text_of(page)):
        named = words.split()
        first = known.get(named[0])
        assert first is not None, f"{page.name}: yinxin {words}"
        if getattr(first, "commands", None) and len(named) > 1:
            assert " ".join(named[:2]) in known, f"{page.name}: yinxin {words}"


def test_every_command_is_named_in_the_readme() -> None:
    assert {f"yinxin {name}" for name in commands() if name and " " not in name} <= code_spans(ROOT / "README.md")


def test_the_command_page_names_every_command_of_a_group() -> None:
    for name, what in rows(text_of(ROOT / "docs/cli.md"), "command"):
        group = commands()[re.findall(r"`([a-z-]+)", name)[0]]
        if members := getattr(group, "commands", None):
            assert set(re.findall(r"`([^`]+)`", what)) == set(members), name


def shown(value: object) -> str:
    """A default as the settings table writes it."""
    if value is None:
        return "none"
    if value in ("", ()):
        return "empty" if value == "" else "`[]`"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"`PT{minutes}M`" if minutes and not seconds else f"`PT{int(value.total_seconds())}S`"
    return f"`{value}`"


def test_the_settings_table_is_the_settings() -> None:
    told = {cells[0].strip("`"): cells[1] for cells in rows(README, "variable")}
    real = {
        PREFIX + name.upper(): field.default
        for name, field in Settings.model_fields.items()
        if re.search(rf"\b(settings|self)\.{name}\b", SOURCES)  # what nothing reads is no promise
    }
    assert told.keys() == real.keys()
    assert told == {name: shown(default) for name, default in real.items()}


def test_the_order_in_the_readme_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, flags=re.DOTALL)
    order = Order.model_validate_json(example)
    assert order.placement_text()


def test_the_table_of_crash_points_is_the_steps() -> None:
    told = [cells[0].strip("`") for cells in rows(text_of(ROOT / "docs/seal-cycle.md"), "killed at")]
    assert tuple(told) == STEPS


def test_the_table_of_packages_is_the_one_enforced() -> None:
    text = text_of(ROOT / "docs/architecture.md")
    told = {cells[0].strip("`"): set(re.findall(r"`(\w+)`", cells[-1])) for cells in rows(text, "package")}
    assert told == MAY_IMPORT
    homes = {
        library: set(re.findall(r"`(\w+)`", home))
        for libraries, home in rows(text, "library")
        for library in re.findall(r"`(\w+)`", libraries)
    }
    assert homes == HOMES


SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for package in sorted(MAY_IMPORT) for path in (ROOT / package).rglob("*.py")
)
WORDS = {*re.findall(r"[\w-]+", SOURCES), *re.findall(r"\w+", SOURCES)}
NO_CODES = {*HOMES, "private_key_jwt"}
"""Names of libraries and of standards that look like codes."""


@pages
def test_every_code_named_stands_in_the_code(page: Path) -> None:
    """Rule codes, finding codes and error codes: words joined by ``_`` or ``-``."""
    codes = {span for span in code_spans(page) if re.fullmatch(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)+", span)}
    subcommands = {word for command in commands() for word in command.split()}
    assert codes - NO_CODES - subcommands - WORDS == set()


def test_every_hole_of_the_threat_model_names_change_code_tests_and_rest() -> None:
    text = text_of(ROOT / "docs/threat-model.md")
    holes = re.split(r"^### ", text.split("## Deliberately later")[0], flags=re.MULTILINE)[1:]
    numbers = [int(hole.split(".")[0]) for hole in holes]
    assert numbers == sorted(set(numbers))
    for hole in holes:
        assert re.findall(r"^- (\w+):", hole, flags=re.MULTILINE) == ["Change", "Code", "Tests", "Remains"], hole[:60]
        named = re.search(r"^- Tests:.*?(?=^- )", hole, flags=re.DOTALL | re.MULTILINE)
        assert named is not None
        assert all(span.startswith("tests/") for span in re.findall(r"`(\w+/[^`]+)`", named[0])), hole[:60]

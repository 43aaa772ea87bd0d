"""The whole story, as a user runs it; and what it does when it cannot begin."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from demo.run import run
from demo.service import DemoError, serving, yinxin

ROOT = Path(__file__).resolve().parents[2]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = tmp_path / "data" / "thesis.txt"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    assert run(tmp_path, False) == 1
    assert theirs.read_text() == "mine"
    assert "不予清空" in capsys.readouterr().out


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(DemoError, match=r"server\.log"), serving(tmp_path):
        pytest.fail("it cannot be ready")


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="exit"):
        yinxin("audit", "--data", str(tmp_path / "nothing"))


@pytest.mark.tool("pdfsig")
@pytest.mark.parametrize("keys", ["software", pytest.param("softhsm", marks=pytest.mark.tool("softhsm2-util"))])
def test_the_demo_ends_well_and_leaves_everything_behind(tmp_path: Path, keys: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--folder", str(tmp_path), "--keys", keys],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sealed = tmp_path / "sealed"
    verdicts = [json.loads(path.read_text()) for path in sealed.glob("*.verdict.json")]
    assert [each["indication"] for each in verdicts] == ["TOTAL_PASSED"] * 10
    assert len(list(sealed.glob("*.pdf"))) == len(list(sealed.glob("*.receipt.json"))) == 10
    with (tmp_path / "register.csv").open(encoding="utf-8-sig", newline="") as file:
        results = [row["结果"] for row in csv.DictReader(file)]
    assert (results.count("盖章"), results.count("拒绝")) == (10, 13)
    assert (tmp_path / "register.xlsx").read_bytes().startswith(b"PK")
    assert len(list((tmp_path / "faces").glob("*.svg"))) == 3
    assert "全部如预期" in done.stdout
    in_files = list((tmp_path / "data" / "keys").glob("*.json"))
    assert bool(in_files) == (keys == "software")

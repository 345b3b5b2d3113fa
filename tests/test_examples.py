"""The example of docs/python.md: it stands in the page as it stands in `examples/`, and all of it runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")

LOOK = """
def lines(frame):
    return json.loads(frame.to_json(orient="records"))

import json
from pathlib import Path

again = crosscut.Sweep.load("digits.yaml")
found = {
    "plan": lines(again.plan()),
    "records": lines(again.records()),
    "queries": lines(by_image),
    "gain": float(gain.mean()),
    "contrasts": lines(report.contrasts()),
    "arms": lines(report.arms()),
    "few": lines(few.report().arms()),
    "done": [again.run(quiet=True, report=False), few.run(quiet=True, report=False)],
    "by hand": digits.train({"kernel": "rbf", "penalty": 10}, MemorySession(seed=0)).metrics,
    "page": str(report.page),
}
Path("found.json").write_text(json.dumps(found))
"""


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_page_shows_the_files_of_the_example() -> None:
    assert blocks("python")[0] == (EXAMPLES / "digits.py").read_text(encoding="utf-8")
    assert blocks("yaml") == [(EXAMPLES / "digits.yaml").read_text(encoding="utf-8")]


def test_the_trainable_has_ten_lines() -> None:
    text = (EXAMPLES / "digits.py").read_text(encoding="utf-8")
    assert len(text[text.index("@crosscut.trainable") :].splitlines()) == 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the page's Python has been run."""
    place = tmp_path_factory.mktemp("example")
    for file in EXAMPLES.glob("digits.*"):
        shutil.copy(file, place)
    (place / "notebook.py").write_text("\n".join([*blocks("python")[1:], LOOK]))
    call(place, "notebook.py")
    return place


def call(folder: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    """What the data frames held."""
    loaded: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return loaded


@pytest.mark.slow
class TestTheExample:
    def test_is_done(self, found: dict[str, Any], folder: Path) -> None:
        assert found["done"] == [True, True]
        assert [line["arm"] for line in found["plan"]] == [
            "linear, none",
            "linear, shifted",
            "rbf, none",
            "rbf, shifted",
        ]
        for line in found["plan"]:
            assert (line["trials_recorded"], line["runs_recorded"], line["failed"]) == (5, 5, 0)
        assert Path(found["page"]) == folder / "results/digits/report/report.html"
        assert Path(found["page"]).is_file()

    def test_has_a_record_of_all_that_was_run(self, found: dict[str, Any]) -> None:
        records = found["records"]
        trials = [line for line in records if line["phase"] == "search"]
        runs = [line for line in records if line["phase"] == "final"]
        assert len(trials) == len(runs) == 4 * 5
        assert {line["status"] for line in records} == {"finished"}
        assert all(line["test/accuracy"] is None for line in trials)
        assert sorted({line["seed"] for line in runs}) == [0, 1, 2, 3, 4]
        for arm in {line["arm"] for line in runs}:
            best = max((line for line in trials if line["arm"] == arm), key=lambda one: one["dev/accuracy"])
            assert {line["penalty"] for line in runs if line["arm"] == arm} == {best["penalty"]}

    def test_knows_each_image(self, found: dict[str, Any]) -> None:
        assert len(found["queries"]) == 597
        means = {arm["arm"]: arm["mean"] for arm in found["arms"]}
        for arm, mean in means.items():
            of_images = sum(line[arm] for line in found["queries"]) / 597
            of_runs = [line["test/accuracy"] for line in found["records"] if line["arm"] == arm]
            of_runs = [value for value in of_runs if value is not None]
            assert mean == pytest.approx(of_images) == pytest.approx(sum(of_runs) / 5)
        assert found["gain"] == pytest.approx(means["rbf, shifted"] - means["rbf, none"])

    def test_says_what_shifted_copies_give_with_which_kernel(self, found: dict[str, Any]) -> None:
        declared = {line["name"]: line for line in found["contrasts"] if line["declared"]}
        assert list(declared) == [
            "copies: shifted vs none at kernel=rbf",
            "copies: shifted vs none × kernel: rbf vs linear",
        ]
        for line in declared.values():
            assert (line["verdict"], line["scope"], line["clusters"]) == ("better", "seeds-and-queries", 597)
        within = {line["name"]: line["estimate"] for line in found["contrasts"]}
        difference = within["copies: shifted vs none at kernel=rbf"]
        difference -= within["copies: shifted vs none at kernel=linear"]
        assert within["copies: shifted vs none × kernel: rbf vs linear"] == pytest.approx(difference)

    def test_has_a_second_sweep_without_a_file(self, found: dict[str, Any]) -> None:
        means = {line["arm"]: line["mean"] for line in found["few"]}
        assert list(means) == ["50", "100", "200"] and means["50"] < means["100"] < means["200"]
        assert sorted(found["by hand"]) == ["dev/accuracy", "test/accuracy"]

    def test_is_the_command_lines_too(self, folder: Path) -> None:
        output = call(folder, "-m", "crosscut", "run", "digits.yaml")
        assert "search trials 20/20 · runs 20/20\n" in output and "TensorBoard" not in output
        assert "runs: 20 (20 recorded and reused, 0 new)" in call(
            folder, "-m", "crosscut", "plan", "digits.yaml"
        )

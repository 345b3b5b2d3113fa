"""Sweeps in a notebook: loaded as the command line reads them, run by its driver, read as data frames."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import crosscut
from crosscut import driver
from crosscut.arms.experiment import Experiment, prepare
from crosscut.errors import InputError
from crosscut.plan import reconcile
from crosscut.records import snapshot
from crosscut.records.record import Failure, Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.sweep import read
from crosscut_trainables.evaluation import QueryValues

TRAINABLE = """
import crosscut

@crosscut.trainable(metrics=["dev/rsum", "test/rsum"])
def train(seed: int, effect: float = 0.0, x: float = 0.5, kind: str = "plain"):
    return {"dev/rsum": effect - x, "test/rsum": effect}

def inner():
    def train(config, session): ...
    return train
"""

SAID: dict[str, Any] = {
    "name": "notes",
    "question": "Does the effect have an effect?",
    "trainable": "notebook_trainables:train",
    "factors": {"effect": {"none": {"effect": 0.0}, "some": {"effect": 3.0}}},
    "design": {"kind": "full-factorial", "baseline": {"effect": "none"}},
    "search": {"metric": "dev/rsum", "trials": 2, "space": {"x": {"uniform": [0, 1]}}},
    "seeds": {"count": 3},
    "report": {"primary": "test/rsum", "margin": 1.0},
    "hypotheses": [{"effect": "some vs none"}],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a trainable."""
    (tmp_path / "notebook_trainables.py").write_text(TRAINABLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("notebook_trainables", None)


def loaded(**sections: Any) -> crosscut.Sweep:
    return crosscut.Sweep.load({**SAID, **sections})


@pytest.fixture
def carry_out(complete: Callable[..., None], outcome: Callable[[Work], Record]) -> Callable[..., None]:
    """Records made-up outcomes of a sweep, as its driver would, and keeps what it asks for."""

    def of(sweep: crosscut.Sweep, made: Callable[[Work], Record] = outcome, most: int | None = None) -> None:
        store = Store.create("results", sweep.name)
        complete(reconcile(sweep.experiment, lambda key: None), made, store=store, most=most)
        snapshot.keep(store, sweep.experiment)

    return of


class TestLoading:
    def test_a_mapping_says_what_a_file_of_it_says(self, folder: Path) -> None:
        (folder / "notes.yaml").write_text(json.dumps(SAID))
        assert loaded().experiment == prepare(read("notes.yaml"))
        assert crosscut.Sweep.load("notes.yaml").experiment == loaded().experiment
        assert crosscut.Sweep.load(folder / "notes.yaml").experiment == loaded().experiment

    def test_bundled_sweeps_have_names(self) -> None:
        sweep = crosscut.Sweep.load("quickstart", set={"seeds.count": 2}, storage="elsewhere")
        assert sweep.name == "quickstart" and sweep.experiment.sweep.seeds.count == 2
        assert (
            repr(sweep) == f"<Sweep quickstart: 7 arms, records in {Path('elsewhere/quickstart').absolute()}>"
        )

    def test_values_are_set_as_the_command_line_sets_them(self, folder: Path) -> None:
        values = {
            "seeds": {"min": 2, "max": 4, "until": "decided"},
            "config.x": 1e-05,
            "config.kind": "1e-3",
            "search": None,
        }
        sweep = crosscut.Sweep.load(SAID, set=values).experiment.sweep
        assert (sweep.seeds.least, sweep.seeds.most, sweep.search) == (2, 4, None)
        assert sweep.config == {"x": 1e-05, "kind": "1e-3"}

    def test_scales_are_those_of_files(self) -> None:
        scales = {"scales": {"small": {"seeds": {"count": 2}}, "large": {"seeds": {"count": 9}}}}
        assert loaded(**scales, scale="small").experiment.sweep.seeds.count == 2
        said = {**SAID, **scales, "scale": "small"}
        assert crosscut.Sweep.load(said, set={"scale": "large"}).experiment.sweep.seeds.count == 9

    def test_level_names_may_be_what_python_has_for_them(self) -> None:
        levels = {True: {"effect": 0.5}, 0.1: {"effect": np.float64(0.1)}, "no": {"effect": np.int64(2)}}
        sweep = loaded(
            factors={"effect": levels},
            design={"kind": "full-factorial", "baseline": {"effect": True}},
            hypotheses=({"effect": "0.1 vs true"},),
        )
        assert [arm.name for arm in sweep.experiment.arms] == ["true", "0.1", "no"]
        assert [arm.config["effect"] for arm in sweep.experiment.arms] == [0.5, 0.1, 2.0]

    def test_a_function_stands_for_its_name(self) -> None:
        import notebook_trainables  # type: ignore[import-not-found]

        sweep = loaded(trainable=notebook_trainables.train)
        assert sweep.experiment.sweep.trainable == "notebook_trainables:train"
        with pytest.raises(
            InputError, match=r"trainable: found 'notebook_trainables:inner\.<locals>\.train'"
        ):
            loaded(trainable=notebook_trainables.inner())

    def test_a_function_of_the_notebook_itself_is_refused(self) -> None:
        def train(config: Mapping[str, Any], session: object) -> None: ...

        train.__module__, train.__qualname__ = "__main__", "train"
        sentence = (
            "the mapping: trainable: found '__main__:train', expected a function of a module that workers can"
        )
        with pytest.raises(InputError, match=sentence):
            loaded(trainable=train)

    @pytest.mark.parametrize(
        ("said", "values", "sentence"),
        [
            ({"seeds": {"cuont": 3}}, {}, "the mapping: seeds.cuont: unknown key, expected .*'count'"),
            ({}, {"seeds.cuont": 3}, "--set seeds.cuont=3: seeds.cuont: unknown key"),
            (
                {"config": {"effct": 1}},
                {},
                "the mapping: config.effct: unknown key, .*; did you mean 'effect'",
            ),
            ({"report": {"primary": "test/rsums"}}, {}, "report.primary: found 'test/rsums', .*'test/rsum'"),
            (
                {"config": {"x": {1, 2}}},
                {},
                r"^the mapping: found \{1, 2\}, expected text, a number, true, false",
            ),
            (
                {},
                {"config.x": object},
                "--set .*: config.x: found 'builtins:object', expected a number",
            ),
            ({}, {"config.x": 1j}, "^set: config.x: found 1j, expected text, a number"),
            ({"config": {"x": float("nan")}}, {}, "^the mapping: this could not stand in a sweep file: "),
            (
                {"config": {(1, 2): 3}},
                {},
                "^the mapping: this could not stand in a sweep file: keys must be str",
            ),
        ],
    )
    def test_what_is_wrong_is_said_as_of_a_file(
        self, said: dict[str, Any], values: dict[str, Any], sentence: str
    ) -> None:
        with pytest.raises(InputError, match=sentence):
            crosscut.Sweep.load({**SAID, **said}, set=values)


class TestRunning:
    def test_is_the_drivers_with_what_was_asked(self, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        asked: list[tuple[Experiment, driver.Order]] = []

        def run(experiment: Experiment, order: driver.Order, console: Console) -> bool:
            asked.append((experiment, order))
            console.print("a run")
            return len(asked) == 1

        monkeypatch.setattr(driver, "run", run)
        sweep = crosscut.Sweep.load(SAID, storage=Path("kept"))
        assert sweep.run() and capsys.readouterr().out == "a run\n"
        assert not sweep.run(address="auto", retry_failed=True, report=False, profile=True, quiet=True)
        assert capsys.readouterr().out == ""
        assert asked == [
            (sweep.experiment, driver.Order("kept")),
            (sweep.experiment, driver.Order("kept", "auto", retry_failed=True, report=False, profile=True)),
        ]

    def test_takes_a_sweep_that_was_loaded(self, carry_out: Callable[..., None]) -> None:
        carry_out(loaded())
        sentence = "notes: this sweep was opened from its records, expected one that was loaded to be run"
        with pytest.raises(InputError, match=sentence):
            crosscut.Sweep.open("results/notes").run()


class TestPlan:
    def test_has_a_line_an_arm(self, carry_out: Callable[..., None]) -> None:
        frame = loaded().plan()
        assert frame["arm"].tolist() == ["none", "some"] == frame["effect"].tolist()
        assert frame["baseline"].tolist() == [True, False]
        assert (
            frame[["trials", "trials_recorded", "runs", "runs_recorded", "failed"]].to_numpy().tolist()
            == [[2, 0, 3, 0, 0]] * 2
        )
        assert frame[["best", "mean", "half_width"]].isna().all(axis=None)
        assert not Path("results").exists()
        carry_out(loaded(), most=7)
        assert loaded().plan()[["trials_recorded", "runs_recorded"]].to_numpy().tolist() == [[2, 3], [2, 0]]

    def test_follows_the_sweep_and_its_records(self, carry_out: Callable[..., None]) -> None:
        carry_out(loaded())
        runs = loaded().records().query("phase == 'final'")
        frame = loaded(seeds={"count": 4}).plan().set_index("arm")
        assert frame["runs"].tolist() == [4, 4] and frame["runs_recorded"].tolist() == [3, 3]
        assert frame["mean"].to_dict() == pytest.approx(runs.groupby("arm")["test/rsum"].mean().to_dict())

    def test_tells_of_damaged_records(self, carry_out: Callable[..., None]) -> None:
        carry_out(loaded())
        key = loaded().records()["key"].iloc[-1]
        (Path("results/notes/runs") / key / "record.json").write_text("{}")
        with pytest.warns(UserWarning, match=f"the record {key} is damaged"):
            frame = loaded().plan()
        assert frame["runs_recorded"].tolist() == [3, 2]


class TestRecords:
    def test_say_what_the_seconds_went_into_where_a_trainable_does(
        self, carry_out: Callable[..., None], outcome: Callable[[Work], Record]
    ) -> None:
        def told(work: Work) -> Record:
            spent = {"forward": 0.5, "update": 0.25} if work.phase == "final" else {}
            return replace(outcome(work), spent=spent)

        carry_out(loaded(), told)
        frame = loaded().records()
        assert frame.columns[6:9].tolist() == ["seconds", "seconds:forward", "seconds:update"]
        finals = frame[frame["phase"] == "final"]
        assert finals["seconds:forward"].eq(0.5).all()
        assert frame[frame["phase"] == "search"]["seconds:forward"].isna().all()

    def test_have_a_line_each_with_all_that_was_measured(self, carry_out: Callable[..., None]) -> None:
        carry_out(loaded())
        frame = loaded().records()
        assert len(frame) == 2 * (2 + 3)
        assert frame.columns[:7].tolist() == ["arm", "effect", "phase", "number", "seed", "status", "seconds"]
        store = Store(Path("results/notes"))
        for line in frame.to_dict("records"):
            record = store.read(line["key"])
            assert record is not None
            assert (line["arm"], line["effect"], line["phase"]) == (
                record.work.arm,
                record.work.levels["effect"],
                record.work.phase,
            )
            assert (line["number"], line["seed"]) == (record.work.number, record.work.seed)
            assert (line["status"], line["seconds"]) == ("finished", 2.0)
            assert {k: line[k] for k in record.metrics} == dict(record.metrics)
            assert line["x"] == record.work.values["x"]
        assert frame.query("phase == 'search'")["test/rsum"].isna().all()
        assert frame.query("phase == 'final'").groupby("arm")["x"].nunique().tolist() == [1, 1]

    def test_are_none_before_there_are_any(self) -> None:
        frame = loaded().records()
        assert frame.empty and {"arm", "effect", "phase", "status"} <= set(frame.columns)

    def test_say_what_failed_and_what_was_noted(
        self, carry_out: Callable[..., None], outcome: Callable[[Work], Record]
    ) -> None:
        def made(work: Work) -> Record:
            if work.phase == "final" and work.seed == 1:
                return Record(work, "failed", failure=Failure("lost", "its process died"))
            return replace(outcome(work), notes=("odd", "very odd")) if work.seed == 2 else outcome(work)

        carry_out(loaded(), made)
        runs = loaded().records().query("phase == 'final'").set_index(["arm", "seed"])
        assert runs.loc[("some", 1), ["status", "failure"]].tolist() == ["failed", "lost: its process died"]
        assert np.isnan(runs.loc[("some", 1), "test/rsum"])
        assert runs.loc[("none", 2), "notes"] == "odd; very odd"
        assert runs["notes"].notna().sum() == 2 == runs["failure"].notna().sum()
        # What was lost is done again by the next run, so a plan does not count it.
        assert loaded().plan()["runs_recorded"].tolist() == [2, 2]

    def test_keep_names_apart_that_are_taken(self, carry_out: Callable[..., None]) -> None:
        factors = {"seed": SAID["factors"]["effect"], "x": {"a": {"kind": "a"}, "b": {"kind": "b"}}}
        design = {"kind": "full-factorial", "baseline": {"seed": "none", "x": "a"}}
        sweep = loaded(factors=factors, design=design, hypotheses=[])
        carry_out(sweep)
        frame = sweep.records()
        assert frame.columns.is_unique
        assert set(frame["factor:seed"]) == {"none", "some"} and set(frame["x"]) == {"a", "b"}
        assert frame["value:x"].between(0, 1).all() and frame["seed"].dtype == np.int64


class TestQueries:
    def test_have_their_ranks(self, carry_out: Callable[..., None]) -> None:
        carry_out(loaded())
        frame = loaded().queries("test/t2i")
        assert frame.columns.tolist() == ["arm", "effect", "seed", "query", "cluster", "rank"]
        assert len(frame) == 2 * 3 * 40
        store = Store(Path("results/notes"))
        for line in loaded().records().query("phase == 'final'").to_dict("records"):
            record = store.read(line["key"])
            assert record is not None
            one = frame[(frame["arm"] == line["arm"]) & (frame["seed"] == line["seed"])]
            assert one["rank"].tolist() == record.ranks["test/t2i"].ranks.tolist()
            assert one["cluster"].tolist() == record.ranks["test/t2i"].clusters.tolist()
            assert one["query"].tolist() == list(range(40)) and set(one["effect"]) == {line["arm"]}
        recalled = 100 * (frame["rank"] <= 5).groupby([frame["arm"], frame["seed"]], observed=True).mean()
        runs = loaded().records().query("phase == 'final'").set_index(["arm", "seed"])
        assert recalled.to_dict() == pytest.approx(runs["test/t2i_r5"].to_dict())

    def test_have_values_of_what_is_known_by_query(
        self, carry_out: Callable[..., None], outcome: Callable[[Work], Record]
    ) -> None:
        right = QueryValues(np.array([100, 0, 100], np.float32), np.array([0, 0, 1], np.int32))

        def made(work: Work) -> Record:
            return replace(outcome(work), values={"test/right": right} if work.phase == "final" else {})

        carry_out(loaded(), made)
        frame = loaded().queries("test/right")
        assert len(frame) == 2 * 3 * 3 and "rank" not in frame
        assert frame["value"].tolist() == [100.0, 0.0, 100.0] * 6

    def test_are_told_by_the_names_there_are(self, carry_out: Callable[..., None]) -> None:
        with pytest.raises(
            InputError, match="notes: queries: found 'test/t2i', expected a run that keeps ranks"
        ):
            loaded().queries("test/t2i")
        carry_out(loaded())
        sentence = "found 'test/ti2', expected one of test/i2t, test/t2i; did you mean 'test/t2i'"
        with pytest.raises(InputError, match=sentence):
            loaded().queries("test/ti2")


class TestReport:
    def test_is_that_of_the_command_line(
        self, carry_out: Callable[..., None], crosscut: Callable[..., Any], folder: Path
    ) -> None:
        sweep = loaded()
        carry_out(sweep)
        report = sweep.report()
        assert (
            report.page == folder / "results" / "notes" / "report" / "report.html" and report.page.is_file()
        )
        written = report.files["report.json"].read_bytes()
        assert crosscut("report", "results/notes", "--out", "again").code == 0
        assert Path("again/report.json").read_bytes() == written
        assert report.result.design.primary == "test/rsum"

    @pytest.mark.parametrize(("method", "file"), [("contrasts", "contrasts.csv"), ("arms", "arms.csv")])
    def test_has_the_tables_of_its_files(
        self, carry_out: Callable[..., None], method: str, file: str
    ) -> None:
        sweep = loaded()
        carry_out(sweep)
        report = sweep.report()
        frame = getattr(report, method)()
        with report.files[file].open(newline="") as opened:
            head, *rows = csv.reader(opened)
        assert frame.columns.tolist() == head and len(frame) == len(rows) > 0
        for line, row in zip(frame.itertuples(index=False), rows, strict=True):
            for found, text in zip(line, row, strict=True):
                if isinstance(found, bool | np.bool_):
                    assert str(found).lower() == text
                elif isinstance(found, str):
                    assert found == text
                else:
                    assert text == "" if found is None or np.isnan(found) else float(text) == found

    def test_can_be_asked_for_something_else(self, carry_out: Callable[..., None]) -> None:
        sweep = loaded()
        carry_out(sweep)
        report = sweep.report(
            "other", metric="test/t2i_r1", alpha=0.1, margin=2.0, hypotheses=["arm: all pairs"]
        )
        assert report.page == Path("other/report.html")
        design = report.result.design
        assert (design.primary, design.alpha, design.margin) == ("test/t2i_r1", 0.1, 2.0)
        assert sweep.report("other", baseline="some", factors=["effect"]).result.design.baseline == "some"
        with pytest.raises(InputError, match=r"notes: .*'test/t2i_r2'"):
            sweep.report("other", metric="test/t2i_r2")

    def test_shows_its_verdicts(self, carry_out: Callable[..., None]) -> None:
        sweep = loaded()
        carry_out(sweep)
        report = sweep.report()
        assert repr(report).splitlines() == [*report.sentences, f"report: {report.page}"]
        assert len(report.sentences) >= 1 and "some vs none" in report.sentences[-1]
        shown = report._repr_html_()
        assert shown.count("<li>") == len(report.sentences) and report.page.as_uri() in shown

    def test_needs_a_run(self) -> None:
        with pytest.raises(InputError, match="notes: there is nothing to report, no run has ended well"):
            loaded().report()


class TestOpening:
    def test_needs_neither_the_file_nor_the_trainable(self, carry_out: Callable[..., None]) -> None:
        carry_out(loaded())
        known = loaded().records()
        sys.modules.pop("notebook_trainables", None)
        Path("notebook_trainables.py").unlink()
        shutil.move("results/notes", "archive")
        sweep = crosscut.Sweep.open("archive")
        assert sweep.name == "notes" and sweep.records().equals(known)
        assert sweep.report().page == Path("archive/report/report.html").absolute()
        assert len(sweep.queries("test/i2t")) == 2 * 3 * 20

    def test_needs_the_folder_of_a_sweep(self) -> None:
        with pytest.raises(InputError, match="nowhere: no such folder; expected the folder of a sweep"):
            crosscut.Sweep.open("nowhere")


class TestStarting:
    def imported(self, program: str) -> list[str]:
        heavy = ("torch", "ray", "pandas", "optuna", "matplotlib", "sklearn", "scipy", "numpy", "pydantic")
        program += f"\nimport json, sys; print(json.dumps([n for n in {heavy} if n in sys.modules]))"
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        found: list[str] = json.loads(ended.stdout)
        return found

    def test_imports_nothing_before_it_is_asked_for(self) -> None:
        assert self.imported("import crosscut; assert {'Sweep', 'trainable'} <= set(dir(crosscut))") == []

    def test_loads_a_sweep_without_what_trains_it(self) -> None:
        program = f"import crosscut; crosscut.Sweep.load({SAID!r})"
        assert set(self.imported(program)) <= {"numpy", "pydantic"}

    def test_knows_no_other_names(self) -> None:
        with pytest.raises(AttributeError, match="module 'crosscut' has no attribute 'Sweeps'"):
            getattr(crosscut, "Sweeps")  # noqa: B009

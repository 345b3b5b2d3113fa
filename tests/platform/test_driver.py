"""The driver, with the engine faked at its edge: no Ray, made-up records."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crosscut import driver
from crosscut.arms.experiment import Experiment
from crosscut.engine import cluster as clusters
from crosscut.engine import engine
from crosscut.engine.capacity import Capacity, Node
from crosscut.engine.cluster import Cluster
from crosscut.engine.site import Site
from crosscut.errors import InputError
from crosscut.plan import Plan
from crosscut.progress import FILE
from crosscut.records.declaration import read as read_declaration
from crosscut.records.local_place import LocalPlace
from crosscut.records.lock import driving, held
from crosscut.records.record import Attempt, Failure, FailureKind, Record
from crosscut.records.snapshot import recall
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.sweep import Resources
from crosscut_trainables.session import Phase

Outcome = Callable[[Work], Record]


@dataclass
class Fake:
    """What stands in the engine's place."""

    outcome: Outcome
    connections: list[str] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    trained: list[Work] = field(default_factory=list)
    together: list[bool] = field(default_factory=list)
    dies_after: int | None = None

    def carry_out(
        self,
        plan: Plan,
        store: Store,
        site: Site,
        cluster: Cluster,
        *,
        given: Callable[[Work], None],
        ended: Callable[[Record], None],
        again: Callable[[Work, Attempt], None],
        together: bool,
    ) -> None:
        self.together.append(together)
        assert held(store.place) and (store.folder / FILE).exists()
        self.sites.append(site)
        while (work := plan.next()) is not None:
            if self.dies_after == len(self.trained):
                raise KeyboardInterrupt
            given(work)
            self.trained.append(work)
            store.write(self.outcome(work))
            record = store.read(work.key)
            assert record is not None
            plan.ended(record)
            ended(record)

    @contextlib.contextmanager
    def connected(self, needs: Mapping[str, Resources], address: str, log: Path) -> Iterator[Cluster]:
        self.connections.append(address)
        yield Cluster(Capacity({"here": Node(2.0)}), own=True, start=lambda: None)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, outcome: Outcome, tmp_path: Path) -> Fake:
    stands_in = Fake(outcome)
    monkeypatch.setattr(engine, "carry_out", stands_in.carry_out)
    monkeypatch.setattr(clusters, "connected", stands_in.connected)
    monkeypatch.chdir(tmp_path)
    return stands_in


Run = Callable[..., tuple[bool, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(experiment: Experiment, **order: object) -> tuple[bool, str]:
        text = io.StringIO()
        asked = driver.Order(str(tmp_path / "results"), **order)  # type: ignore[arg-type]
        return driver.run(experiment, asked, Console(file=text, width=300, highlight=False)), text.getvalue()

    return call


def failing(outcome: Outcome, kind: FailureKind, phase: Phase = "final") -> Outcome:
    def of(work: Work) -> Record:
        if (work.arm, work.phase, work.index) == ("some", phase, 0):
            return Record(work, "failed", failure=Failure(kind, "[red] it cannot"))
        return outcome(work)

    return of


def test_a_sweep_is_done_and_reported(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    experiment = make_experiment(resources={"cpus_per_worker": 2, "retries": 5})
    well, text = run(experiment, address="auto")
    folder = tmp_path / "results" / "toy"
    assert well
    assert len(fake.trained) == 2 * (2 + 3) and fake.connections == ["auto"]
    assert text.startswith("toy: search trials 0/4 · runs 0/6 · time left not known yet\n")
    assert f"TensorBoard: crosscut tensorboard {folder}    log of Ray: {folder / 'logs' / 'ray.log'}" in text
    assert "[10/10] " in text
    assert text.splitlines()[-1] == f"report: {folder / 'report' / 'report.html'}"
    assert json.loads((folder / "report" / "report.json").read_text())["design"]["seeds"] == 3
    assert recall(Store(folder)) == experiment
    (site,) = fake.sites
    declaration = read_declaration(Store(folder))
    assert declaration is not None and declaration.sealed and declaration.recorded == 0
    assert site == Site(str(folder), str(tmp_path), site.commit, declaration.hash)
    assert not site.profile and fake.together == [True]
    assert list((folder / "tensorboard").glob("events.out.tfevents.*.columns"))
    assert not (folder / FILE).exists() and not held(LocalPlace(folder))


def test_a_slow_storage_slows_a_sweep_and_loses_nothing(
    fake: Fake,
    run: Run,
    tmp_path: Path,
    make_experiment: Callable[..., Experiment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[str] = []

    def slowly(call: Callable[..., Any]) -> Callable[..., Any]:
        def late(*arguments: Any, **options: Any) -> Any:
            slept.append(call.__name__)
            time.sleep(0.1)
            return call(*arguments, **options)

        return late

    for name in ("read", "write", "put", "files", "remove"):
        monkeypatch.setattr(LocalPlace, name, slowly(getattr(LocalPlace, name)))
    well, text = run(make_experiment())
    monkeypatch.undo()
    assert well and "cannot be written" not in text and {"write", "put"} <= {*slept}
    store = Store(tmp_path / "results" / "toy")
    assert sorted(store.recorded()) == sorted(work.key for work in fake.trained)
    assert all(store.read(key) is not None for key in store.recorded())
    assert not (store.folder / FILE).exists() and not held(LocalPlace(store.folder))


def test_what_is_recorded_is_not_done_again_and_no_cluster_is_started(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    first, _ = run(make_experiment())
    before = len(fake.trained)
    page = tmp_path / "results" / "toy" / "report" / "report.json"
    written = page.read_bytes()
    well, text = run(make_experiment())
    assert first and well
    assert len(fake.trained) == before and fake.connections == ["local"]
    assert text.startswith("toy: search trials 4/4 · runs 6/6\n") and "TensorBoard" not in text
    assert page.read_bytes() == written


def test_seeds_and_arms_that_are_added_are_all_that_is_done(
    fake: Fake, run: Run, make_experiment: Callable[..., Experiment]
) -> None:
    run(make_experiment())
    fake.trained.clear()
    run(make_experiment(seeds=4))
    assert [(work.arm, work.seed) for work in fake.trained] == [("none", 3), ("some", 3)]
    fake.trained.clear()
    run(make_experiment(levels=("none", "some", "more"), seeds=4))
    assert {work.arm for work in fake.trained} == {"more"} and len(fake.trained) == 2 + 4


def test_after_an_interruption_the_same_command_does_the_rest(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    fake.dies_after = 4
    with pytest.raises(KeyboardInterrupt):
        run(make_experiment())
    folder = tmp_path / "results" / "toy"
    assert not held(LocalPlace(folder)) and not (folder / FILE).exists()
    assert len(Store(folder).recorded()) == 4
    fake.dies_after = None
    assert run(make_experiment())[0]
    assert len({work.key for work in fake.trained}) == len(fake.trained) == 10


@pytest.mark.parametrize("kind", ["raised", "diverged", "lost"])
def test_a_run_that_failed_makes_the_end_a_bad_one_and_is_named(
    fake: Fake, run: Run, outcome: Outcome, make_experiment: Callable[..., Experiment], kind: FailureKind
) -> None:
    fake.outcome = failing(outcome, kind)
    well, text = run(make_experiment())
    assert not well
    assert f"failed ({kind}): some seed 0: [red] it cannot" in text
    assert "report: " in text


@pytest.mark.parametrize(("kind", "well"), [("raised", False), ("diverged", True), ("lost", False)])
def test_a_search_may_try_values_that_diverge_but_not_a_broken_trainable(
    fake: Fake,
    run: Run,
    outcome: Outcome,
    make_experiment: Callable[..., Experiment],
    kind: FailureKind,
    well: bool,
) -> None:
    fake.outcome = failing(outcome, kind, "search")
    found, text = run(make_experiment())
    assert found == well
    assert f"failed ({kind}): some trial 0: " in text


@pytest.mark.parametrize(
    ("kind", "retry_failed", "again"),
    [("raised", False, 0), ("raised", True, 1), ("diverged", True, 1), ("lost", False, 1)],
)
def test_failures_are_tried_again_when_asked_and_lost_runs_always(
    fake: Fake,
    run: Run,
    outcome: Outcome,
    make_experiment: Callable[..., Experiment],
    kind: FailureKind,
    retry_failed: bool,
    again: int,
) -> None:
    fake.outcome = failing(outcome, kind)
    assert not run(make_experiment())[0]
    fake.trained.clear()
    fake.outcome = outcome
    assert run(make_experiment(), retry_failed=retry_failed)[0] == bool(again)
    assert [work.label for work in fake.trained] == ["some seed 0"] * again


def test_an_arm_whose_search_came_to_nothing_is_named_and_the_others_are_reported(
    fake: Fake, run: Run, outcome: Outcome, make_experiment: Callable[..., Experiment]
) -> None:
    def broken(work: Work) -> Record:
        if work.arm == "some":
            return Record(work, "failed", failure=Failure("diverged", "dev/rsum is nan"))
        return outcome(work)

    fake.outcome = broken
    well, text = run(make_experiment(levels=("none", "some", "more")))
    assert not well
    assert "blocked: some: none of its 2 search trials finished" in text
    assert "effect: more vs none" in text and "report: " in text


def test_a_run_with_a_note_ends_well_and_its_note_is_told_at_the_end_and_in_the_report(
    fake: Fake, run: Run, tmp_path: Path, outcome: Outcome, make_experiment: Callable[..., Experiment]
) -> None:
    def noted(work: Work) -> Record:
        here = (work.arm, work.phase, work.index) == ("some", "final", 0)
        return replace(outcome(work), notes=("[red] collapsed",) if here else ())

    fake.outcome = noted
    well, text = run(make_experiment())
    assert well
    assert "\nnote: some seed 0: [red] collapsed\n" in text
    report = json.loads((tmp_path / "results" / "toy" / "report" / "report.json").read_text())
    (guard,) = [guard for guard in report["guards"] if guard["guard"] == "run-notes"]
    assert "[red] collapsed (some seed 0)" in guard["message"]


def test_where_no_run_ended_well_there_is_no_report(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    fake.outcome = lambda work: Record(work, "failed", failure=Failure("raised", "no"))
    well, text = run(make_experiment())
    assert not well
    assert text.splitlines()[-1] == "no report: no run has ended well"
    assert not (tmp_path / "results" / "toy" / "report").exists()


def test_a_report_is_written_only_where_it_is_wanted(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    well, text = run(make_experiment(), report=False)
    assert well and "report: " not in text
    assert not (tmp_path / "results" / "toy" / "report").exists()


def test_a_damaged_record_is_told_set_aside_and_done_again(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    run(make_experiment())
    store = Store(tmp_path / "results" / "toy")
    victim = store.recorded()[0]
    (store.runs / victim / "record.json").write_text("{}")
    fake.trained.clear()
    well, text = run(make_experiment())
    assert well and [work.key for work in fake.trained] == [victim]
    assert text.startswith(f"note: the record {victim} is damaged (")
    assert (store.set_aside_folder / f"{victim}.1").is_dir()


def test_a_metric_that_the_runs_do_not_have_does_not_cost_the_report(
    fake: Fake, run: Run, make_experiment: Callable[..., Experiment]
) -> None:
    well, text = run(make_experiment(report={"primary": "test/map", "metrics": ["test/ndcg"]}))
    assert well
    assert "note: report.primary: not every run has 'test/map'; verdicts are about 'test/rsum'" in text
    assert "note: report.metrics: not every run has 'test/ndcg'" in text and "report: " in text


def test_a_sweep_that_another_driver_holds_is_left_alone(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    store = Store.create(str(tmp_path / "results"), "toy")
    with driving(store.place), pytest.raises(InputError, match="holds this sweep"):
        run(make_experiment())
    assert not (store.folder / "sweep.json").exists() and fake.trained == []


def test_a_storage_that_cannot_be_written_stops_all(
    fake: Fake, run: Run, tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(InputError, match=r"--storage: .* cannot be written"):
        run(make_experiment())
    assert fake.connections == []


def test_a_run_that_is_refused_leaves_what_was_asked_for_before(
    run: Run,
    fake: Fake,
    tmp_path: Path,
    make_experiment: Callable[..., Experiment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(make_experiment())
    kept = (tmp_path / "results" / "toy" / "sweep.json").read_bytes()

    def refuse(*_: object) -> None:
        raise InputError("it fits nowhere")

    monkeypatch.setattr(clusters, "connected", refuse)
    with pytest.raises(InputError):
        run(make_experiment(seeds=9))
    assert (tmp_path / "results" / "toy" / "sweep.json").read_bytes() == kept


def test_runs_trace_what_they_do_where_that_is_asked_for(
    fake: Fake, run: Run, make_experiment: Callable[..., Experiment]
) -> None:
    run(make_experiment(), profile=True)
    # A trace is of one run.
    assert fake.sites[0].profile and fake.together == [False]


def test_a_run_with_nothing_to_do_makes_no_mirror_where_there_is_one(
    fake: Fake, run: Run, make_experiment: Callable[..., Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(make_experiment())
    made: list[object] = []
    monkeypatch.setattr(driver, "Mirror", lambda *given: made.append(given))
    well, _ = run(make_experiment())
    assert well and not made

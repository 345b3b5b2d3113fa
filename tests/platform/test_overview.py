"""What TensorBoard shows of the arms of a sweep, read back with TensorBoard's own readers, files and server."""

from __future__ import annotations

import contextlib
import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest
from scipy import stats
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2, metadata

from crosscut.arms.experiment import Experiment
from crosscut.engine.board import ARMS, Board, arm_folder, folder_of
from crosscut.engine.overview import Overview
from crosscut.engine.sheet import Sheet
from crosscut.engine.tally import MOST_STEPS
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Failure, Record, Step
from crosscut.records.work import Work

Curves = dict[str, list[tuple[int, float]]]


def curves(folder: Path) -> Curves:
    """Tag → steps and values that TensorBoard has of a run, tags without any left out."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    found = {
        tag: events.Tensors(tag) for tag in events.Tags()["tensors"] if tag != metadata.CONFIG_SUMMARY_TAG
    }
    return {
        tag: [(event.step, event.tensor_proto.float_val[0]) for event in told]
        for tag, told in found.items()
        if told
    }


def files(root: Path) -> dict[str, int]:
    """Every file of TensorBoard's below a folder → when it was written."""
    found = root.rglob("*tfevents*")
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in found}


def approx(points: list[tuple[int, float]]) -> Any:
    """The points, as far as single precision goes."""
    return [(step, pytest.approx(value, rel=1e-5, abs=1e-5)) for step, value in points]


def scores(work: Work) -> tuple[float, float]:
    """What a run of these tests has on dev and on test: a matter of its arm and its seed."""
    draw = np.random.default_rng([work.seed, round(10 * work.config["effect"])])
    return tuple(100 * work.config["effect"] + draw.normal(0, 10, 2))  # type: ignore[return-value]


@pytest.fixture
def trained(outcome: Callable[[Work], Record]) -> Callable[[Work], Record]:
    """Makes the record of a piece of work, in which no two seeds are alike."""

    def train(work: Work) -> Record:
        dev, test = scores(work)
        history = tuple(Step(step, {"dev/rsum": dev - 1 / step, "loss": 1 / step}) for step in (1, 2, 3))
        return replace(outcome(work), history=history, metrics={"dev/rsum": dev, "test/rsum": test})

    return train


@pytest.fixture
def make_plan(make_experiment: Callable[..., Experiment]) -> Callable[..., Plan]:
    return lambda *levels, **asked: reconcile(
        make_experiment(levels or ("none", "some"), **{"trials": 0, **asked}), lambda key: None
    )


@pytest.fixture
def seeded(make_plan: Callable[..., Plan], trained: Callable[[Work], Record]) -> Callable[..., Plan]:
    """Makes a plan in which arms have so many seeds: `seeded(none=3, some=2)`."""

    def make(**counts: int) -> Plan:
        plan = make_plan(*counts, seeds=max(counts.values()))
        for arm in plan.arms:
            for _ in range(counts[arm.arm.name]):
                end(plan, arm.arm.name, trained)
        return plan

    return make


def end(plan: Plan, arm: str, trained: Callable[[Work], Record]) -> Record:
    """Let the next seed of an arm end."""
    (line,) = (line for line in plan.arms if line.arm.name == arm)
    work = line.next_final()
    assert work is not None
    line.running[work.key] = work
    record = trained(work)
    plan.ended(record)
    return record


def of(plan: Plan, arm: str, metric: str) -> list[float]:
    """The final values of an arm's seeds."""
    (line,) = (line for line in plan.arms if line.arm.name == arm)
    return [record.metrics[metric] for record in line.finals if record is not None]


def interval(values: list[float]) -> tuple[float, float]:
    """The 95% t interval of a mean, as scipy has it."""
    found = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    return float(found.low), float(found.high)


def test_an_arm_has_the_mean_over_its_seeds_and_its_t_interval(
    tmp_path: Path, seeded: Callable[..., Plan]
) -> None:
    plan = seeded(none=4, some=1)
    assert Overview(tmp_path, plan.experiment).update(plan)
    found = curves(tmp_path / "0-arms" / "none")
    dev, test = of(plan, "none", "dev/rsum"), of(plan, "none", "test/rsum")
    at = {step: [value - 1 / step for value in dev] for step in (1, 2, 3)}
    low, high = zip(*(interval(at[step]) for step in (1, 2, 3)), strict=True)
    mean = [(step, float(np.mean(at[step]))) for step in (1, 2, 3)]
    assert found["dev/rsum"] == found["t-interval/dev/rsum/mean"] == approx(mean)
    assert found["t-interval/dev/rsum/lower"] == approx(list(zip((1, 2, 3), low, strict=True)))
    assert found["t-interval/dev/rsum/upper"] == approx(list(zip((1, 2, 3), high, strict=True)))
    assert found["result/test/rsum"] == approx([(3, float(np.mean(test)))])
    assert found["t-interval/seeds"] == [(1, 4.0), (2, 4.0), (3, 4.0)]
    by_seeds = [(count, float(np.mean(test[:count]))) for count in (1, 2, 3, 4)]
    assert found["result by seeds/test/rsum"] == approx(by_seeds)
    assert found["t-interval/result by seeds/test/rsum/mean"] == approx(by_seeds[1:])
    assert found["t-interval/result by seeds/test/rsum/lower"] == approx(
        [(count, interval(test[:count])[0]) for count in (2, 3, 4)]
    )


def test_one_seed_has_no_band(tmp_path: Path, seeded: Callable[..., Plan]) -> None:
    plan = seeded(none=1, some=1)
    Overview(tmp_path, plan.experiment).update(plan)
    found = curves(tmp_path / "0-arms" / "some")
    assert {tag for tag in found if tag.startswith("t-interval/")} == {"t-interval/seeds"}
    assert found["dev/rsum"] and found["result by seeds/test/rsum"]
    assert [step for step, _ in found["difference by seeds/test/rsum"]] == [1]
    assert list((tmp_path / "0-arms").glob("*tfevents*")) == []


def test_the_mean_at_a_step_is_over_the_seeds_that_have_it(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = make_plan(seeds=3)

    def longer(work: Work) -> Record:
        record = trained(work)
        return replace(record, history=record.history[: work.seed + 1])

    for _ in range(3):
        end(plan, "none", longer)
    Overview(tmp_path, plan.experiment).update(plan)
    found = curves(tmp_path / "0-arms" / "none")
    dev = of(plan, "none", "dev/rsum")
    means = [np.mean(dev) - 1, np.mean(dev[1:]) - 1 / 2, dev[2] - 1 / 3]
    assert found["dev/rsum"] == approx(list(zip((1, 2, 3), map(float, means), strict=True)))
    assert [step for step, _ in found["t-interval/dev/rsum/lower"]] == [1, 2]
    assert found["t-interval/seeds"] == [(1, 3.0), (2, 2.0), (3, 1.0)]
    assert [step for step, _ in found["result/test/rsum"]] == [3]


def test_a_difference_is_that_of_runs_with_the_same_seed(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = make_plan(seeds=5)
    for arm, missing in (("none", 1), ("some", 3)):
        for seed in range(5):
            failing = failed if seed == missing else trained
            end(plan, arm, failing)
    Overview(tmp_path, plan.experiment).update(plan)
    found = curves(tmp_path / "0-arms" / "some")
    baseline, arm = plan.arms[0].finals, plan.arms[1].finals
    pairs = [(arm[seed], baseline[seed]) for seed in (0, 2, 4)]
    apart = [own.metrics["test/rsum"] - other.metrics["test/rsum"] for own, other in pairs if own and other]
    means = [(count, float(np.mean(apart[:count]))) for count in (1, 2, 3)]
    assert found["difference by seeds/test/rsum"] == approx(means)
    name = "t-interval/difference by seeds/test/rsum"
    assert found[f"{name}/mean"] == approx(means[1:])
    assert found[f"{name}/upper"] == approx([(count, interval(apart[:count])[1]) for count in (2, 3)])
    assert not any("difference" in tag for tag in curves(tmp_path / "0-arms" / "none"))


def failed(work: Work) -> Record:
    """The record of a run that failed after it reported."""
    return Record(work, "failed", history=(Step(1, {"dev/rsum": -1e6}),), failure=Failure("raised", "no"))


def test_the_metric_of_the_search_has_differences_too_and_trials_have_no_part(
    tmp_path: Path,
    make_plan: Callable[..., Plan],
    trained: Callable[[Work], Record],
    complete: Callable[..., None],
) -> None:
    plan = make_plan(trials=2, seeds=2)
    overview = Overview(tmp_path, plan.experiment)
    complete(plan, trained, most=3)
    assert plan.trials == (3, 4)
    overview.update(plan)
    assert files(tmp_path) == {}
    complete(plan, trained)
    overview.update(plan)
    found = curves(tmp_path / "0-arms" / "some")
    plain = {"difference by seeds/test/rsum", "difference by seeds/dev/rsum"}
    bands = {f"t-interval/{name}/{end}" for name in plain for end in ("mean", "lower", "upper")}
    assert {tag for tag in found if "difference" in tag} == plain | bands
    assert found["t-interval/seeds"] == [(1, 2.0), (2, 2.0), (3, 2.0)]


def test_runs_that_failed_have_no_part(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = make_plan(seeds=2)
    overview = Overview(tmp_path, plan.experiment)
    end(plan, "some", failed)
    overview.update(plan)
    assert files(tmp_path) == {}
    record = end(plan, "some", trained)
    overview.update(plan)
    found = curves(tmp_path / "0-arms" / "some")
    assert found["result/test/rsum"] == approx([(3, record.metrics["test/rsum"])])


def test_without_a_baseline_there_are_no_differences(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = make_plan(seeds=2)
    plan.experiment = replace(plan.experiment, baseline=None)
    for arm in ("none", "some"):
        end(plan, arm, trained)
        end(plan, arm, trained)
    Overview(tmp_path, plan.experiment).update(plan)
    assert not any("difference" in tag for tag in curves(tmp_path / "0-arms" / "some"))
    assert [category.title for category in laid_out(tmp_path).category] == [
        "result by seeds",
        "dev by step",
        "other by step",
    ]


def test_an_update_draws_what_has_changed_and_nothing_else(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = make_plan("none", "some", "more", seeds=4)
    overview = Overview(tmp_path, plan.experiment)
    for _ in range(2):
        for arm in ("none", "some", "more"):
            end(plan, arm, trained)
    assert overview.update(plan)
    before = files(tmp_path)
    assert not overview.update(plan)
    assert files(tmp_path) == before

    def new(arm: str) -> set[str]:
        before = files(tmp_path)
        end(plan, arm, trained)
        assert overview.update(plan)
        return {str(Path(name).parent) for name in files(tmp_path).keys() - before.keys()}

    assert new("some") == {"0-arms/some"}
    # the others have the baseline's new seed only later, or have it already
    assert new("none") == {"0-arms/none", "0-arms/some"}
    assert new("none") == {"0-arms/none"}
    assert new("more") == {"0-arms/more"}


def test_a_run_has_two_files_at_the_most(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = make_plan(seeds=6)
    overview = Overview(tmp_path, plan.experiment)
    for _ in range(6):
        for arm in ("none", "some"):
            end(plan, arm, trained)
            overview.update(plan)
    folders = {path.parent for path in tmp_path.rglob("*") if path.is_file()}
    assert {str(folder.relative_to(tmp_path)) for folder in folders} == {
        "0-arms",
        "0-arms/none",
        "0-arms/some",
    }
    assert all(len([path for path in folder.iterdir() if path.is_file()]) <= 2 for folder in folders)
    assert [step for step, _ in curves(tmp_path / "0-arms" / "none")["result by seeds/test/rsum"]] == [
        *range(1, 7)
    ]


def test_many_steps_are_thinned_alike_for_mean_and_bounds(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = make_plan(seeds=2)
    steps = range(10, 40_010, 10)
    for _ in range(2):
        end(
            plan,
            "none",
            lambda work: replace(trained(work), history=[Step(s, {"loss": s / 1e4}) for s in steps]),
        )
    Overview(tmp_path, plan.experiment).update(plan)
    found = curves(tmp_path / "0-arms" / "none")
    assert len(found["loss"]) == MOST_STEPS
    assert found["loss"] == approx([(step, step / 1e4) for step, _ in found["loss"]])
    assert (found["loss"][0][0], found["loss"][-1][0]) == (10, 40_000)
    assert found["t-interval/loss/lower"] == found["loss"] == found["t-interval/loss/upper"]


def test_the_arms_sort_before_the_runs_and_meet_none_whatever_they_are_called(
    tmp_path: Path, make_plan: Callable[..., Plan], trained: Callable[[Work], Record], work: Work
) -> None:
    levels = ("..", "a/b", "a b", "é", "x" * 80, "0-arms", "0-ARMS")
    root = tmp_path / "root"
    plan = make_plan(*levels, seeds=1)
    for arm in levels:
        end(plan, arm, trained)
        Board(root, replace(work, arm=arm)).complete("finished", 0, {})
    Overview(root, plan.experiment).update(plan)
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    arms = [f"{ARMS}/{arm_folder(arm)}" for arm in levels]
    assert len({arm.casefold() for arm in arms}) == len(levels)
    runs = sorted(str(Path(name).parent) for name in files(root))
    over = [run for run in runs if run.startswith(f"{ARMS}/")]
    assert over == sorted(arms)
    single = {folder_of(replace(work, arm=arm)) for arm in levels}
    assert set(runs) == {*over, *single}
    assert all(run > over[-1] for run in single if not run.casefold().startswith(ARMS))


def test_seeds_of_other_searched_values_are_no_part_of_an_arm_any_more(
    tmp_path: Path, seeded: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = seeded(none=3, some=3)
    overview = Overview(tmp_path, plan.experiment)
    overview.update(plan)
    arm = plan.arms[1]
    kept = arm.finals[2]
    assert kept is not None
    arm.finals = [None, None, replace(kept, work=replace(kept.work, key="another"))]
    overview.update(plan)
    found = curves(tmp_path / "0-arms" / "some")
    assert found["t-interval/seeds"] == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert found["result by seeds/test/rsum"] == approx([(1, kept.metrics["test/rsum"])])
    arm.finals = [None, None, None]
    overview.update(plan)
    assert not (tmp_path / "0-arms" / "some").exists()


def test_a_driver_that_goes_on_draws_what_is_recorded_and_takes_away_what_is_not(
    tmp_path: Path, seeded: Callable[..., Plan]
) -> None:
    first = seeded(none=2, some=2, gone=2)
    Overview(tmp_path, first.experiment).update(first)
    again = seeded(none=1, some=0)
    Overview(tmp_path, again.experiment).update(again)
    assert [path.name for path in (tmp_path / "0-arms").iterdir() if path.is_dir()] == ["none"]
    # the bands of two seeds are gone, though the file that told them is still there
    assert len(list((tmp_path / "0-arms" / "none").iterdir())) == 2
    assert set(curves(tmp_path / "0-arms" / "none")) == {
        "dev/rsum",
        "loss",
        "result/dev/rsum",
        "result/test/rsum",
        "result by seeds/test/rsum",
        "t-interval/seeds",
    }


def test_a_folder_that_cannot_be_written_ends_nothing_and_is_tried_again(
    tmp_path: Path, seeded: Callable[..., Plan]
) -> None:
    plan = seeded(none=2, some=2)
    overview = Overview(tmp_path / "root", plan.experiment)
    (tmp_path / "root").write_text("a file in its place")
    assert overview.update(plan)
    assert overview.problem is not None
    assert overview.problem.startswith("the overview in TensorBoard could not be written (")
    (tmp_path / "root").unlink()
    assert overview.update(plan)
    assert overview.problem is None
    assert curves(tmp_path / "root" / "0-arms" / "some")["t-interval/seeds"][0] == (1, 2.0)
    assert not overview.update(plan)


def laid_out(root: Path) -> Any:
    """The layout of CUSTOM SCALARS, as it was last written."""
    newest = max((root / "0-arms").glob("*tfevents*"))
    (value,) = (
        value
        for event in EventFileLoader(str(newest)).Load()
        for value in event.summary.value
        if value.tag == metadata.CONFIG_SUMMARY_TAG
    )
    assert value.metadata.plugin_data.plugin_name == metadata.PLUGIN_NAME
    return layout_pb2.Layout.FromString(value.tensor.string_val[0])


def test_custom_scalars_draw_every_band_there_is(
    tmp_path: Path,
    make_plan: Callable[..., Plan],
    trained: Callable[[Work], Record],
    complete: Callable[..., None],
) -> None:
    plan = make_plan(trials=1, seeds=2)
    complete(plan, trained)
    Overview(tmp_path, plan.experiment).update(plan)
    layout = laid_out(tmp_path)
    # its page shows the last chart of a category first
    titles = {category.title: [chart.title for chart in category.chart][::-1] for category in layout.category}
    assert titles == {
        "result by seeds": ["test/rsum", "dev/rsum"],
        "difference to none by seeds": ["test/rsum", "dev/rsum"],
        "dev by step": ["dev/rsum"],
        "other by step": ["loss"],
    }
    assert [category.closed for category in layout.category] == [False, False, False, True]
    drawn = {
        tag
        for category in layout.category
        for chart in category.chart
        for series in chart.margin.series
        for tag in (series.value, series.lower, series.upper)
    }
    there = {tag for folder in (tmp_path / "0-arms").rglob("*") if folder.is_dir() for tag in curves(folder)}
    assert drawn == {tag for tag in there if tag.startswith("t-interval/")} - {"t-interval/seeds"}
    # TensorBoard draws no band whose three curves have different steps
    found = curves(tmp_path / "0-arms" / "some")
    for series in (chart.margin.series[0] for category in layout.category for chart in category.chart):
        steps = [[step for step, _ in found[tag]] for tag in (series.value, series.lower, series.upper)]
        assert steps[0] == steps[1] == steps[2] != []


def test_the_layout_grows_with_the_metrics(
    tmp_path: Path, seeded: Callable[..., Plan], trained: Callable[[Work], Record]
) -> None:
    plan = seeded(none=2, some=0)
    overview = Overview(tmp_path, plan.experiment)
    overview.update(plan)
    assert [category.title for category in laid_out(tmp_path).category][1:] == [
        "dev by step",
        "other by step",
    ]
    for _ in range(2):
        end(
            plan,
            "some",
            lambda work: replace(
                trained(work),
                history=[
                    Step(
                        1, {f"own/{name}": float(work.seed) for name in ("r10", "r1", "r5²10", "medr", "r5")}
                    )
                ],
            ),
        )
        overview.update(plan)
    charts = {
        category.title: [chart.title for chart in category.chart][::-1]
        for category in laid_out(tmp_path).category
    }
    assert "difference to none by seeds" in charts
    assert charts["own by step"] == ["own/medr", "own/r1", "own/r5", "own/r5²10", "own/r10"]


def test_a_sheet_shows_its_newest_drawing_alone(tmp_path: Path) -> None:
    sheet = Sheet(tmp_path / "sheet", 1)
    sheet.draw({"a": {1: 1.0, 2: 2.0}, "end": {2: 1.0}, "gone": {-3: 1.0}})
    sheet.draw({"a": {2: 3.0}, "end": {5: 2.0}})
    assert curves(tmp_path / "sheet") == {"a": [(2, 3.0)], "end": [(5, 2.0)]}
    Sheet(tmp_path / "sheet", 1).draw({"b": {0: 1.0}})
    assert curves(tmp_path / "sheet") == {"b": [(0, 1.0)]}


class Server:
    """A TensorBoard on a folder, asked over HTTP as its pages ask it."""

    def __init__(self, folder: Path, *flags: str) -> None:
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0"]
        self._process = subprocess.Popen(
            [*command, "--reload_interval", "1", *flags], stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        said = []
        self.address = ""
        for line in self._process.stderr:
            said.append(line)
            if found := re.search(r"http://localhost:\d+", line):
                self.address = found[0]
                break
        assert self.address, "".join(said)
        # what it says further is read, or it would wait for somebody to do so
        Thread(target=self._process.stderr.read, daemon=True).start()

    def ask(self, path: str, **query: str) -> Any:
        with urlopen(f"{self.address}/data/{path}?{urlencode(query)}") as answer:
            return json.load(answer)

    def curves(self, run: str) -> Curves:
        tags = self.ask("plugin/scalars/tags").get(run, {})
        found = {tag: self.ask("plugin/scalars/scalars", run=run, tag=tag) for tag in tags}
        return {tag: [(step, value) for _, step, value in told] for tag, told in found.items() if told}

    def wait(self, true: Callable[[], bool]) -> None:
        """Wait until something is true, for a minute at the most, which is many reloads."""
        until = time.monotonic() + 60
        while True:
            # what is listed may be gone when it is asked for
            with contextlib.suppress(HTTPError):
                if true():
                    return
            assert time.monotonic() < until, "TensorBoard does not show it"
            time.sleep(0.2)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()


READERS = {
    "data server": ["--load_fast", "true"],
    "python": ["--load_fast", "false", "--reload_multifile", "true"],
}


@pytest.fixture(params=READERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "data server" and find_spec("tensorboard_data_server") is None:
        pytest.skip("TensorBoard has no data server on this platform")
    (tmp_path / "board").mkdir()
    started = Server(tmp_path / "board", *READERS[request.param])
    yield started
    started.stop()


@pytest.mark.slow
def test_a_tensorboard_that_runs_shows_new_means_and_no_old_ones(
    tmp_path: Path,
    server: Server,
    make_plan: Callable[..., Plan],
    trained: Callable[[Work], Record],
    work: Work,
) -> None:
    root = tmp_path / "board"
    Board(root, work).complete("finished", 1, {"test/rsum": 1.0})
    plan = make_plan(seeds=4)
    overview = Overview(root, plan.experiment)

    def shown(run: str) -> Callable[[], bool]:
        return lambda: (
            server.curves(run) == {tag: approx(points) for tag, points in curves(root / run).items()}
        )

    # each seed is longer than those before it, so that the last step moves
    def longer(work: Work) -> Record:
        record = trained(work)
        return replace(
            record, history=[*record.history, *(Step(4 + s, {"loss": 0.0}) for s in range(work.seed))]
        )

    for _ in range(2):
        end(plan, "none", longer)
        end(plan, "some", longer)
        overview.update(plan)
        server.wait(shown("0-arms/some"))
    assert [step for step, _ in server.curves("0-arms/some")["result/test/rsum"]] == [4]
    titles = [category["title"] for category in server.ask("plugin/custom_scalars/layout")["category"]]
    assert titles[:2] == ["result by seeds", "difference to none by seeds"]
    name = "t-interval/difference by seeds/test/rsum"
    band = server.ask("plugin/custom_scalars/scalars", run="0-arms/some", tag=f"({name}/lower)")
    (lower,) = band["tag_to_events"][f"{name}/lower"]
    assert lower[1] == 2 and math.isfinite(lower[2])
    # as its pages list them: arms in their order, then the runs
    runs = ["0-arms", "0-arms/none", "0-arms/some", "scan,ccr/seed-0002"]
    assert server.ask("runs") == runs
    # several drawings between two looks, and one with less than before
    for _ in range(2):
        end(plan, "some", longer)
        overview.update(plan)
    server.wait(shown("0-arms/some"))
    plan.arms[1].finals[1:] = [None, None, None]
    overview.update(plan)
    server.wait(shown("0-arms/some"))
    assert "t-interval/dev/rsum/mean" not in server.curves("0-arms/some")
    # away and back before TensorBoard looks
    kept = plan.arms[1].finals[0]
    assert kept is not None
    plan.arms[1].finals[0] = None
    overview.update(plan)
    plan.arms[1].finals[0] = replace(kept, history=kept.history[:1])
    overview.update(plan)
    server.wait(shown("0-arms/some"))
    plan.arms[1].finals[0] = None
    overview.update(plan)
    server.wait(lambda: server.ask("runs") == ["0-arms", "0-arms/none", "scan,ccr/seed-0002"])

"""What TensorBoard reads of a run, read back with TensorBoard's own reader."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from crosscut.arms.experiment import Experiment
from crosscut.engine.board import ARMS, Board, Detail, drawn, folder_of, write_columns
from crosscut.records.work import Work


@pytest.fixture
def folder(tmp_path: Path, work: Work) -> Path:
    return tmp_path / folder_of(work)


@pytest.fixture
def open_board(tmp_path: Path) -> Iterator[Callable[[Work], Board]]:
    opened: list[Board] = []

    def board(work: Work) -> Board:
        opened.append(Board(tmp_path, work))
        return opened[-1]

    yield board
    for left in opened:
        left._writer.close()


def read(folder: Path) -> Any:
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    return accumulator.Reload()


def plugin_data(folder: Path, tag: str) -> list[Any]:
    """What the HParams plugin finds under a tag, in the order it was written."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.tag == tag:
                    assert value.metadata.plugin_data.plugin_name == metadata.PLUGIN_NAME
                    found.append(
                        plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                    )
    return found


def test_scalars_and_pictures_come_back(
    open_board: Callable[[Work], Board], work: Work, folder: Path
) -> None:
    board = open_board(work)
    board.scalars(1, {"dev/rsum": 200.0, "loss": 0.5})
    board.scalars(2, {"dev/rsum": 300.25})
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 3)).astype(np.uint8)
    board.picture(2, "attention", picture)
    board.complete("finished", 2, {"test/rsum": 312.5})
    events = read(folder)
    assert [(s.step, s.value) for s in events.Scalars("dev/rsum")] == [(1, 200.0), (2, 300.25)]
    assert [(s.step, s.value) for s in events.Scalars("result/test/rsum")] == [(2, 312.5)]
    (image,) = events.Images("attention")
    assert (image.step, image.width, image.height) == (2, 7, 5)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(image.encoded_image_string))), picture)


def test_a_run_is_in_the_hparams_table_before_it_ends(
    open_board: Callable[[Work], Board], work: Work, folder: Path
) -> None:
    board = open_board(work)
    (started,) = plugin_data(folder, metadata.SESSION_START_INFO_TAG)
    told = started.session_start_info.hparams
    assert told["arm"].string_value == "scan, ccr"
    assert told["factor/backbone"].string_value == "scan"
    assert told["phase"].string_value == "final" and told["number"].number_value == 2
    assert told["search/training.learning_rate"].number_value == 0.1
    assert started.session_start_info.group_name == work.key
    assert plugin_data(folder, metadata.SESSION_END_INFO_TAG) == []
    board.complete("failed", 0, {})
    (ended,) = plugin_data(folder, metadata.SESSION_END_INFO_TAG)
    assert ended.session_end_info.status == 2  # STATUS_FAILURE


@pytest.mark.parametrize(("status", "code"), [("finished", 1), ("pruned", 1), ("failed", 2)])
def test_the_end_of_a_run_says_how_it_ended(
    open_board: Callable[[Work], Board], work: Work, folder: Path, status: str, code: int
) -> None:
    open_board(work).complete(status, 1, {})
    (ended,) = plugin_data(folder, metadata.SESSION_END_INFO_TAG)
    assert ended.session_end_info.status == code


def test_values_of_any_type_are_told(open_board: Callable[[Work], Board], work: Work, folder: Path) -> None:
    odd = replace(work, values={"a": True, "b": "text", "c": 3, "d": [1, 2]})
    open_board(odd)
    (started,) = plugin_data(folder, metadata.SESSION_START_INFO_TAG)
    told = started.session_start_info.hparams
    assert told["search/a"].bool_value is True and told["search/b"].string_value == "text"
    assert told["search/c"].number_value == 3 and told["search/d"].string_value == "[1, 2]"


def test_the_files_of_an_attempt_that_was_broken_off_are_replaced(
    open_board: Callable[[Work], Board], work: Work, folder: Path
) -> None:
    broken_off = open_board(work)
    broken_off.scalars(1, {"dev/rsum": 1.0})
    broken_off._writer.close()
    again = open_board(work)
    again.scalars(1, {"dev/rsum": 2.0})
    again.complete("finished", 1, {})
    assert len(list(folder.iterdir())) == 1
    assert [s.value for s in read(folder).Scalars("dev/rsum")] == [2.0]


def test_a_run_and_a_search_trial_of_an_arm_lie_side_by_side(work: Work) -> None:
    assert folder_of(work) == "scan,ccr/seed-0002"
    trial = replace(work, phase="search", seed=1_000_002)
    assert folder_of(trial) == "scan,ccr/search-0002"


HOSTILE = (
    "..",
    ".",
    "../../etc",
    "a/b",
    "a\\b",
    "a b",
    "a_b",
    "a:b",
    "a*b",
    "é",
    "è",
    "[/]",
    "~",
    "-",
    ".hidden",
    "con?",
    "x" * 400,
    "x" * 399 + "y",
    "a, b",
    "a,b",
)


def test_no_arm_lies_outside_the_folder_whatever_it_is_called(
    open_board: Callable[[Work], Board], work: Work, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    for arm in HOSTILE:
        board = Board(root, replace(work, arm=arm))
        board.complete("finished", 0, {})
    assert [path.name for path in tmp_path.iterdir()] == ["root"]
    assert all(len(list(path.iterdir())) == 1 for path in root.iterdir())


def test_arms_that_differ_have_folders_that_differ(work: Work) -> None:
    # no level's name has a comma, so of the last two only the first can be an arm
    arms = HOSTILE[:-1]
    folders = [folder_of(replace(work, arm=arm)).casefold() for arm in arms]
    assert len(set(folders)) == len(arms)
    for name in folders:
        arm = name.split("/")[0]
        assert name.count("/") == 1 and arm.isascii() and 0 < len(arm) <= 120
        assert not set(arm) & set(' /\\:*?"<>|') and not arm.startswith(".")


def columns(root: Path) -> tuple[dict[str, Any], list[str]]:
    (found,) = plugin_data(root, metadata.EXPERIMENT_TAG)
    infos = {info.name: info for info in found.experiment.hparam_infos}
    return infos, [info.name.tag for info in found.experiment.metric_infos]


def test_the_columns_are_arms_factors_searched_values_and_the_metrics_that_matter(
    tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    write_columns(tmp_path, make_experiment())
    write_columns(tmp_path, make_experiment(levels=("none", "some", "more")))
    infos, metrics = columns(tmp_path)
    assert list(infos) == ["arm", "factor/effect", "phase", "number", "search/x"]
    assert set(infos["arm"].domain_discrete) == {"none", "some", "more"}
    assert (infos["search/x"].domain_interval.min_value, infos["search/x"].domain_interval.max_value) == (
        0,
        1,
    )
    assert metrics == ["result/test/rsum", "result/dev/rsum", "dev/rsum"]


def test_searched_choices_of_any_types_are_columns_where_their_types_agree(
    tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    space = {
        "numbers": {"choice": [1, 0.5]},
        "texts": {"choice": ["b", "a"]},
        "truths": {"choice": [True, False]},
        "mixed": {"choice": [8, "all", False]},
        "depth": {"log_int": [1, 64]},
    }
    write_columns(tmp_path, make_experiment(search={"space": space}))
    infos, _ = columns(tmp_path)
    assert list(infos["search/numbers"].domain_discrete) == [0.5, 1.0]
    assert list(infos["search/texts"].domain_discrete) == ["a", "b"]
    assert list(infos["search/truths"].domain_discrete) == [False, True]
    assert infos["search/depth"].domain_interval.max_value == 64
    assert "search/mixed" not in infos


def test_a_sweep_without_search_has_columns_too(
    tmp_path: Path, make_experiment: Callable[..., Experiment]
) -> None:
    write_columns(tmp_path, make_experiment(trials=0))
    infos, metrics = columns(tmp_path)
    assert list(infos) == ["arm", "factor/effect", "phase", "number"] and metrics == ["result/test/rsum"]


@pytest.mark.parametrize(
    ("detail", "expected"), [("all", (True, True)), ("final", (False, True)), ("arms", (False, False))]
)
def test_which_runs_have_curves_of_their_own(work: Work, detail: Detail, expected: tuple[bool, bool]) -> None:
    trial = replace(work, phase="search", seed=1_000_002)
    assert (drawn(trial, detail), drawn(work, detail)) == expected


def test_no_arm_takes_the_folder_of_the_arms(work: Work) -> None:
    for arm in ("0-arms", "0-ARMS"):
        assert not folder_of(replace(work, arm=arm)).casefold().startswith(f"{ARMS}/")
    assert folder_of(replace(work, arm="0-arms-too")) == "0-arms-too/seed-0002"

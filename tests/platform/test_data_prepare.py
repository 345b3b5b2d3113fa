"""`crosscut data prepare`: what it prints, how it ends, and what it leaves where it cannot do it."""

from __future__ import annotations

import errno
import io
import runpy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from crosscut import data_commands
from crosscut_trainables.data import preparation
from crosscut_trainables.data.vocabulary import Vocabulary

WRITERS = runpy.run_path(str(Path(__file__).parents[1] / "trainables" / "data_folders.py"))["WRITERS"]


Call = Callable[..., Any]


@pytest.fixture
def call(crosscut: Call, tmp_path: Path) -> Call:
    """`crosscut data`, in a folder with the data sets `regions` and `pictures`."""
    for folder, name in (("regions", "precomputed"), ("pictures", "karpathy")):
        (tmp_path / folder).mkdir()
        WRITERS[name](tmp_path / folder)
    return partial(crosscut, "data")


@pytest.fixture
def refused(call: Call, tmp_path: Path) -> Callable[..., str]:
    """The one sentence that refuses a preparation, which leaves nothing behind."""

    def sentence(*arguments: str, code: int = 2) -> str:
        before = sorted(tmp_path.rglob("*"))
        answer = call("prepare", *arguments)
        assert answer.code == code
        assert answer.errors.startswith("crosscut: ") and answer.errors.count("\n") == 1
        assert "is prepared" not in answer.output
        assert sorted(tmp_path.rglob("*")) == before
        return answer.errors.removeprefix("crosscut: ").strip()

    return sentence


def test_it_says_what_it_made(call: Call, tmp_path: Path) -> None:
    answer = call("prepare", "regions", "--out", "fast", "--half")
    assert (answer.code, answer.errors) == (0, "")
    words = len(Vocabulary.read(tmp_path / "fast" / "vocabulary.json").words)
    assert answer.output.splitlines()[-5:] == [
        "train: 6 images, 30 captions, 5 regions × 7 in half precision, boxes",
        "dev: 3 images, 15 captions, 5 regions × 7 in half precision, boxes",
        "test: 4 images, 20 captions, 5 regions × 7 in half precision, boxes",
        f"vocabulary: {words} words that training captions have 4 times or more",
        "precomputed is prepared; in a sweep: data: {name: prepared, folder: fast}",
    ]
    # How it went, in a log.
    assert answer.output.splitlines()[:-5] == [
        *(f"{split} captions: {n} of {n}" for split, n in (("train", 30), ("dev", 15), ("test", 20))),
        *(f"{split} regions: {n} of {n}" for split, n in (("train", 6), ("dev", 3), ("test", 4))),
    ]


def test_options_of_pictures_and_words_act(call: Call, tmp_path: Path) -> None:
    answer = call(
        "prepare", "pictures", "--out", "fast", "--side", "12", "--min-count", "2", "--name", "karpathy"
    )
    assert answer.code == 0
    assert "dev: 3 images, 9 captions, pictures of 12 × 12" in answer.output
    assert "words that training captions have 2 times or more" in answer.output
    assert np.load(tmp_path / "fast" / "test_pictures.npy").shape == (4, 12, 12, 3)


@pytest.mark.parametrize("folder", ["regions", "pictures"])
def test_what_it_made_is_recognised_by_the_check(call: Call, folder: str) -> None:
    assert call("prepare", folder, "--out", "fast", "--side", "12").code == 0
    there, here = call("check", "fast"), call("check", folder)
    assert there.code == here.code == 0
    assert there.output.startswith("prepared in fast\n") and "nothing is wrong" in there.output
    counts = [[line.split()[:3] for line in answer.output.splitlines()[2:5]] for answer in (here, there)]
    assert counts[0] == counts[1]


def test_a_prepared_folder_is_replaced_with_force_alone(
    call: Call, refused: Callable[..., str], tmp_path: Path
) -> None:
    assert call("prepare", "regions", "--out", "fast").code == 0
    sentence = f"{tmp_path}/fast: found a prepared folder, expected a new one or an empty one, or --force to"
    assert refused("regions", "--out", "fast", "--half").startswith(sentence)
    assert call("prepare", "regions", "--out", "fast", "--half", "--force").code == 0
    assert "in half precision" not in call("check", "fast").output
    assert np.load(tmp_path / "fast" / "dev_regions.npy").dtype == np.float16


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--out", "fast"], "nowhere: there is no such folder"),
        ([".", "--out", "fast"], "found no data set in . (precomputed: folder: found no train_ims.npy in "),
        (
            ["regions", "--out", "fast", "--name", "precompute"],
            "--name: found 'precompute', expected a data set of files; did you mean 'precomputed'?",
        ),
        (["regions", "--out", "fast", "--name", "karpathy"], "folder: found no dataset.json in "),
        (
            ["regions", "--out", "fast", "--side", "0"],
            "side: found 0, expected a whole number from 1 to 4096",
        ),
        (
            ["regions", "--out", "fast", "--min-count", "0"],
            "min-count: found 0, expected a whole number from",
        ),
        (["regions", "--out", "pictures"], "/pictures: found a folder that has files and was not prepared"),
        (["regions", "--out", "regions"], "/regions: found the folder that is prepared, or one around it"),
        (
            ["regions", "--out", "pictures/dataset.json"],
            "/pictures/dataset.json: found a file, expected a new",
        ),
        (["regions", "--out", "pictures/dataset.json/fast"], "Not a directory; nothing was prepared"),
    ],
)
def test_what_cannot_be_prepared_is_refused(
    refused: Callable[..., str], arguments: list[str], sentence: str
) -> None:
    assert sentence in refused(*arguments)


def test_without_a_place_to_put_it_nothing_is_done(call: Call) -> None:
    answer = call("prepare", "regions")
    assert answer.code == 2 and "--out" in answer.errors


def test_what_is_wrong_with_the_data_is_one_sentence(refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "regions" / "test_ims.npy"
    features = np.load(path)
    features[3, 2, 1] = np.nan
    np.save(path, features)
    sentence = refused("regions", "--out", "fast")
    assert sentence.endswith(
        "test: image 3: found nan among the features of region 2, expected finite numbers"
    )


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            2,
            "fast: No space left on device; nothing was prepared",
        ),
        (OSError(errno.EACCES, "Permission denied", "/there"), 2, "/there: Permission denied; nothing was"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was prepared"),
    ],
)
def test_a_failure_leaves_nothing(
    refused: Callable[..., str],
    error: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*arguments: Any) -> Any:
        raise error

    monkeypatch.setattr(preparation, "_move", failing)
    assert refused("regions", "--out", "fast", code=code).startswith(sentence)


def test_on_a_terminal_bars_tell_how_far_it_is() -> None:
    screen = io.StringIO()
    with data_commands.Advance(Console(file=screen, force_terminal=True, width=80)) as told:
        told("train captions", 0, 0)
        told("train captions", 30, 30)
    assert "train captions" in screen.getvalue() and "30/30" in screen.getvalue()


def test_a_log_has_a_line_of_long_work_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    with data_commands.Advance(Console(file=log, width=80)) as told:
        told("regions", 1, 3)
        monkeypatch.setattr(data_commands, "BETWEEN", 0.0)
        told("regions", 2, 3)
        monkeypatch.setattr(data_commands, "BETWEEN", 10.0)
        told("regions", 3, 3)
    assert log.getvalue() == "regions: 2 of 3\nregions: 3 of 3\n"

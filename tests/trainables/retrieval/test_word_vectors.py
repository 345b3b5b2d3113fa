"""Word vectors of a file: its forms, its faults, and what a run makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from crosscut_trainables import loop
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.vocabulary import MARKS
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession
from crosscut_trainables.trainable import description_of
from crosscut_trainables.word_vectors import read_word_vectors

WORDS = ("a", "kind1", "kind2")
GLOVE = "kind2 0.5 -1 2e-1 4\nother 9 9 9 9\na 1 2 3 4\n"
SMALL: dict[str, Any] = {
    "backbone": {"name": "vse++"},
    "training": {"epochs": 1, "batch_size": 16, "learning_rate": 0.02},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.txt"
    path.write_text(GLOVE, encoding="utf-8")
    return path


def embedded(path: Path | None, data: Any, seed: int = 1) -> tuple[dict[str, int], Tensor]:
    """The ids of the words, and the embeddings that a run starts from."""
    options = {**SMALL, "encoder": {"width": 8, "word_width": 4, "min_count": 1}}
    options["encoder"]["word_vectors"] = None if path is None else str(path)
    config = RetrievalConfig.model_validate(options).model_copy(update={"data": data})
    training = loop.Training(config, MemorySession(seed=seed))
    return training.towers.vocabulary.ids, training.model.state_dict()["text_encoder.embed.weight"]


@pytest.mark.parametrize(
    "text",
    [
        GLOVE,
        "3 4\n" + GLOVE,
        "400000 300\n" + GLOVE,
        GLOVE.replace("\n", " \n"),
        GLOVE.replace("\n", "\r\n"),
        GLOVE.rstrip(),
        GLOVE + "a 7 7 7 7\n",
        "größe 1 1 1 1\n" + GLOVE,
        "other 1 nan\n" + GLOVE + "another x\n",
    ],
    ids=[
        "of GloVe",
        "of word2vec",
        "of word2vec, whose count is another",
        "of fastText, with a space at the end",
        "of Windows",
        "without a last line break",
        "with a word that comes again",
        "with letters beyond ASCII",
        "with faults at words that are not wanted",
    ],
)
def test_words_have_their_vectors_whatever_the_form_of_the_file(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    found = read_word_vectors(file, WORDS, 4)
    assert set(found) == {"a", "kind2"}
    assert all(vector.dtype == np.float32 for vector in found.values())
    assert found["a"].tolist() == [1, 2, 3, 4]
    assert found["kind2"].tolist() == pytest.approx([0.5, -1, 0.2, 4])


def test_a_file_with_bytes_that_are_no_text_is_read_all_the_same(file: Path) -> None:
    file.write_bytes(b"\xff\xfe 1 1 1 1\n" + GLOVE.encode())
    assert set(read_word_vectors(file, WORDS, 4)) == {"a", "kind2"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("other 1 2 3 4\na 1 2 3\n", r"line 2: found 3 values for 'a', expected 4 \(encoder.word_width\)"),
        ("a 1 2 3 4 5\n", r"line 1: found 5 values for 'a', expected 4"),
        ("2 4\nkind1 1 2 3 4\na\n", r"line 3: found 0 values for 'a', expected 4"),
        ("a 1 2 three 4\n", "line 1: 'a' has a value that is no number"),
        ("2 4\na 1  2 3\n", "line 2: 'a' has a value that is no number"),
        ("a 1 2 nan 4\n", "line 1: 'a' has a value that is not finite"),
        ("a 1 2 3 -inf\n", "line 1: 'a' has a value that is not finite"),
        ("other 1 2 3 4\n", "none of the 3 words of the vocabulary is in this file"),
        ("3 4\n", "none of the 3 words of the vocabulary is in this file"),
        ("", "none of the 3 words of the vocabulary is in this file"),
    ],
)
def test_a_fault_is_refused_with_its_file_and_line(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match=sentence) as error:
        read_word_vectors(file, WORDS, 4)
    assert str(error.value).startswith(f"{file}: ")


def test_a_first_line_of_a_word_and_one_number_is_no_header(file: Path) -> None:
    file.write_text("a 1\n" + GLOVE)
    with pytest.raises(ValueError, match="line 1: found 1 values for 'a', expected 4"):
        read_word_vectors(file, WORDS, 4)


def test_a_word_of_several_parts_is_none_that_is_its_first_part(file: Path) -> None:
    # GloVe's file of 840 billion tokens has `at name@domain.com`, `in mylot.com` and the like.
    file.write_text("a name@domain.com 9 9 9 9\n" + GLOVE)
    assert read_word_vectors(file, WORDS, 4)["a"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_what_is_no_file_is_refused_at_its_key(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(ValidationError) as error:
        RetrievalConfig.model_validate({"encoder": {"word_vectors": path}})
    [found] = error.value.errors()
    assert found["loc"] == ("encoder", "word_vectors")
    assert f"found {path!r}, expected a file of word vectors" in found["msg"]


def test_a_path_is_made_absolute(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    monkeypatch.setenv("HOME", str(file.parent))
    for path in (file.name, f"~/{file.name}", str(file)):
        config = RetrievalConfig.model_validate({"encoder": {"word_vectors": path}})
        assert config.encoder.word_vectors == str(file)
        assert RetrievalConfig.model_validate(config.options()) == config


def test_embeddings_of_words_that_the_file_has_start_from_it_and_others_at_random(
    file: Path, toy_data: Any
) -> None:
    ids, plain = embedded(None, toy_data())
    _, found = embedded(file, toy_data())
    assert found[ids["a"]].tolist() == [1, 2, 3, 4]
    assert found[ids["kind2"]].tolist() == pytest.approx([0.5, -1, 0.2, 4])
    rest = [*range(len(MARKS)), *(number for word, number in ids.items() if word not in ("a", "kind2"))]
    assert len(rest) == len(plain) - 2
    assert torch.equal(found[rest], plain[rest])
    assert not torch.equal(found[rest], embedded(file, toy_data(), seed=2)[1][rest])


def test_all_else_starts_as_without_a_file_and_vectors_are_trained_on(file: Path, toy_data: Any) -> None:
    options = {**SMALL, "encoder": {"width": 8, "word_width": 4, "min_count": 1, "word_vectors": str(file)}}
    config = RetrievalConfig.model_validate(options).model_copy(update={"data": toy_data()})
    without = config.model_copy(update={"encoder": config.encoder.model_copy(update={"word_vectors": None})})
    one, two = (loop.Training(c, MemorySession(seed=1)).model.state_dict() for c in (config, without))
    assert [name for name, value in one.items() if not torch.equal(value, two[name])] == [
        "text_encoder.embed.weight"
    ]
    session = MemorySession(seed=1)
    loop.run(config, session)
    assert session.state is not None
    trained = session.state["model"]["text_encoder.embed.weight"]
    assert (trained != one["text_encoder.embed.weight"]).any(1).sum() > len(MARKS)


def test_a_resumed_run_is_the_undisturbed_one_to_the_bit(file: Path, toy_data: Any) -> None:
    options: dict[str, Any] = {"width": 8, "word_width": 4, "min_count": 1, "word_vectors": str(file)}
    training = {**SMALL["training"], "epochs": 3}
    config = RetrievalConfig.model_validate({**SMALL, "encoder": options, "training": training})
    config = config.model_copy(update={"data": toy_data()})
    whole, stopped = MemorySession(seed=1), MemorySession(seed=1, stop_after=2)
    expected = loop.run(config, whole)
    loop.run(config, stopped)
    resumed = MemorySession(seed=1, state=stopped.state)
    assert loop.run(config, resumed).metrics == expected.metrics
    assert whole.state is not None
    assert resumed.state is not None
    weights = resumed.state["model"]
    assert all(torch.equal(weights[name], value) for name, value in whole.state["model"].items())


def test_a_run_whose_words_are_of_another_width_is_refused(file: Path, toy_data: Any) -> None:
    options = {"encoder": {"word_width": 16, "min_count": 1, "word_vectors": str(file)}}
    config = RetrievalConfig.model_validate(options).model_copy(update={"data": toy_data()})
    with pytest.raises(ValueError, match=r"found 4 values for 'kind2', expected 16 \(encoder.word_width\)"):
        loop.run(config, MemorySession())


def test_the_fingerprint_is_of_the_content_of_the_file(file: Path) -> None:
    description = description_of(train)
    assert description is not None

    def fingerprint(path: Path | None) -> str:
        encoder = {"word_vectors": None if path is None else str(path)}
        return description.fingerprint(RetrievalConfig.model_validate({"encoder": encoder}))

    none, first = fingerprint(None), fingerprint(file)
    assert none == RetrievalConfig().data.fingerprint()
    copied = file.with_name("copied.txt")
    copied.write_bytes(file.read_bytes())
    assert fingerprint(copied) == first != none
    file.write_text(GLOVE.replace("9 9 9 9", "9 9 9 8"))
    assert fingerprint(file) not in (none, first)


def test_a_value_too_large_for_single_precision_is_refused(file: Path) -> None:
    file.write_text("a 1 2 3 1e60\n")
    with pytest.raises(ValueError, match="line 1: 'a' has a value that is not finite"):
        read_word_vectors(file, ("a",), 4)

"""The vocabulary: ids of words, and what happens to words it does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.data.vocabulary import END, MARKS, PAD, START, UNKNOWN, Vocabulary
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession

CAPTIONS = [["a", "seven", "above", "a", "three"], ["a", "seven"], ["the", "three"]]


def test_marks_have_the_first_four_ids_and_words_follow_in_alphabetical_order() -> None:
    vocabulary = Vocabulary.build(CAPTIONS)
    assert (PAD, START, END, UNKNOWN) == (0, 1, 2, 3)
    assert vocabulary.words == ("a", "above", "seven", "the", "three")
    assert vocabulary.ids == {"a": 4, "above": 5, "seven": 6, "the": 7, "three": 8}
    assert len(vocabulary) == 9


def test_a_caption_is_encoded_between_start_and_end() -> None:
    assert Vocabulary.build(CAPTIONS).encode(["the", "seven"]) == [1, 7, 6, 2]
    assert Vocabulary.build(CAPTIONS).encode([]) == [1, 2]


def test_a_word_that_was_not_seen_is_unknown() -> None:
    assert Vocabulary.build(CAPTIONS).encode(["a", "nine"]) == [1, 4, 3, 2]


@pytest.mark.parametrize(
    ("min_count", "words"),
    [(1, ("a", "above", "seven", "the", "three")), (2, ("a", "seven", "three")), (3, ("a",)), (4, ())],
)
def test_words_below_the_minimum_count_are_left_out(min_count: int, words: tuple[str, ...]) -> None:
    assert Vocabulary.build(CAPTIONS, min_count).words == words


def test_a_mark_that_is_written_in_a_caption_is_an_unknown_word() -> None:
    for mark in MARKS:
        assert Vocabulary.build([[mark, "a"]]).encode([mark, "a"]) == [1, 3, 4, 2]


def test_the_unknown_share_counts_words_not_captions() -> None:
    vocabulary = Vocabulary.build(CAPTIONS)
    assert vocabulary.unknown_share([["a", "nine"], ["a", "seven"]]) == 0.25
    assert vocabulary.unknown_share(CAPTIONS) == 0
    assert vocabulary.unknown_share([]) == 0


def test_the_order_of_captions_does_not_matter() -> None:
    assert Vocabulary.build(CAPTIONS) == Vocabulary.build(CAPTIONS[::-1])


def test_a_word_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'a' more than once"):
        Vocabulary(("a", "b", "a"))


def test_training_captions_of_the_digit_scenes_know_the_words_of_the_others() -> None:
    data = DigitScenes()
    vocabulary = Vocabulary.build(data.load("train").captions)
    assert 50 < len(vocabulary) < 100
    assert vocabulary.unknown_share(data.load("dev").captions) < 0.01
    assert vocabulary.unknown_share(data.load("test").captions) < 0.01


def test_a_vocabulary_that_is_written_is_read_back_and_has_the_form_of_the_published_code(
    tmp_path: Path,
) -> None:
    vocabulary = Vocabulary(("a", "été", "seven"))
    vocabulary.write(tmp_path / "vocab.json")
    assert Vocabulary.read(tmp_path / "vocab.json") == vocabulary
    plain = json.loads((tmp_path / "vocab.json").read_text())
    assert plain["word2idx"]["<start>"] == 1
    assert plain["idx2word"]["5"] == "été"
    assert plain["idx"] == 7


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            {"<pad>": 0, "<start>": 1, "<end>": 2, "<unk>": 3, "a": 5},
            "ids that are missing or stand for two words",
        ),
        (
            {"<pad>": 0, "<start>": 1, "<end>": 2, "<unk>": 3, "a": 3},
            "ids that are missing or stand for two words",
        ),
        (
            {"<pad>": 0, "<unk>": 1, "<start>": 2, "<end>": 3},
            "found <pad>, <unk>, <start>, <end> as the first words",
        ),
        ({"<pad>": "none"}, "no JSON with `word2idx`"),
        (["a"], "no JSON with `word2idx`"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path: Path, words: object, sentence: str) -> None:
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps({"word2idx": words}))
    with pytest.raises(ValueError, match=rf"vocab\.json: found .*{sentence}|vocab\.json: {sentence}"):
        Vocabulary.read(path)


def test_words_that_no_caption_has_are_counted() -> None:
    assert Vocabulary(("a", "seven", "unicorn", "yeti")).unseen([["a", "seven"], ["a"]]) == 2


def test_a_run_takes_a_vocabulary_from_a_file_and_says_where_it_saw_too_much(tmp_path: Path) -> None:
    data = {"name": "digit-scenes", "train_scenes": 20, "dev_scenes": 5, "test_scenes": 5}
    own = Vocabulary.build(DigitScenes.model_validate(data).load("train").captions, 2)
    base = {"data": data, "training": {"epochs": 1, "batch_size": 16}}
    built = train({**base, "encoder": {"width": 8, "word_width": 8, "min_count": 2}}, MemorySession())
    found = []
    for words in (own.words, (*own.words, "unicorn")):
        path = tmp_path / f"{len(words)}.json"
        Vocabulary(words).write(path)
        config = {**base, "encoder": {"width": 8, "word_width": 8, "vocabulary": str(path)}}
        found.append(train(config, MemorySession()))
    assert found[0].metrics == built.metrics
    assert found[0].notes == built.notes
    assert any(f"1 of the {len(own.words) + 1} words" in note for note in found[1].notes)

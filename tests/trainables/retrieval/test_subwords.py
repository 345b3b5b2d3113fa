"""Encoders from scratch that read pieces of words: which tokenizers they take, and what the pieces go through."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tokenizers import Tokenizer, models, pre_tokenizers

from crosscut_trainables import subwords
from crosscut_trainables.augmentation import Augmentation
from crosscut_trainables.batches import Batches
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.data.vocabulary import Vocabulary
from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.loop import Training
from crosscut_trainables.pretrained.small_tokenizer import SmallTokenizer
from crosscut_trainables.retrieval import RetrievalDescription, train
from crosscut_trainables.session import MemorySession
from crosscut_trainables.towers.scratch import ScratchTowers

DATA = {"name": "digit-scenes", "train_scenes": 12, "dev_scenes": 4, "test_scenes": 6}
DOCS = Path(__file__).parents[3] / "docs" / "datasets.md"
MARKED = SmallTokenizer(
    first=(), last=("[UNK]", "[CLS]", "[SEP]", "[PAD]"), before=("[CLS]",), after=("[SEP]",), pad="[PAD]",
    unknown="[UNK]",
)  # fmt: skip


def config_of(path: Path | str, **changes: Any) -> dict[str, Any]:
    encoder = {"width": 8, "word_width": 8, "subwords": str(path), **changes.pop("encoder", {})}
    training = {"epochs": 1, "batch_size": 16, **changes.pop("training", {})}
    return {"data": DATA, "encoder": encoder, "training": training, **changes}


def checked(path: Path | str, **changes: Any) -> RetrievalConfig:
    return RetrievalConfig.model_validate(config_of(path, **changes))


def towers_of(path: Path | str, **changes: Any) -> ScratchTowers:
    return ScratchTowers(checked(path, **changes))


def same(one: Evaluation, two: Evaluation) -> bool:
    return one.metrics == two.metrics and all(
        np.array_equal(ranks.ranks, two.ranks[name].ranks) for name, ranks in one.ranks.items()
    )


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer that has marks, the one for padding with the last id."""
    folder = tmp_path_factory.mktemp("marked")
    MARKED.build(64).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer.json without marks, and without a piece for what is not known."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokenizer = Tokenizer(
        models.BPE({x: i for i, x in enumerate([*letters, "th", "the"])}, [("t", "h"), ("th", "e")])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path_factory.mktemp("plain") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(params=["marked", "plain"])
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def altered(path: Path, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of a tokenizer.json with a change."""
    loaded = json.loads(path.read_text())
    change(loaded)
    copy = folder / "changed.json"
    copy.write_text(json.dumps(loaded))
    return copy


# Pieces


def test_pieces_carry_what_their_words_refer_to(path: Path) -> None:
    towers = towers_of(path)
    split, seen = DigitScenes.model_validate(DATA).load("test"), towers.split("test")
    assert split.referents is not None and seen.referents is not None
    several = 0
    for words, boxes, pieces, found in zip(
        split.captions, split.referents, seen.captions, seen.referents, strict=True
    ):
        joined = "".join(piece.removeprefix("##") for piece in pieces)
        assert joined == "".join(words)
        assert len(found) == len(pieces)
        # Each piece has the boxes of the word that its letters are of.
        owners = [place for place, word in enumerate(words) for _ in word]
        start = 0
        for piece, own in zip(pieces, found, strict=True):
            assert own is boxes[owners[start]]
            start += len(piece.removeprefix("##"))
        several += len(pieces) > len(words)
    assert several > len(split.captions) / 2


def test_captions_are_cut_as_they_are_written_where_no_words_refer_to_places(marked: Path) -> None:
    split = DigitScenes.model_validate(DATA).load("dev")
    texts = [f"Ab,  {number % 10}!" for number in range(len(split.captions))]
    seen = towers_of(marked).view(replace(split, referents=None, texts=texts))
    assert seen.captions[3] == ("a", "##b", ",", "3", "!")
    assert seen.texts == texts


def test_the_embedding_has_a_row_for_every_id(path: Path) -> None:
    towers = towers_of(path)
    module = towers.text_module("mean", torch.Generator().manual_seed(0))
    assert isinstance(module.embed, torch.nn.Embedding)
    assert module.embed.num_embeddings == len(towers.vocabulary)
    for name in ("train", "dev", "test"):
        ids = towers.prepared(name).ids
        assert ids.min() >= 0 and ids.max() < len(towers.vocabulary)
    assert len(towers.vocabulary) == (len(MARKED.ids) if path.is_dir() else 28 + 2)


def test_a_tokenizer_without_marks_gets_a_start_and_an_end(plain: Path) -> None:
    found = subwords.read(str(plain))
    assert (found.marks, found.pad, found.unknown) == ((1, 1), 0, None)
    assert found.encode(["the", "a"]) == [28, 27, 0, 29]
    assert found.known.tolist() == list(range(28))


def test_a_tokenizer_with_marks_keeps_its_own(marked: Path) -> None:
    found, ids = subwords.read(str(marked)), MARKED.ids
    assert found.marks == (1, 1)
    assert found.encode(["a", "##b"]) == [ids["[CLS]"], ids["a"], ids["##b"], ids["[SEP]"]]
    assert found.unknown == ids["[UNK]"] and found.pad == ids["[PAD]"]
    assert not {ids[mark] for mark in MARKED.last} & set(found.known.tolist())
    # No caption is cut off: encoders from scratch have places for any.
    [(pieces, _)] = found.pieces_of([["seven"] * 200])
    assert len(pieces) > 400


def test_ids_may_have_gaps(plain: Path, tmp_path: Path) -> None:
    copy = altered(plain, tmp_path, lambda loaded: loaded["model"]["vocab"].update(the=40))
    found = subwords.read(str(copy))
    assert len(found) == 43 and found.encode(["the"]) == [41, 40, 42]
    assert np.isfinite(train(config_of(copy), MemorySession()).metrics["test/rsum"])


def test_texts_are_filled_up_with_the_mark_for_that(marked: Path) -> None:
    towers = towers_of(marked)
    pad = MARKED.ids["[PAD]"]
    assert pad == len(towers.vocabulary) - 1
    prepared = towers.prepared("train")
    padding = torch.arange(prepared.ids.shape[1]) >= prepared.lengths[:, None]
    assert padding.any() and (prepared.ids[padding] == pad).all()
    assert not (prepared.ids[~padding] == pad).any()
    drop = Augmentation(word_dropout=0.5, vocabulary=towers.vocabulary)
    batch = next(Batches(prepared, 16, seed=0, augmentation=drop).epoch(1))
    assert batch.words.shape == batch.ids.shape and (~batch.words).any()
    assert (batch.ids[~batch.words] == pad).all() and not (batch.ids[batch.words] == pad).any()


def test_the_unknown_share_is_that_of_pieces(marked: Path, plain: Path) -> None:
    found = subwords.read(str(marked))
    cuts = [pieces for pieces, _ in found.pieces_of([["ab", "日", "c"], ["d"]])]
    assert cuts == [("a", "##b", "[UNK]", "c"), ("d",)]
    assert found.unknown_share(cuts) == 0.2
    assert found.unknown_share([]) == 0
    assert subwords.read(str(plain)).unknown_share([("a",)]) is None


# Runs


def test_two_runs_give_the_same_ranks(path: Path) -> None:
    for text in ({"name": "gru"}, {"name": "transformer", "layers": 1}):
        config = config_of(path, encoder={"text": text})
        assert same(*(train(config, MemorySession(seed=2)) for _ in range(2)))


def test_domains_say_how_many_pieces_are_unknown_where_any_can_be(marked: Path, plain: Path) -> None:
    domains = {"typos": {"perturb": [{"name": "typos"}]}}
    for path, known in ((marked, True), (plain, False)):
        metrics = train(config_of(path, evaluation={"on": domains}), MemorySession()).metrics
        assert "typos/rsum" in metrics and ("typos/unknown_words" in metrics) is known


@pytest.mark.parametrize(
    "changes",
    [
        {"training": {"shards": 2, "word_dropout": 0.3, "disturbance": "mixed"}, "asymmetry": {"noises": 2}},
        {"asymmetry": {"noise": "replace", "positives": "drop"}, "backbone": {"name": "vse++"}},
        {"constraints": {"ccr": {}, "ccs": {}}, "training": {"word_dropout": 0.2}},
        {"stages": {"text": {"epochs": 1}, "image": {"epochs": 1}}},
    ],
    ids=["shards", "asymmetry", "constraints", "stages"],
)
def test_what_is_done_to_words_is_done_to_pieces(marked: Path, changes: dict[str, Any]) -> None:
    runs = [train(config_of(marked, **changes), MemorySession(seed=1)) for _ in range(2)]
    assert np.isfinite(runs[0].metrics["test/rsum"]) and same(*runs)


def test_texts_are_made_of_known_pieces(marked: Path) -> None:
    training = Training(checked(marked, asymmetry={"noise": "insert", "noises": 3}), MemorySession())
    batch = next(training.batches.epoch(1))
    assert batch.negatives is not None
    made = batch.negatives.ids[batch.negatives.words].tolist()
    marks = {MARKED.ids[mark] for mark in ("[CLS]", "[SEP]")}
    assert set(made) <= {*subwords.read(str(marked)).known.tolist(), *marks}
    assert (batch.negatives.ids[~batch.negatives.words] == MARKED.ids["[PAD]"]).all()


def test_captions_of_which_no_piece_is_known_can_be_trained_on(plain: Path, tmp_path: Path) -> None:
    def only_the_letter_a(loaded: dict[str, Any]) -> None:
        loaded["model"].update(vocab={"a": 0}, merges=[])

    copy = altered(plain, tmp_path, only_the_letter_a)
    towers = towers_of(copy)
    assert min(len(caption) for caption in towers.split("train").captions) == 0
    config = config_of(
        copy, asymmetry={"noise": "mixed", "positives": "drop"}, training={"word_dropout": 0.5}
    )
    assert "test/rsum" in train(config, MemorySession()).metrics


# Refusals


def test_pieces_and_words_are_not_had_together(marked: Path, tmp_path: Path) -> None:
    Vocabulary(("a",)).write(tmp_path / "vocabulary.json")
    (tmp_path / "vectors.txt").write_text("a 1 2\n")
    for key, name in (("vocabulary", "vocabulary.json"), ("word_vectors", "vectors.txt")):
        with pytest.raises(ValidationError, match=f"subwords has pieces of words, and {key} has words"):
            checked(marked, encoder={key: str(tmp_path / name)})


def test_a_pretrained_model_has_a_tokenizer_of_its_own(marked: Path) -> None:
    plain = {"encoder": {"subwords": str(marked)}, "pretrained": {"name": "clip"}}
    with pytest.raises(
        ValidationError, match=r"encoder\.subwords would have no effect; the encoders are those of"
    ):
        RetrievalConfig.model_validate(plain)


def test_what_becomes_unknown_needs_an_unknown_piece(plain: Path, marked: Path) -> None:
    for disturbance in ("unknown", "mixed"):
        training = {"word_dropout": 0.2, "disturbance": disturbance}
        with pytest.raises(
            ValidationError, match=f"disturbance: {disturbance} makes pieces unknown, and the"
        ):
            checked(plain, training=training)
        checked(marked, training=training)
    checked(plain, training={"disturbance": "mixed"})


def no_pieces(loaded: dict[str, Any]) -> None:
    loaded["model"].update(vocab={"a": 0}, merges=[])
    loaded["added_tokens"] = [
        {"id": 0, "content": "a", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
    ]  # fmt: skip


def refusal(path: Path | str) -> str:
    with pytest.raises(ValidationError) as error:
        checked(path)
    [found] = error.value.errors()
    assert found["loc"] == ("encoder", "subwords")
    assert "\n" not in found["msg"]
    return str(found["msg"])


def test_what_is_no_tokenizer_is_refused_in_one_sentence(plain: Path, tmp_path: Path) -> None:
    expected = "expected a folder with a tokenizer or a tokenizer.json"
    assert refusal("/nowhere").endswith(f"found '/nowhere', {expected}: there is none")
    assert f"{expected}: it has no file of a tokenizer (tokenizer.json, " in refusal(tmp_path)
    broken = tmp_path / "tokenizer.json"
    for text in ("", "{", "{}", plain.read_text()[:-200]):
        broken.write_text(text)
        assert f"{expected}: transformers cannot read it (" in refusal(broken)
        assert f"{expected}: " in refusal(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda loaded: loaded["model"].update(dropout=0.1), "it draws pieces at random (dropout 0.1)"),
        (no_pieces, "it has no pieces but marks"),
    ],
)
def test_a_tokenizer_that_cannot_be_used_is_refused(
    plain: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    assert refusal(altered(plain, tmp_path, change)).endswith(sentence)


def test_a_tokenizer_of_sentencepiece_that_draws_at_random_is_refused(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(f"two dogs that play in the water, number {number}" for number in range(200)))
    folder = tmp_path / "folder"
    folder.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines), model_prefix=str(folder / "spiece"), vocab_size=50, minloglevel=2
    )
    options: dict[str, Any] = {"tokenizer_class": "SiglipTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(options))
    assert len(subwords.read(str(folder))) == 50
    options["sp_model_kwargs"] = {"enable_sampling": True, "alpha": 0.1, "nbest_size": -1}
    (folder / "tokenizer_config.json").write_text(json.dumps(options))
    assert refusal(folder).endswith("it draws pieces at random (enable_sampling)")


# Keys


def test_the_key_changes_with_the_content_and_not_with_the_place(path: Path, tmp_path: Path) -> None:
    about = RetrievalDescription()
    before = about.fingerprint(checked(path))
    moved = tmp_path / "moved"
    if path.is_dir():
        shutil.copytree(path, moved)
    else:
        shutil.copy(path, moved)
    assert about.fingerprint(checked(moved)) == before
    assert "encoder.subwords" in about.locations
    file = moved / "tokenizer.json" if path.is_dir() else moved
    loaded = json.loads(file.read_text())
    first = loaded["model"]["vocab"]
    first["a"], first["b"] = first["b"], first["a"]
    file.write_text(json.dumps(loaded))
    assert about.fingerprint(checked(moved)) != before
    # It is read anew as well.
    assert subwords.read(str(moved)).encode(["a"])[1] == subwords.read(str(path)).encode(["b"])[1]


def test_the_home_folder_may_be_written_short(marked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(marked.parent))
    assert checked(f"~/{marked.name}").encoder.subwords == str(marked)


# The recipe


def test_the_recipe_makes_a_tokenizer_of_training_captions_alone(tmp_path: Path) -> None:
    section = DOCS.read_text().partition("## Subwords\n")[2].partition("\n# ")[0]
    [code] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    data = tmp_path / "f30k_precomp"
    data.mkdir()
    for split, count, word in (("train", 8, "dogs"), ("dev", 4, "zebras"), ("test", 4, "zebras")):
        features = np.random.default_rng(count).normal(size=(count, 3, 4)).astype(np.float32)
        np.save(data / f"{split}_ims.npy", features + len(word))
        lines = (f"Two {word} play in the water, number {number}." for number in range(5 * count))
        (data / f"{split}_caps.txt").write_text("\n".join(lines))
    assert code.count('"/data/') == 2
    exec(code.replace('"/data/', f'"{tmp_path}/'), {})
    found = subwords.read(str(tmp_path / "f30k_pieces.json"))
    pieces = found.tokenizer.get_vocab()
    assert "dogs" in pieces and not [piece for piece in pieces if "z" in piece]
    assert found.marks == (1, 1) and found.unknown is not None
    [(cut, _)] = found.pieces_of([["Two", "zebras"]])
    assert cut == ("two", "[UNK]")
    config = {
        **config_of(tmp_path / "f30k_pieces.json"),
        "data": {"name": "precomputed", "folder": str(data)},
    }
    assert "test/rsum" in train(config, MemorySession()).metrics

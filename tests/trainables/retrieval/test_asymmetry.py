"""Texts made of captions: what each strategy makes, when, and what the losses do with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from crosscut_trainables import loop
from crosscut_trainables.asymmetry import NOISES, POSITIVES
from crosscut_trainables.asymmetry.caption import Caption
from crosscut_trainables.asymmetry.options import Asymmetry
from crosscut_trainables.asymmetry.texts import TextMaker, Texts
from crosscut_trainables.batches import Batches, PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.vocabulary import END, MARKS, PAD, START, UNKNOWN, Vocabulary
from crosscut_trainables.losses import LOSSES, InfoNCE, Triplet
from crosscut_trainables.session import MemorySession

OWN, SIBLING, OTHER = [10, 11, 12, 13, 14, 15], [20, 21], [30, 31, 32, 33]
WORDS = range(4, 40)


def caption(words: Sequence[int] = OWN, siblings: Sequence[Sequence[int]] = (SIBLING,)) -> Caption:
    return Caption(words, siblings, lambda draws: OTHER, lambda draws: draws.pick(WORDS), share=0.34)


def many(make: Callable[[Caption, Draws], Sequence[int]], about: Caption | None = None) -> list[list[int]]:
    about = about or caption()
    return [list(make(about, Draws(7, number))) for number in range(200)]


def is_subsequence(part: Sequence[int], whole: Sequence[int]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)


@pytest.mark.parametrize("name", sorted(NOISES))
def test_no_negative_is_its_caption(name: str) -> None:
    assert OWN not in many(NOISES[name])


def test_replace_changes_the_share_of_words_and_no_other() -> None:
    for words in many(NOISES["replace"]):
        assert len(words) == len(OWN)
        assert sum(a != b for a, b in zip(words, OWN, strict=True)) == 2


def test_insert_adds_words_of_the_vocabulary_and_keeps_all() -> None:
    for words in many(NOISES["insert"]):
        assert len(words) == len(OWN) + 2
        assert is_subsequence(OWN, words)
        assert set(words) <= set(WORDS)


def test_swap_keeps_the_words_in_another_order() -> None:
    assert all(sorted(words) == OWN for words in many(NOISES["swap"]))


def test_swap_of_a_text_of_one_kind_of_word_replaces_one() -> None:
    assert all(words != [9, 9] and len(words) == 2 for words in many(NOISES["swap"], caption([9, 9])))


def test_clause_ends_as_the_caption_of_another_image() -> None:
    assert set(map(tuple, many(NOISES["clause"]))) == {(10, 11, 12, 32, 33)}


def test_truncate_keeps_a_beginning_of_half_of_the_words_or_more() -> None:
    lengths = Counter(len(words) for words in many(POSITIVES["truncate"]))
    assert all(words == OWN[: len(words)] for words in many(POSITIVES["truncate"]))
    assert set(lengths) == {3, 4, 5, 6}


def test_drop_leaves_out_the_share_of_words_in_their_order() -> None:
    for words in many(POSITIVES["drop"]):
        assert len(words) == 4
        assert is_subsequence(words, OWN)


def test_siblings_stand_alone_or_behind_the_caption() -> None:
    assert many(POSITIVES["sibling"]) == [SIBLING] * 200
    assert many(POSITIVES["join"]) == [OWN + SIBLING] * 200


@pytest.mark.parametrize("name", sorted(POSITIVES))
@pytest.mark.parametrize("words", [OWN, [9], []])
def test_every_positive_says_nothing_but_what_captions_of_the_image_say(name: str, words: list[int]) -> None:
    for siblings in ((SIBLING,), ()):
        about = caption(words, siblings)
        for made in many(POSITIVES[name], about):
            assert set(made) <= {*words, *SIBLING}
            assert made or not words


@pytest.mark.parametrize("name", sorted(NOISES))
@pytest.mark.parametrize("words", [[9], []])
def test_a_negative_can_be_made_of_hardly_any_words(name: str, words: list[int]) -> None:
    many(NOISES[name], caption(words, ()))


@pytest.mark.parametrize("registry", [NOISES, POSITIVES])
def test_mixed_makes_texts_of_every_kind(registry: Any) -> None:
    made = many(registry["mixed"])
    marks: dict[str, Callable[[list[int]], bool]] = {
        "replace": lambda words: len(words) == len(OWN) and sorted(words) != OWN,
        "insert": lambda words: len(words) == len(OWN) + 2 and words[-2:] != SIBLING,
        "swap": lambda words: sorted(words) == OWN and words != OWN,
        "clause": lambda words: words[-2:] == OTHER[-2:],
        "truncate": lambda words: len(words) < len(OWN) and words == OWN[: len(words)],
        "drop": lambda words: len(words) < len(OWN) and is_subsequence(words, OWN) and words[0] != OWN[0],
        "sibling": lambda words: words == SIBLING,
        "join": lambda words: words == OWN + SIBLING,
    }
    for name in set(registry) - {"mixed"}:
        assert any(marks[name](words) for words in made), name


@pytest.fixture
def prepared(toy_data: Any) -> PreparedSplit:
    split = toy_data().load("train")
    return PreparedSplit.of(split, Vocabulary.build(split.captions))


def maker(prepared: PreparedSplit, seed: int = 1, **options: Any) -> TextMaker:
    asked = Asymmetry.model_validate(options)
    vocabulary = Vocabulary(tuple(map(str, range(11 - len(MARKS)))))
    return TextMaker(asked, prepared.ids, prepared.lengths, prepared.image_of, vocabulary, seed)


def rows(texts: Texts | None) -> list[list[int]]:
    assert texts is not None
    return [row[:length] for row, length in zip(texts.ids.tolist(), texts.lengths.tolist(), strict=True)]


def test_made_texts_stand_between_marks_and_are_padded(prepared: PreparedSplit) -> None:
    texts = maker(prepared, noises=3).negatives(torch.tensor([0, 5]), 1, 0)
    assert texts is not None
    assert len(rows(texts)) == 6
    assert all(row[0] == START and row[-1] == END and PAD not in row for row in rows(texts))
    assert (texts.ids[~texts.mask] == PAD).all()


def test_siblings_are_captions_of_the_same_image_and_clauses_of_another(prepared: PreparedSplit) -> None:
    captions = torch.arange(len(prepared.lengths))
    known = [
        row[:length] for row, length in zip(prepared.ids.tolist(), prepared.lengths.tolist(), strict=True)
    ]
    siblings = rows(maker(prepared, positives="sibling").positives(captions, 1, 0))
    for number, row in enumerate(siblings):
        image = prepared.image_of[number]
        own = [known[c] for c in captions.tolist() if prepared.image_of[c] == image and c != number]
        assert row in own
    for number in range(4):
        about = maker(prepared)._caption(number)
        others = {tuple(known[c][1:-1]) for c in captions.tolist() if prepared.image_of[c] != number // 2}
        assert {tuple(about.other(Draws(3, draw))) for draw in range(2000)} == others


def test_texts_follow_from_seed_epoch_batch_and_place_alone(prepared: PreparedSplit) -> None:
    captions = torch.tensor([3, 4, 5])

    def made(seed: int = 1, epoch: int = 1, batch: int = 0) -> list[list[int]]:
        return rows(maker(prepared, seed, noises=4).negatives(captions, epoch, batch))

    assert made() == made()
    assert len({str(texts) for texts in (made(), made(seed=2), made(epoch=2), made(batch=1))}) == 4


def test_two_workers_have_the_texts_of_one(prepared: PreparedSplit) -> None:
    texts = maker(prepared, noises=2)
    alone = next(Batches(prepared, 16, 1, texts=texts).epoch(1))
    parts = [next(Batches(prepared, 16, 1, rank, 2, texts=texts).epoch(1)) for rank in range(2)]
    for name in ("negatives", "positives"):
        whole, shares = getattr(alone, name), [getattr(part, name) for part in parts]
        assert torch.equal(torch.cat([share.ids for share in shares]), whole.ids)
        assert torch.equal(torch.cat([share.words for share in shares]), whole.words)
        assert torch.equal(torch.cat([share.lengths for share in shares]), whole.lengths)


def test_infonce_adds_noise_to_the_negatives_of_its_image() -> None:
    draw = torch.Generator().manual_seed(1)
    scores, noise = torch.rand(4, 4, generator=draw), torch.rand(4, 2, generator=draw)
    loss, images = InfoNCE(temperature=0.5), torch.tensor([0, 1, 2, 2])
    parts = loss.parts()
    expected = 0.0
    for i in range(4):
        negatives = [scores[i, c] for c in range(4) if images[c] != images[i]] + list(noise[i])
        row = torch.stack([scores[i, i], *negatives]) / 0.5
        column = (
            torch.stack([scores[i, i], *(scores[r, i] for r in range(4) if images[r] != images[i])]) / 0.5
        )
        expected += 0.5 * float(row.logsumexp(0) + column.logsumexp(0) - 2 * scores[i, i] / 0.5)
    assert loss.loss(scores, images, parts, 1, noise).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("negatives", ["hardest", "sum"])
def test_triplet_adds_noise_to_the_negatives_of_its_image(negatives: Any) -> None:
    draw = torch.Generator().manual_seed(1)
    scores, noise = torch.rand(4, 4, generator=draw), torch.rand(4, 2, generator=draw)
    images, take = torch.tensor([0, 1, 2, 2]), max if negatives == "hardest" else sum
    expected = 0.0
    for i in range(4):
        others = [c for c in range(4) if images[c] != images[i]]
        of_row = [float(scores[i, c]) for c in others] + noise[i].tolist()
        of_column = [float(scores[r, i]) for r in others]
        for found in (of_row, of_column):
            expected += take([max(0.0, 0.2 + value - float(scores[i, i])) for value in found])
    loss = Triplet(negatives=negatives).loss(scores, images, None, 1, noise)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_noise_that_matches_badly_costs_less_than_noise_that_matches_well(name: str) -> None:
    loss = LOSSES[name].model_validate({})
    scores, images, parts = 0.5 * torch.eye(4), torch.arange(4), loss.parts()
    costs = [
        loss.loss(scores, images, parts, 1, torch.full((4, 1), value)).item() for value in (-0.5, 0.4, 0.9)
    ]
    assert costs == sorted(costs)
    assert costs[0] < costs[2]


SMALL: dict[str, Any] = {
    "encoder": {"width": 16, "word_width": 16, "min_count": 1},
    "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.02},
}


def report(data: Any, asymmetry: Any) -> dict[str, float]:
    config = RetrievalConfig.model_validate({**SMALL, "asymmetry": asymmetry})
    session = MemorySession(seed=1)
    loop.run(config.model_copy(update={"data": data}), session)
    return session.reports[0][1]


def test_both_losses_are_reported_and_weighed(toy_data: Any) -> None:
    metrics = report(toy_data(), {"positive_weight": 0.25})
    expected = 0.75 * metrics["loss/match"] + 0.25 * metrics["loss/positives"]
    assert metrics["loss/total"] == pytest.approx(expected, rel=1e-5)


def test_without_positives_the_loss_of_captions_is_the_whole(toy_data: Any) -> None:
    metrics = report(toy_data(), {"positives": "none"})
    assert "loss/positives" not in metrics
    assert metrics["loss/total"] == metrics["loss/match"] > report(toy_data(), None)["loss/match"]


def test_negatives_and_positives_that_are_both_off_are_refused() -> None:
    with pytest.raises(ValidationError, match="noise and positives are both none"):
        RetrievalConfig.model_validate({"asymmetry": {"noise": "none", "positives": "none"}})


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(ValidationError, match="noise"):
        Asymmetry.model_validate({"noise": "typo"})


def test_where_no_word_is_known_made_texts_have_unknown_words(prepared: PreparedSplit) -> None:
    options = Asymmetry.model_validate({"noise": "insert", "share": 1.0})
    ids = torch.where(prepared.ids > UNKNOWN, UNKNOWN, prepared.ids)
    texts = TextMaker(options, ids, prepared.lengths, prepared.image_of, Vocabulary(()), 1)
    made = texts.negatives(torch.arange(8), 1, 0)
    assert made is not None
    assert made.ids.max() < len(MARKS)

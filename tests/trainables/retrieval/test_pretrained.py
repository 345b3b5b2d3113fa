"""What holds of every pretrained dual encoder that is registered."""

from __future__ import annotations

import copy
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.data.digit_scenes import DigitScenes
from crosscut_trainables.data.split import Split
from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.pieces import Pieces
from crosscut_trainables.pretrained import PRETRAINED, DualEncoder
from crosscut_trainables.pretrained.loaded import Loaded

save_model: Callable[..., Any] = runpy.run_path(str(Path(__file__).with_name("pretrained_folder.py")))[
    "save_model"
]

CAPTIONS = ["a seven", "three", "there is a four to the left of an eight, but not a café", "no digit at all"]


class Case:
    """A family, a folder with a model of it, and the model as the library has it and as Crosscut loads it."""

    def __init__(self, family: type[DualEncoder], folder: Path) -> None:
        from transformers.models.auto.tokenization_auto import AutoTokenizer

        self.family, self.folder = family, folder
        self.model = save_model(family, folder)
        self.encoder = family.model_validate({"path": str(folder)})
        self.loaded = self.encoder.load()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def read_by_the_library(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """The library's own inputs, as the model's page has them."""
        if self.family.model_type == "siglip":
            ids = self.tokenizer(texts, padding="max_length", max_length=128, return_tensors="pt")[
                "input_ids"
            ]
            return {"input_ids": ids}
        found = self.tokenizer(texts, padding=True, return_tensors="pt")
        return {name: found[name] for name in ("input_ids", "attention_mask")}

    def fragments_of_texts(self, texts: list[str]) -> Fragments:
        return self.loaded.texts(*inputs(self.loaded, texts))


def inputs(
    loaded: Loaded, texts: list[str], width: int = 0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, lengths and mask of texts, padded with 0, and to `width` at least."""
    encoded = [
        loaded.vocabulary.encode(pieces)
        for pieces, _ in loaded.vocabulary.pieces_of([text.split() for text in texts])
    ]
    lengths = torch.tensor([len(ids) for ids in encoded])
    ids = torch.zeros(len(texts), max(width, int(lengths.max())), dtype=torch.int64)
    for row, one in zip(ids, encoded, strict=True):
        row[: len(one)] = torch.tensor(one)
    return ids, lengths, torch.arange(ids.shape[1]) < lengths[:, None]


def scenes_of(count: int, *shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def split_of(scenes: np.ndarray[Any, np.dtype[np.uint8]]) -> Split:
    """Whole images with a caption each, and one region that nobody looks at."""
    count = len(scenes)
    return Split(
        regions=np.zeros((count, 1, 2), np.float32),
        boxes=np.zeros((count, 1, 4), np.float32),
        present=np.ones((count, 1), bool),
        captions=[["a", "seven"]] * count,
        image_of=np.arange(count, dtype=np.int32),
        scenes=scenes,
    )


def fragments_of_images(loaded: Loaded, count: int = 4) -> Fragments:
    seen = loaded.view(split_of(scenes_of(count, 40, 40)))
    return loaded.images(torch.from_numpy(seen.regions[:]), torch.from_numpy(seen.present), torch.zeros(0))


@pytest.fixture(params=sorted(PRETRAINED))
def family(request: pytest.FixtureRequest) -> type[DualEncoder]:
    return PRETRAINED[request.param]


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {}


@pytest.fixture
def case(family: type[DualEncoder], cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Made once a family: tests must leave it as it is."""
    if family.model_type not in cases:
        cases[family.model_type] = Case(family, tmp_path_factory.mktemp(family.model_type))
    return cases[family.model_type]


def test_it_is_registered_under_its_own_name(family: type[DualEncoder]) -> None:
    assert PRETRAINED[family().name] is family
    assert family.summary


def test_the_small_one_is_the_same_whenever_it_is_loaded(family: type[DualEncoder]) -> None:
    first = family().load()
    torch.manual_seed(99)
    second = family().load()
    for one, other in ((first.images, second.images), (first.texts, second.texts)):
        assert one.state_dict().keys() == other.state_dict().keys()
        assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_loading_leaves_random_states_as_they_are(case: Case) -> None:
    torch.manual_seed(3)  # a state that no load leaves behind
    before = torch.get_rng_state()
    case.family().load()
    case.encoder.load()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_small_one_tells_images_apart_and_texts(family: type[DualEncoder]) -> None:
    loaded = family().load()
    seen = loaded.view(DigitScenes(train_scenes=1, dev_scenes=8, test_scenes=1).load("dev"))
    prepared = PreparedSplit.of(seen, loaded.vocabulary)
    with torch.no_grad():
        images = loaded.images(prepared.regions_of(slice(0, 8)), prepared.present, torch.zeros(0))
        texts = loaded.texts(*prepared.words_of(torch.arange(0, 40, 5), prepared.ids.shape[1]))
    for summary in (images.summary, texts.summary):
        assert summary.shape == (8, loaded.width)
        alike = (summary @ summary.T)[~torch.eye(8, dtype=torch.bool)]
        assert alike.median() < 0.99


def test_loading_a_folder_says_nothing(case: Case, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    case.encoder.load()
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (verbosity, bars)


def test_wholes_of_images_are_those_of_the_library(case: Case) -> None:
    seen = case.loaded.view(split_of(scenes_of(4, 40, 40)))
    with torch.no_grad():
        expected = case.model.get_image_features(pixel_values=torch.from_numpy(seen.regions[:])).pooler_output
        found = fragments_of_images(case.loaded)
    torch.testing.assert_close(found.summary, l2norm(expected), rtol=1e-5, atol=1e-6)


def test_wholes_of_texts_are_those_of_the_library(case: Case) -> None:
    with torch.no_grad():
        expected = case.model.get_text_features(**case.read_by_the_library(CAPTIONS)).pooler_output
        found = case.fragments_of_texts(CAPTIONS)
    torch.testing.assert_close(found.summary, l2norm(expected), rtol=1e-5, atol=1e-6)


def test_similarities_are_those_of_the_library(case: Case) -> None:
    seen = case.loaded.view(split_of(scenes_of(4, 40, 40)))
    with torch.no_grad():
        logits = case.model(
            pixel_values=torch.from_numpy(seen.regions[:]), **case.read_by_the_library(CAPTIONS)
        ).logits_per_image
        cosines = fragments_of_images(case.loaded).summary @ case.fragments_of_texts(CAPTIONS).summary.T
    bias = case.model.logit_bias.detach() if hasattr(case.model, "logit_bias") else torch.zeros(1)
    torch.testing.assert_close(cosines * case.loaded.scale + bias, logits, rtol=1e-4, atol=1e-4)
    assert case.loaded.scale != pytest.approx(case.family().load().scale)


def test_places_lie_where_the_library_has_the_parts_of_its_own_whole(case: Case) -> None:
    """A place is made as the whole is, of another position: the whole is found among them where it is of one."""
    with torch.no_grad():
        images, texts = fragments_of_images(case.loaded), case.fragments_of_texts(CAPTIONS)
        seen = case.loaded.view(split_of(scenes_of(4, 40, 40)))
        hidden = case.model.get_image_features(
            pixel_values=torch.from_numpy(seen.regions[:])
        ).last_hidden_state
    if case.family.model_type in ("clip", "groupvit"):
        ends = texts.mask.sum(1) - 1
        own = texts.fragments[torch.arange(len(ends)), ends]
        torch.testing.assert_close(own, texts.summary)
    if case.family.model_type in ("align", "altclip"):
        torch.testing.assert_close(texts.fragments[:, 0], texts.summary)
    if case.family.model_type == "align":
        torch.testing.assert_close(images.fragments, l2norm(hidden.flatten(2).mT))
    elif case.family.model_type == "siglip":
        torch.testing.assert_close(images.fragments, l2norm(hidden))
    elif case.family.model_type == "groupvit":
        first = case.model.visual_projection(hidden[:, 0])
        torch.testing.assert_close(images.fragments[:, 0], l2norm(first))
    else:
        last = case.model.visual_projection(case.model.vision_model.post_layernorm(hidden[:, -1]))
        torch.testing.assert_close(images.fragments[:, -1], l2norm(last))


def test_what_stands_beside_a_text_changes_nothing(case: Case) -> None:
    with torch.no_grad():
        beside = case.fragments_of_texts(CAPTIONS)
        for number, text in enumerate(CAPTIONS):
            alone = case.fragments_of_texts([text])
            torch.testing.assert_close(alone.summary[0], beside.summary[number], rtol=1e-4, atol=1e-5)
            length = alone.fragments.shape[1]
            torch.testing.assert_close(
                alone.fragments[0], beside.fragments[number, :length], rtol=1e-4, atol=1e-5
            )


def test_what_is_written_in_padding_changes_nothing(case: Case) -> None:
    ids, lengths, mask = inputs(case.loaded, CAPTIONS, width=60)
    with torch.no_grad():
        zeros = case.loaded.texts(ids, lengths, mask)
        others = case.loaded.texts(ids.masked_fill(~mask, 5), lengths, mask)
    assert torch.equal(zeros.summary, others.summary)
    assert torch.equal(zeros.fragments, others.fragments)


def test_places_are_of_unit_norm_and_zero_in_padding(case: Case) -> None:
    seen = case.loaded.view(split_of(scenes_of(2, 40, 40)))
    present = torch.from_numpy(seen.present.copy())
    present[0, 1] = False
    with torch.no_grad():
        images = case.loaded.images(torch.from_numpy(seen.regions[:]), present, torch.zeros(0))
        texts = case.fragments_of_texts(CAPTIONS)
    for fragments in (images, texts):
        assert fragments.fragments.dtype == fragments.summary.dtype == torch.float32
        assert fragments.fragments.shape[2] == fragments.summary.shape[1] == case.loaded.width
        norms = fragments.fragments.norm(dim=-1)
        torch.testing.assert_close(norms, fragments.mask.float())
        assert not fragments.fragments[~fragments.mask].any()
        torch.testing.assert_close(fragments.summary.norm(dim=-1), torch.ones(len(fragments)))


def test_every_parameter_gets_a_gradient(case: Case) -> None:
    towers = copy.deepcopy((case.loaded.images, case.loaded.texts))
    seen = case.loaded.view(split_of(scenes_of(4, 40, 40)))
    images = towers[0](torch.from_numpy(seen.regions[:]), torch.from_numpy(seen.present), torch.zeros(0))
    texts = towers[1](*inputs(case.loaded, CAPTIONS))
    for tower, fragments in zip(towers, (images, texts), strict=True):
        weigh = torch.arange(fragments.fragments.numel()).view_as(fragments.fragments).sin()
        ((fragments.fragments * weigh).sum() + (fragments.summary * weigh[:, 0]).sum()).backward()
        parameters = dict(tower.named_parameters())
        assert [name for name, p in parameters.items() if p.grad is None or not p.requires_grad] == []
        # What is added to all keys alike, attention does not see; nor does assigning see it of all groups.
        unseen = ("k_proj.bias", "key.bias", "assign.q_proj.bias")
        still = [n for n, p in parameters.items() if not p.grad.any() and not n.endswith(unseen)]  # type: ignore[union-attr]
        assert still == []


def test_no_parameter_is_in_both_towers_and_none_is_lost(case: Case) -> None:
    own = [{*tower.state_dict()} for tower in (case.loaded.images, case.loaded.texts)]
    assert not own[0] & own[1]
    unused = {"logit_scale", "logit_bias", "temperature"}
    lost = {*case.model.state_dict()} - own[0] - own[1] - unused
    assert all(name.startswith("text_model.pooler.") for name in lost)
    images = {id(parameter) for parameter in case.loaded.images.parameters()}
    assert not images & {id(parameter) for parameter in case.loaded.texts.parameters()}


def test_training_is_computed_as_evaluating_is(case: Case) -> None:
    towers = (case.loaded.images, case.loaded.texts)
    both = torch.nn.ModuleList(towers)
    with torch.no_grad():
        before = (fragments_of_images(case.loaded), case.fragments_of_texts(CAPTIONS))
        both.train()
        assert not any(module.training for tower in towers for module in tower.modules())
        torch.manual_seed(5)
        after = (fragments_of_images(case.loaded), case.fragments_of_texts(CAPTIONS))
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one.summary, other.summary)
        assert torch.equal(one.fragments, other.fragments)
    buffers = {**dict(towers[0].named_buffers()), **dict(towers[1].named_buffers())}
    theirs = dict(case.model.named_buffers())
    assert all(torch.equal(value, theirs[name]) for name, value in buffers.items())


def test_a_picture_is_the_same_whoever_asks_for_it(case: Case) -> None:
    scenes = scenes_of(5, 40, 50)
    pixels = case.loaded.view(split_of(scenes)).regions
    everything = pixels[:]
    assert everything.shape == pixels.shape
    assert everything.dtype == np.float32
    np.testing.assert_array_equal(pixels[np.array([3, 1])], everything[[3, 1]])
    np.testing.assert_array_equal(pixels[1:4], everything[1:4])
    assert pixels[0:0].shape == (0, *pixels.shape[1:])
    coloured = case.loaded.view(split_of(np.repeat(scenes[..., None], 3, 3))).regions
    np.testing.assert_array_equal(coloured[:], everything)


@pytest.mark.parametrize("shape", [(60, 60), (40, 90), (90, 40)])
def test_boxes_are_where_places_are_in_the_image(case: Case, shape: tuple[int, int]) -> None:
    black = split_of(np.zeros((1, *shape), np.uint8))
    seen = case.loaded.view(black)
    boxes = np.asarray(seen.boxes[0])
    assert ((boxes >= 0) & (boxes <= 1)).all()
    if not case.family.has_places:
        assert (boxes == [0, 0, 1, 1]).all()
        return
    grid = case.family.grid(case.loaded.images, *seen.regions.shape[2:])
    for place in (0, grid.across - 1, len(grid) // 2 + 1, len(grid) - 1):
        x1, y1, x2, y2 = boxes[place] * [shape[1], shape[0], shape[1], shape[0]]
        lit = np.zeros((1, *shape), np.uint8)
        lit[0, round(y1 + 1) : round(y2 - 1), round(x1 + 1) : round(x2 - 1)] = 255
        change = case.loaded.view(split_of(lit)).regions[:] - seen.regions[:]
        cells = np.abs(change[0]).sum(0)[: int(grid.down * grid.height), : int(grid.across * grid.width)]
        sums = cells.reshape(grid.down, int(grid.height), grid.across, int(grid.width)).sum((1, 3)).ravel()
        assert sums.argmax() == place
        assert sums[place] > 0.9 * sums.sum()


def test_boxes_of_a_crop_cover_the_crop() -> None:
    boxes = PRETRAINED["clip"]().load().view(split_of(scenes_of(1, 40, 60))).boxes[0]
    # 40 by 60 becomes 30 by 45, of which columns 7 to 37 are seen, in patches of 6.
    np.testing.assert_allclose(boxes[0], [7 / 45, 0, 13 / 45, 0.2], rtol=1e-6)
    np.testing.assert_allclose(boxes[1], [13 / 45, 0, 19 / 45, 0.2], rtol=1e-6)
    np.testing.assert_allclose(boxes[-1], [31 / 45, 0.8, 37 / 45, 1], rtol=1e-6)


def test_captions_keep_their_images_and_all_places_are_there(case: Case) -> None:
    split = split_of(scenes_of(3, 40, 40))
    seen = case.loaded.view(split)
    assert seen.image_of is split.image_of
    assert seen.scenes is split.scenes
    assert len(seen.captions) == 3
    assert seen.present.all()
    assert seen.boxes.shape == (*seen.present.shape, 4)


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    save_model(PRETRAINED["clip"], tmp_path, crop_size={"height": 24, "width": 24})
    loaded = PRETRAINED["clip"].model_validate({"path": str(tmp_path)}).load()
    with pytest.raises(ValueError, match="makes pictures of 24 by 24 pixels, expected 30 by 30"):
        loaded.view(split_of(scenes_of(1, 40, 40)))


def test_a_split_without_whole_images_is_refused(family: type[DualEncoder]) -> None:
    split = split_of(scenes_of(1, 40, 40))
    object.__setattr__(split, "scenes", None)
    with pytest.raises(ValueError, match="reads whole images, and this data set has regions only"):
        family().load().view(split)


def test_ids_are_those_of_the_tokenizer(case: Case) -> None:
    vocabulary = case.loaded.vocabulary
    found = vocabulary.pieces_of([text.split() for text in [*CAPTIONS, ""]])
    for text, (pieces, _) in zip([*CAPTIONS, ""], found, strict=True):
        assert vocabulary.encode(pieces) == case.tokenizer(text)["input_ids"]
    before, after = vocabulary.marks
    ids = vocabulary.encode(found[0][0])
    assert before + len(found[0][0]) + after == len(ids)
    assert max(max(vocabulary.encode(pieces)) for pieces, _ in found) < len(vocabulary)
    assert len(vocabulary) == case.model.config.text_config.vocab_size


def test_a_text_is_cut_off_where_the_model_has_no_more_places(case: Case) -> None:
    vocabulary = case.loaded.vocabulary
    [(pieces, owners)] = vocabulary.pieces_of([["seventy", "seven"] * 100])
    ids = vocabulary.encode(pieces)
    assert len(ids) == case.loaded.texts.positions == 128
    assert ids == case.tokenizer("seventy seven " * 100, truncation=True, max_length=128)["input_ids"]
    assert len(owners) == len(pieces)
    full = (torch.tensor([ids]), torch.tensor([128]), torch.ones(1, 128, dtype=torch.bool))
    with torch.no_grad():
        assert torch.isfinite(case.loaded.texts(*full).fragments).all()
    with pytest.raises(ValueError, match="found texts of 129 pieces, expected 128 at most"):
        longer = torch.ones(1, 129, dtype=torch.int64)
        case.loaded.texts(longer, torch.tensor([129]), longer.bool())


def test_the_pieces_of_a_word_are_the_word(case: Case) -> None:
    for text in CAPTIONS:
        words = text.split()
        [(pieces, owners)] = case.loaded.vocabulary.pieces_of([words])
        joined = ["".join(p.removeprefix("##") for p, o in zip(pieces, owners, strict=True) if o == w)
                  for w in range(len(words))]  # fmt: skip
        assert joined == [word.replace("é", "e") for word in words]
        assert len(pieces) > len(words)


WORDS = ["There's", "a", "four-leaf", "café,", "日本", ",", "end"]


def clip_like() -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{x}</w>" for x in letters), "fo", "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[("f", "o")])


def roberta_like() -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers.tokenization_utils_tokenizers import TokenizersBackend

    pieces = [*sorted(ByteLevel.alphabet()), "Ġa"]
    tokenizer = Tokenizer(BPE({piece: i for i, piece in enumerate(pieces)}, [("Ġ", "a")]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return TokenizersBackend(tokenizer_object=tokenizer)


def sentencepiece_like() -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.pre_tokenizers import Metaspace
    from transformers.tokenization_utils_tokenizers import TokenizersBackend

    letters = sorted({"▁", *"".join(WORDS)})
    tokenizer = Tokenizer(Unigram([("<unk>", 0.0), *((x, -3.0) for x in letters), ("▁end", -1.0)], 0))
    tokenizer.pre_tokenizer = Metaspace()
    return TokenizersBackend(tokenizer_object=tokenizer, unk_token="<unk>")


def without_places(whole_texts: bool = False) -> Any:
    """A tokenizer in Python, which does not say where pieces are; it drops commas."""
    from transformers.tokenization_python import PythonBackend

    class Letters(PythonBackend):
        def get_vocab(self) -> dict[str, int]:
            return {chr(number): number for number in range(2**16)}

        @property
        def vocab_size(self) -> int:
            return 2**16

        def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
            # A mark of a whole text makes the words of a text have fewer pieces together than each by itself.
            return [*("^" if whole_texts else ""), *text.replace(" ", "").replace(",", "")]

        def _convert_token_to_id(self, token: str) -> int:
            return ord(token)

        def _convert_id_to_token(self, index: int) -> str:
            return chr(index)

    return Letters()


@pytest.mark.parametrize("make", [clip_like, roberta_like, sentencepiece_like])
def test_tokenizers_of_bytes_and_of_sentences_tell_words_apart(make: Callable[[], Any]) -> None:
    tokenizer = make()
    vocabulary = Pieces(tokenizer, 77)
    [(pieces, owners)] = vocabulary.pieces_of([WORDS])
    assert vocabulary.encode(pieces) == tokenizer(" ".join(WORDS))["input_ids"]
    assert sorted(set(owners)) == list(range(len(WORDS)))
    assert list(owners) == sorted(owners)
    for word, text in enumerate(WORDS):
        own = [piece for piece, owner in zip(pieces, owners, strict=True) if owner == word]
        plain = "".join(own).replace("</w>", "").lstrip("Ġ▁")
        if text.isascii():
            assert plain.lower() == text.lower()


@pytest.mark.parametrize("whole_texts", [False, True])
def test_tokenizers_that_tell_no_places_tell_words_apart(whole_texts: bool) -> None:
    vocabulary = Pieces(without_places(whole_texts), 77)
    [(pieces, owners), empty] = vocabulary.pieces_of([["an", ",", "end"], []])
    assert empty == ((), ())
    marks = 1 if whole_texts else 0
    assert pieces[marks:] == tuple("anend")
    assert owners == (0,) * (2 + marks) + (2, 2, 2)


def test_a_tokenizer_of_sentencepiece_must_be_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(PRETRAINED["siglip"], tmp_path)
    options = tmp_path / "tokenizer_config.json"
    options.write_text(json.dumps({"tokenizer_class": "SiglipTokenizer"}))
    monkeypatch.setattr("crosscut_trainables.pretrained.siglip.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match="needs sentencepiece: pip install sentencepiece protobuf"):
        PRETRAINED["siglip"].model_validate({"path": str(tmp_path)})


def test_a_piece_refers_to_what_its_word_refers_to(family: type[DualEncoder]) -> None:
    split = DigitScenes(train_scenes=1, dev_scenes=4, test_scenes=1).load("dev")
    loaded = family().load()
    seen = loaded.view(split)
    if not family.has_places:
        assert seen.referents is None
        return
    assert split.referents is not None
    assert seen.referents is not None
    cuts = loaded.vocabulary.pieces_of(split.captions)
    for places, referents, caption, (pieces, owners) in zip(
        split.referents, seen.referents, seen.captions, cuts, strict=True
    ):
        assert caption == pieces
        assert len(referents) == len(pieces)
        assert all(place is places[word] for place, word in zip(referents, owners, strict=True))
    assert any(len(place) for places in seen.referents for place in places)


def test_a_copy_of_a_tower_computes_the_same(case: Case) -> None:
    with torch.no_grad():
        copied = copy.deepcopy(case.loaded.texts)(*inputs(case.loaded, CAPTIONS))
        assert torch.equal(copied.summary, case.fragments_of_texts(CAPTIONS).summary)


def test_the_fingerprint_changes_with_a_file(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in case.folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    encoder = case.family.model_validate({"path": str(folder)})
    before = encoder.fingerprint()
    assert before == case.encoder.fingerprint() != case.family().fingerprint()
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert encoder.fingerprint() != before


def test_small_models_of_different_families_have_different_fingerprints() -> None:
    assert len({family().fingerprint() for family in PRETRAINED.values()}) == len(PRETRAINED)


def test_planning_imports_neither_torch_nor_transformers(case: Case) -> None:
    program = (
        "import sys\n"
        "from crosscut_trainables.pretrained import PRETRAINED\n"
        "encoder = PRETRAINED[sys.argv[1]](path=sys.argv[2])\n"
        "print(encoder.fingerprint(), 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    name = case.encoder.name
    found = subprocess.run(
        [sys.executable, "-c", program, name, str(case.folder)], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == [case.encoder.fingerprint(), "False", "False"]


def test_a_folder_that_lacks_weights_is_refused(case: Case, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for file in case.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    lost = next(iter(case.loaded.texts.state_dict()))
    weights.pop(lost)
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=rf"expected weights of the whole model: {lost} has none"):
        case.family.model_validate({"path": str(tmp_path)}).load()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (None, "there is no such folder"),
        ({}, "it has no config.json"),
        ({"config.json": "{"}, "its config.json is no JSON"),
        ({"config.json": '{"model_type": "bert"}'}, "its config.json says model_type 'bert'"),
        ({"config.json": "[]"}, "its config.json says model_type None"),
        ({"config.json": "MODEL"}, "it has no file of weights"),
        ({"config.json": "MODEL", "a.bin": ""}, "it has no file of a tokenizer"),
        (
            {"config.json": "MODEL", "a.safetensors": "", "vocab.txt": ""},
            "it has no file of an image processor",
        ),
    ],
)
def test_a_folder_without_a_whole_model_is_refused(
    family: type[DualEncoder], tmp_path: Path, files: dict[str, str] | None, sentence: str
) -> None:
    folder = tmp_path / "model"
    if files is not None:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text.replace("MODEL", json.dumps({"model_type": family.model_type})))
    with pytest.raises(ValidationError) as error:
        family.model_validate({"path": str(folder)})
    said = str(error.value)
    assert f"found {str(folder)!r}, expected a folder with a {family.model_type} model: {sentence}" in said


def test_a_home_folder_is_understood(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(case.folder.parent))
    encoder = case.family.model_validate({"path": f"~/{case.folder.name}"})
    assert encoder.path == str(case.folder)


def test_transformers_must_be_there(family: type[DualEncoder], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosscut_trainables.pretrained.dual_encoder.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=r"needs transformers: pip install 'crosscut\[hf\]'"):
        family.model_validate({})


def test_options_survive_a_round_trip(case: Case) -> None:
    options = {"path": str(case.folder), "tuning": "text", "encoder_rate": 0.5, "own_temperature": True}
    for encoder in (case.family(), case.family.model_validate(options)):
        again = case.family.model_validate(json.loads(json.dumps(encoder.model_dump(mode="json"))))
        assert again == encoder


def test_unknown_options_are_refused(family: type[DualEncoder]) -> None:
    with pytest.raises(ValidationError, match="colour"):
        family.model_validate({"colour": "red"})


@pytest.mark.parametrize(
    ("tuning", "images", "texts", "maps"),
    [
        ("zero-shot", True, True, False),
        ("linear", True, True, True),
        ("text", True, False, False),
        ("image", False, True, False),
        ("full", False, False, False),
    ],
)
def test_what_tuning_freezes(tuning: str, images: bool, texts: bool, maps: bool) -> None:
    encoder = PRETRAINED["clip"].model_validate({"tuning": tuning})
    assert (encoder.freezes_images, encoder.freezes_texts, encoder.maps) == (images, texts, maps)

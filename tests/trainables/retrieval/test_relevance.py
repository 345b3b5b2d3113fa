"""What counts as a correct answer: by image, by category, and by the judges of ECCV Caption."""

from __future__ import annotations

import json
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.karpathy import Karpathy
from crosscut_trainables.data.precomputed import Precomputed
from crosscut_trainables.data.split import Split
from crosscut_trainables.measured import further
from crosscut_trainables.rankings import first_items
from crosscut_trainables.relevance import RELEVANCE, eccv_caption, judgements, prefix_of, refuse
from crosscut_trainables.retrieval import train
from crosscut_trainables.trainable import Measuring, description_of

FOUND = find_spec("eccv_caption")
assert FOUND is not None and FOUND.origin is not None
DATA = Path(FOUND.origin).parent / "data"


def read(name: str) -> dict[int, list[int]]:
    return {int(key): value for key, value in json.loads((DATA / f"{name}.json").read_bytes()).items()}


FORTH, BACK = read("eccv_image_to_caption"), read("eccv_caption_to_image")
OWN = read("original_caption_to_image")
CAPTIONS_OF = read("original_image_to_caption")


def split_of(captions: list[int] | None, image_of: list[int], **more: Any) -> Split:
    """A split whose captions have these ids of COCO."""
    images = max(image_of) + 1
    return Split(
        regions=np.zeros((images, 1, 1), np.float32),
        boxes=np.zeros((images, 1, 4), np.float32),
        present=np.ones((images, 1), np.bool_),
        captions=[["word"]] * len(image_of),
        image_of=np.array(image_of, np.int32),
        caption_ids=None if captions is None else [str(caption) for caption in captions],
        **more,
    )


@pytest.fixture(scope="module")
def part() -> Split:
    """Some judged images with their captions, and images that match them."""
    images = [*list(FORTH)[:40], *list(CAPTIONS_OF)[-40:]]
    images = list(dict.fromkeys([*images, *(OWN[c][0] for i in images[:40] for c in FORTH[i])]))
    captions = [caption for image in images for caption in CAPTIONS_OF[image]]
    return split_of(
        captions, np.repeat(np.arange(len(images)), [len(CAPTIONS_OF[i]) for i in images]).tolist()
    )


def scores_of(split: Split) -> NDArray[np.float32]:
    """Scores without ties."""
    shape = (len(split.present), len(split.captions))
    return np.random.default_rng(0).permutation(shape[0] * shape[1]).reshape(shape).astype(np.float32)


def test_names_say_what_a_metric_goes_by() -> None:
    assert [prefix_of(name) for name in ("map", "category_map", "eccv_map_at_r", "r1")] == [
        "", "category_", "eccv_", "",
    ]  # fmt: skip
    assert set(judgements(split_of(None, [0, 0, 1]), ["r1", "mrr"])) == {""}
    assert judgements(split_of(None, [0]), []) == {}


def test_the_packages_own_functions_give_the_same(part: Split) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from eccv_caption._metrics import compute_eccv_metrics
    assert part.caption_ids is not None
    captions = [int(one) for one in part.caption_ids]
    images = [OWN[captions[int(np.flatnonzero(part.image_of == i)[0])]][0] for i in range(len(part.present))]
    scores = scores_of(part)
    metrics = ["eccv_map_at_r", "eccv_r_precision", "eccv_r1"]
    found = further("test", scores, part.image_of, metrics, judgements(part, metrics)).metrics
    ours = {"i2t": (scores, images, captions, FORTH), "t2i": (scores.T, captions, images, BACK)}
    for way, (rows, queries, gallery, truth) in ours.items():
        order = np.argsort(-rows, axis=1)
        retrieved = {q: [gallery[place] for place in order[at]] for at, q in enumerate(queries)}
        there = {q: [one for one in truth[q] if one in set(gallery)] for q in queries if q in truth}
        theirs = compute_eccv_metrics(retrieved, {q: items for q, items in there.items() if items})
        assert found[f"test/{way}_eccv_map_at_r"] == pytest.approx(100 * theirs["eccv_map_at_r"])
        assert found[f"test/{way}_eccv_r_precision"] == pytest.approx(100 * theirs["eccv_rprecision"])
        assert found[f"test/{way}_eccv_r1"] == pytest.approx(100 * theirs["eccv_r1"])


def test_queries_without_a_judgement_are_none(part: Split) -> None:
    forth, back = RELEVANCE["eccv_"].of(part)
    assert (forth.counts == 0).sum() > 20 and (back.counts == 0).any()
    found = further("test", scores_of(part), part.image_of, ["eccv_r1"], judgements(part, ["eccv_r1"]))
    assert len(found.values["test/i2t_eccv_r1"].values) == (forth.counts > 0).sum()
    assert len(found.values["test/t2i_eccv_r1"].values) == (back.counts > 0).sum()
    assert np.array_equal(first_items(scores_of(part), forth, 1)[:, 0], scores_of(part).argmax(1))


def test_a_whole_test_split_without_ids_is_in_the_published_order() -> None:
    order = np.load(DATA / "coco_test_ids.npy").tolist()
    whole = split_of(None, np.repeat(np.arange(5000), 5).tolist())
    forth, back = RELEVANCE["eccv_"].of(whole)
    assert (forth.counts > 0).sum() == len(FORTH) and (back.counts > 0).sum() == len(BACK)
    query = int(np.flatnonzero(forth.counts)[3])
    assert {order[place] for place in forth.of(query)} == set(FORTH[OWN[order[5 * query]][0]])
    with pytest.raises(ValueError, match=r"has captions of the images \d+ and \d+ of COCO for one image"):
        RELEVANCE["eccv_"].of(split_of(None, [0, *np.repeat(np.arange(5000), 5).tolist()[:-1]]))


def test_what_a_split_lacks_is_told_with_its_name(part: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse("test", part, ["eccv_r1", "mrr"])
    for split, metric, said in (
        (split_of(None, [0, 1]), "eccv_r1", "one of ECCV Caption, and x has no ids of captions, and is not"),
        (split_of([1, 2], [0, 1]), "eccv_r1", "and x has the caption 1, which is not in COCO's test split"),
        (
            split_of(CAPTIONS_OF[list(CAPTIONS_OF)[-1]][:1], [0]),
            "eccv_map",
            "has no image or no caption that",
        ),
        (split_of(None, [0]), "category_map", "found one by category, and x has no categories"),
    ):
        with pytest.raises(ValueError, match=f"evaluation.metrics: .*{said}"):
            refuse("x", split, [metric])
    monkeypatch.setattr(eccv_caption, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"x needs the package eccv_caption: pip install 'crosscut\[eccv\]'"):
        refuse("x", part, ["eccv_r1"])


def test_it_is_refused_before_training() -> None:
    config = RetrievalConfig.model_validate({"evaluation": {"metrics": ["eccv_map_at_r"]}})
    description = description_of(train)
    assert isinstance(description, Measuring)
    assert {"test/i2t_eccv_map_at_r", "test/t2i_eccv_map_at_r"} <= set(description.metrics(config))
    with pytest.raises(ValueError, match=r"found one of ECCV Caption, and test has no ids"):
        description.seconds(config)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="found metric 'mpa'"):
        RetrievalConfig.model_validate({"evaluation": {"metrics": ["eccv_mpa"]}})


def test_ids_of_files_stay_with_their_images_and_captions(tmp_path: Path) -> None:
    import runpy

    folders = runpy.run_path(str(Path(__file__).parents[1] / "data_folders.py"))
    folders["WRITERS"]["karpathy"](tmp_path)
    plain = json.loads((tmp_path / "dataset.json").read_text())
    for number, image in enumerate(plain["images"]):
        image["cocoid"] = 1000 + number
        for place, sentence in enumerate(image["sentences"]):
            sentence["sentid"] = 10 * number + place
    test = [image for image in plain["images"] if image["split"] == "test"]
    test[1]["sentences"][0]["tokens"] = []  # without a word, so it is left out
    (tmp_path / "dataset.json").write_text(json.dumps(plain))
    split = Karpathy.model_validate({"folder": str(tmp_path)}).read("test")
    kept = [(image["cocoid"], [s["sentid"] for s in image["sentences"] if s["tokens"]]) for image in test]
    kept = [(image, ids) for image, ids in kept if ids]
    assert split.image_ids == [str(image) for image, _ in kept]
    assert split.caption_ids == [str(one) for _, ids in kept for one in ids]
    del test[0]["cocoid"]
    (tmp_path / "dataset.json").write_text(json.dumps(plain))
    assert Karpathy.model_validate({"folder": str(tmp_path)}).read("test").image_ids is None


def test_ids_of_rows_of_features_are_those_of_their_images(tmp_path: Path) -> None:
    for name in ("train", "dev", "test"):
        np.save(tmp_path / f"{name}_ims.npy", np.ones((4, 2, 3), np.float32))
        (tmp_path / f"{name}_caps.txt").write_text("one\ntwo\nthree\nfour\n")
        (tmp_path / f"{name}_ids.txt").write_text("a\na\nb\nc\n")
    split = Precomputed.model_validate({"folder": str(tmp_path)}).read("test")
    assert split.image_ids == ["a", "b", "c"] and split.caption_ids is None
    assert split.image_of.tolist() == [0, 0, 1, 2]


def test_the_package_is_not_imported_for_its_data() -> None:
    import subprocess

    code = (
        "import sys; from crosscut_trainables.relevance.eccv_caption import _judged;"
        "_judged('eccv_caption_to_image');"
        "print('eccv_caption' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"

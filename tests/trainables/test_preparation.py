"""The preparation of a data set of files: its store is what its source is, is written whole or not at all, and is
refused where somebody changed it."""

from __future__ import annotations

import errno
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from crosscut_trainables.data import DATASETS, preparation, split_files
from crosscut_trainables.data.file_data import FileData
from crosscut_trainables.data.inspection import inspect, kind_of
from crosscut_trainables.data.pictures import resized
from crosscut_trainables.data.preparation import prepare
from crosscut_trainables.data.prepared import Contents, Prepared
from crosscut_trainables.data.split import SPLITS, Split
from crosscut_trainables.data.split_files import Making
from crosscut_trainables.data.vocabulary import Vocabulary
from crosscut_trainables.data.words import TOKENIZERS
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession

FOLDERS = runpy.run_path(str(Path(__file__).with_name("data_folders.py")))
WRITERS, OPTIONS = FOLDERS["WRITERS"], FOLDERS["OPTIONS"]
SIDE = 16
SIZES = {"train": 6, "dev": 3, "test": 4}
Change = Callable[[Path], None]


def source_of(name: str, folder: Path, **options: Any) -> Any:
    """A data set in a small folder of its own."""
    if not folder.exists():
        folder.mkdir()
        WRITERS[name](folder)
    return DATASETS[name].model_validate({"folder": str(folder), **OPTIONS.get(name, {}), **options})


def store_of(folder: Path, **options: Any) -> Prepared:
    return Prepared.model_validate({"folder": str(folder), **options})


def changed(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Gives an array in a folder another content."""
    array = np.load(folder / name)
    found = change(array)
    np.save(folder / name, array if found is None else found)


def assert_same(one: Split, two: Split) -> None:
    """All but regions and pictures are equal."""
    assert list(map(tuple, one.captions)) == list(map(tuple, two.captions))
    for key in ("texts", "image_ids", "caption_ids"):
        here, there = getattr(one, key), getattr(two, key)
        assert (here is None and there is None) or list(here) == list(there)
    for key in ("boxes", "present", "image_of", "categories"):
        here, there = getattr(one, key), getattr(two, key)
        if here is None:
            assert there is None
        else:
            assert np.asarray(here).dtype == np.asarray(there).dtype
            np.testing.assert_array_equal(here, there)
    assert one.has_boxes == two.has_boxes
    assert (one.scenes is None) == (two.scenes is None)
    assert one.referents is two.referents is None


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def source(tmp_path: Path) -> FileData:
    found: FileData = source_of("precomputed", tmp_path / "data")
    return found


@pytest.fixture
def store(source: FileData, out: Path) -> Path:
    prepare(source, out)
    return out


class Named(DATASETS["precomputed"]):  # type: ignore[misc]
    """A source that knows ids and has padding, as none in files has so far."""

    def read(self, split: Any) -> Split:
        found = super().read(split)
        present = np.array(found.present)
        present[1, 3:] = False
        object.__setattr__(found, "present", present)
        object.__setattr__(found, "image_ids", [f"i{n}" for n in range(len(present))])
        object.__setattr__(found, "caption_ids", [f"c{n}" for n in range(len(found.captions))])
        return found


def in_pixels(folder: Path) -> None:
    """Boxes in pixels, sizes, an id and a row of features a caption."""
    for split, count in SIZES.items():
        sizes = np.random.default_rng(count).integers(300, 700, (count, 2)).astype(np.float32)
        np.save(folder / f"{split}_sizes.npy", sizes.repeat(5, 0))
        changed(
            folder,
            f"{split}_boxes.npy",
            lambda boxes, sizes=sizes: (boxes * np.tile(sizes, 2)[:, None]).repeat(5, 0),
        )
        changed(folder, f"{split}_ims.npy", lambda features: features.repeat(5, 0))
        (folder / f"{split}_ids.txt").write_text("\n".join(str(n // 5) for n in range(5 * count)))


# What is in the store


@pytest.mark.parametrize("half", [False, True])
def test_regions_are_as_the_source_has_them(source: FileData, out: Path, half: bool) -> None:
    in_pixels(source.place)
    contents = prepare(source, out, Making(half=half))
    assert contents.half is half
    for name in SPLITS:
        expected, found = source.read(name), store_of(out).read(name)
        assert_same(expected, found)
        regions, kept = np.asarray(expected.regions[:]), np.asarray(found.regions[:])
        assert kept.dtype == np.float32 and found.regions.shape == regions.shape == (SIZES[name], 5, 7)
        if half:
            regions = regions.astype(np.float16).astype(np.float32)
        assert kept.tobytes() == regions.tobytes()
        some = np.array([2, 0])
        assert np.asarray(found.regions[some]).tobytes() == regions[some].tobytes()
    # Features stay in their file.
    assert half or isinstance(store_of(out).read("train").regions, np.memmap)


def test_ids_and_padding_are_kept(source: FileData, out: Path) -> None:
    named = Named.model_validate(source.model_dump())
    contents = prepare(named, out)
    assert contents.splits.train.padding and contents.splits.train.image_ids
    for name in SPLITS:
        assert_same(named.read(name), store_of(out).read(name))


def test_without_boxes_there_are_none(source: FileData, out: Path) -> None:
    for file in source.place.glob("*_boxes.npy"):
        file.unlink()
    prepare(source, out)
    assert not list(out.glob("*boxes*"))
    assert_same(source.read("dev"), store_of(out).read("dev"))


@pytest.mark.parametrize("name", ["karpathy", "flickr8k", "nus-wide"])
def test_pictures_are_those_of_the_source_at_one_size(name: str, tmp_path: Path, out: Path) -> None:
    source = source_of(name, tmp_path / "data")
    contents = prepare(source, out, Making(side=SIDE))
    assert contents.side == SIDE
    for split in SPLITS:
        expected, found = source.read(split), store_of(out).read(split)
        assert_same(expected, found)
        assert found.scenes is not None and len(found.scenes) == len(expected.scenes)
        for number in range(len(expected.scenes)):
            assert found.scenes[number].dtype == np.uint8
            np.testing.assert_array_equal(found.scenes[number], resized(expected.scenes[number], SIDE))
    assert (found.categories is not None) == (name == "nus-wide")


def test_pictures_are_brought_to_their_size_in_blocks(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of("karpathy", tmp_path / "data")
    prepare(source, out)
    monkeypatch.setattr(split_files, "DECODED", 4)
    monkeypatch.setattr(split_files, "NUMBERS", 1)
    told: list[tuple[str, int, int]] = []
    prepare(source, tmp_path / "again", told=lambda *what: told.append(what))
    for file in out.iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()
    assert [what for what in told if what[0] == "train pictures"] == [
        ("train pictures", 4, 6),
        ("train pictures", 6, 6),
    ]


def test_features_are_read_in_blocks(source: FileData, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_files, "NUMBERS", 2 * 5 * 7)
    told: list[tuple[str, int, int]] = []
    prepare(source, store.with_name("again"), told=lambda *what: told.append(what))
    for file in store.iterdir():
        assert file.read_bytes() == (store.with_name("again") / file.name).read_bytes()
    assert [done for what, done, _ in told if what == "test regions"] == [2, 4]
    assert told[:2] == [("train captions", 0, 0), ("train captions", 30, 30)]


def test_the_vocabulary_is_that_of_the_training_captions_alone(source: FileData, out: Path) -> None:
    for split, word in (("dev", "zebra"), ("test", "walrus")):
        path = source.place / f"{split}_caps.txt"
        path.write_text(path.read_text().replace("dog", word))
    contents = prepare(source, out, Making(min_count=1))
    found = Vocabulary.read(out / "vocabulary.json")
    assert found == Vocabulary.build(source.read("train").captions, 1)
    assert contents.vocabulary == len(found.words)
    for name in ("dev", "test"):
        words = {word for caption in source.read(name).captions for word in caption}
        own = words - {word for caption in source.read("train").captions for word in caption}
        assert own and not own & set(found.words)
    prepare(source, out.with_name("often"), Making(min_count=7))
    often = Vocabulary.read(out.with_name("often") / "vocabulary.json")
    assert often == Vocabulary.build(source.read("train").captions, 7) != found


def test_units_are_those_of_the_source_and_its_place_is_not_kept(source: FileData, store: Path) -> None:
    assert store_of(store).units() == source.units()
    told = Contents.read(store / "prepared.json").source
    assert told.fingerprint == source.fingerprint()
    assert told.options == source.model_dump(exclude={"folder"})
    assert str(source.place) not in "".join(file.read_text(errors="replace") for file in store.iterdir())


def test_two_preparations_are_the_same_and_another_one_is_not(source: FileData, store: Path) -> None:
    prepare(source, store.with_name("again"))
    assert store_of(store.with_name("again")).fingerprint() == store_of(store).fingerprint()
    prepare(source, store.with_name("half"), Making(half=True))
    assert store_of(store.with_name("half")).fingerprint() != store_of(store).fingerprint()


def test_a_store_can_be_prepared_itself(source: FileData, store: Path) -> None:
    prepare(store_of(store), store.with_name("half"), Making(half=True))
    half = store_of(store.with_name("half"))
    assert_same(source.read("test"), half.read("test"))
    assert half.units() == source.units()


def test_captions_can_be_cut_anew(source: FileData, store: Path) -> None:
    anew = store_of(store, tokenizer="letters").read("test")
    assert anew.captions == [TOKENIZERS["letters"](text) for text in source.read("test").texts or ()]
    assert anew.captions != source.read("test").captions


def test_words_without_texts_cannot_be_cut_anew(source: FileData, out: Path) -> None:
    class Wordy(type(source)):  # type: ignore[misc]
        def read(self, split: Any) -> Split:
            found = super().read(split)
            object.__setattr__(found, "texts", None)
            return found

    prepare(Wordy.model_validate(source.model_dump()), out)
    assert store_of(out).read("dev").texts is None
    with pytest.raises(
        ValueError, match=r"tokenizer: found 'letters', expected null: .*has words and no texts"
    ):
        store_of(out, tokenizer="letters").read("dev")


def test_it_is_recognised_and_nothing_is_wrong_with_it(source: FileData, store: Path) -> None:
    assert kind_of(store) == "prepared"
    here, there = inspect(source.place), inspect(store)
    assert there.problems == ()
    assert (there.splits, there.vocabulary, there.remarks) == (here.splits, here.vocabulary, here.remarks)


@pytest.mark.parametrize(
    "name, model",
    [
        ("precomputed", {"backbone": {"name": "pfan"}}),
        (
            "karpathy",
            {"encoder": {"image": {"name": "patches", "size": SIDE, "patch": 8, "layers": 1, "heads": 2}}},
        ),
    ],
)
def test_a_run_on_the_store_is_the_run_on_the_source(
    name: str, model: dict[str, Any], tmp_path: Path, out: Path
) -> None:
    source = source_of(name, tmp_path / "data")
    prepare(source, out, Making(side=SIDE))
    small = {"width": 8, "word_width": 8, "min_count": 1}
    runs = [
        train(
            {
                "data": data.model_dump(),
                **model,
                "encoder": {**small, **model.get("encoder", {})},
                "training": {"epochs": 1, "batch_size": 8},
            },
            MemorySession(seed=1),
        )
        for data in (source, store_of(out))
    ]
    assert runs[0].metrics == runs[1].metrics
    for name, ranks in runs[0].ranks.items():
        np.testing.assert_array_equal(ranks.ranks, runs[1].ranks[name].ranks)


# What is wrong with the data


def refused(source: FileData, out: Path, sentence: str, making: Making | None = None) -> None:
    """It is not prepared, and nothing is left of that."""
    before = sorted(out.parent.iterdir())
    with pytest.raises(ValueError, match=sentence) as error:
        prepare(source, out, making)
    assert "\n" not in str(error.value)
    assert sorted(out.parent.iterdir()) == before


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_found_wherever_it_is(source: FileData, out: Path, value: float) -> None:
    features = np.random.default_rng(0).normal(size=(500, 5, 7)).astype(np.float32)
    features[333, 4, 6] = value
    np.save(source.place / "train_ims.npy", features)
    lines = "\n".join(f"a dog {number}" for number in range(2500))
    (source.place / "train_caps.txt").write_text(lines)
    (source.place / "train_boxes.npy").unlink()
    # It is in no sample.
    assert inspect(source.place).problems == ()
    refused(
        source, out, f"data: train: image 333: found {value} among the features of region 4, expected finite"
    )


def test_the_image_is_named_by_its_id_as_well(source: FileData, out: Path) -> None:
    changed(source.place, "test_ims.npy", lambda features: features[2].fill(np.nan))
    refused(Named.model_validate(source.model_dump()), out, r"data: test: image 2 \(i2\): found nan among")


def test_features_that_are_all_0_are_refused(source: FileData, out: Path) -> None:
    changed(source.place, "dev_ims.npy", lambda features: features[1].fill(0))
    refused(source, out, "data: dev: image 1: found features that are all 0, expected others")


def test_features_that_half_precision_has_not_are_refused(source: FileData, out: Path) -> None:
    changed(source.place, "dev_ims.npy", lambda features: features[1].fill(70_000))
    sentence = (
        "image 1: found 70000 among the features of region 0, expected none beyond 65504, the most that "
    )
    refused(source, out, sentence, Making(half=True))
    prepare(source, out)


def test_a_picture_that_is_damaged_is_named(tmp_path: Path, out: Path) -> None:
    source = source_of("karpathy", tmp_path / "data")
    path = source.place / "images" / "8.jpg"
    path.write_bytes(path.read_bytes()[:300])
    refused(source, out, r"images/8\.jpg: found no image that can be read")


def test_an_image_of_two_splits_is_refused(source: FileData, out: Path) -> None:
    features = np.load(source.place / "train_ims.npy")
    changed(source.place, "test_ims.npy", lambda own: own.__setitem__(1, features[4]))
    refused(source, out, "data: 1 image of test is in train as well, expected splits that share no image")


def test_a_split_that_cannot_be_read_is_refused(source: FileData, out: Path) -> None:
    with (source.place / "dev_caps.txt").open("a") as file:
        file.write("one more\n")
    refused(source, out, r"dev_caps\.txt: found 16 captions for 3 images")


def test_a_split_of_nothing_is_refused(source: FileData, out: Path) -> None:
    (source.place / "dev_caps.txt").write_text("")
    changed(source.place, "dev_ims.npy", lambda features: features[:0])
    (source.place / "dev_boxes.npy").unlink()
    refused(source, out, "data: dev: found no captions, expected some")


def test_a_text_that_no_file_can_have_is_refused(tmp_path: Path, out: Path) -> None:
    source = source_of("karpathy", tmp_path / "data")
    path = source.place / "dataset.json"
    path.write_text(path.read_text().replace("man's", "man\\ud800s", 1))
    refused(source, out, r"data: train: found '\\ud800' in a text, expected characters that UTF-8 has")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"side": 0}, "side: found 0, expected a whole number from 1 to 4096"),
        ({"side": 5000}, "side: found 5000"),
        ({"min_count": 0}, "min-count: found 0, expected a whole number from 1 to 1000"),
    ],
)
def test_numbers_have_a_range(options: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Making(**options)


def test_words_that_refer_to_places_are_refused(source: FileData, out: Path) -> None:
    class Referring(type(source)):  # type: ignore[misc]
        def read(self, split: Any) -> Split:
            found = super().read(split)
            object.__setattr__(found, "referents", [[]] * len(found.captions))
            return found

    refused(Referring.model_validate(source.model_dump()), out, "data: found referents of words, which")


# Where it goes


def test_folders_around_it_are_made_and_an_empty_one_is_taken(source: FileData, tmp_path: Path) -> None:
    prepare(source, tmp_path / "new" / "folders" / "out")
    assert kind_of(tmp_path / "new" / "folders" / "out") == "prepared"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "new"]
    (tmp_path / "empty").mkdir()
    prepare(source, tmp_path / "empty")
    assert kind_of(tmp_path / "empty") == "prepared"


def test_a_folder_with_files_is_left_alone(source: FileData, out: Path) -> None:
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(
            ValueError, match="out: found a folder that has files and was not prepared, expected"
        ):
            prepare(source, out, force=force)
    # Another file of that name is none of a preparation.
    (out / "prepared.json").write_text("[]")
    with pytest.raises(ValueError, match="was not prepared"):
        prepare(source, out, force=True)
    assert (out / "mine.txt").read_text() == "mine"


def test_a_file_and_the_source_itself_are_refused(source: FileData, out: Path, tmp_path: Path) -> None:
    out.write_text("mine")
    refused(source, out, "out: found a file, expected a new folder")
    assert out.read_text() == "mine"
    for place in (source.place, tmp_path):
        with pytest.raises(ValueError, match="found the folder that is prepared, or one around it"):
            prepare(source, place, force=True)


def test_a_prepared_folder_is_replaced_where_that_is_asked_for(source: FileData, store: Path) -> None:
    before = content(store)
    with pytest.raises(
        ValueError, match=r"out: found a prepared folder, expected .* or --force to replace it"
    ):
        prepare(source, store, Making(half=True))
    assert content(store) == before
    prepare(source, store, Making(half=True), force=True)
    assert Contents.read(store / "prepared.json").half
    assert sorted(path.name for path in store.parent.iterdir()) == ["data", "out"]


def test_one_of_another_format_is_replaced_as_well(source: FileData, store: Path) -> None:
    (store / "prepared.json").write_text('{"format": 0}')
    prepare(source, store, force=True)
    assert kind_of(store) == "prepared"


def test_a_prepared_folder_with_a_file_of_someone_is_not_replaced(source: FileData, store: Path) -> None:
    (store / "notes.txt").write_text("mine")
    before = content(store)
    with pytest.raises(ValueError, match=r"out: found 'notes\.txt', expected nothing but what was prepared"):
        prepare(source, store, force=True)
    assert content(store) == before


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", ["_move", "_write"])
def test_a_failure_leaves_nothing_behind(
    source: FileData, store: Path, error: BaseException, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: Any) -> Any:
        if name == "_write":
            write(*arguments)
        raise error

    write = preparation._write
    before = content(store)
    monkeypatch.setattr(preparation, name, failing)
    for out, force in ((store, True), (store.with_name("new"), False)):
        with pytest.raises(type(error)):
            prepare(source, out, force=force)
    assert content(store) == before
    assert sorted(path.name for path in store.parent.iterdir()) == ["data", "out"]


def test_where_the_new_folder_cannot_take_the_place_the_old_one_stays(
    source: FileData, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, rename, moves = content(store), Path.rename, []

    def failing(self: Path, target: Path) -> Path:
        moves.append(target)
        if len(moves) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="Input/output error"):
        prepare(source, store, force=True)
    assert content(store) == before
    assert sorted(path.name for path in store.parent.iterdir()) == ["data", "out"]


# What is wrong with a store


def cut(name: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-20])

    return change


def told(*keys: str, value: Any) -> Change:
    """Changes what prepared.json says."""

    def change(folder: Path) -> None:
        plain = json.loads((folder / "prepared.json").read_text())
        inner = plain
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        (folder / "prepared.json").write_text(json.dumps(plain))

    return change


def written(text: str) -> Change:
    return lambda folder: (folder / "prepared.json").write_text(text) and None


def table(change: Callable[[pa.Table], pa.Table]) -> Change:
    """Changes the table of captions of dev."""

    def changing(folder: Path) -> None:
        path = folder / "dev_captions.arrow"
        found = change(pa.ipc.open_file(pa.BufferReader(path.read_bytes())).read_all())
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, found.schema) as writer:
            writer.write_table(found)

    return changing


def with_column(name: str, values: Any) -> Change:
    return table(lambda found: found.set_column(found.column_names.index(name), name, values))


IMAGES_OF = [0] * 5 + [1] * 5 + [2] * 5
TAMPERED: dict[str, tuple[Change, str]] = {
    "no JSON": (written("{"), r"prepared\.json: found no JSON with `format`"),
    "another JSON": (written("[1]"), r"prepared\.json: found no JSON with `format`"),
    "no text": (
        lambda folder: (folder / "prepared.json").write_bytes(b"\xff\xfe\x00") and None,
        r"prepared\.json: found no JSON with `format`",
    ),
    "another format": (told("format", value=2), "format: found 2, expected 1; prepare the data set anew"),
    "a key": (told("sides", value=2), r"prepared\.json: sides: Extra inputs are not permitted"),
    "no split": (told("splits", value={}), r"prepared\.json: splits\.train: Field required"),
    "images": (told("splits", "dev", "images", value=4), r"dev_\w+\.npy: found float32 of shape"),
    "captions": (
        told("splits", "dev", "captions", value=4),
        r"dev_captions\.arrow: found 15 rows, expected 4",
    ),
    "features": (
        told("splits", "dev", "regions", value=[5, 8]),
        r"dev_regions\.npy: found float32 of shape \(3, 5, 7\), expected float32 of shape \(3, 5, 8\)",
    ),
    "half": (told("half", value=True), r"dev_regions\.npy: found float32 of .*, expected float16"),
    "padding": (told("splits", "dev", "padding", value=True), r"folder: found no dev_present\.npy in "),
    "ids": (told("splits", "dev", "caption_ids", value=True), r"dev_captions\.arrow: found no column 'id'"),
    "an array": (cut("dev_regions.npy"), r"dev_regions\.npy: found no array that can be mapped"),
    "boxes": (cut("dev_boxes.npy"), r"dev_boxes\.npy: found no array that can be mapped"),
    "a table": (cut("dev_captions.arrow"), r"dev_captions\.arrow: found no Arrow table that can be mapped"),
    "no table": (
        lambda folder: (folder / "dev_captions.arrow").write_bytes(b"") and None,
        r"dev_captions\.arrow: found no Arrow table that can be mapped",
    ),
    "other words": (
        with_column("words", pa.array(["a"] * 15)),
        r"dev_captions\.arrow: found a column 'words' of string, expected list<item: dictionary",
    ),
    "other texts": (
        with_column("text", pa.array(range(15))),
        r"dev_captions\.arrow: found a column 'text' of int64, expected string",
    ),
    "gaps": (
        with_column("text", pa.array([None] * 15, pa.string())),
        r"dev_captions\.arrow: found gaps in the column 'text'",
    ),
    "gaps among words": (
        with_column("words", pa.array([[None]] * 15, pa.list_(pa.dictionary(pa.int32(), pa.string())))),
        r"dev_captions\.arrow: found gaps in the column 'words'",
    ),
    "other images": (
        with_column("image_of", pa.array([*IMAGES_OF[:-1], 3], pa.int32())),
        r"dev_captions\.arrow: found captions of images that are not in order, or of none of the 3 images",
    ),
    "images apart": (
        with_column("image_of", pa.array(IMAGES_OF[::-1], pa.int32())),
        r"dev_captions\.arrow: found captions of images that are not in order",
    ),
    "no images": (
        table(lambda found: found.drop_columns(["image_of"])),
        r"dev_captions\.arrow: found no column 'image_of', expected one, as prepared\.json says",
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_somebody_changed_is_refused_in_one_sentence(store: Path, case: str) -> None:
    change, sentence = TAMPERED[case]
    change(store)
    with pytest.raises(ValueError, match=sentence) as error:
        store_of(store).read("dev")
    first = error.value.errors()[0]["msg"] if isinstance(error.value, ValidationError) else str(error.value)
    assert "\n" not in first


def test_a_byte_that_was_changed_in_a_table_is_refused_or_another_content(store: Path) -> None:
    """Wherever it is: no error but a sentence, and the key of a run is another one."""
    path, before = store / "dev_captions.arrow", store_of(store).fingerprint()
    plain = path.read_bytes()
    for place in range(8, len(plain), 37):
        path.write_bytes(plain[:place] + bytes([plain[place] ^ 0xFF]) + plain[place + 1 :])
        try:
            split = store_of(store).read("dev")
        except ValueError as error:
            assert "dev_captions.arrow: found " in str(error)
        else:
            assert len(split.captions) == 15 and set(split.image_of.tolist()) <= {0, 1, 2}
            assert store_of(store).fingerprint() != before

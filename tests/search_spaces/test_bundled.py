import runpy
from pathlib import Path

import pytest

from crosscut.arms.experiment import prepare
from crosscut.errors import InputError
from crosscut.sweepfile import bundled
from crosscut.sweepfile.sweep import Sweep, read


@pytest.fixture(params=bundled.names())
def name(request):
    return request.param


def test_every_bundled_sweep_reads_and_prepares(name):
    experiment = prepare(read(name))

    assert len(experiment.arms) >= 2
    assert experiment.sweep.name == name


def test_every_bundled_sweep_says_what_it_is_to_find_out(name):
    assert bundled.questions()[name] == read(name).question
    assert bundled.questions()[name].endswith("?")


def test_every_bundled_sweep_round_trips(name):
    assert Sweep.from_json(read(name).to_json()) == read(name)


@pytest.mark.parametrize(("scale", "other"), [("flickr30k", "coco"), ("coco", "flickr30k")])
def test_the_question_of_domain_shift_moves_to_corpora_by_their_paths_alone(tmp_path, scale, other):
    write = runpy.run_path(str(Path(__file__).parents[1] / "trainables" / "data_folders.py"))["WRITERS"]
    for name in (scale, other):
        (tmp_path / name).mkdir()
        write["precomputed"](tmp_path / name)
    paths = [
        f"config.data.folder={tmp_path / scale}",
        f"config.evaluation.on.{other}.data.folder={tmp_path / other}",
    ]
    names = ["config.data.test=test", f"config.evaluation.on.{other}.data.test=test"]
    experiment = prepare(read("domain-shift", [f"scale={scale}", *paths, *names]))
    assert [list(arm.config["evaluation"]["on"]) for arm in experiment.arms] == [
        [f"{name}-{severity}" for name in ("typos", "dropped") for severity in (1, 3, 5)] + [other]
    ] * 4
    assert experiment.sweep.report.primary == f"{other}/rsum"
    domain = experiment.arms[0].config["evaluation"]["on"][other]
    assert domain["data"]["folder"] == str(tmp_path / other)


def test_corpora_that_are_not_there_are_told_with_what_to_fetch():
    with pytest.raises(
        InputError,
        match=r"found '/data/f30k_precomp', expected a folder: there is none; region features of SCAN",
    ):
        prepare(read("domain-shift", ["scale=flickr30k"]))


def test_the_quickstart_compares_constraints_on_two_directions_of_attention():
    experiment = prepare(read("quickstart"))

    assert [arm.name for arm in experiment.arms] == [
        "scan-t2i, none",
        "scan-t2i, ccr",
        "scan-t2i, ccr+ccs",
        "scan-i2t, none",
        "scan-i2t, ccr",
        "scan-i2t, ccr+ccs",
        "vse++, none",
    ]
    assert experiment.baseline is experiment.arms[0]
    weights = [[path for path in arm.space if path.startswith("constraints.")] for arm in experiment.arms]
    of_ccr, of_both = ["constraints.ccr.weight"], ["constraints.ccr.weight", "constraints.ccs.weight"]
    assert weights == [[], of_ccr, of_both, [], of_ccr, of_both, []]
    assert len({arm.data for arm in experiment.arms}) == 1


def test_a_name_that_is_not_bundled_has_no_path():
    assert bundled.path("nothing") is None
    assert bundled.path("../search_spaces/quickstart") is None


@pytest.mark.parametrize(
    ("key", "near"), [("search.metric=dev/rsm", "dev/rsum"), ("report.primary=test/rsm", "test/rsum")]
)
def test_a_misspelt_metric_is_refused_before_anything_runs(key: str, near: str) -> None:
    with pytest.raises(InputError, match=rf"{key.partition('=')[0]}: found '.*rsm', .*did you mean '{near}'"):
        prepare(read("quickstart", [key]))

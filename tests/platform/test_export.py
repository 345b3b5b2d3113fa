"""What is exported is what was recorded, in a form that other tools judge alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytrec_eval
from pyarrow import parquet

from crosscut.arms.experiment import Experiment
from crosscut.errors import InputError
from crosscut.export import Selection, export
from crosscut.plan import Plan, reading, reconcile, recorded
from crosscut.records.catalogue import Catalogue
from crosscut.records.details import Details
from crosscut.records.record import Record
from crosscut.records.snapshot import keep
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut_reports.table import read
from crosscut_trainables.evaluation import QueryValues
from crosscut_trainables.measured import recalls
from crosscut_trainables.metrics import CUTOFFS
from crosscut_trainables.rankings import ranking
from crosscut_trainables.trec import read_qrels, read_run

IMAGES, CAPTIONS = 30, 3


def ranked(work: Work, depth: int = 1000, flip: bool = False) -> Record:
    """A run that ranks scores with many ties."""
    record = Record(work, "finished", {"dev/rsum": 1.0})
    if work.phase == "search":
        return record
    image_of = np.repeat(np.arange(IMAGES, dtype=np.int32), CAPTIONS)
    image_of = image_of[::-1].copy() if flip else image_of
    draw = np.random.default_rng([work.seed, round(10 * work.config["effect"])])
    scores = draw.integers(0, 12, (IMAGES, len(image_of))).astype(np.float32)
    found = recalls("test", scores, image_of) | ranking("test", scores, image_of, depth)
    mrr = 1 / found.ranks["test/t2i"].ranks
    return replace(
        record,
        metrics={**record.metrics, **found.metrics, "test/t2i_mrr": float(np.mean(mrr))},
        ranks=found.ranks,
        values={"test/t2i_mrr": QueryValues(mrr.astype(np.float32), found.ranks["test/t2i"].clusters)},
        details=Details(found.rankings),
    )


@pytest.fixture
def make_ended(
    make_store: Callable[[], Store],
    make_experiment: Callable[..., Experiment],
    complete: Callable[..., None],
) -> Callable[..., tuple[Store, Plan]]:
    def make(outcome: Callable[[Work], Record] = ranked, **sections: object) -> tuple[Store, Plan]:
        store, experiment = make_store(), make_experiment(**sections)
        keep(store, experiment)
        complete(reconcile(experiment, reading(Catalogue(store), [])), outcome, store=store)
        return store, recorded(store)

    return make


Ended = Callable[..., tuple[Store, Plan]]


def test_another_tool_finds_the_recalls_that_were_recorded(make_ended: Ended, tmp_path: Path) -> None:
    store, plan = make_ended()
    made = export(plan, store.details, tmp_path, Selection())
    assert len(made.runs) == 2 * 3 * 2 and len(made.qrels) == 2 and not made.notes
    for arm in plan.arms:
        for record in arm.finals:
            assert record is not None
            for way in ("i2t", "t2i"):
                place = tmp_path / "trec" / f"test.{way}"
                run = read_run(place / f"{arm.arm.name}-seed{record.work.seed}.run")
                qrels = read_qrels(place / "qrels.txt")
                judge = pytrec_eval.RelevanceEvaluator(qrels, {"success_1,5,10", "recip_rank"})
                found = judge.evaluate(run).values()
                for k in CUTOFFS:
                    recall = 100 * np.mean([query[f"success_{k}"] for query in found])
                    assert recall == pytest.approx(record.metrics[f"test/{way}_r{k}"])
                if way == "t2i":
                    mrr = np.mean([query["recip_rank"] for query in found])
                    assert mrr == pytest.approx(record.metrics["test/t2i_mrr"])


def test_the_table_is_read_as_scores_again(make_ended: Ended, tmp_path: Path) -> None:
    store, plan = make_ended()
    made = export(plan, store.details, tmp_path, Selection(trec=False))
    scores = read(made.table)
    assert scores.arms == ("none", "some") and scores.seeds == ("0", "1", "2")
    assert scores.levels["some"] == {"effect": "some"}
    for row, arm in enumerate(plan.arms):
        for column, record in enumerate(arm.finals):
            assert record is not None
            ranks = record.ranks["test/t2i"].ranks
            assert scores.metrics["test/t2i_rank"].runs[row, column] == pytest.approx(ranks.mean())
            assert scores.metrics["test/t2i_mrr"].runs[row, column] == pytest.approx(np.mean(1 / ranks))
            assert scores.metrics["test/rsum"].runs[row, column] == record.metrics["test/rsum"]
    assert not scores.metrics["test/t2i_rank"].higher_is_better
    assert len(scores.metrics["test/t2i_rank"].clusters or ()) == IMAGES
    assert not [name for name in scores.metrics if name.startswith("dev/")]
    assert not (tmp_path / "trec").exists()


def test_rows_name_their_query_and_image(make_ended: Ended, tmp_path: Path) -> None:
    store, plan = make_ended()
    made = export(plan, store.details, tmp_path, Selection(arms=["some"], seeds=[2], trec=False))
    rows = parquet.read_table(made.table).to_pylist()
    own = {row["query"]: row for row in rows if row["metric"] == "test/t2i_rank"}
    record = plan.arms[1].finals[2]
    assert record is not None and {row["seed"] for row in rows} == {"2"}
    assert own["caption-7"]["cluster"] == "image-2"
    assert own["caption-7"]["value"] == record.ranks["test/t2i"].ranks[7]
    assert [row["query"] for row in rows if row["metric"] == "test/rsum"] == [None]


def test_a_selection_narrows_and_what_it_names_must_be_there(make_ended: Ended, tmp_path: Path) -> None:
    store, plan = make_ended()
    made = export(plan, store.details, tmp_path, Selection(["some"], [1], ["test"], depth=4))
    assert sorted(path.name for path in made.runs) == ["some-seed1.run"] * 2
    assert {len(items) for items in read_run(made.runs[0]).values()} == {4}
    for wrong, said in (
        (Selection(arms=["soem"]), "--arm: found 'soem', expected an arm.*did you mean 'some'"),
        (Selection(seeds=[7]), "--seed: found '7', expected a seed"),
        (Selection(splits=["tset"]), "--split: found 'tset', expected a split.*did you mean 'test'"),
    ):
        with pytest.raises(InputError, match=said):
            export(plan, store.details, tmp_path / "none", wrong)
    assert not (tmp_path / "none").exists()


def test_a_run_without_rankings_or_with_damaged_ones_is_told_of(make_ended: Ended, tmp_path: Path) -> None:
    def without(work: Work) -> Record:
        return ranked(work, depth=0) if work.arm == "none" else ranked(work)

    store, plan = make_ended(without)
    record = plan.arms[1].finals[0]
    assert record is not None
    (store.runs / record.key / "rankings.npz").write_bytes(b"broken")
    made = export(plan, store.details, tmp_path, Selection())
    assert len(made.runs) == 4 and len(made.notes) == 4
    assert "none, seed 1: it keeps no rankings" in made.notes[1]
    assert "some, seed 0: its details are damaged" in made.notes[3]


def test_arms_with_other_images_have_qrels_of_their_own(make_ended: Ended, tmp_path: Path) -> None:
    store, plan = make_ended(lambda work: ranked(work, flip=work.arm == "some"))
    made = export(plan, store.details, tmp_path, Selection(splits=["test"]))
    assert sorted(path.parent.name for path in made.qrels) == [
        "test.i2t",
        "test.i2t-2",
        "test.t2i",
        "test.t2i-2",
    ]
    record = plan.arms[1].finals[0]
    assert record is not None
    place = tmp_path / "trec" / "test.t2i-2"
    judge = pytrec_eval.RelevanceEvaluator(read_qrels(place / "qrels.txt"), {"success_5"})
    found = [query["success_5"] for query in judge.evaluate(read_run(place / "some-seed0.run")).values()]
    assert 100 * np.mean(found) == pytest.approx(record.metrics["test/t2i_r5"])


def test_names_of_arms_become_names_of_files_that_stay_apart(make_ended: Ended, tmp_path: Path) -> None:
    levels = ("a/b", "a b", "../b", "…")
    store, plan = make_ended(levels=levels, seeds=1)
    made = export(plan, store.details, tmp_path, Selection())
    assert len(set(made.runs)) == len(made.runs) == 8
    assert all(path.is_file() and path.parents[2] == tmp_path for path in made.runs)


def test_the_command_says_what_it_wrote(
    make_ended: Ended, tmp_path: Path, crosscut: Callable[..., Any]
) -> None:
    store, _ = make_ended()
    told = crosscut("export", str(store.folder), "--arm", "some", "--depth", "3")
    assert told.code == 0 and "TREC: 6 runs and 2 qrels" in told.output and "ranks.parquet" in told.output
    assert (store.folder / "export" / "trec" / "test.t2i" / "qrels.txt").is_file()
    told = crosscut("export", str(store.folder), "--out", str(tmp_path / "there"), "--no-trec")
    assert told.code == 0 and "TREC" not in told.output
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["ranks.parquet"]
    told = crosscut("export", str(store.folder), "--arm", "nobody")
    assert told.code == 2 and told.errors.startswith("crosscut: --arm: found 'nobody'")


def test_a_sweep_without_a_run_has_nothing_to_export(make_ended: Ended, tmp_path: Path) -> None:
    store, plan = make_ended(lambda work: Record(work, "pruned"))
    with pytest.raises(InputError, match="nothing to export"):
        export(plan, store.details, tmp_path, Selection())

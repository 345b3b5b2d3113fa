"""What the report computes with is what the runs recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from crosscut.arms.experiment import Experiment
from crosscut.context import context_of, question_of
from crosscut.plan import Plan, reconcile
from crosscut.records.declaration import Declaration, said_by
from crosscut.records.record import Failure, Record
from crosscut.records.work import Work
from crosscut.scores import hits, scores_of
from crosscut_reports.context import Failure as Told
from crosscut_reports.context import Note
from crosscut_reports.hypothesis import Hypothesis
from crosscut_reports.statistics import Median
from crosscut_trainables.evaluation import QueryRanks, QueryValues, SplitFacts
from crosscut_trainables.metrics import CUTOFFS

Outcome = Callable[[Work], Record]
Complete = Callable[..., None]


@pytest.fixture
def ended(make_experiment: Callable[..., Experiment], complete: Complete) -> Callable[[Outcome], Plan]:
    """The plan of two arms and three seeds, all of it done, as `outcome` says."""

    def plan(outcome: Outcome) -> Plan:
        made = reconcile(make_experiment(), lambda _: None)
        complete(made, outcome)
        assert made.done
        return made

    return plan


def finals(plan: Plan) -> list[list[Record | None]]:
    return [arm.finals for arm in plan.arms]


def unequal(record: Record) -> Record:
    """The same with one to seven captions an image, images in no order, and labels with gaps."""
    if not record.ranks:
        return record
    draw = np.random.default_rng([5, record.work.seed])
    images = np.random.default_rng(3).permutation(np.repeat(np.arange(0, 60, 3), np.arange(20) % 7 + 1))
    ranks = draw.integers(1, 15, len(images)).astype(np.int32)
    queries = QueryRanks(ranks, images.astype(np.int32))
    recalls = {f"test/t2i_r{k}": 100.0 * float(np.mean(ranks <= k)) for k in CUTOFFS}
    i2t = QueryRanks(record.ranks["test/i2t"].ranks, np.arange(0, 60, 3, dtype=np.int32))
    metrics = {**record.metrics, **recalls}
    metrics["test/rsum"] = sum(metrics[f"test/{d}_r{k}"] for d in ("i2t", "t2i") for k in CUTOFFS)
    return replace(record, metrics=metrics, ranks={"test/i2t": i2t, "test/t2i": queries})


@pytest.mark.parametrize("captions", ["two", "unequal"])
def test_recalls_per_image_average_exactly_to_the_recorded_recalls(
    ended: Callable[[Outcome], Plan], outcome: Outcome, captions: str
) -> None:
    plan = ended(outcome if captions == "two" else lambda work: unequal(outcome(work)))
    scores = scores_of(plan)
    names = [f"test/{d}_r{k}" for d in ("i2t", "t2i") for k in CUTOFFS]
    for name in [*names, "test/rsum"]:
        metric = scores.metrics[name]
        assert metric.per_cluster and metric.values.shape == (2, 3, 20)
        recorded = [[r.metrics[name] for r in row if r is not None] for row in finals(plan)]
        np.testing.assert_allclose(metric.runs, recorded, rtol=1e-12)
    queries = {name: scores.metrics[name].queries for name in (names[0], names[-1], "test/rsum")}
    captions_of_all = 40 if captions == "two" else sum(i % 7 + 1 for i in range(20))
    assert list(queries.values()) == [20, captions_of_all, 20 + captions_of_all]


def test_an_image_counts_by_its_number_of_captions() -> None:
    ranks = QueryRanks(np.array([1, 9, 9, 1], np.int32), np.array([4, 4, 4, 7], np.int32))
    # image 4: one of three; image 7: one of one; together 50 of 100
    assert hits(ranks, 1).tolist() == [50.0, 50.0]
    assert hits(ranks, 10).tolist() == [150.0, 50.0]


def test_the_order_of_the_queries_does_not_matter(ended: Callable[[Outcome], Plan], outcome: Outcome) -> None:
    def shuffled(work: Work) -> Record:
        record = outcome(work)
        order = np.random.default_rng(work.seed).permutation(40)
        if not record.ranks:
            return record
        t2i = record.ranks["test/t2i"]
        return replace(
            record, ranks={**record.ranks, "test/t2i": QueryRanks(t2i.ranks[order], t2i.clusters[order])}
        )

    left, right = scores_of(ended(outcome)), scores_of(ended(shuffled))
    np.testing.assert_array_equal(left.metrics["test/rsum"].values, right.metrics["test/rsum"].values)
    weights = np.random.default_rng(0).integers(0, 3, (4, 20)).astype(float)
    medians = [found.metrics["test/t2i_medr"].statistic for found in (left, right)]
    assert medians[0] is not None and medians[1] is not None
    np.testing.assert_array_equal(medians[0].values(weights), medians[1].values(weights))


def test_a_run_that_failed_or_is_missing_is_nan_everywhere(
    make_experiment: Callable[..., Experiment], complete: Complete, outcome: Outcome
) -> None:
    def failing(work: Work) -> Record:
        if (work.phase, work.arm, work.seed) == ("final", "some", 1):
            return Record(work, "failed", {"test/rsum": 1.0}, failure=Failure("raised", "no"))
        return outcome(work)

    plan = reconcile(make_experiment(), lambda _: None)
    complete(plan, failing, most=9)
    scores = scores_of(plan)
    missing = [[r is None or r.status == "failed" for r in row] for row in finals(plan)]
    assert 1 < np.sum(missing) < 6
    for metric in scores.metrics.values():
        assert np.isnan(metric.values).all(axis=2).tolist() == missing
        assert np.isnan(metric.values).any(axis=2).tolist() == missing


def test_without_a_run_that_ended_well_there_are_no_metrics(
    make_experiment: Callable[..., Experiment],
) -> None:
    scores = scores_of(reconcile(make_experiment(), lambda _: None))
    assert scores.metrics == {} and scores.arms == ("none", "some") and scores.seeds == ("0", "1", "2")


def test_a_metric_that_not_all_runs_have_is_left_out(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def extra(work: Work) -> Record:
        record = outcome(work)
        more = {"test/all": 1.0} | ({"test/few": 1.0} if work.seed == 1 else {})
        return replace(record, metrics={**record.metrics, **more})

    metrics = scores_of(ended(extra)).metrics
    assert "test/all" in metrics and "test/few" not in metrics


@pytest.mark.parametrize("direction", ["i2t", "t2i"])
def test_median_ranks_are_resampled_from_the_ranks_and_lower_is_better(
    ended: Callable[[Outcome], Plan], outcome: Outcome, direction: str
) -> None:
    plan = ended(lambda work: unequal(outcome(work)))
    metrics = scores_of(plan).metrics
    medr = metrics[f"test/{direction}_medr"]
    assert not medr.per_cluster and medr.values.shape == (2, 3, 1)
    assert isinstance(medr.statistic, Median) and medr.statistic.clusters == 20
    ranks = [[np.median(r.ranks[f"test/{direction}"].ranks) for r in row if r] for row in finals(plan)]
    assert medr.runs.tolist() == ranks
    weights = np.zeros((1, 20))
    weights[0, 7] = 1
    record = finals(plan)[1][2]
    assert record is not None
    queries = record.ranks[f"test/{direction}"]
    image = np.unique(queries.clusters)[7]
    assert medr.statistic.values(weights)[1, 2, 0] == np.median(queries.ranks[queries.clusters == image])
    assert not medr.higher_is_better
    assert metrics["test/rsum"].higher_is_better and metrics["test/i2t_r1"].higher_is_better


def test_where_galleries_differ_between_runs_metrics_are_known_per_run(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def other(work: Work) -> Record:
        record = outcome(work)
        if work.phase == "search" or work.arm == "none":
            return record
        moved = {name: QueryRanks(q.ranks, q.clusters + 1) for name, q in record.ranks.items()}
        return replace(record, ranks=moved)

    plan = ended(other)
    scores = scores_of(plan)
    assert not any(metric.per_cluster for metric in scores.metrics.values())
    recorded = [[r.metrics["test/rsum"] for r in row if r is not None] for row in finals(plan)]
    assert scores.metrics["test/rsum"].runs.tolist() == recorded


def test_directions_with_different_images_are_not_added_per_image(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def other(work: Work) -> Record:
        record = outcome(work)
        if work.phase == "search":
            return record
        t2i = record.ranks["test/t2i"]
        fewer = QueryRanks(t2i.ranks[:-2], t2i.clusters[:-2])
        return replace(record, ranks={**record.ranks, "test/t2i": fewer})

    plan = ended(other)
    metrics = scores_of(plan).metrics
    assert metrics["test/i2t_r1"].values.shape[2] == 20 and metrics["test/t2i_r1"].values.shape[2] == 19
    assert not metrics["test/rsum"].per_cluster
    recorded = [[r.metrics["test/rsum"] for r in row if r is not None] for row in finals(plan)]
    assert metrics["test/rsum"].runs.tolist() == recorded


def test_the_question_is_what_the_sweep_declared(make_experiment: Callable[..., Experiment]) -> None:
    said = {
        "report": {"primary": "test/i2t_r1", "alpha": 0.01, "margin": 2.0, "metrics": ["test/rsum"]},
        "hypotheses": [{"effect": "some vs none"}],
    }
    plan = reconcile(make_experiment(**said), lambda _: None)
    question = question_of(plan, Declaration(said_by(plan.experiment.sweep)))
    assert (question.primary, question.alpha, question.margin) == ("test/i2t_r1", 0.01, 2.0)
    assert question.baseline == "none"
    assert list(question.hypotheses) == [Hypothesis({"effect": "some vs none"})]
    assert (question.late, question.changed, question.screen) == ([], {}, "holm")
    assert question.metrics == ("test/rsum",)


def test_the_context_tells_how_arms_were_tuned_and_what_failed(
    make_experiment: Callable[..., Experiment], complete: Complete, outcome: Outcome
) -> None:
    def mixed(work: Work) -> Record:
        record = outcome(work)
        if work.arm == "none" or work.phase == "final":
            return record
        if work.index == 1:
            return replace(record, status="pruned")
        if work.index == 2:
            # it had the best score of all before it came to nothing
            lucky = tuple(replace(step, metrics={"dev/rsum": 1e6}) for step in record.history)
            return Record(work, "failed", history=lucky, failure=Failure("diverged", "dev/rsum is nan"))
        return record

    plan = reconcile(make_experiment(trials=4), lambda _: None)
    complete(plan, mixed)
    none, some = context_of(plan).tuning
    assert (none.trials, none.pruned, none.failed) == (4, 0, 0)
    assert (some.trials, some.pruned, some.failed, some.metric) == (4, 1, 1, "dev/rsum")
    assert len(some.scores) == 3 and some.best == max(some.scores) < 2
    assert some.values == plan.arms[1].values and some.values.keys() == {"x"}
    context = context_of(plan)
    assert context.failures == [Told("some", "search", 2, "diverged", "dev/rsum is nan")]
    assert (context.planned, context.recorded) == (6, 6)
    assert (context.name, context.question) == ("toy", "Does the effect have an effect?")


def test_the_context_has_every_note_under_its_trial_or_seed(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def noted(work: Work) -> Record:
        said = {("some", "search", 1): ["slow"], ("none", "final", 2): ["collapsed", "zero"]}
        return replace(outcome(work), notes=said.get((work.arm, work.phase, work.index), ()))

    assert context_of(ended(noted)).notes == [
        Note("none", "final", 2, "collapsed"),
        Note("none", "final", 2, "zero"),
        Note("some", "search", 1, "slow"),
    ]
    assert context_of(ended(outcome)).notes == []


def test_an_arm_without_a_search_is_told_as_such(
    make_experiment: Callable[..., Experiment], complete: Complete
) -> None:
    plan = reconcile(make_experiment(trials=0), lambda _: None)
    complete(plan)
    assert [(t.trials, t.best, t.values) for t in context_of(plan).tuning] == [(0, None, {})] * 2


def test_provenance_names_every_version_where_runs_differ(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def elsewhere(work: Work) -> Record:
        record = outcome(work)
        if work.seed != 2:
            return record
        versions = {"python": "3.12.1", "numpy": "2.0.0", "torch": "2.6"}
        return replace(record, provenance={"versions": versions, "commit": "def+changes", "workers": 2})

    told = context_of(ended(elsewhere)).provenance
    assert told["python"] == "3.11.0, 3.12.1"
    assert told["numpy"] == "2.0.0" and told["torch"] == "2.6"
    assert told["commit"] == "abc, def+changes"
    assert told["workers per run"] == "1, 2"
    assert told["device"] == "cpu"
    assert told["seeds"] == "0, 1, 2" and told["trainable"] == "toy:train"
    assert told["sweep"].startswith("toy (hash ")


def test_attention_metrics_are_told_with_their_spread_over_seeds(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def attending(work: Work) -> Record:
        record = outcome(work)
        return replace(record, metrics={**record.metrics, "test/attention_f1": float(work.seed)})

    attention = context_of(ended(attending)).attention
    assert attention["some"] == {"test/attention_f1": (1.0, 1.0)}
    assert context_of(ended(outcome)).attention == {}


def test_scores_of_the_split_that_chose_are_left_out_unless_asked_for(
    make_experiment: Callable[..., Experiment], complete: Complete, outcome: Outcome
) -> None:
    def names(**sections: object) -> set[str]:
        plan = reconcile(make_experiment(**sections), lambda _: None)

        def with_dev(work: Work) -> Record:
            record = outcome(work)
            return replace(record, metrics={**record.metrics, "dev/rsum": 1.0, "dev/i2t_r1": 2.0})

        complete(plan, with_dev)
        return set(scores_of(plan).metrics)

    assert not [name for name in names() if name.startswith("dev/")]
    asked = names(report={"metrics": ["test/rsum", "dev/rsum"]})
    assert "dev/rsum" in asked and "dev/i2t_r1" not in asked


def test_unequal_numbers_of_captions_do_not_count_as_spread(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def all_found(work: Work) -> Record:
        record = unequal(outcome(work))
        if not record.ranks:
            return record
        t2i = record.ranks["test/t2i"]
        return replace(
            record, ranks={**record.ranks, "test/t2i": QueryRanks(np.ones_like(t2i.ranks), t2i.clusters)}
        )

    metrics = scores_of(ended(all_found)).metrics
    recall, total = metrics["test/t2i_r1"], metrics["test/rsum"]
    assert recall.linear is not None and np.ptp(recall.values) > 50
    np.testing.assert_allclose(recall.linear, 100.0)
    assert total.linear is not None
    np.testing.assert_allclose(total.linear.mean(axis=2), total.runs)
    assert metrics["test/i2t_r1"].linear is None
    assert scores_of(ended(outcome)).metrics["test/rsum"].linear is None


def with_values(record: Record, *, missing: bool = False) -> Record:
    """The same with a further metric by query, of one to seven captions an image."""
    if not record.ranks:
        return record
    draw = np.random.default_rng([6, record.work.seed])
    images = np.random.default_rng(3).permutation(np.repeat(np.arange(20), np.arange(20) % 7 + 1))
    found = QueryValues(draw.uniform(0, 100, len(images)).astype(np.float32), images.astype(np.int32))
    rank = QueryValues(draw.integers(1, 9, len(images)).astype(np.float32), images.astype(np.int32))
    means = {"test/t2i_mrr": float(found.values.mean()), "test/t2i_mean_rank": float(rank.values.mean())}
    values = {} if missing else {"test/t2i_mrr": found, "test/t2i_mean_rank": rank}
    return replace(record, metrics={**record.metrics, **means}, values=values)


def test_further_metrics_are_known_per_image_and_average_to_what_was_recorded(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    plan = ended(lambda work: with_values(outcome(work)))
    metrics = scores_of(plan).metrics
    for name, higher in (("test/t2i_mrr", True), ("test/t2i_mean_rank", False)):
        found = metrics[name]
        assert found.per_cluster and found.higher_is_better == higher
        assert found.values.shape[2] == 20
        assert found.linear is not None
        recorded = [[r.metrics[name] for r in row if r is not None] for row in finals(plan)]
        np.testing.assert_allclose(found.runs, recorded, rtol=1e-5)


def test_a_further_metric_that_a_run_lacks_by_query_is_known_per_run_only(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    plan = ended(lambda work: with_values(outcome(work), missing=work.seed == 1))
    assert not scores_of(plan).metrics["test/t2i_mrr"].per_cluster


def shifted(record: Record, words: int = 0) -> Record:
    """The same, evaluated on a split `noisy` of the same images as well, where every rank is twice as high."""
    if not record.ranks:
        return record
    found = {
        f"noisy/{way}": QueryRanks(queries.ranks * 2, queries.clusters)
        for way in ("i2t", "t2i")
        if (queries := record.ranks[f"test/{way}"])
    }
    recalls = {f"{n}_r{k}": 100.0 * float(np.mean(q.ranks <= k)) for n, q in found.items() for k in CUTOFFS}
    texts = record.ranks["test/t2i"]
    lengths = QueryValues(np.arange(len(texts.ranks), dtype=np.float32) % 4 + 2 + words, texts.clusters)
    return replace(
        record,
        metrics={
            **record.metrics,
            **recalls,
            "noisy/rsum": sum(recalls.values()),
            "noisy/unknown_words": 3.0,
        },
        ranks={**record.ranks, **found},
        traits={"test/t2i_words": lengths},
        splits={"test": SplitFacts("here"), "noisy": SplitFacts("here", "noise", 2.0)},
    )


def test_the_primary_metric_comes_on_every_split_that_runs_were_evaluated_on(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    plan = ended(lambda work: shifted(outcome(work)))
    scores = scores_of(plan)
    others = {name for name in scores.metrics if not name.startswith("test/")}
    assert others == {"noisy/rsum"}
    assert scores.metrics["noisy/rsum"].clusters == scores.metrics["test/rsum"].clusters
    recorded = [[r.metrics["noisy/rsum"] for r in row if r is not None] for row in finals(plan)]
    np.testing.assert_allclose(scores.metrics["noisy/rsum"].runs, recorded)
    assert (scores.splits["noisy"].series, scores.splits["noisy"].severity) == ("noise", 2.0)
    assert scores.splits["noisy"].units == scores.splits["test"].units == "here"
    asked = scores_of(plan, "test/t2i_r5").metrics
    assert "noisy/t2i_r5" in asked and "noisy/rsum" not in asked


def test_a_hypothesis_brings_the_metrics_that_it_is_about(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    plan = ended(lambda work: shifted(outcome(work)))
    about = Hypothesis.parse({"compare": {"effect": "some vs none"}, "metrics": ["noisy/i2t_r1"]})
    between = Hypothesis.parse(
        {"compare": {"effect": "some vs none"}, "metrics": ["test/t2i_r1"], "splits": "noisy vs test"}
    )
    found = scores_of(plan, hypotheses=(about, between)).metrics
    others = {name for name in found if not name.startswith("test/")}
    assert others == {"noisy/rsum", "noisy/i2t_r1", "noisy/t2i_r1"}


def test_a_split_that_some_runs_lack_is_left_out_and_facts_that_differ_are_not_known(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    def some(work: Work) -> Record:
        return shifted(outcome(work)) if work.seed else outcome(work)

    assert scores_of(ended(some)).splits == {} and "noisy/rsum" not in scores_of(ended(some)).metrics

    def moved(work: Work) -> Record:
        record = shifted(outcome(work))
        facts = {**record.splits, "noisy": SplitFacts(f"images of {work.arm}")}
        return replace(record, splits=facts if record.ranks else {})

    found = scores_of(ended(moved)).splits
    assert found["noisy"].units is None and found["test"].units == "here"


def test_queries_come_with_their_ranks_and_lengths(
    ended: Callable[[Outcome], Plan], outcome: Outcome
) -> None:
    plan = ended(lambda work: shifted(outcome(work)))
    queries = scores_of(plan).queries
    assert queries is not None and queries.words is not None and queries.name == "test/t2i"
    for row, ranks in zip(finals(plan), queries.ranks, strict=True):
        for record, own in zip(row, ranks, strict=True):
            assert record is not None
            np.testing.assert_array_equal(own, record.ranks["test/t2i"].ranks)
    np.testing.assert_array_equal(queries.words, np.arange(queries.ranks.shape[2]) % 4 + 2)
    differ = scores_of(ended(lambda work: shifted(outcome(work), words=work.seed))).queries
    assert differ is not None and differ.words is None
    assert (scores_of(ended(outcome)).queries or queries).words is None


def test_a_missing_run_has_ranks_of_0(ended: Callable[[Outcome], Plan], outcome: Outcome) -> None:
    def one_fails(work: Work) -> Record:
        record = shifted(outcome(work))
        if work.phase == "final" and work.index == 1 and work.arm == "some":
            return Record(work, "failed", failure=Failure("raised", "ValueError: no"))
        return record

    queries = scores_of(ended(one_fails)).queries
    assert queries is not None
    missing = (queries.ranks == 0).all(axis=2)
    assert missing.sum() == 1 and missing[:, 1].any()

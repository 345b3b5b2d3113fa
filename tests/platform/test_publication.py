"""Reports are written from records, and say what they leave out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crosscut.arms.experiment import Experiment
from crosscut.errors import InputError
from crosscut.plan import Plan, reconcile
from crosscut.publication import Wishes, asked, of_sweep, of_table
from crosscut.records.declaration import Declaration, said_by
from crosscut.records.record import Failure, Record
from crosscut.records.work import Work
from crosscut_reports.question import Question

Outcome = Callable[[Work], Record]
Complete = Callable[..., None]
TABLE = "size,kind,seed,metric,value\n" + "".join(
    f"{size},{kind},{seed},score,{10 * (size == 'big') + (kind == 'new') + seed * (seed + 1) % 5}\n"
    for size in ("small", "big")
    for kind in ("old", "new")
    for seed in range(4)
)


def declared_by(plan: Plan) -> Declaration:
    return Declaration(said_by(plan.experiment.sweep), sealed=True)


@pytest.fixture
def ended(
    make_experiment: Callable[..., Experiment], complete: Complete, outcome: Outcome
) -> Callable[..., Plan]:
    def plan(outcome: Outcome = outcome, **sections: object) -> Plan:
        made = reconcile(make_experiment(**sections), lambda _: None)
        complete(made, outcome)
        return made

    return plan


def test_a_sweep_is_published_with_what_it_declared(ended: Callable[..., Plan], tmp_path: Path) -> None:
    plan = ended(hypotheses=[{"effect": "some vs none"}], report={"margin": 5.0})
    publication = of_sweep(plan, tmp_path / "report", declaration=declared_by(plan))
    assert publication.page == tmp_path / "report" / "report.html"
    assert all(path.is_file() for path in publication.files.values())
    (sentence,) = publication.sentences
    assert sentence.startswith("effect: some vs none — test/rsum ") and "declared" in sentence
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [c["name"] for c in report["contrasts"] if c["declared"] and c["metric"] == "test/rsum"] == [
        "effect: some vs none"
    ]
    assert {c["scope"] for c in report["contrasts"] if c["metric"] == "test/rsum"} == {"seeds-and-queries"}


def test_verdicts_of_declared_hypotheses_on_other_metrics_are_told_too(
    ended: Callable[..., Plan], tmp_path: Path
) -> None:
    asked = {"compare": {"effect": "some vs none"}, "metrics": ["test/rsum", "test/i2t_r1"]}
    plan = ended(hypotheses=[asked])
    sentences = of_sweep(plan, tmp_path, declaration=declared_by(plan)).sentences
    assert ["test/rsum" in one for one in sentences] == [True, False]
    assert ["test/i2t_r1" in one for one in sentences] == [False, True]


def test_where_nothing_was_declared_every_verdict_on_the_primary_metric_is_told(
    ended: Callable[..., Plan], tmp_path: Path
) -> None:
    publication = of_sweep(ended(), tmp_path)
    assert publication.sentences and all("exploratory" in sentence for sentence in publication.sentences)


def test_the_same_records_give_the_same_report_to_the_byte(
    ended: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = ended()
    first, second = of_sweep(plan, tmp_path / "a"), of_sweep(plan, tmp_path / "b")
    assert first.files.keys() == second.files.keys()
    for name in ("report.html", "report.json", "report.md"):
        assert first.files[name].read_bytes() == second.files[name].read_bytes()


def test_an_arm_that_came_to_nothing_does_not_keep_the_others_from_a_report(
    ended: Callable[..., Plan], outcome: Outcome, tmp_path: Path
) -> None:
    def failing(work: Work) -> Record:
        if work.arm == "some":
            return Record(work, "failed", failure=Failure("raised", "ValueError: it cannot"))
        return outcome(work)

    plan = ended(failing, levels=("none", "some", "more"), hypotheses=[{"effect": "some vs none"}])
    publication = of_sweep(plan, tmp_path)
    assert "it cannot" in publication.page.read_text()
    verdicts = {c.name: c.verdict for c in publication.result.contrasts if c.metric == "test/rsum"}
    assert "effect: some vs none" not in verdicts
    told = [guard.message for guard in publication.result.guards if guard.severity == "error"]
    assert "Not computed, since an arm has no run: effect: some vs none." in told
    assert "effect: more vs none" in verdicts


def test_without_a_run_that_ended_well_there_is_nothing_to_report(
    make_experiment: Callable[..., Experiment], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="toy: there is nothing to report, no run has ended well"):
        of_sweep(reconcile(make_experiment(), lambda _: None), tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_metrics_that_no_run_has_are_left_out_with_a_note(ended: Callable[..., Plan], tmp_path: Path) -> None:
    plan = ended(report={"primary": "test/map", "metrics": ["test/i2t_r1", "test/ndcg"]})
    publication = of_sweep(plan, tmp_path)
    assert publication.sentences[:2] == [
        "note: report.primary: not every run has 'test/map'; verdicts are about 'test/rsum'",
        "note: report.metrics: not every run has 'test/ndcg'",
    ]
    assert publication.result.design.primary == "test/rsum"
    assert {c.metric for c in publication.result.contrasts} == {"test/rsum", "test/i2t_r1"}
    asked = of_sweep(plan, tmp_path, Wishes(metric="test/i2t_r1"))
    assert [s for s in asked.sentences if "report.primary" in s] == []


def test_what_is_wished_takes_the_place_of_what_the_sweep_says(
    ended: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = ended(levels=("none", "some", "more"))
    result = of_sweep(plan, tmp_path, Wishes(baseline="more", metric="test/t2i_medr", alpha=0.2)).result
    assert result.design.primary == "test/t2i_medr"
    names = [c.name for c in result.contrasts if c.metric == "test/t2i_medr"]
    assert "effect: none vs more" in names and "effect: some vs more" in names
    question = Question(baseline="a", alpha=0.1, margin=1.0)
    assert Wishes().apply(question) == question
    assert Wishes(margin=0.0).apply(question) == replace(question, margin=0.0)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (Wishes(baseline="non"), "toy: baseline: there is no arm 'non'; .*did you mean 'none'"),
        (Wishes(metric="test/r"), "toy: primary: there is no metric 'test/r'"),
        (Wishes(factors=("size",)), "toy: factors: there is no factor 'size'"),
        (Wishes(alpha=0.7), "toy: alpha: found 0.7"),
    ],
)
def test_wishes_for_what_is_not_there_are_refused(
    ended: Callable[..., Plan], tmp_path: Path, wishes: Wishes, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        of_sweep(ended(), tmp_path / "report", wishes)
    assert not (tmp_path / "report").exists()


def test_a_table_is_published_beside_where_one_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "scores.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    publication = of_table(Path("data/scores.csv"), None, Wishes())
    assert publication.page == Path("scores-report/report.html")
    estimates = {c.name: c.estimate for c in publication.result.contrasts}
    assert estimates["size: big vs small"] == pytest.approx(10.0)
    assert estimates["kind: new vs old"] == pytest.approx(1.0)
    narrowed = of_table(Path("data/scores.csv"), tmp_path / "out", Wishes(baseline="small, old"))
    assert narrowed.result.design.configs == 4


def test_a_table_that_is_wrong_or_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    table.write_text(TABLE.replace("seed", "sede"))
    with pytest.raises(InputError, match=r"scores\.csv: has no column 'seed'"):
        of_table(table, tmp_path / "out", Wishes())
    table.write_text(TABLE)
    with pytest.raises(OSError, match="File exists"):
        of_table(table, table, Wishes())


def test_what_is_asked_otherwise_after_the_runs_is_no_longer_declared(
    ended: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = ended(hypotheses=[{"effect": "some vs none"}], report={"margin": 50.0})
    declaration = declared_by(plan)
    publication = of_sweep(plan, tmp_path, Wishes(metric="test/i2t_r5"), declaration=declaration)
    assert not any(contrast.declared for contrast in publication.result.contrasts)
    # a margin in points of rsum says nothing of a recall
    assert publication.result.design.margin == 0.0
    (guard,) = [g for g in publication.result.guards if g.guard == "changed-question"]
    assert "test/i2t_r5" in guard.message and guard.severity == "warning"
    same = of_sweep(plan, tmp_path, Wishes(metric="test/rsum", margin=50.0), declaration=declaration)
    assert any(contrast.declared for contrast in same.result.contrasts)
    assert not [g for g in same.result.guards if g.guard == "changed-question"]


def test_further_comparisons_are_asked_on_the_command_line_and_are_exploratory(
    ended: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = ended(levels=("none", "some", "more"), hypotheses=[{"effect": "some vs none"}])
    wishes = Wishes(hypotheses=(asked("effect: more vs some"), asked("arm: each vs none")))
    result = of_sweep(plan, tmp_path, wishes, declaration=declared_by(plan)).result
    on_primary = {c.name: c.declared for c in result.contrasts if c.metric == "test/rsum"}
    assert on_primary == {
        "effect: some vs none": True,
        "effect: more vs some": False,
        "more vs none": False,
    }
    (guard,) = (g for g in result.guards if g.guard == "late-hypotheses")
    assert guard.message.endswith("exploratory: effect: more vs some, arm: each vs none.")
    table = tmp_path / "scores.csv"
    table.write_text(TABLE)
    found = of_table(table, tmp_path / "out", Wishes(hypotheses=(asked("size: big vs small"),))).result
    assert next(c.name for c in found.contrasts if c.metric == "score") == "size: big vs small"


@pytest.mark.parametrize("text", ["ccr vs none", "a: [", "a: 3", ""])
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--hypothesis: found .*, expected a factor with two of its levels"):
        asked(text)

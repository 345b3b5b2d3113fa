"""What is declared before the first run stays declared, and nothing else becomes so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crosscut.arms.experiment import Experiment
from crosscut.context import context_of, question_of
from crosscut.plan import Plan, reading, reconcile
from crosscut.publication import of_sweep
from crosscut.records.catalogue import Catalogue
from crosscut.records.declaration import FILE, Declaration, declare, read, said_by, seal
from crosscut.records.record import Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut_reports.hypothesis import Hypothesis
from crosscut_reports.result import Result

SOME, MORE = {"effect": "some vs none"}, {"effect": "more vs none"}
LEVELS = ("none", "some", "more")


@pytest.fixture
def asked(store: Store, make_experiment: Callable[..., Experiment]) -> Callable[..., Plan]:
    """The plan of the sweep with these hypotheses, over the records that there are."""

    def plan(*hypotheses: dict[str, Any], **sections: Any) -> Plan:
        experiment = make_experiment(LEVELS, hypotheses=list(hypotheses), **sections)
        return reconcile(experiment, reading(Catalogue(store), []))

    return plan


@pytest.fixture
def begun(store: Store, asked: Callable[..., Plan], complete: Callable[..., None]) -> Declaration:
    """The sweep was run with the hypothesis `some vs none`."""
    plan = asked(SOME)
    declaration = seal(store, declare(store, plan))
    complete(plan, store=store)
    return declaration


def reported(plan: Plan, store: Store, folder: Path) -> Result:
    return of_sweep(plan, folder, declaration=read(store)).result


def declared(result: Result) -> list[str]:
    return [one.name for one in result.contrasts if one.declared]


def guards(result: Result) -> dict[str, str]:
    return {one.guard: one.message for one in result.guards}


def test_until_a_run_is_given_out_it_follows_the_sweep(store: Store, asked: Callable[..., Plan]) -> None:
    assert read(store) is None
    declare(store, asked(SOME))
    second = declare(store, asked(MORE))
    assert read(store) == second and second.hypotheses == (Hypothesis(MORE),)
    sealed = seal(store, second)
    assert sealed.hash == second.hash and sealed.sealed
    assert declare(store, asked(SOME)) == sealed == read(store)


def test_what_was_declared_is_reported_so_with_its_hash(
    begun: Declaration, store: Store, asked: Callable[..., Plan], tmp_path: Path
) -> None:
    result = reported(asked(SOME), store, tmp_path / "out")
    assert declared(result) == ["effect: some vs none"]
    assert result.context.provenance["declared before the first run"] == f"1 hypothesis (sha256 {begun.hash})"
    assert not {"changed-question", "late-hypotheses", "no-declaration"} & guards(result).keys()


def test_a_hypothesis_that_comes_after_the_first_run_is_exploratory_in_every_output(
    begun: Declaration, store: Store, asked: Callable[..., Plan], tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    result = reported(asked(SOME, MORE), store, folder)
    assert declared(result) == ["effect: some vs none"]
    assert guards(result)["late-hypotheses"] == (
        "Asked once there were runs, and so exploratory: effect: more vs none."
    )
    (late,) = (
        one for one in result.contrasts if one.name == "effect: more vs none" and one.metric == "test/rsum"
    )
    assert not late.declared and late.sentence.count("exploratory") == 1
    for name in ("report.html", "report.md", "report.json"):
        assert "Asked once there were runs" in (folder / name).read_text(), name
    plain = json.loads((folder / "report.json").read_text())
    assert [c["name"] for c in plain["contrasts"] if c["declared"]] == ["effect: some vs none"]


def test_a_hypothesis_that_is_taken_out_later_is_still_reported(
    begun: Declaration, store: Store, asked: Callable[..., Plan], tmp_path: Path
) -> None:
    result = reported(asked(), store, tmp_path / "out")
    assert declared(result) == ["effect: some vs none"]
    assert "the sweep no longer has effect: some vs none" in guards(result)["changed-question"]


def test_one_whose_arms_are_gone_is_told_of(
    begun: Declaration, store: Store, make_experiment: Callable[..., Experiment], tmp_path: Path
) -> None:
    # The effect of `more` is 2 in the sweep that was run; here its arm is another one.
    plan = reconcile(
        make_experiment(("none", "much"), hypotheses=[{"effect": "much vs none"}]),
        reading(Catalogue(store), []),
    )
    question = question_of(plan, read(store))
    assert question.hypotheses == [] and question.late == [Hypothesis({"effect": "much vs none"})]
    assert "no longer has effect: some vs none" in question.changed["hypotheses"]


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"report": {"margin": 2.0}}, "margin: declared as 0, the sweep now says 2"),
        (
            {"report": {"primary": "test/i2t_r1"}},
            "primary: declared as test/rsum, the sweep now says test/i2t_r1",
        ),
    ],
)
def test_another_metric_or_margin_ends_the_declaration(
    begun: Declaration,
    store: Store,
    asked: Callable[..., Plan],
    tmp_path: Path,
    sections: dict[str, Any],
    told: str,
) -> None:
    result = reported(asked(SOME, **sections), store, tmp_path / "out")
    assert declared(result) == []
    assert told in guards(result)["changed-question"]


def test_more_seeds_than_declared_are_warned_of(
    begun: Declaration,
    store: Store,
    asked: Callable[..., Plan],
    complete: Callable[..., None],
    tmp_path: Path,
) -> None:
    plan = asked(SOME, seeds=5)
    complete(plan, store=store)
    result = reported(plan, store, tmp_path / "out")
    assert declared(result) == ["effect: some vs none"]
    message = guards(result)["changed-question"]
    assert "seeds: declared as count: 3, first: 0, the sweep now says count: 5, first: 0" in message
    assert "p-values are nominal for seeds that were fixed before the runs" in message


def test_runs_that_were_there_before_leave_nothing_declared(
    store: Store, asked: Callable[..., Plan], complete: Callable[..., None], tmp_path: Path
) -> None:
    plan = asked(SOME)
    complete(plan, store=store)
    declaration = declare(store, asked(SOME))
    assert (declaration.sealed, declaration.recorded, declaration.hypotheses) == (True, 9, ())
    result = reported(asked(SOME), store, tmp_path / "out")
    assert declared(result) == []
    assert guards(result)["no-declaration"] == (
        "No contrast counts as declared before the runs: it was made when 9 runs were recorded."
    )
    assert "late-hypotheses" not in guards(result)


def test_without_a_declaration_nothing_is_declared(
    store: Store, asked: Callable[..., Plan], complete: Callable[..., None], tmp_path: Path
) -> None:
    plan = asked(SOME)
    complete(plan, store=store)
    result = reported(plan, store, tmp_path / "out")
    assert declared(result) == []
    assert f"there is no {FILE} beside the records" in guards(result)["no-declaration"]
    assert result.context.provenance["declared before the first run"] == "nothing"


@pytest.mark.parametrize("tamper", ["hypothesis", "margin", "text", "form", "missing"])
def test_a_file_that_was_changed_by_hand_declares_nothing(
    begun: Declaration, store: Store, asked: Callable[..., Plan], tmp_path: Path, tamper: str
) -> None:
    path = store.folder / FILE
    plain = json.loads(path.read_text())
    if tamper == "hypothesis":
        plain["declared"]["hypotheses"].append(MORE)
    elif tamper == "margin":
        plain["declared"]["margin"] = 3.0
    elif tamper == "form":
        plain["declared"]["hypotheses"] = ["some vs none"]
    elif tamper == "missing":
        del plain["declared"]["seeds"]
    path.write_text("{" if tamper == "text" else json.dumps(plain))
    result = reported(asked(SOME, MORE), store, tmp_path / "out")
    assert declared(result) == []
    assert "is not what was written" in guards(result)["no-declaration"]
    found = read(store)
    assert found is not None and declare(store, asked(SOME)) == found


def test_runs_know_what_they_were_declared_under(
    begun: Declaration, store: Store, asked: Callable[..., Plan], outcome: Callable[[Work], Record]
) -> None:
    plan = asked(SOME)
    for arm in plan.arms:
        arm.finals = [
            None if one is None else replace(one, provenance={**one.provenance, "declaration": begun.hash})
            for one in arm.finals
        ]
    assert context_of(plan, begun).provenance["declared before the first run"].endswith(f"{begun.hash})")


def test_the_hash_is_of_what_is_said_alone(asked: Callable[..., Plan]) -> None:
    one, other = (said_by(asked(SOME, **kept).experiment.sweep) for kept in ({}, {"question": "Another?"}))
    assert Declaration(one).hash == Declaration(other).hash
    assert Declaration({**one, "alpha": 0.01}).hash != Declaration(one).hash

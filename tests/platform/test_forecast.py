"""What is left of a plan, in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crosscut.arms.experiment import Experiment
from crosscut.forecast import WORKER_GROUP, forecast, words
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Failure, Record
from crosscut.records.work import Work

Complete = Callable[..., None]
Outcome = Callable[[Work], Record]


@pytest.fixture
def guessed(make_experiment: Callable[..., Experiment]) -> Callable[..., Plan]:
    """A plan whose trainable guesses that a run of `none` takes so many seconds, and one of `some` so many."""

    def plan(none: float | None, some: float | None, trials: int = 0) -> Plan:
        made = make_experiment(trials=trials)
        arms = tuple(
            replace(arm, seconds=seconds) for arm, seconds in zip(made.arms, (none, some), strict=True)
        )
        return reconcile(Experiment(made.sweep, arms, arms[0]), lambda _: None)

    return plan


def test_without_records_it_is_the_guess_of_the_trainable(guessed: Callable[..., Plan]) -> None:
    left = forecast(guessed(10.0, 20.0))
    assert (left.seconds, left.measured) == (3 * 10.0 + 3 * 20.0, False)
    assert forecast(guessed(10.0, 20.0, trials=2)).seconds == 5 * 10.0 + 5 * 20.0


def test_without_records_or_a_guess_nothing_is_known(guessed: Callable[..., Plan]) -> None:
    assert forecast(guessed(10.0, None)).seconds is None
    assert forecast(guessed(10.0, None)).wall(2) is None


def test_records_of_an_arm_say_what_its_other_runs_take(
    guessed: Callable[..., Plan], complete: Complete, outcome: Outcome
) -> None:
    plan = guessed(None, None)
    seconds = {"none": 4.0, "some": 7.0}
    complete(plan, lambda work: replace(outcome(work), seconds=seconds[work.arm]), most=4)
    left = forecast(plan)
    assert (left.seconds, left.measured) == (2 * 7.0, True)
    assert left.wall(4) == 3.5


def test_an_arm_without_records_is_scaled_by_how_wrong_the_guess_was_elsewhere(
    guessed: Callable[..., Plan], complete: Complete, outcome: Outcome
) -> None:
    plan = guessed(10.0, 100.0)
    complete(plan, lambda work: replace(outcome(work), seconds=30.0), most=1)
    left = forecast(plan)
    assert (left.seconds, left.measured) == (2 * 30.0 + 3 * 300.0, False)


def test_seeds_without_records_take_as_long_as_trials_did(
    guessed: Callable[..., Plan], complete: Complete, outcome: Outcome
) -> None:
    plan = guessed(None, None, trials=2)
    complete(plan, lambda work: replace(outcome(work), seconds=4.0 if work.index else 2.0), most=2)
    # one trial of each arm: 2 s; a trial and three seeds of each are left
    assert forecast(plan).seconds == 2 * (2.0 + 3 * 2.0)


def test_failed_runs_say_nothing_and_blocked_arms_take_nothing(
    guessed: Callable[..., Plan], complete: Complete, outcome: Outcome
) -> None:
    def failing(work: Work) -> Record:
        if work.arm == "some":
            return Record(work, "failed", seconds=1000.0, failure=Failure("raised", "no"))
        return outcome(work)

    plan = guessed(None, None, trials=2)
    complete(plan, failing)
    assert plan.done
    left = forecast(plan)
    assert (left.seconds, left.measured) == (0.0, True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (7170, "2 h 0 min"),
        (7100, "118 min"),
        (12000, "3 h 20 min"),
    ],
)
def test_durations_are_said_in_words(seconds: float, said: str) -> None:
    assert words(seconds) == said


def test_the_start_of_a_worker_group_is_counted_once(make_experiment: Callable[..., Experiment]) -> None:
    made = make_experiment(trials=0, resources={"workers": 2})
    arms = tuple(replace(arm, seconds=10.0) for arm in made.arms)
    left = forecast(reconcile(Experiment(made.sweep, arms, arms[0]), lambda _: None))
    assert left.seconds == 6 * 10.0 + WORKER_GROUP

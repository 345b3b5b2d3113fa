"""What a whole question costs: hours of one core until all declared hypotheses of a sweep are settled.

    python benchmarks/time_to_verdict.py [--repeats 40] [--trials 20]

A sweep of four arms has three declared hypotheses whose truth is planted: one component helps (+20 points of
rsum), one hurts (-15), one does nothing, and less than 10 points are negligible. Seeds differ with a deviation
of 8 points, about what those of the quickstart's steadier arms do; the searched parameter costs up to 40 points
at an end of its range. Runs take ten epochs and learn along a curve that is as noisy as theirs are.

Everything but the training is real: the plan gives out trials and seeds, Optuna searches and trials are pruned,
the analysis gives the verdicts. What a run costs is measured first, in this process: runs of the quickstart's
SCAN t2i, alone and five seeds together. One core does one thing after the other, so its hours are the sum.

The number of fixed seeds is the smallest with which all three are settled in 9 of 10 repetitions: whoever plans
a sweep does not know it, and adding seeds afterwards until it suffices would spoil the error rate. Seeds until
decided need no such number. *Wrong* counts verdicts that contradict what was planted. Prints Markdown.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Any

import numpy as np
import torch
from machine import machine
from positive import positive
from unwatched import Unwatched

from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.context import context_of, question_of
from crosscut.plan import Plan, reconcile
from crosscut.records.record import Record, Step
from crosscut.records.work import Work
from crosscut.scores import scores_of
from crosscut.sweepfile.seeds import Seeds
from crosscut.sweepfile.sweep import Sweep
from crosscut_reports.analysis import analyse
from crosscut_trainables import loop, together
from crosscut_trainables.config import RetrievalConfig

EFFECTS = {"none": 0.0, "helps": 20.0, "hurts": -15.0, "nothing": 0.0}
TRUTH = {"helps": "better", "hurts": "worse", "nothing": "equivalent"}
MARGIN, SEED_SD, BASE, EPOCHS = 10.0, 8.0, 140.0, 10
DEV_SD, EPOCH_SD = 6.0, 3.0
"""Deviation of a trial's score from what its values are worth, and of an epoch's from its curve."""
COUNTS = (5, 8, 10, 12, 14, 16, 18, 20, 22, 25, 30, 35, 40)
SETTLED = 0.9
TOGETHER = 5


@dataclass(frozen=True)
class Cost:
    """Seconds of one core."""

    start: float
    """Of a run, beside its epochs: making the model, and the last evaluation."""
    epoch: float
    together: float
    """Share of the time that a seed takes of those that are trained together, `TOGETHER` of them."""

    def of(self, epochs: int, company: int = 1) -> float:
        """Of one run of so many epochs, one of `company` that share a process."""
        saved = (1 - self.together) * min(1.0, (company - 1) / (TOGETHER - 1))
        return (self.start + epochs * self.epoch) * (1 - saved)


def measured() -> Cost:
    """What runs of the quickstart's SCAN t2i cost on this machine."""

    def config(epochs: int) -> RetrievalConfig:
        training = {"epochs": epochs, "batch_size": 64, "shards": 2, "learning_rate": 0.006}
        return RetrievalConfig.model_validate(
            {"data": {"name": "digit-scenes", "train_scenes": 300}, "training": training}
        )

    def timed(do: Callable[[], object]) -> float:
        begun = time.perf_counter()
        do()
        return time.perf_counter() - begun

    seeds = range(TOGETHER)

    def alone(epochs: int) -> None:
        for seed in seeds:
            loop.run(config(epochs), Unwatched(seed=seed))

    ways = (
        lambda: alone(2),
        lambda: alone(EPOCHS),
        lambda: together.run_together(config(EPOCHS), [Unwatched(seed=seed) for seed in seeds]),
    )
    loop.run(config(1), Unwatched(seed=TOGETHER))
    # In turn, so that what slows the machine down for a while slows all of them.
    taken = [[timed(way) / TOGETHER for way in ways] for _ in range(3)]
    short, long, shared = (median(column) for column in zip(*taken, strict=True))
    epoch = (long - short) / (EPOCHS - 2)
    return Cost(long - EPOCHS * epoch, epoch, min(1.0, shared / long))


def experiment(trials: int, pruning: str, seeds: dict[str, Any], shared: bool) -> Experiment:
    """The sweep."""
    sweep = Sweep.from_json(
        {
            "name": "planted",
            "trainable": "planted:train",
            "config": {"rate": 0.003},
            "factors": {"component": {level: {"component": level} for level in EFFECTS}},
            "design": {"kind": "full-factorial", "baseline": {"component": "none"}},
            "search": {
                "metric": "dev/rsum",
                "trials": trials,
                "pruning": {"kind": pruning},
                "space": {"rate": {"log_uniform": [0.001, 0.1]}},
            },
            "seeds": seeds,
            "report": {"primary": "test/rsum", "margin": MARGIN},
            "hypotheses": [{"component": f"{level} vs none"} for level in TRUTH],
        }
    )
    space = {} if sweep.search is None else dict(sweep.search.space)
    arms = tuple(
        Arm(level, {"component": level}, {"component": level, "rate": 0.003}, space, "data", None)
        for level in EFFECTS
    )
    arms = tuple(replace(arm, resources=sweep.resources, together=8 if shared else 1) for arm in arms)
    return Experiment(sweep, arms, arms[0])


def trained(work: Work, repeat: int) -> Record:
    """What training comes to: the same for the same arm, values and seed."""
    random = np.random.default_rng([repeat, list(EFFECTS).index(work.arm), work.seed])
    worth = BASE + EFFECTS[work.arm] - 40.0 * (math.log10(work.config["rate"]) + 2.0) ** 2
    end = worth + random.normal(0.0, DEV_SD if work.phase == "search" else SEED_SD)
    history: list[Step] = []
    for epoch in range(1, EPOCHS + 1):
        score = end * (1 - math.exp(-epoch / 2.5)) + random.normal(0.0, EPOCH_SD)
        history.append(Step(epoch, {"dev/rsum": score}))
        reports = [(step.step, step.metrics["dev/rsum"]) for step in history]
        if work.stop_rule is not None and work.stop_rule.gives_up(reports):
            break
    best = max(step.metrics["dev/rsum"] for step in history)
    status: Any = "finished" if len(history) == EPOCHS else "pruned"
    metrics = {"dev/rsum": best} | ({} if work.phase == "search" else {"test/rsum": end})
    return Record(work, status, metrics=metrics, history=tuple(history))


def carried_out(asked: Experiment, repeat: int, cost: Cost) -> tuple[Plan, float]:
    """The plan when nothing is left to do, and the seconds that it took."""
    plan, seconds = reconcile(asked, lambda _: None), 0.0
    while (work := plan.next()) is not None:
        works = [work, *plan.company(work, 1)]
        for one in works:
            record = trained(one, repeat)
            seconds += cost.of(len(record.history), len(works))
            plan.ended(record)
    assert plan.done
    return plan, seconds


def verdicts(plan: Plan) -> dict[str, str]:
    """Component → the report's verdict on it."""
    sweep = plan.experiment.sweep
    question = replace(question_of(plan, None), hypotheses=sweep.hypotheses, late=())
    result = analyse(scores_of(plan), question, context_of(plan))
    found: dict[str, str] = {}
    for one in result.contrasts:
        for level in TRUTH:
            if one.declared and one.name.partition(" vs ")[0].endswith(level):
                found[level] = one.verdict
    assert set(found) == set(TRUTH), [one.name for one in result.contrasts]
    return found


def shortened(plan: Plan, count: int) -> Plan:
    """The plan as it had been with so many fixed seeds."""
    asked = replace(
        plan.experiment, sweep=plan.experiment.sweep.model_copy(update={"seeds": Seeds(count=count)})
    )
    arms = [replace(arm, finals=arm.finals[:count], sweep=asked.sweep) for arm in plan.arms]
    return Plan(asked, arms)


def settled(found: dict[str, str]) -> bool:
    return "undecided" not in found.values()


def wrong(found: dict[str, str]) -> int:
    """Verdicts that contradict what was planted."""
    return sum(
        verdict in ("better", "worse", "equivalent") and verdict != TRUTH[level]
        for level, verdict in found.items()
    )


def fixed_count(trials: int, pruning: str, repeats: int, cost: Cost) -> int:
    """The smallest number of fixed seeds that settles all in nine of ten repetitions."""
    every = [
        carried_out(experiment(trials, pruning, {"count": COUNTS[-1]}, False), repeat, cost)[0]
        for repeat in range(repeats)
    ]
    share = 0.0
    for count in COUNTS:
        share = fmean(settled(verdicts(shortened(plan, count))) for plan in every)
        if share >= SETTLED:
            return count
    raise SystemExit(f"time_to_verdict.py: {COUNTS[-1]} seeds settle {share:.0%}, expected {SETTLED:.0%}")


def rows(ways: dict[str, Experiment], repeats: int, cost: Cost) -> Iterator[str]:
    """A row a way."""
    first = None
    for name, asked in ways.items():
        hours, found, seeds = [], [], []
        for repeat in range(repeats):
            plan, seconds = carried_out(asked, repeat, cost)
            hours.append(seconds / 3600)
            found.append(verdicts(plan))
            seeds.append(fmean(len(arm.finals) for arm in plan.arms))
        first = first or fmean(hours)
        cells = [f"{fmean(seeds):.1f}", f"{fmean(hours):.3f}", f"{first / fmean(hours):.2f}"]
        cells += [f"{fmean(map(settled, found)):.0%}", f"{sum(map(wrong, found))} of {len(TRUTH) * repeats}"]
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Hours until all declared hypotheses are settled.")
    parser.add_argument("--repeats", type=int, default=40, help="simulated sweeps of each row (default: 40)")
    parser.add_argument("--trials", type=int, default=20, help="search trials of each arm (default: 20)")
    asked = parser.parse_args()
    positive(parser, asked, "repeats", "trials")
    torch.set_num_threads(1)
    print(machine("torch", "optuna"))
    cost = measured()
    full, pruned = (fixed_count(asked.trials, kind, asked.repeats, cost) for kind in ("none", "median"))
    print(
        f"A run takes {cost.of(EPOCHS):.2f} s ({cost.epoch:.2f} s an epoch), {cost.of(EPOCHS, TOGETHER):.2f} s of "
        f"{TOGETHER} that are trained together; {asked.trials} trials an arm, {asked.repeats} repetitions.\n"
    )
    until = {"min": 3, "max": COUNTS[-1], "until": "decided"}
    ways = {
        f"fixed seeds ({full}), full search": experiment(asked.trials, "none", {"count": full}, False),
        f"fixed seeds ({pruned}), pruning": experiment(asked.trials, "median", {"count": pruned}, False),
        "seeds until decided, pruning": experiment(asked.trials, "median", until, False),
        f"fixed seeds ({pruned}) together, pruning": experiment(
            asked.trials, "median", {"count": pruned}, True
        ),
        "seeds until decided, together, pruning": experiment(asked.trials, "median", until, True),
    }
    head = ["seeds an arm", "hours", "first row / this", "all settled", "wrong verdicts"]
    print(f"| sweep | {' | '.join(head)} |\n|---|{'---:|' * len(head)}")
    for row in rows(ways, asked.repeats, cost):
        print(row, flush=True)


if __name__ == "__main__":
    main()

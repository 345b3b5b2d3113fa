"""Results made by hand, for everything that is rendered from one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crosscut_reports.context import Context, Failure, Tuning
from crosscut_reports.result import (
    ArmResult,
    ContrastResult,
    Design,
    FactorResult,
    Family,
    Guard,
    Result,
    Verdict,
)

BACKBONES = ("scan-t2i", "sgraf")
CONSTRAINTS = ("none", "ccr", "ccr+ccs")
ARMS = tuple(f"{backbone}, {constraint}" for backbone in BACKBONES for constraint in CONSTRAINTS)
MEANS = (441.3, 446.92, 447.08, 489.27, 489.41, 486.1)
RECALLS = ("test/i2t_r1", "test/t2i_r1", "test/i2t_medr")


def _contrast(
    name: str,
    estimate: float,
    se: float,
    verdict: Verdict,
    p: float,
    *,
    declared: bool = True,
    metric: str = "rsum",
) -> ContrastResult:
    left, right = name.split(" vs ")
    return ContrastResult(
        name=name,
        metric=f"test/{metric}",
        scope="seeds-and-queries",
        declared=declared,
        estimate=estimate,
        se=se,
        df=7.4123,
        statistic=estimate / se,
        p=p,
        p_adjusted=min(1.0, 3 * p),
        ci=(estimate - 2.3378 * se, estimate + 2.3378 * se),
        verdict=verdict,
        wins=512,
        ties=101,
        losses=387,
        sd_seed=1.204,
        sd_query=31.52,
        sd_residual=58.9,
        seeds_to_decide=7 if verdict == "undecided" else None,
        seeds=5,
        clusters=1000,
        family=3 if declared else 2,
        smallest_effect=2.61,
        sentence=f"{left} against {right} on test/{metric}: {verdict}, at new seeds and new queries.",
        weights={ARMS[0]: -1.0, ARMS[1]: 1.0},
        family_name="declared hypotheses" if declared else "exploratory",
        simultaneous=(estimate - 3.1 * se, estimate + 3.1 * se),
    )


def _arm(index: int, metric: str, mean: float) -> ArmResult:
    values = tuple(mean + offset for offset in (-1.2, -0.3, 0.1, 0.5, 0.9))
    return ArmResult(
        arm=ARMS[index],
        metric=metric,
        mean=mean,
        ci=(mean - 2.1, mean + 2.1),
        seeds=5,
        trials=6,
        sd_seed=0.803,
        values=values,
        levels={"backbone": BACKBONES[index // 3], "constraints": CONSTRAINTS[index % 3]},
    )


@pytest.fixture
def rich() -> Result:
    """Six arms, two factors, every verdict, and something in every section."""
    others = [
        _arm(index, metric, 60.5 + index - 57 * (metric == RECALLS[2]))
        for metric in RECALLS
        for index in range(len(ARMS))
    ]
    return Result(
        design=Design(
            configs=6,
            seeds=5,
            queries=6000,
            clusters=1000,
            factors={"backbone": BACKBONES, "constraints": CONSTRAINTS},
            balanced=True,
            scope="seeds-and-queries",
            primary="test/rsum",
            alpha=0.05,
            margin=1.0,
            baseline=ARMS[0],
            adjustment="Holm",
            family=4,
            families=(
                Family("declared hypotheses", 4, "Holm", True, ("test/rsum",)),
                Family("exploratory", 2, "Holm", False, ("test/rsum",)),
                Family("exploratory, test/i2t_r1", 1, "Holm", False, ("test/i2t_r1",)),
            ),
        ),
        contrasts=(
            _contrast("ccr vs none", 2.8801, 0.7123, "better", 0.00004),
            _contrast("ccr+ccs vs ccr", -0.1502, 0.3055, "equivalent", 0.6379),
            _contrast("ccr+ccs vs none, within sgraf", -3.1698, 0.7702, "worse", 0.0041),
            _contrast("sgraf: ccr vs none", 0.1431, 1.4877, "undecided", 0.9261),
            _contrast("scan-t2i, ccr vs scan-t2i, none", 5.6201, 0.9814, "better", 0.0006, declared=False),
            _contrast("scan-t2i, ccr+ccs vs scan-t2i, none", 5.7777, 1.9, "undecided", 0.019, declared=False),
            _contrast("ccr vs none", 0.6, 0.3, "undecided", 0.08, declared=False, metric="i2t_r1"),
        ),
        factors=(
            FactorResult(
                factor="backbone", metric="test/rsum", scope="seeds-and-queries", F=811.2, df1=1, df2=9.31,
                p=0.0000002, p_adjusted=0.0000004, levels=BACKBONES,
            ),
            FactorResult(
                factor="constraints", metric="test/rsum", scope="seeds-and-queries", F=2.913, df1=2, df2=11.7,
                p=0.0938, p_adjusted=0.0938, levels=CONSTRAINTS,
            ),
        ),
        arms=(*(_arm(index, "test/rsum", mean) for index, mean in enumerate(MEANS)), *others),
        guards=(
            Guard("small-clusters", "note", "Every cluster holds six queries."),
            Guard("failed-runs", "error", "One of 31 runs failed; its arm has four seeds of five."),
            Guard("unequal-tuning", "warning", "sgraf, ccr had 5 search trials where the others had 6."),
        ),
        context=Context(
            name="contrastive-attention",
            question="Do contrastive constraints on attention help a stacked cross-attention model?",
            tuning=tuple(
                Tuning(
                    arm=arm, trials=6, pruned=2, failed=int(index == 4), metric="dev/rsum",
                    best=430.0 + index,
                    values={"constraints.ccr.weight": 0.31623 + index, "local": True} if index % 3 else {},
                    scores=(421.0 + index, 417.5 + index, 428.25 + index, 430.0 + index, 399.0),
                )
                for index, arm in enumerate(ARMS)
            ),
            failures=(
                Failure(ARMS[4], "search", 3, "diverged", "the loss was NaN at step 212"),
                Failure(ARMS[4], "final", 104, "raised", "RuntimeError: out of memory"),
            ),
            attention={
                ARMS[0]: {"test/attention_f1": (0.412, 0.011)},
                ARMS[1]: {"test/attention_f1": (0.478, 0.009), "test/attention_precision": (0.511, 0.02)},
            },
            provenance={"crosscut": "0.1.0", "sweep": "9f2c41d0", "data": "digit-scenes, fingerprint 77ab"},
            planned=31,
            recorded=30,
        ),
    )  # fmt: skip


@pytest.fixture
def seeds_only(rich: Result) -> Result:
    """The report of a table that came from elsewhere: no queries, no tuning, no failures."""
    return replace(
        rich,
        design=replace(rich.design, queries=None, clusters=None, scope="seeds", baseline=None),
        contrasts=tuple(
            replace(contrast, scope="seeds", sd_query=None, sd_residual=None, clusters=None)
            for contrast in rich.contrasts[:2]
        ),
        factors=(),
        arms=tuple(replace(arm, trials=None) for arm in rich.arms[:6]),
        guards=(),
        context=Context(name="flickr30k"),
    )


@pytest.fixture
def hostile(rich: Result) -> Result:
    """Names that try to break out of where they are put."""
    nasty = '<script>alert("x")</script> & $x_1$ | "q"'

    def named(arm: str) -> str:
        return nasty if arm == ARMS[1] else arm

    context = rich.context
    return replace(
        rich,
        design=replace(rich.design, baseline=nasty, factors={nasty: (nasty, "none")}),
        contrasts=tuple(
            replace(contrast, name=f"{nasty} vs none", sentence=f"{nasty} wins.")
            for contrast in rich.contrasts
        ),
        factors=tuple(replace(factor, factor=nasty, levels=(nasty, "none")) for factor in rich.factors),
        arms=tuple(replace(arm, arm=named(arm.arm), levels={nasty: nasty}) for arm in rich.arms),
        guards=tuple(replace(guard, message=nasty) for guard in rich.guards),
        context=replace(
            context,
            name=nasty,
            question=nasty,
            tuning=tuple(replace(t, arm=named(t.arm), values={nasty: nasty}) for t in context.tuning),
            failures=tuple(replace(failure, arm=nasty, reason=nasty) for failure in context.failures),
            attention={nasty: {nasty: (0.5, 0.1)}},
            provenance={nasty: nasty},
        ),
    )

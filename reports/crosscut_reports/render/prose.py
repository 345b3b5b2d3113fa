"""What a report says in words beside its verdicts: the design, what is random, and how contrasts are grouped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crosscut_reports.render import numbers
from crosscut_reports.result import (
    SCOPE_TEXT,
    ArmResult,
    ContrastResult,
    FactorResult,
    Family,
    Result,
    Scope,
)

_RANDOM: dict[Scope, str] = {
    "seeds-and-queries": (
        "training seeds and queries are both random, so a claim is about models trained anew and asked new "
        "queries."
    ),
    "seeds": "training seeds are random, so a claim is about models trained anew and asked these same queries.",
    "queries": "queries are random, so a claim is about these very trained models, asked new queries.",
}
_FIXED: dict[Scope, str] = {
    "seeds-and-queries": (
        "Fixed are {arms}, the training data and the gallery; inference is conditional on the gallery."
    ),
    "seeds": (
        "Fixed are {arms}, the training data, the queries and the gallery; nothing is claimed for other"
        " queries, and inference is conditional on the gallery."
    ),
    "queries": (
        "Fixed are {arms}, the trained models and the gallery; nothing is claimed for other training "
        "seeds, and inference is conditional on the gallery."
    ),
}


def title(result: Result) -> str:
    """The report's title."""
    return result.context.name


def design(result: Result) -> list[tuple[str, str]]:
    """Label and text of every line about the design."""
    facts, context = result.design, result.context
    lines = [("Arms", numbers.count(facts.configs)), ("Seeds", numbers.count(facts.seeds))]
    if facts.queries is None:
        lines.append(("Queries", "not known: one score a run"))
    else:
        lines.append(("Queries", numbers.count(facts.queries)))
        lines.append(("Clusters", f"{numbers.count(facts.clusters)}, the independent units"))
    for factor, levels in facts.factors.items():
        lines.append((f"Factor {factor}", ", ".join(levels)))
    balanced = (
        "yes, every arm has every seed" if facts.balanced else "no, some arms lack seeds that others have"
    )
    lines.append(("Balanced", balanced))
    if facts.baseline is not None:
        lines.append(("Baseline", facts.baseline))
    if context.planned is not None and context.recorded is not None:
        lines.append(
            ("Runs", f"{numbers.count(context.recorded)} of {numbers.count(context.planned)} planned")
        )
    return lines


def inference(result: Result) -> list[tuple[str, str]]:
    """Label and text of every line about what is tested and how strictly."""
    facts = result.design
    declared = [_family(result, one) for one in facts.declared_families]
    margin = f"±{facts.margin:g} points" if facts.margin > 0 else "none set, so nothing is called equivalent"
    return [
        ("Primary metric", facts.primary),
        ("Family", "; ".join(declared) or "nothing declared, every contrast is exploratory"),
        ("Adjustment", facts.adjustment),
        ("α", f"{facts.alpha:g}"),
        ("Margin", margin),
    ]


def _family(result: Result, family: Family) -> str:
    """`3 declared contrasts on test/rsum`, with the family's name where there are several."""
    text = f"{numbers.plural(family.size, 'declared contrast')} on {numbers.words(family.metrics)}"
    several = len(result.design.declared_families) > 1
    return f"{text} ({family.name}, {family.adjustment})" if several else text


def random_and_fixed(result: Result) -> tuple[str, str]:
    """A sentence on what is taken as random, and what stays as it is."""
    facts = result.design
    arms, more = "the arms", ""
    if any(tuning.trials for tuning in result.context.tuning):
        arms = "the arms with the values that their searches found"
        more = " Another search might find other values: no interval covers that."
    return f"For {facts.primary}: {_RANDOM[facts.scope]}", _FIXED[facts.scope].format(arms=arms) + more


def verdicts(result: Result, declared: bool) -> list[ContrastResult]:
    """Contrasts that are told in words: all declared ones, or the exploratory ones on the primary metric."""
    return [
        c
        for c in result.contrasts
        if c.declared is declared and (declared or c.metric == result.design.primary)
    ]


@dataclass(frozen=True)
class Group:
    """Contrasts that stand in one table: of one metric and family."""

    heading: str
    contrasts: tuple[ContrastResult, ...]
    folded: bool
    """Exploratory ones on other metrics than the primary one, which few readers want to see at once."""


def groups(result: Result) -> list[Group]:
    """All contrasts, table by table."""
    found: dict[tuple[str, bool, str], list[ContrastResult]] = {}
    for one in result.contrasts:
        found.setdefault((one.metric, one.declared, one.family_name if one.declared else ""), []).append(one)
    several = len(result.design.declared_families) > 1
    return [
        Group(
            headed(f"{metric}, {_kind(declared, family if several else '')}", members),
            tuple(members),
            not declared and metric != result.design.primary,
        )
        for (metric, declared, family), members in found.items()
    ]


def _kind(declared: bool, family: str) -> str:
    if not declared:
        return "exploratory"
    return f"declared ({family})" if family else "declared"


def scope(rows: Iterable[ContrastResult | ArmResult | FactorResult]) -> str | None:
    """The scope of all rows in words; None where they have several, which a column must tell apart then."""
    found = {scope_text(row) for row in rows}
    return found.pop() if len(found) == 1 else None


def scope_text(row: ContrastResult | ArmResult | FactorResult) -> str:
    """The scope of a row in words."""
    return numbers.NONE if row.scope is None else SCOPE_TEXT[row.scope]


def headed(text: str, rows: Sequence[ContrastResult | ArmResult | FactorResult]) -> str:
    """A table's heading with the scope of its rows, where that is known and one."""
    found = scope(rows)
    return text if found in (None, numbers.NONE) else f"{text}: {found}"


def tested_over(factor: FactorResult) -> str:
    """Over how many combinations of the other factors' levels a factor was tested."""
    if not factor.cells:
        return numbers.NONE
    combinations = numbers.plural(factor.combinations, "combination")
    return f"over {numbers.count(factor.cells)} of {combinations}"


def metrics(result: Result) -> list[str]:
    """Metrics that arms are known on, the primary one first."""
    return list(dict.fromkeys([result.design.primary, *(arm.metric for arm in result.arms)]))


def columns(contrasts: Sequence[ContrastResult]) -> list[str]:
    """The columns of a table of contrasts that hold anything, of those that not every scope gives."""
    optional = {
        "wins": any(contrast.wins is not None for contrast in contrasts),
        "sd_seed": any(contrast.sd_seed is not None for contrast in contrasts),
        "sd_query": any(contrast.sd_query is not None for contrast in contrasts),
        "sd_residual": any(contrast.sd_residual is not None for contrast in contrasts),
        "smallest_effect": any(contrast.smallest_effect is not None for contrast in contrasts),
        "seeds_to_decide": any(contrast.seeds_to_decide is not None for contrast in contrasts),
    }
    return [name for name, there in optional.items() if there]


def together(contrasts: Sequence[ContrastResult]) -> str | None:
    """What the second intervals of a table are; None where there are none, or they would repeat the first ones."""
    if not any(one.simultaneous is not None and one.family > 1 for one in contrasts):
        return None
    return (
        "The second, wider interval of a contrast holds together with those of its whole family: the chance that "
        "any of them misses is α."
    )


def components(result: Result) -> list[ContrastResult]:
    """The declared contrasts whose variance components are known."""
    return [c for c in verdicts(result, True) if (c.sd_seed, c.sd_query, c.sd_residual) != (None, None, None)]

"""What a report says in words beside its verdicts: the design, what is random, the methods, the sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crosscut_reports.render import numbers, shift_methods
from crosscut_reports.result import (
    SCOPE_TEXT,
    ArmResult,
    ContrastResult,
    FactorResult,
    Result,
    Scope,
)

REFERENCES = {
    "obuchowski": (
        "Obuchowski, N. A., and Rockette, H. E. (1995). Hypothesis testing of diagnostic accuracy for "
        "multiple readers and multiple tests: an ANOVA approach with dependent observations. "
        "Communications in Statistics: Simulation and Computation 24(2), 285–308."
    ),
    "hillis2007": (
        "Hillis, S. L. (2007). A comparison of denominator degrees of freedom methods for multiple "
        "observer ROC analysis. Statistics in Medicine 26(3), 596–619."
    ),
    "hillis2014": (
        "Hillis, S. L. (2014). A marginal-mean ANOVA approach for analyzing multireader multicase "
        "radiological imaging data. Statistics in Medicine 33(2), 330–360."
    ),
    "holm": (
        "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal "
        "of Statistics 6(2), 65–70."
    ),
    "welch": (
        "Welch, B. L. (1947). The generalization of 'Student's' problem when several different population "
        "variances are involved. Biometrika 34(1–2), 28–35."
    ),
    "schuirmann": (
        "Schuirmann, D. J. (1987). A comparison of the two one-sided tests procedure and the power "
        "approach for assessing the equivalence of average bioavailability. Journal of Pharmacokinetics "
        "and Biopharmaceutics 15(6), 657–680."
    ),
}

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
        "Fixed are the arms, the training data and the gallery; inference is conditional on the gallery."
    ),
    "seeds": (
        "Fixed are the arms, the training data, the queries and the gallery; nothing is claimed for other"
        " queries, and inference is conditional on the gallery."
    ),
    "queries": (
        "Fixed are the arms, the trained models and the gallery; nothing is claimed for other training "
        "seeds, and inference is conditional on the gallery."
    ),
}
_ESTIMATE: dict[Scope, str] = {
    "seeds-and-queries": (
        "At new seeds and new queries the standard error comes from the closed form for readers and "
        "cases, here seeds and clusters of queries (Obuchowski and Rockette 1995): SE² = var(r)/S + "
        "max(C, 0), where r are the S per-seed differences and C is the mean covariance of two seeds over"
        " clusters divided by their number; t tests and intervals have the degrees of freedom of Hillis "
        "(2007). With seeds that arms do not share, each side has its own variance over seeds."
    ),
    "seeds": (
        "At new seeds and these queries, t tests and intervals are of the per-seed differences, paired "
        "where arms share their seeds."
    ),
    "queries": (
        "For these trained models at new queries, p-values come from sign flips of the clusters' mean "
        "differences, or from McNemar's exact test where scores are binary and every cluster is one "
        "query. Intervals are of normal theory over clusters, so that the two may part where few clusters "
        "differ."
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
    family = f"{numbers.plural(facts.family, 'declared contrast')} on {facts.primary}"
    margin = f"±{facts.margin:g} points" if facts.margin > 0 else "none set, so nothing is called equivalent"
    return [
        ("Primary metric", facts.primary),
        ("Family", family if facts.family else "nothing declared, every contrast is exploratory"),
        ("Adjustment", facts.adjustment),
        ("α", f"{facts.alpha:g}"),
        ("Margin", margin),
    ]


def random_and_fixed(result: Result) -> tuple[str, str]:
    """A sentence on what is taken as random, and one on what stays as it is."""
    facts = result.design
    return f"For {facts.primary}: {_RANDOM[facts.scope]}", _FIXED[facts.scope]


def primary(result: Result, declared: bool) -> list[ContrastResult]:
    """Contrasts on the primary metric, declared or exploratory."""
    return [c for c in result.contrasts if c.metric == result.design.primary and c.declared is declared]


def secondary(result: Result) -> dict[str, list[ContrastResult]]:
    """Contrasts on every other metric."""
    found: dict[str, list[ContrastResult]] = {}
    for contrast in result.contrasts:
        if contrast.metric != result.design.primary:
            found.setdefault(contrast.metric, []).append(contrast)
    return found


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


def methods(result: Result) -> list[str]:
    """Paragraphs on what was computed, for the scopes and tests that this report has."""
    facts = result.design
    shifted = () if result.shift is None else result.shift.contrasts
    scopes = list(dict.fromkeys([facts.scope, *(c.scope for c in (*result.contrasts, *shifted))]))
    unit = (
        "The independent unit is the cluster, the queries that belong together, such as the captions of one "
        "image. "
        if facts.queries is not None
        else ""
    )
    level = f"{100 * (1 - facts.alpha):g}%"
    adjustment = f"{facts.adjustment}{' (1979)' if facts.adjustment == 'Holm' else ''}"
    families = (
        f"Declared contrasts on {facts.primary} are one family, adjusted by {adjustment}. Exploratory "
        "contrasts on it are a second family."
        if facts.family
        else f"Contrasts on {facts.primary} are exploratory and one family, adjusted by {adjustment}."
    )
    paragraphs = [
        "A contrast is a weighted sum of arms; a positive estimate favours the left side of its name, for "
        f"metrics where lower is better too. {unit}" + " ".join(_ESTIMATE[scope] for scope in scopes),
        f"{families} The contrasts on every other metric are one family each, always exploratory. "
        f"Intervals are two-sided, of level {level}, and not adjusted for the family.",
        f"A contrast is better or worse where its adjusted p-value is below {facts.alpha:g}. It is "
        f"equivalent where its {100 * (1 - 2 * facts.alpha):g}% interval lies inside the margin, by two "
        "one-sided tests (Schuirmann 1987) that are judged on the primary metric and not adjusted. "
        "Otherwise it is undecided, and absence of evidence is not evidence of absence.",
    ]
    if result.factors:
        test = (
            "A factor's F test is over the cells where all its levels occur, with the denominator and "
            "degrees of freedom of Hillis (2007, 2014)."
            if "seeds-and-queries" in {factor.scope for factor in result.factors}
            else "A factor's F test is over the cells where all its levels occur, with seeds as blocks."
        )
        paragraphs.append(f"{test} Factor tests are exploratory and adjusted by Holm among themselves.")
    if result.shift is not None:
        paragraphs.append(shift_methods.paragraph(result.shift, facts))
    return paragraphs


def references(result: Result) -> list[str]:
    """The sources that the methods rest on."""
    shifted = () if result.shift is None else result.shift.contrasts
    scopes = {
        result.design.scope,
        *(contrast.scope for contrast in (*result.contrasts, *shifted)),
        *(factor.scope for factor in result.factors),
    }
    chosen = ["obuchowski", "hillis2007", "hillis2014"] if "seeds-and-queries" in scopes else []
    chosen += ["holm"] if result.design.adjustment == "Holm" else []
    chosen += ["welch"] if result.shift is not None and shift_methods.welch(result.shift) else []
    return [REFERENCES[key] for key in sorted([*chosen, "schuirmann"])]


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


def components(result: Result) -> list[ContrastResult]:
    """The declared contrasts on the primary metric whose variance components are known."""
    return [c for c in primary(result, True) if (c.sd_seed, c.sd_query, c.sd_residual) != (None, None, None)]

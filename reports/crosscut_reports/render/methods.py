"""The methods of a report in words, ready to paste, with the sources that they rest on."""

from __future__ import annotations

from crosscut_reports.render import numbers, shift_methods
from crosscut_reports.result import MAX_T, Result, Scope

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
    "brennan": (
        "Brennan, R. L., Harris, D. J., and Hanson, B. A. (1987). The Bootstrap and Other Procedures for "
        "Examining the Variability of Estimated Variance Components in Testing Contexts. ACT Research Report 87-7."
    ),
    "owen": ("Owen, A. B. (2007). The pigeonhole bootstrap. Annals of Applied Statistics 1(2), 386–411."),
    "holm": (
        "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal "
        "of Statistics 6(2), 65–70."
    ),
    "welch": (
        "Welch, B. L. (1947). The generalization of 'Student's' problem when several different population "
        "variances are involved. Biometrika 34(1–2), 28–35."
    ),
    "westfall": (
        "Westfall, P. H., and Young, S. S. (1993). Resampling-Based Multiple Testing: Examples and Methods for "
        "p-Value Adjustment. Wiley."
    ),
    "benjamini1995": (
        "Benjamini, Y., and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful "
        "approach to multiple testing. Journal of the Royal Statistical Society B 57(1), 289–300."
    ),
    "benjamini2001": (
        "Benjamini, Y., and Yekutieli, D. (2001). The control of the false discovery rate in multiple testing "
        "under dependency. Annals of Statistics 29(4), 1165–1188."
    ),
    "schuirmann": (
        "Schuirmann, D. J. (1987). A comparison of the two one-sided tests procedure and the power "
        "approach for assessing the equivalence of average bioavailability. Journal of Pharmacokinetics "
        "and Biopharmaceutics 15(6), 657–680."
    ),
}

_SOURCES = {
    "holm": "Holm",
    "westfall": MAX_T,
    "benjamini1995": "Benjamini–Hochberg",
    "benjamini2001": "Benjamini–Yekutieli",
}
"""Reference → the adjustment that it is the source of."""

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


ADJUSTED = {
    "Holm": "Holm (1979)",
    MAX_T: "step-down maxT over joint sign flips (Westfall and Young 1993)",
    "Benjamini–Hochberg": "Benjamini and Hochberg (1995), which bounds the share of false findings among findings",
    "Benjamini–Yekutieli": (
        "Benjamini and Yekutieli (2001), which bounds the share of false findings among findings under any "
        "dependence"
    ),
}
"""Adjustment → how a sentence names it, with its source."""


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
    paragraphs = [
        "A contrast is a weighted sum of arms; a positive estimate favours the left side of its name, for "
        f"metrics where lower is better too. {unit}" + " ".join(_ESTIMATE[scope] for scope in scopes),
        f"{_families(result)} Intervals are two-sided, of level {level}, and not adjusted for the family.",
        f"A contrast is better or worse where its adjusted p-value is below {facts.alpha:g}. It is "
        f"equivalent where its {100 * (1 - 2 * facts.alpha):g}% interval lies inside the margin, by two "
        "one-sided tests (Schuirmann 1987) that are judged on the primary metric and not adjusted. "
        "Otherwise it is undecided, and absence of evidence is not evidence of absence.",
    ]
    if result.design.resampled:
        paragraphs.append(_resampled(result))
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


def _resampled(result: Result) -> str:
    """How metrics that are no means were treated."""
    facts = result.design
    scopes = {one.scope for one in result.contrasts if one.metric in facts.resampled}
    names = numbers.words(facts.resampled)
    verb = "is no mean" if len(facts.resampled) == 1 else "are no means"
    if scopes == {"seeds"}:
        return f"{names} {verb} over queries; the values of runs are compared."
    return (
        f"{names} {verb} over queries, so seeds and clusters of queries were resampled, independently of each "
        "other and with the same counts for all arms and contrasts (Brennan, Harris and Hanson 1987; Owen 2007), "
        "2000 times. An interval is the wider, on either side, of the percentiles of the draws and of Student's t "
        "on the standard error that the draws of clusters and the spread over seeds give; p-values agree with "
        "the intervals. This is mildly conservative. F tests of factors on such a metric are of the runs' values."
    )


def _families(result: Result) -> str:
    """Which contrasts are adjusted together, and how."""
    facts = result.design
    families = [one for one in facts.families if one.size]
    declared = [one for one in families if one.declared]
    texts = []
    for one in declared:
        name = f" ({one.name})" if len(declared) > 1 else ""
        texts.append(f"Declared contrasts on {numbers.words(one.metrics)}{name} are one family")
    own = [one for one in families if not one.declared and facts.primary in one.metrics]
    if own:
        texts.append(
            f"{'E' if declared else 'Contrasts are e'}xploratory "
            f"{'contrasts on' if declared else 'on'} {facts.primary} are a family of their own"
        )
    if any(not one.declared and facts.primary not in one.metrics for one in families):
        texts.append("those on every other metric are one family each, always exploratory")
    ways: dict[str, list[str]] = {}
    for one in families:
        ways.setdefault(ADJUSTED.get(one.adjustment, one.adjustment), []).append(one.name)
    if len(ways) == 1:
        return f"{'; '.join(texts)}. p-values are adjusted within each by {next(iter(ways))}."
    told = [f"{numbers.words(names)} by {way}" for way, names in ways.items()]
    return f"{'; '.join(texts)}. p-values are adjusted within each: {'; '.join(told)}."


def references(result: Result) -> list[str]:
    """The sources that the methods rest on."""
    shifted = () if result.shift is None else result.shift.contrasts
    scopes = {
        result.design.scope,
        *(contrast.scope for contrast in (*result.contrasts, *shifted)),
        *(factor.scope for factor in result.factors),
    }
    chosen = ["obuchowski", "hillis2007", "hillis2014"] if "seeds-and-queries" in scopes else []
    used = {one.adjustment for one in result.design.families} | {result.design.adjustment}
    chosen += ["brennan", "owen"] if result.design.resampled else []
    chosen += [key for key, name in _SOURCES.items() if name in used]
    chosen += ["welch"] if result.shift is not None and shift_methods.welch(result.shift) else []
    return [REFERENCES[key] for key in sorted([*chosen, "schuirmann"])]

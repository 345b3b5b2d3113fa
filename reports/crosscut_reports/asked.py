"""What is asked of which metric: every weighted sum of arms once, under the name that tells most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from crosscut_reports.contrast import Contrast

_Question = frozenset[frozenset[tuple[str, float]]]
"""Weights of arms, in either direction."""


def distinct(contrasts: Iterable[Contrast], primary: str) -> list[Contrast]:
    """The contrasts without those that ask another one's question again, in either direction.

    Whatever their order, a declared contrast wins over exploratory ones with the same weights, and two levels
    of a factor win over the two arms that have them, since their name tells the question. Declared contrasts
    with the same weights on other metrics ask something else; each keeps the metrics that none before it is
    declared on, `primary` where it names none. Declared ones come first, then those of levels, then those of arms.
    """
    kept = [contrast for contrast, _ in _declared(contrasts, primary) if contrast.metrics]
    seen = {_question(contrast) for contrast in kept}
    rest = [contrast for contrast in contrasts if not contrast.declared]
    for contrast in sorted(rest, key=lambda c: c.kind in ("arm", "pair")):
        if _question(contrast) not in seen:
            seen.add(_question(contrast))
            kept.append(contrast)
    return kept


def repeated(contrasts: Iterable[Contrast], primary: str) -> list[tuple[str, str]]:
    """Names of declared contrasts that `distinct` leaves out, or leaves metrics out of, each with the declared one
    that asks the same."""
    return [
        (contrast.name, before) for contrast, before in _declared(contrasts, primary) if before is not None
    ]


def on(contrasts: Sequence[Contrast], metric: str) -> list[Contrast]:
    """What `distinct` contrasts ask of a metric, in their order.

    Those that are declared on it, and of the others all that ask something else; declared on other metrics, they
    are exploratory on this one.
    """
    seen = {_question(contrast) for contrast in contrasts if metric in contrast.metrics}
    found = []
    for contrast in contrasts:
        if metric not in contrast.metrics:
            if _question(contrast) in seen:
                continue
            seen.add(_question(contrast))
        found.append(contrast)
    return found


def _declared(contrasts: Iterable[Contrast], primary: str) -> Iterator[tuple[Contrast, str | None]]:
    """Declared contrasts with the metrics that they are first to be declared on, and the name of one that is
    declared on another of theirs already."""
    names: dict[tuple[_Question, str], str] = {}
    for contrast in contrasts:
        if contrast.declared:
            question = _question(contrast)
            metrics = contrast.metrics or (primary,)
            taken = [names[question, metric] for metric in metrics if (question, metric) in names]
            own = tuple(metric for metric in metrics if (question, metric) not in names)
            names |= {(question, metric): contrast.name for metric in own}
            yield replace(contrast, metrics=own), next(iter(taken), None)


def _question(contrast: Contrast) -> _Question:
    forward = frozenset((arm, round(weight, 9)) for arm, weight in contrast.weights.items())
    return frozenset((forward, frozenset((arm, -weight) for arm, weight in forward)))

"""`report.html`: the whole report as one page that needs nothing else, on a screen, a phone or paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from crosscut_reports import attention
from crosscut_reports.render import examples_prose, lengths_prose, methods, numbers, prose, shift_prose
from crosscut_reports.render.contents import linked
from crosscut_reports.render.figures import MARKS, examples
from crosscut_reports.render.sections import sections
from crosscut_reports.result import ArmResult, Guard, Result

TEMPLATE = "report.html.j2"


def render(result: Result, figures: Mapping[str, str]) -> str:
    """The page's text. `figures` are the SVG texts that `figures.draw` gives for the same result."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("crosscut_reports.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": numbers.points,
        "score": numbers.score,
        "signed": numbers.signed,
        "interval": numbers.interval,
        "p": partial(numbers.p_value, alpha=result.design.alpha),
        "degrees": numbers.degrees,
        "count": numbers.count,
        "settings": numbers.settings,
        "spread": numbers.spread,
        "threshold": numbers.threshold,
        "unbroken": _unbroken,
    }
    page = environment.get_template(TEMPLATE).render(
        result=result,
        design=result.design,
        context=result.context,
        prose=prose,
        methods=methods,
        shift_prose=shift_prose,
        lengths_prose=lengths_prose,
        examples_prose=examples_prose,
        marks=MARKS,
        places=partial(numbers.decimals, result),
        level=f"{100 * (1 - result.design.alpha):g}%",
        warnings=_guards(result, "error", "warning"),
        notes=_guards(result, "note"),
        arms=_arms(result),
        sections=sections(result),
        searched=any(arm.trials is not None for arm in result.arms),
        attention=attention.rows(result.context.attention),
        other_attention=attention.others(result.context.attention),
        # Ours, and escaped by the library that writes it; everything else on the page is escaped by Jinja.
        figures={name: Markup(text) for name, text in figures.items()},  # noqa: S704
        shown=[[Markup(text) for text in side] for side in examples.apart(result)],  # noqa: S704
    )
    return linked(page.rstrip() + "\n")


def _unbroken(sentence: str) -> str:
    """The sentence with its p-values held together at the end of a line."""
    return re.sub(r"\bp ([<=]) (?=\d)", "p\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", sentence)


def _guards(result: Result, *severities: str) -> list[Guard]:
    return [guard for severity in severities for guard in result.guards if guard.severity == severity]


def _arms(result: Result) -> dict[str, dict[str, ArmResult]]:
    """arm → metric → its figures."""
    found: dict[str, dict[str, ArmResult]] = {}
    for arm in result.arms:
        found.setdefault(arm.arm, {})[arm.metric] = arm
    return found

"""The publication of a report: from a sweep's records, or from anybody's table, to its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from crosscut.context import context_of, question_of
from crosscut.errors import InputError
from crosscut.plan import Plan, recorded
from crosscut.records.declaration import Declaration
from crosscut.scores import scores_of
from crosscut.shelf import ReadDetails
from crosscut_reports.analysis import analyse
from crosscut_reports.context import Context
from crosscut_reports.contrast import ContrastError
from crosscut_reports.hypothesis import Hypothesis
from crosscut_reports.question import Question, QuestionError
from crosscut_reports.render import write
from crosscut_reports.result import Result
from crosscut_reports.scores import Scores
from crosscut_reports.table import TableError, read

SHOWN = 10
"""Verdicts that are told on the terminal where none was declared."""


@dataclass(frozen=True)
class Wishes:
    """What the command line narrows a report to; None leaves a thing as it is."""

    baseline: str | None = None
    metric: str | None = None
    factors: tuple[str, ...] | None = None
    alpha: float | None = None
    margin: float | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    """Asked beside those of the sweep, and exploratory."""

    def apply(self, question: Question) -> Question:
        """The question with the wishes put in. Raises QuestionError where one makes no sense."""
        wished: dict[str, Any] = {
            "baseline": self.baseline,
            "primary": self.metric,
            "factors": self.factors,
            "alpha": self.alpha,
            "margin": self.margin,
        }
        known = {name: value for name, value in wished.items() if value is not None}
        return replace(question, **known, late=(*question.late, *self.hypotheses))

    def changes(self, question: Question) -> dict[str, str]:
        """What is asked otherwise than a sweep declared it: what → how."""
        asked = self.apply(question)
        pairs = {
            name: (getattr(question, name), getattr(asked, name)) for name in ("primary", "alpha", "margin")
        }
        return {
            name: f"the sweep says {declared}, this report was asked for {wished}"
            for name, (declared, wished) in pairs.items()
            if declared != wished
        }


def asked(text: str) -> Hypothesis:
    """The hypothesis of a text such as `constraints: ccr vs none`. Raises InputError where it is none."""
    try:
        return Hypothesis.parse(yaml.safe_load(text))
    except (yaml.YAMLError, ContrastError):
        raise InputError.unexpected(
            "--hypothesis", "", text, "a factor with two of its levels, such as 'constraints: ccr vs none'"
        ) from None


@dataclass(frozen=True)
class Publication:
    """A report that was written."""

    result: Result
    files: Mapping[str, Path]
    """Name → path: report.html, report.json, report.md, contrasts.csv …"""
    notes: tuple[str, ...] = ()
    """What the report leaves out of what the sweep asks for, a sentence each."""

    @property
    def page(self) -> Path:
        """The page to open."""
        return self.files["report.html"]

    @property
    def sentences(self) -> list[str]:
        """The notes, then the verdicts in words: of the declared hypotheses, or of contrasts on the primary metric
        where nothing was declared."""
        primary = [c for c in self.result.contrasts if c.metric == self.result.design.primary]
        shown = [c for c in self.result.contrasts if c.declared] or primary[:SHOWN]
        more = len(primary) - len(shown) if not shown or not shown[0].declared else 0
        rest = [f"and {more} more contrasts in the report"] if more else []
        return [*self.notes, *(contrast.sentence for contrast in shown), *rest]


def of_sweep(
    plan: Plan,
    folder: Path,
    wishes: Wishes | None = None,
    *,
    details: ReadDetails | None = None,
    declaration: Declaration | None = None,
) -> Publication:
    """Write the report of a plan, from the records it was reconciled with, into `folder`.

    `declaration` is what was declared before the first run; without it nothing counts as declared.

    Raises:
        InputError: no run has ended well, or the wishes name what is not there.
        OSError: the folder cannot be written.
    """
    result, notes = _sweep(plan, wishes or Wishes(), details, declaration)
    return _publish(result, folder, notes)


def of_table(path: Path, folder: Path | None, wishes: Wishes) -> Publication:
    """Write the report of a long table into `folder`, by default `<table>-report` in the working folder.

    Raises:
        InputError: the table is not what it should be, or the wishes name what is not there.
        OSError: the folder cannot be written.
    """
    return _publish(_table(path, wishes), Path(f"{path.stem}-report") if folder is None else folder)


def analysed(source: str, wishes: Wishes) -> Result:
    """The result for the folder of a sweep or for a long table, without a report. Raises InputError as these "
    "do."""
    if not Path(source).is_dir():
        return _table(Path(source), wishes)
    from crosscut.records.declaration import read as declared
    from crosscut.records.store import Store

    store = Store.open(source)
    return _sweep(recorded(store), wishes, None, declared(store))[0]


def _sweep(
    plan: Plan, wishes: Wishes, details: ReadDetails | None, declaration: Declaration | None
) -> tuple[Result, list[str]]:
    asked_for = question_of(plan, declaration)
    named = (*asked_for.every_hypothesis, *wishes.hypotheses)
    scores = scores_of(plan, wishes.metric, details, named)
    if not scores.metrics:
        well = any(r is not None and r.status == "finished" for arm in plan.arms for r in arm.finals)
        reason = "no metric is common to all runs" if well else "no run has ended well"
        raise InputError(f"{plan.experiment.sweep.name}: there is nothing to report, {reason}")
    question, notes = _answerable(asked_for, scores, asked_primary=wishes.metric)
    try:
        question = replace(question, changed={**question.changed, **wishes.changes(question)})
    except QuestionError as error:
        raise InputError(f"{plan.experiment.sweep.name}: {error}") from error
    if "primary" in question.changed and wishes.margin is None:
        # The margin was declared in points of another metric.
        question = replace(question, margin=0.0)
    context = context_of(plan, declaration)
    return _analysed(scores, question, context, wishes, plan.experiment.sweep.name), notes


def _table(path: Path, wishes: Wishes) -> Result:
    try:
        scores = read(path, metric=None, factors=wishes.factors)
    except TableError as error:
        raise InputError(str(error)) from error
    if len(scores.arms) < 2:
        raise InputError(f"{path}: found one arm, {scores.arms[0]!r}, expected two or more to compare")
    return _analysed(scores, Question(), Context(name=path.name), wishes, str(path))


def _answerable(
    question: Question, scores: Scores, *, asked_primary: str | None
) -> tuple[Question, list[str]]:
    """The question without metrics that not every run has, and a note on each: what the trainable does give is
    still worth a report."""
    notes: list[str] = []
    if question.primary not in scores.metrics and asked_primary is None:
        missing = question.primary
        question = replace(question, primary=None)
        other = question.primary_metric(scores)
        notes.append(f"note: report.primary: not every run has {missing!r}; verdicts are about {other!r}")
    absent = [name for name in question.metrics or () if name not in scores.metrics]
    if absent and question.metrics is not None:
        question = replace(question, metrics=tuple(m for m in question.metrics if m in scores.metrics))
        notes.append(f"note: report.metrics: not every run has {', '.join(map(repr, absent))}")
    return question, notes


def _analysed(scores: Scores, question: Question, context: Context, wishes: Wishes, where: str) -> Result:
    try:
        return analyse(scores, wishes.apply(question), context)
    except (QuestionError, ContrastError) as error:
        raise InputError(f"{where}: {error}") from error


def _publish(result: Result, folder: Path, notes: Sequence[str] = ()) -> Publication:
    return Publication(result, write(result, folder), tuple(notes))

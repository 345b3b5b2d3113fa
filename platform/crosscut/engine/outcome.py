"""The outcome of a run: what a trainable returned or raised, as a record."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence

import numpy as np

from crosscut.engine.ending import words_of
from crosscut.engine.run_session import NotANumber, refuse_nan
from crosscut.records.details import Details
from crosscut.records.record import Failure, Record, Status
from crosscut.records.work import Work
from crosscut_trainables.diverged import Diverged
from crosscut_trainables.evaluation import Evaluation, QueryRanks, QueryValues

MOST_NOTES = 20
"""So many notes of a run are kept, the first ones."""


def outcome_of(work: Work, status: Status, evaluation: Evaluation) -> Record:
    """The record of what a trainable returned, as plain numbers and arrays.

    Raises whatever shows that it is no evaluation: that is the trainable's fault, not the platform's.
    """
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"{work.trainable} returned {type(evaluation).__name__}, expected an Evaluation")
    refuse_nan(evaluation.metrics, "in its evaluation")
    refuse_nan(evaluation.spent, "among its seconds")
    named = (evaluation.metrics, evaluation.ranks, evaluation.values, evaluation.traits, evaluation.splits)
    for name in (name for part in (*named, evaluation.rankings, evaluation.examples) for name in part):
        if not isinstance(name, str):
            raise TypeError(f"the evaluation names a metric or ranks {name!r}, expected text")
    record = Record(
        work,
        status,
        metrics={name: float(value) for name, value in evaluation.metrics.items()},
        ranks={
            name: QueryRanks(np.asarray(queries.ranks), np.asarray(queries.clusters))
            for name, queries in evaluation.ranks.items()
        },
        values={
            name: QueryValues(np.asarray(queries.values), np.asarray(queries.clusters))
            for name, queries in evaluation.values.items()
        },
        traits={
            name: QueryValues(np.asarray(queries.values), np.asarray(queries.clusters))
            for name, queries in evaluation.traits.items()
        },
        splits=dict(evaluation.splits),
        details=Details(dict(evaluation.rankings), dict(evaluation.examples)),
        notes=_notes(evaluation.notes),
        spent={str(name): float(seconds) for name, seconds in evaluation.spent.items()},
    )
    record.to_files()
    return record


def _notes(notes: Sequence[str]) -> tuple[str, ...]:
    """A trainable's notes, short enough to be read and free of what a page or a terminal cannot show."""
    # Text is a sequence of texts as well, of its letters.
    if isinstance(notes, str):
        raise TypeError(f"the evaluation's notes are {notes!r}, expected a list of texts")
    found = list(notes)
    for note in found:
        if not isinstance(note, str):
            raise TypeError(f"the evaluation has the note {note!r}, expected text")
    shown = (cleaned(note, 500) for note in found)
    return tuple(note for note in shown if note)[:MOST_NOTES]


def failure_of(error: BaseException) -> Failure:
    """Why a run failed, short enough to be read and free of what a page or a terminal cannot show."""
    diverged = isinstance(error, NotANumber | Diverged)
    reason = words_of(error) if diverged else f"{type(error).__name__}: {words_of(error)}"
    trace = "".join(traceback.format_exception(error, limit=-12))
    return Failure(
        "diverged" if diverged else "raised", cleaned(reason, 500), cleaned(trace, 20_000, lines=True)
    )


def cleaned(text: str, length: int, *, lines: bool = False) -> str:
    """What a page or a terminal can show of a text, in `length` letters at most, on one line unless `lines`."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text.encode("utf-8", "replace").decode())
    text = text if lines else " ".join(text.split())
    text = "".join(letter for letter in text if letter.isprintable() or letter == "\n")
    return text if len(text) <= length else f"{text[: length - 1]}…"

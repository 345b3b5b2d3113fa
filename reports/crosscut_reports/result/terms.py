"""The terms of a report: scopes, verdicts, severities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Scope = Literal["seeds-and-queries", "seeds", "queries"]
"""What is random: new seeds and new queries (the default); new seeds on these queries; new queries for these
trained models."""

Verdict = Literal["better", "worse", "equivalent", "undecided"]

SCOPE_TEXT: Mapping[Scope, str] = {
    "seeds-and-queries": "new seeds and new queries",
    "seeds": "new seeds, these queries",
    "queries": "these trained models, new queries",
}

MAX_T = "step-down maxT"
"""Name of the adjustment that flips all of a family's differences jointly."""

Screen = Literal["holm", "benjamini-hochberg", "benjamini-yekutieli"]
"""Adjustments of p-values alone."""

Severity = Literal["error", "warning", "note"]

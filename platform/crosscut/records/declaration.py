"""The declaration of a sweep: what its report was to decide, kept with a hash before the first run.

It lies beside the records, in `declared.json`. Until the first run with a seed is given out it follows the sweep
file, since search trials see the dev split alone; from then on it stays, whatever becomes of the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crosscut.plan import Plan
from crosscut.records.key import digest
from crosscut.records.store import Store
from crosscut.sweepfile.sweep import Sweep
from crosscut_reports.hypothesis import Hypothesis

FILE = "declared.json"


@dataclass(frozen=True)
class Declaration:
    """What was declared, and when."""

    said: Mapping[str, Any]
    """`primary`, `alpha`, `margin`, `hypotheses`, `seeds`, as the sweep file had them, in JSON types."""
    sealed: bool = False
    """Whether a run was given out, so that it no longer follows the sweep file."""
    recorded: int = 0
    """Runs that were recorded already when it was made; with any, nothing was declared before them."""
    intact: bool = True
    """Whether the file has the hash that was written with it."""

    @property
    def hash(self) -> str:
        """SHA-256 of what was declared."""
        return digest(dict(self.said))

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """The declared hypotheses; none where runs were there before, or the file was changed by hand."""
        if self.recorded or not self.intact:
            return ()
        return tuple(Hypothesis.parse(one) for one in self.said["hypotheses"])


def said_by(sweep: Sweep) -> dict[str, Any]:
    """What of a sweep is declared."""
    plain = sweep.to_json()
    reported = {key: plain["report"][key] for key in ("primary", "alpha", "margin")}
    seeds = {key: value for key, value in plain["seeds"].items() if value is not None}
    return {**reported, "hypotheses": plain["hypotheses"], "seeds": seeds}


def read(store: Store) -> Declaration | None:
    """The declaration in a store, None where there is none."""
    try:
        content = store.place.read(FILE)
    except FileNotFoundError:
        return None
    try:
        plain = json.loads(content)
        found = Declaration(plain["declared"], bool(plain["sealed"]), int(plain["recorded"]))
        tuple(Hypothesis.parse(one) for one in found.said["hypotheses"])
        missing = {"primary", "alpha", "margin", "seeds"} - found.said.keys()
        return replace(found, intact=not missing and plain["sha256"] == found.hash)
    except (ValueError, KeyError, TypeError):
        return Declaration({"hypotheses": []}, sealed=True, intact=False)


def declare(store: Store, plan: Plan) -> Declaration:
    """The declaration that runs which start now are under: the sealed one, else what the sweep says now."""
    known = read(store)
    if known is not None and known.sealed:
        return known
    recorded = plan.runs[0]
    found = Declaration(said_by(plan.experiment.sweep), recorded > 0, recorded)
    _write(store, found)
    return found


def seal(store: Store, declaration: Declaration) -> Declaration:
    """The same declaration, which from now on stays. Called before the first run is given out."""
    if declaration.sealed:
        return declaration
    sealed = replace(declaration, sealed=True)
    _write(store, sealed)
    return sealed


def _write(store: Store, declaration: Declaration) -> None:
    plain = {
        "sha256": declaration.hash,
        "sealed": declaration.sealed,
        "recorded": declaration.recorded,
        "declared": declaration.said,
    }
    store.place.write(FILE, (json.dumps(plain, indent=1) + "\n").encode())

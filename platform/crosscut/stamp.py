"""The stamp of a report: what it was made from, so that one that would come out the same is not made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crosscut.plan import Plan
from crosscut.publication import Publication
from crosscut.records.catalogue import Catalogue
from crosscut.records.declaration import Declaration
from crosscut.records.key import digest
from crosscut.records.local_place import LocalPlace
from crosscut.records.store import Store

FILE = "stamp.json"
PAGE = "report.html"
PACKAGES = ("crosscut", "crosscut_reports")


class Stamp:
    """What the report of a plan rests on: what is asked, the records by their files, and the code that reports."""

    def __init__(self, plan: Plan, records: Catalogue, declaration: Declaration | None, store: Store) -> None:
        sweep = plan.experiment.sweep
        keys = sorted(r.key for arm in plan.arms for r in (*arm.trials, *arm.finals) if r is not None)
        self._folder = store.report
        self._text = digest(
            {
                "sweep": sweep.to_json(),
                "arms": {arm.arm.name: [arm.seeds.start, len(arm.finals)] for arm in plan.arms},
                "records": {key: records.mark(key) for key in keys},
                "declaration": None if declaration is None else [declaration.hash, declaration.recorded],
                "code": _code(),
            }
        )

    def standing(self) -> list[str] | None:
        """The sentences of the report that is there, if it rests on the same and its files are as it left them."""
        try:
            plain = json.loads((self._folder / FILE).read_text())
            if plain["stamp"] == self._text and plain["files"] == self._files():
                return [str(sentence) for sentence in plain["sentences"]]
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def put(self, publication: Publication) -> None:
        """Put the stamp beside a report that was just made."""
        said: Sequence[str] = publication.sentences
        plain = {"stamp": self._text, "sentences": list(said), "files": self._files()}
        (self._folder / FILE).write_text(json.dumps(plain, indent=1) + "\n")

    def _files(self) -> dict[str, Any]:
        marks = LocalPlace(self._folder).files("")
        return {name: [mark.size, mark.time] for name, mark in sorted(marks.items()) if name != FILE}


def _code() -> int:
    """When the code that reports was last changed, in nanoseconds since 1970."""
    newest = 0
    for package in PACKAGES:
        found = find_spec(package)
        for place in (found.submodule_search_locations or ()) if found is not None else ():
            newest = max(newest, *(path.stat().st_mtime_ns for path in Path(place).rglob("*.py")))
    return newest

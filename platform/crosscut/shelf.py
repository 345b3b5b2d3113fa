"""The shelf: queries of a plan's runs that can be looked at, read from the details of its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from crosscut.records.details import Details
from crosscut.records.record import DamagedRecord
from crosscut_reports.scores import QueryView
from crosscut_trainables.evaluation import QueryExample

ReadDetails = Callable[[str], Details]
"""Gives the details of the record of a key; raises DamagedRecord."""


class RecordShelf:
    """Examples of one split in one direction. Details are read when a query is asked for, and once."""

    def __init__(self, name: str, keys: Mapping[str, Sequence[str]], read: ReadDetails) -> None:
        """`keys` are those of each arm's runs; `name` is that of the examples, such as `test/t2i`."""
        self._name, self._keys = name, keys

        @cache
        def examples(key: str) -> dict[int, QueryExample]:
            try:
                found = read(key).examples.get(name, ())
            except DamagedRecord:  # a report is worth more than its pictures
                found = ()
            return {example.query: example for example in found}

        self._examples = examples

    @property
    def queries(self) -> Sequence[int]:
        """Those of the first run that has any: a sweep asks the same of all."""
        first = (self._examples(key) for keys in self._keys.values() for key in keys)
        return tuple(sorted(next((found for found in first if found), {})))

    def view(self, query: int, arms: Sequence[str]) -> QueryView:
        """The query with the attention of these arms, averaged over their runs."""
        found = {
            arm: [examples[query] for key in self._keys[arm] if query in (examples := self._examples(key))]
            for arm in arms
        }
        anyone = next((one for own in found.values() for one in own), None)
        if anyone is None:
            every = (self._examples(key) for keys in self._keys.values() for key in keys)
            anyone = next(examples[query] for examples in every if query in examples)
        attention = {
            arm: np.mean([one.attention for one in own if one.attention is not None], axis=0)
            for arm, own in found.items()
            if any(one.attention is not None for one in own)
        }
        return QueryView(anyone.words, anyone.boxes, anyone.picture, attention)

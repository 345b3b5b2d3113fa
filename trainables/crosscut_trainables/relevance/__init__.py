"""Sources of relevance, by what the names of metrics that go by them begin with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crosscut_trainables.data.split import Split
from crosscut_trainables.positive_ranks import Positives
from crosscut_trainables.relevance.by_category import ByCategory
from crosscut_trainables.relevance.by_image import ByImage
from crosscut_trainables.relevance.eccv_caption import EccvCaption
from crosscut_trainables.relevance.relevance import Relevance

RELEVANCE: Mapping[str, Relevance] = {"": ByImage(), "category_": ByCategory(), "eccv_": EccvCaption()}

Judgements = Mapping[str, tuple[Positives, Positives]]
"""By prefix, the relevant captions of each image and the relevant images of each caption."""


def prefix_of(named: str) -> str:
    """What the name of a metric begins with, of the prefixes that there are."""
    return next((prefix for prefix in RELEVANCE if prefix and named.startswith(prefix)), "")


def judgements(split: Split, metrics: Iterable[str]) -> Judgements:
    """What is relevant, for every prefix that these metrics have."""
    return {prefix: RELEVANCE[prefix].of(split) for prefix in sorted({prefix_of(named) for named in metrics})}


def refuse(name: str, split: Split, metrics: Iterable[str]) -> None:
    """Raises ValueError where the split `name` lacks what one of these metrics goes by."""
    for named in metrics:
        source = RELEVANCE[prefix_of(named)]
        why = source.lacking(split)
        if why is not None:
            raise ValueError(f"evaluation.metrics: found {source.title}, and {name} {why}")

"""Domains: splits on which a trained model is evaluated beside its own test split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from crosscut_trainables.component import Options, choice
from crosscut_trainables.data import DATASETS
from crosscut_trainables.data.split import SPLITS, Dataset, Split
from crosscut_trainables.evaluation import SplitFacts
from crosscut_trainables.perturbations import PERTURBATIONS, Perturbation
from crosscut_trainables.relevance import refuse

if TYPE_CHECKING:
    from crosscut_trainables.config import RetrievalConfig

    AnyData = Dataset
    AnyPerturbation = Perturbation
else:
    AnyData = choice(DATASETS)
    AnyPerturbation = choice(PERTURBATIONS)


class Domain(Options):
    """Another corpus, or a shifted version of the run's own. Words are those of the run's vocabulary."""

    data: AnyData | None = Field(
        None,
        description="The data set; without a name, or with the name of the run's own, options in place of the "
        "run's; null: the run's own.",
    )
    split: Literal["test", "dev", "train"] = Field(
        "test", description="Which of its splits: test, dev or train."
    )
    perturb: tuple[AnyPerturbation, ...] = Field(
        (), description="What is done to its texts, images or regions, one after the other."
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of what is done to it, 0 to 2³² - 1.")

    def load(self, own: Dataset) -> Split:
        """The split; `own` is the run's data set."""
        return _load(self, self.data or own)

    def facts(self, own: Dataset) -> SplitFacts:
        """What a report should know of it."""
        units = _units(self.data or own, self.split)
        severities = {perturbation.severity for perturbation in self.perturb}
        if len(severities) != 1:
            return SplitFacts(units)
        series = "+".join(perturbation.name for perturbation in self.perturb)
        return SplitFacts(units, series, float(severities.pop()))

    def fingerprint(self, own: Dataset) -> str:
        """Hash of all that the split depends on."""
        parts = [(self.data or own).fingerprint(), self.split, self.seed]
        parts += [perturbation.fingerprint() for perturbation in self.perturb]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def facts_of(config: RetrievalConfig, name: str) -> SplitFacts:
    """What a report should know of a split of a configuration's data, or of a domain of its evaluation."""
    if name in SPLITS:
        return SplitFacts(_units(config.data, name))
    return config.evaluation.on[name].facts(config.data)


def _units(data: Dataset, split: str) -> str:
    return hashlib.sha256(f"{data.units()} {split}".encode()).hexdigest()[:16]


@lru_cache(maxsize=64)
def _load(domain: Domain, data: Dataset) -> Split:
    split = data.load(domain.split)
    for number, perturbation in enumerate(domain.perturb):
        # Two of one kind differ in what they draw.
        split = perturbation.apply(split, domain.seed + number)
    return split


def split_of(config: RetrievalConfig, name: str) -> Split:
    """A split of a configuration's data, or a domain of its evaluation, by name; as the data set gives it."""
    if name in SPLITS:
        return config.data.load(name)
    return config.evaluation.on[name].load(config.data)


def splits_of(config: RetrievalConfig) -> dict[str, Split]:
    """All splits of a final run by name: those of its data, and its domains, as its image encoder sees them, or as
    the data sets give them where a pretrained model reads them.

    Raises:
        ValueError: one cannot be read, or does not go with the run, which would be known after training only.
    """
    plain = {name: split_of(config, name) for name in (*SPLITS, *config.evaluation.on)}
    for name in ("test", *config.evaluation.on):
        refuse(name, plain[name], config.evaluation.metrics)
    if config.pretrained is not None:
        return plain
    seen = {name: config.image_encoder.view(split) for name, split in plain.items()}
    own = seen["train"].regions.shape[2]
    for name, split in seen.items():
        if split.regions.shape[2] != own:
            raise ValueError(
                f"{name} has {split.regions.shape[2]} numbers for each region, expected {own}, as train has"
            )
    return seen


def fingerprint_of(config: RetrievalConfig, name: str) -> str:
    """Hash of the data that `split_of` takes the split from."""
    return (
        config.data.fingerprint() if name in SPLITS else config.evaluation.on[name].fingerprint(config.data)
    )


def with_own_data(domains: Any, own: Any) -> Any:
    """`domains` as a configuration has them, with the options of the run's own data where one only changes some.

    Those that are null, which a level or a scale has taken out, are gone. What is no mapping of mappings is left
    for validation to refuse.
    """
    if not isinstance(domains, Mapping) or not isinstance(own, Mapping):
        return domains
    return {name: _merged(domain, own) for name, domain in domains.items() if domain is not None}


def _merged(domain: Any, own: Mapping[str, Any]) -> Any:
    data = domain.get("data") if isinstance(domain, Mapping) else None
    if not isinstance(data, Mapping) or data.get("name", own.get("name")) != own.get("name"):
        return domain
    return {**domain, "data": {**own, **data}}

"""What of a configuration does not go together, and why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from crosscut_trainables.encoders import Gru
from crosscut_trainables.losses import InfoNCE
from crosscut_trainables.subwords import read

if TYPE_CHECKING:
    from crosscut_trainables.config import RetrievalConfig
    from crosscut_trainables.pretrained import DualEncoder


def refusal(config: RetrievalConfig) -> str | None:
    """Why some sections of a configuration do not go together, in one sentence; None where all do."""
    found = chain(_of_backbone(config), _of_domains(config), _of_subwords(config))
    if config.pretrained is not None:
        found = chain(found, _of_pretrained(config, config.pretrained))
    return next(found, None)


def _of_backbone(config: RetrievalConfig) -> Iterator[str]:
    backbone, encoder = config.backbone, config.encoder.image
    for name in config.constraints.active():
        if not backbone.exposes_attention:
            yield f"{name} needs a backbone that exposes attention; {backbone.name} has none"
    if encoder is not None and backbone.needs_positions and not encoder.has_positions:
        yield f"{backbone.name} needs an image encoder with positions; {encoder.name} has none"
    if config.evaluation.precision == "bf16" and not backbone.rounds:
        which = f"{backbone.name} with a peak" if "peak" in type(backbone).model_fields else backbone.name
        yield f"evaluation.precision: bf16 needs a backbone that compares fragments alone; {which} does not"
    if config.fusion is not None and not backbone.exposes_attention:
        yield f"fusion needs a backbone that compares fragments; {backbone.name} does not"


def _of_domains(config: RetrievalConfig) -> Iterator[str]:
    images = config.pretrained is not None or config.image_encoder.reads_images
    reader = config.pretrained or config.image_encoder
    other = "regions" if images else "images"
    for name, domain in config.evaluation.on.items():
        for perturbation in domain.perturb:
            if perturbation.of == other:
                yield (
                    f"evaluation.on.{name}: {perturbation.name} changes {other}, and {reader.name} reads "
                    f"{'whole images' if images else 'regions'}"
                )


def _of_subwords(config: RetrievalConfig) -> Iterator[str]:
    path, training = config.encoder.subwords, config.training
    disturbed = training.word_dropout > 0 and training.disturbance != "remove"
    if path is not None and disturbed and read(path).unknown is None:
        yield (
            f"training.disturbance: {training.disturbance} makes pieces unknown, and the tokenizer of "
            "encoder.subwords has no unknown piece"
        )


def _of_pretrained(config: RetrievalConfig, chosen: DualEncoder) -> Iterator[str]:
    encoder, training, name = config.encoder, config.training, chosen.name
    if config.stages is not None:
        yield f"stages train encoders, and {name} has its own; expected stages or pretrained, not both"
    named = {
        "image": encoder.image is not None,
        "text": encoder.text != Gru(),
        "word_vectors": encoder.word_vectors is not None,
        "vocabulary": encoder.vocabulary is not None,
        "subwords": encoder.subwords is not None,
        "dropout": encoder.dropout > 0,
    }
    for key in (key for key, given in named.items() if given):
        yield f"encoder.{key} would have no effect; the encoders are those of {name}"
    if config.asymmetry is not None:
        yield f"asymmetry makes texts of whole words; {name} reads pieces of words"
    if training.word_dropout > 0:
        yield f"training.word_dropout disturbs whole words; {name} reads pieces of words"
    if training.region_dropout > 0:
        yield f"training.region_dropout takes regions away; {name} reads whole images"
    if config.backbone.needs_positions and not chosen.has_places:
        yield f"{config.backbone.name} needs an image encoder with positions; {name} has none"
    if chosen.own_temperature and not isinstance(config.loss, InfoNCE):
        yield f"pretrained.own_temperature needs a loss with a temperature; {config.loss.name} has none"
    if chosen.tuning == "zero-shot":
        if config.comparison.learns:
            yield f"zero-shot learns nothing; {config.comparison.name} has something to learn"
        for constraint in config.constraints.active():
            yield f"zero-shot learns nothing; {constraint} would act on nothing"

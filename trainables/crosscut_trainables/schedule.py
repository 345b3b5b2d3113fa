"""The learning rate in the course of training."""

from __future__ import annotations

import math

from crosscut_trainables.config import TrainingOptions


def learning_rate(options: TrainingOptions, epoch: int, batch: int, batches: int) -> float:
    """The learning rate of batch `batch` (from 0) of `batches` in epoch `epoch` (from 1).

    `step` multiplies with `decay_factor` after every `decay_epoch` epochs; `cosine` goes down to 0 along half a
    cosine (Loshchilov and Hutter 2017, without restarts), `linear` in a line, both from batch to batch; `constant`
    stays. Each is multiplied with a line from 0 to 1 over the first `warmup_epochs`.
    """
    done = epoch - 1 + batch / batches
    match options.schedule:
        case "step":
            share = options.decay_factor ** ((epoch - 1) // options.decay_epoch)
        case "cosine":
            share = 0.5 * (1 + math.cos(math.pi * done / options.epochs))
        case "linear":
            share = 1 - done / options.epochs
        case _:
            share = 1.0
    if done < options.warmup_epochs:
        # The first batch of all is to train, too.
        share *= min(1.0, (done + 1 / batches) / options.warmup_epochs)
    return options.learning_rate * share

"""Recurrent networks over sequences of several lengths, without their padding and without waiting for the GPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crosscut_trainables.batches import to_device


def recur(network: nn.GRU, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """States (B, L, directions · D), 0 at padding, and last states (directions, B, D), of `x` (B, L, width).

    `lengths` (B,) is on the CPU, at least 1 each. torch packs sequences that it orders itself as well, but fetches
    their order back from the GPU to undo it, which holds up the CPU in every step.
    """
    lengths, order = torch.sort(lengths, descending=True)
    there, back = (to_device(places, str(x.device)) for places in (order, torch.argsort(order)))
    packed = pack_padded_sequence(x.index_select(0, there), lengths, batch_first=True)
    states, last = network(packed)
    padded, _ = pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])
    return padded.index_select(0, back), last.index_select(1, back)

"""Recurrent networks over packed sequences."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crosscut_trainables.packing import recur

LENGTHS = torch.tensor([3, 1, 6, 3, 5])


def network() -> nn.GRU:
    generator = torch.Generator().manual_seed(1)
    made = nn.GRU(4, 3, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(generator=generator)
    return made


def drawn() -> torch.Tensor:
    return torch.randn(5, 7, 4, generator=torch.Generator().manual_seed(2)).requires_grad_()


def test_states_and_gradients_are_those_of_packing_by_torch() -> None:
    gru, own, other = network(), drawn(), drawn()
    states, last = recur(gru, own, LENGTHS)
    packed = pack_padded_sequence(other, LENGTHS, batch_first=True, enforce_sorted=False)
    found, expected_last = gru(packed)
    expected, _ = pad_packed_sequence(found, batch_first=True, total_length=7)
    torch.testing.assert_close(states, expected, rtol=0, atol=0)
    torch.testing.assert_close(last, expected_last, rtol=0, atol=0)
    for one in ((states, own), (expected, other)):
        one[0].square().sum().backward()
    torch.testing.assert_close(own.grad, other.grad, rtol=0, atol=0)


def test_each_sequence_is_read_as_if_it_stood_alone() -> None:
    gru, x = network(), drawn()
    states, last = recur(gru, x, LENGTHS)
    for place, length in enumerate(LENGTHS.tolist()):
        alone, alone_last = gru(x[place : place + 1, :length])
        torch.testing.assert_close(states[place, :length], alone[0])
        torch.testing.assert_close(last[:, place], alone_last[:, 0])
        assert not states[place, length:].any()

"""Recurrent networks over sequences of several lengths."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crosscut_trainables.recurrence import Reading, Weights, recur, recur_together

LENGTHS = torch.tensor([3, 1, 6, 3, 5])


def network(bidirectional: bool = True, width: int = 3, seed: int = 1) -> nn.GRU:
    generator = torch.Generator().manual_seed(seed)
    made = nn.GRU(4, width, batch_first=True, bidirectional=bidirectional)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(generator=generator)
    return made


def drawn() -> torch.Tensor:
    return torch.randn(5, 7, 4, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("bidirectional", [True, False])
def test_states_and_gradients_are_those_of_torchs_own_network(bidirectional: bool) -> None:
    gru = network(bidirectional).double()
    own, other = (drawn().double().requires_grad_() for _ in range(2))
    states, last = recur(gru, own, LENGTHS)
    packed = pack_padded_sequence(other, LENGTHS, batch_first=True, enforce_sorted=False)
    found, expected_last = gru(packed)
    expected, _ = pad_packed_sequence(found, batch_first=True, total_length=7)
    torch.testing.assert_close(states, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(last, expected_last, rtol=1e-12, atol=1e-12)
    parameters = list(gru.parameters())
    weights, of_last = torch.randn_like(expected), torch.randn_like(expected_last)
    gradients, those_expected = (
        torch.autograd.grad((a * weights).sum() + (b * of_last).sum(), [x, *parameters])
        for a, b, x in ((states, last, own), (expected, expected_last, other))
    )
    torch.testing.assert_close(gradients, those_expected, rtol=1e-11, atol=1e-11)


def test_each_sequence_is_read_as_if_it_stood_alone() -> None:
    gru, x = network(), drawn()
    states, last = recur(gru, x, LENGTHS)
    for place, length in enumerate(LENGTHS.tolist()):
        alone, alone_last = gru(x[place : place + 1, :length])
        torch.testing.assert_close(states[place, :length], alone[0])
        torch.testing.assert_close(last[:, place], alone_last[:, 0])
        assert not states[place, length:].any()


def test_autocast_rounds_products_as_in_torchs_own_network() -> None:
    gru, x = network(width=16), drawn()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
        expected, _ = pad_packed_sequence(gru(packed)[0], batch_first=True, total_length=7)
        own = recur(gru, x, LENGTHS).states
    assert torch.equal(own, expected)
    assert not torch.equal(own.float(), recur(gru, x, LENGTHS).states)


@pytest.mark.parametrize("width", [16, 20, 31, 32])
@pytest.mark.parametrize("sequences", [5, 32])
def test_networks_read_together_what_each_reads_alone_to_the_bit(width: int, sequences: int) -> None:
    generator = torch.Generator().manual_seed(3)
    networks, readings = [network(width=width, seed=number) for number in range(3)], []
    for number, longest in enumerate((9, 12, 7)):
        lengths = torch.randint(1, longest + 1, (sequences,), generator=generator)
        x = torch.randn(sequences, longest, 4, generator=generator).requires_grad_()
        readings.append(Reading(Weights.of(networks[number]), x, lengths))
    together = recur_together(readings)
    sum((found.states.square().sum() + found.last.sum() for found in together), torch.zeros(())).backward()
    for gru, reading, found in zip(networks, readings, together, strict=True):
        learnt = (reading.x, *gru.parameters())
        kept = [x.grad for x in learnt]
        for x in learnt:
            x.grad = None
        alone = recur(gru, reading.x, reading.lengths)
        (alone.states.square().sum() + alone.last.sum()).backward()
        assert torch.equal(alone.states, found.states) and torch.equal(alone.last, found.last)
        for x, grad in zip(learnt, kept, strict=True):
            assert grad is not None and x.grad is not None and torch.equal(x.grad, grad)

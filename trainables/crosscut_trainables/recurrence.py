"""Recurrent networks over sequences of several lengths, without their padding and without waiting for the GPU.

On a CPU torch spends most of a small network's time on starting its operations, a dozen for every place of the
sequences forwards, and twice as many backwards. Here a place takes seven and four, for both directions and for
several networks at once; what a place adds to the gradients of weights is multiplied out for all places together.
The direct form is torch's own network, with which the tests compare this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from crosscut_trainables.batches import to_device

ROWS, FEWEST = 8, 16
"""Sequences are worked on in multiples of the one and at least the other: with fewer, sums of a product have
another order, and what is left of a tensor after its vectors of a few numbers is rounded otherwise."""


class Weights(NamedTuple):
    """Those of a network, of all its directions; gates in the order reset, update, new."""

    inward: Tensor
    """(directions · 3D, width)"""
    inward_bias: Tensor
    """(directions · 3D,)"""
    onward: Tensor
    """(directions, 3D, D)"""
    onward_bias: Tensor
    """(directions, 1, 3D)"""

    @classmethod
    def of(cls, network: nn.GRU) -> Weights:
        """As they are now, with their gradients."""
        endings = ("", "_reverse") if network.bidirectional else ("",)
        inward, inward_bias, onward, onward_bias = (
            [getattr(network, f"{name}_l0{ending}") for ending in endings]
            for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        )
        return cls(
            torch.cat(inward), torch.cat(inward_bias), torch.stack(onward), torch.stack(onward_bias)[:, None]
        )


class Reading(NamedTuple):
    """What a network reads, on a CPU and in its own precision."""

    weights: Weights
    """The network's."""
    x: Tensor
    """(B, L, width)"""
    lengths: Tensor
    """(B,) on the CPU, at least 1 each"""


class States(NamedTuple):
    """What a network says of what it has read."""

    states: Tensor
    """(B, L, directions · D), 0 at padding"""
    last: Tensor
    """(directions, B, D): of each direction where it ends."""


def recur(network: nn.GRU, x: Tensor, lengths: Tensor) -> States:
    """What `network`, of one layer and `batch_first`, says of `x` (B, L, width) with `lengths` (B,) on the CPU."""
    if x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return _by_torch(network, x, lengths)
    (found,) = recur_together([Reading(Weights.of(network), x, lengths)])
    return found


def recur_together(readings: Sequence[Reading]) -> list[States]:
    """What networks of one shape say, each of as many sequences of its own."""
    directions = len(readings[0].weights.onward)
    orders = [_Order(one.lengths, one.x.shape[1]) for one in readings]
    inputs: list[Tensor] = []
    for (weights, x, _), order in zip(readings, orders, strict=True):
        words = x.flatten(0, 1).index_select(0, order.words)
        gates = functional.linear(words, weights.inward, weights.inward_bias)
        inputs += [gates.unflatten(1, (directions, -1)), weights.onward, weights.onward_bias]
    layout = _Layout(orders, directions)
    found: Sequence[Tensor] = _Recurrence.apply(layout, *inputs)  # type: ignore[no-untyped-call]
    return [order.laid_out(states) for states, order in zip(found, orders, strict=True)]


def _by_torch(network: nn.GRU, x: Tensor, lengths: Tensor) -> States:
    """On a GPU, and with products in bfloat16. torch orders sequences by itself as well, but fetches their order
    back from the GPU to undo it, which holds up the CPU in every step."""
    device, longest = str(x.device), x.shape[1]
    lengths, order = torch.sort(lengths, descending=True)
    there, back = (to_device(places, device) for places in (order, torch.argsort(order)))
    packed = pack_padded_sequence(x.index_select(0, there), lengths, batch_first=True)
    states, last = network(packed)
    padded, _ = pad_packed_sequence(states, batch_first=True, total_length=longest)
    return States(padded.index_select(0, back), last.index_select(1, back))


def same_together(readings: Sequence[Reading]) -> bool:
    """Whether these are read together to the bit as each is alone, gradients too: how a product adds up may depend
    on the machine."""
    leaves = [[x.detach().requires_grad_() for x in (*one.weights, one.x)] for one in readings]
    own = [
        Reading(Weights(*weights), x, one.lengths)
        for (*weights, x), one in zip(leaves, readings, strict=True)
    ]
    found: list[list[Tensor]] = []
    for every in (recur_together(own), [recur_together([one])[0] for one in own]):
        whole = torch.stack([states.square().sum() + last.sum() for states, last in every]).sum()
        gradients = torch.autograd.grad(whole, [leaf for one in leaves for leaf in one])
        found.append([*(x for states in every for x in states), *gradients])
    return all(torch.equal(a, b) for a, b in zip(*found, strict=True))


class _Order:
    """Of the B sequences that a network reads, P words in all: the longest first, and each without its padding."""

    def __init__(self, lengths: Tensor, longest: int) -> None:
        self._lengths, self._longest = lengths, longest
        places = torch.arange(int(lengths.max()))
        self._sequence, self._place = (places < lengths[:, None]).nonzero(as_tuple=True)
        self.words = self._sequence * longest + self._place
        """(P,) rows of the words in (B · L, …)."""
        self.alive = (lengths[:, None] > places).sum(0).tolist()
        """How many sequences go on at each place."""

    def steps(self, directions: int) -> tuple[Tensor, ...]:
        """When each word is read, (P,) in each direction. Backwards a sequence is read from its own end."""
        return (self._place, self._lengths[self._sequence] - 1 - self._place)[:directions]

    def rank(self) -> Tensor:
        """(P,) the rank by length of each word's sequence."""
        return torch.argsort(torch.argsort(self._lengths, descending=True, stable=True))[self._sequence]

    def laid_out(self, states: Tensor) -> States:
        """From the states (P, directions, D) of the words."""
        flat = states.flatten(1)
        padded = flat.new_zeros((len(self._lengths) * self._longest, flat.shape[1]))
        padded = padded.index_copy(0, self.words, flat)
        ends = self._lengths.cumsum(0)
        edges = (ends - 1, ends - self._lengths)[: states.shape[1]]
        last = torch.stack([states[edge, way] for way, edge in enumerate(edges)])
        return States(padded.view(len(self._lengths), self._longest, -1), last)


class _Layout:
    """The rows of what networks work out, place after place: at each, of every network in every direction, as many
    sequences as go on there in any of them."""

    def __init__(self, orders: Sequence[_Order], directions: int) -> None:
        self.directions = directions
        self.groups = len(orders) * directions
        every = zip_longest(*(order.alive for order in orders), fillvalue=0)
        self.counts = [max(FEWEST, -(-max(alive) // ROWS) * ROWS) for alive in every]
        """Sequences at each place."""
        counts = torch.tensor(self.counts)
        starts = self.groups * (counts.cumsum(0) - counts)
        self.length = int(self.groups * counts.sum())
        self.rows: list[Tensor] = []
        """For each network, (P · directions,): the rows of its words, each in every direction."""
        self.before: list[Tensor] = []
        """The rows of the states from which they are read; `length` for none."""
        for number, order in enumerate(orders):
            rows, before, rank = [], [], order.rank()
            for way, step in enumerate(order.steps(directions)):
                group, earlier = number * directions + way, (step - 1).clamp(min=0)
                rows.append(starts[step] + group * counts[step] + rank)
                row = starts[earlier] + group * counts[earlier] + rank
                before.append(torch.where(step > 0, row, self.length))
            self.rows.append(torch.stack(rows, 1).flatten())
            self.before.append(torch.stack(before, 1).flatten())

    def places(self, x: Tensor) -> list[Tensor]:
        """Views (groups, sequences, …) of each place in `x` (length, …)."""
        blocks = x.split([self.groups * count for count in self.counts])
        return [block.view(self.groups, count, -1) for block, count in zip(blocks, self.counts, strict=True)]


class _Recurrence(torch.autograd.Function):
    """The states of all words from what the inputs add to their gates.

    h' = n + z (h − n) with r, z = σ(a + U h + b) and n = tanh(a + r (U h + b)) (Cho et al. 2014, in torch's form).
    Sequences that have ended go on over zeros, which nobody reads and which has no gradient.
    """

    @staticmethod
    def forward(ctx: Any, layout: _Layout, *inputs: Tensor) -> tuple[Tensor, ...]:
        gates_of, onward, bias = inputs[::3], torch.cat(inputs[1::3]), torch.cat(inputs[2::3])
        d = onward.shape[2]
        # Reset and update gate, and the new one; states end with what all begin with.
        gates, new = bias.new_zeros((layout.length, 2 * d)), bias.new_zeros((layout.length, d))
        added, apart = bias.new_empty((layout.length, 3 * d)), torch.empty_like(new)
        states = bias.new_zeros((layout.length + 1, d))
        for own, rows in zip(gates_of, layout.rows, strict=True):
            gates.index_copy_(0, rows, own[..., : 2 * d].reshape(-1, 2 * d))
            new.index_copy_(0, rows, own[..., 2 * d :].reshape(-1, d))
        weights, state = onward.transpose(1, 2), bias.new_zeros((layout.groups, layout.counts[0], d))
        for gate, candidate, add, away, then in zip(
            *map(layout.places, (gates, new, added, apart, states[:-1])), strict=True
        ):
            state = state[:, : then.shape[1]]
            torch.baddbmm(bias, state, weights, out=add)
            gate.add_(add[..., : 2 * d]).sigmoid_()
            candidate.addcmul_(gate[..., :d], add[..., 2 * d :]).tanh_()
            torch.sub(state, candidate, out=away)
            state = torch.addcmul(candidate, gate[..., d:], away, out=then)
        ctx.layout = layout
        ctx.save_for_backward(gates, new, added, apart, states, onward)
        return tuple(states.index_select(0, rows).view(-1, layout.directions, d) for rows in layout.rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        gates, new, added, apart, states, onward = ctx.saved_tensors
        layout: _Layout = ctx.layout
        d = onward.shape[2]
        reset, update = gates.split(d, 1)
        # What the gradient to a state is multiplied with to be that to the part of n that is reset, to r, z and n.
        factors = gates.new_empty((layout.length, 4 * d))
        within, to_reset, to_update, to_new = factors.split(d, 1)
        torch.mul(1 - update, 1 - new * new, out=to_new)
        torch.mul(to_new, reset, out=within)
        torch.mul(within, added[:, 2 * d :], out=to_reset).mul_(1 - reset)
        torch.mul(apart, update, out=to_update).mul_(1 - update)
        to_states = torch.zeros_like(apart)
        for grad, rows in zip(grads, layout.rows, strict=True):
            to_states.index_copy_(0, rows, grad.reshape(-1, d))
        weights = torch.cat([onward[:, 2 * d :], onward[:, : 2 * d]], 1)
        then: Tensor | None = None
        for to_state, factor, gate in zip(
            *(reversed(layout.places(x)) for x in (to_states, factors, gates)), strict=True
        ):
            if then is not None:
                to_state[:, : then.shape[1]].add_(then)
            factor.view(*to_state.shape[:2], 4, d).mul_(to_state[:, :, None])
            then = (to_state * gate[..., d:]).baddbmm_(factor[..., : 3 * d], weights)
        found: list[Tensor | None] = [None]
        for rows, before in zip(layout.rows, layout.before, strict=True):
            own = factors.index_select(0, rows).view(-1, layout.directions, 4 * d)
            read = states.index_select(0, before).view(-1, layout.directions, d).transpose(0, 1)
            onwards = own[..., : 3 * d].transpose(0, 1)
            to_onward, to_bias = onwards.transpose(1, 2) @ read, onwards.sum(1, keepdim=True)
            found += [own[..., d:], to_onward.roll(-d, 1), to_bias.roll(-d, 2)]
        return tuple(found)

"""An encoder that does not learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from crosscut_trainables.fragments import Fragments


class Frozen(nn.Module):
    """Hides an encoder: it is always in evaluation mode, and neither among the parameters nor in the state of the
    model that holds it, so no optimizer, average or checkpoint is made for it. It does follow the model to a
    device."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        # Past nn.Module, which would register it.
        self.__dict__["encoder"] = encoder.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, *inputs: Any) -> Fragments:
        """What the encoder gives."""
        found: Fragments = self.__dict__["encoder"](*inputs)
        return found

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Frozen:
        encoder: nn.Module = self.__dict__["encoder"]
        encoder._apply(fn)
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

"""States of models and optimizers: mappings and lists of tensors."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def copied(value: Any, device: str | None = None) -> Any:
    """`value` with every tensor in it copied, to `device` where one is named."""
    if isinstance(value, Tensor):
        return value.detach().clone() if device is None else value.detach().to(device, copy=True)
    if isinstance(value, dict):
        return {key: copied(entry, device) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied(entry, device) for entry in value)
    return value

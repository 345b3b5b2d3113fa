"""A pretrained model that is small enough for a test, in a folder as transformers writes it.

Tests take it by its path: `runpy.run_path(…)["save_model"]`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from crosscut_trainables.pretrained import DualEncoder
from crosscut_trainables.pretrained.quiet import quiet


def save_model(family: type[DualEncoder], folder: Path, **processor: Any) -> Any:
    """Writes a model of `family` with tokenizer and image processor to `folder`; returns the library's own model.

    Its weights are others than those of the small random model, and no norm, bias or statistic of a batch is as it
    begins. `processor` are options of the image processor that are to be changed.
    """
    config_class, model_class = family.classes()
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = model_class(config_class(**family.small)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim:
                    parameter += 0.1 * torch.randn_like(parameter)
                else:
                    parameter.fill_(0.7)  # the temperature
            for name, buffer in model.named_buffers():
                if name.endswith(("running_mean", "running_var")):
                    buffer += 0.2 * torch.rand_like(buffer)
        model.save_pretrained(folder)
    family.small_tokenizer.build(family.positions(model.config)).save_pretrained(folder)
    images = family.small_processor()
    for option, value in processor.items():
        setattr(images, option, value)
    images.save_pretrained(folder)
    return model

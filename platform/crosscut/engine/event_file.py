"""The content of an event file of TensorBoard's, all of it at once."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def packed(events: Sequence[bytes]) -> bytes:
    """Serialized events as TensorBoard reads them: each with its length before it, and the checksums of both.

    TensorBoard's own writer works a checksum out byte by byte in Python, which takes most of its time. Here it is
    done for all events side by side, so that many short ones are quick and a long one is not.
    """
    lengths = [struct.pack("<Q", len(event)) for event in events]
    checks = [checksums(lengths).astype("<u4").tobytes(), checksums(events).astype("<u4").tobytes()]
    parts = []
    for place, (length, event) in enumerate(zip(lengths, events, strict=True)):
        here = slice(4 * place, 4 * place + 4)
        parts += [length, checks[0][here], event, checks[1][here]]
    return b"".join(parts)


def checksums(texts: Sequence[bytes]) -> NDArray[np.uint32]:
    """The masked CRC-32C (Castagnoli) of each text, of four bytes or more."""
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import CRC_TABLE

    table = np.array(CRC_TABLE, np.uint32)
    width = max(map(len, texts), default=0)
    # Zeros before a text change nothing while the register is zero. That it begins with ones is the same as to
    # turn round the bits of the first four bytes.
    columns = np.zeros((width, len(texts)), np.uint32)
    for place, text in enumerate(texts):
        start = width - len(text)
        columns[start:, place] = np.frombuffer(text, np.uint8)
        columns[start : start + 4, place] ^= 0xFF
    register = np.zeros(len(texts), np.uint32)
    for column in columns:
        register = table[(register ^ column) & 0xFF] ^ (register >> 8)
    register = ~register
    masked: NDArray[np.uint32] = np.add((register >> 15) | (register << 17), 0xA282EAD8, dtype=np.uint32)
    return masked

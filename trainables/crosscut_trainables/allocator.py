"""The C library's allocator of memory."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's options (malloc.h)."""
KEPT, LARGEST = 2**30, 2**25
"""Bytes that are kept where they were freed, and those of a piece that is given back by itself: glibc's most."""


@cache
def keep_freed() -> bool:
    """Keep memory that is freed instead of giving it back: what a step frees, the next one asks for, and each page
    that comes anew is cleared first. Whether the C library can; it holds for the whole process."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    # Either option ends the adaption of both.
    return bool(option(MMAP_THRESHOLD, LARGEST) and option(TRIM_THRESHOLD, KEPT))

"""The C library's allocator, asked to give large blocks back.

Once glibc has seen a block of 19 MiB freed, it keeps as much in each thread's arena for ever: 40 MB
after two people have signed in, whose passwords' hashes need that much for a few milliseconds.
"""

from __future__ import annotations

import ctypes
import sys

LARGE = 8 * 1024 * 1024
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def give_back_large_blocks() -> None:
    """Let blocks of 8 MiB and more be the system's again when freed; elsewhere than glibc nothing.

    Naming the one threshold fixes the other too, which would cost a system call for little.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            library.mallopt(_M_TRIM_THRESHOLD, 2 * LARGE)
            library.mallopt(_M_MMAP_THRESHOLD, LARGE)

"""Python's cyclic garbage collector, asked to look less often.

Its default, a look at every 700 new objects, took half the time of applying events, whose
thousands of dictionaries and tuples form no cycles and are freed without it.
"""

from __future__ import annotations

import gc

OBJECTS_A_LOOK = 10_000


def collect_seldom() -> None:
    """Look at every 10,000 new objects, and never at those there are now (the modules')."""
    if gc.get_threshold()[0] < OBJECTS_A_LOOK:
        gc.collect()
        gc.freeze()
        gc.set_threshold(OBJECTS_A_LOOK, 10, 10)

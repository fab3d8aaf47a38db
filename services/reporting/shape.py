"""The shape of the facts and rollups: a digest of the code that makes them.

Of the code itself, since a number would be forgotten some day. A change of no consequence costs a
rebuild at the next start, which takes seconds.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_HERE = Path(__file__).parent
_SOURCES = (*sorted((_HERE / "folds").glob("*.py")), _HERE / "measures.py")

SHAPE = hashlib.sha256(b"\0".join(source.read_bytes() for source in _SOURCES)).hexdigest()
"""Changes with any file of the folds, and with the measures."""

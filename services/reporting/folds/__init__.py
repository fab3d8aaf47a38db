"""How each service's events change what reporting knows of an aggregate, and what it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.reporting.folds import cases, complaints, permits
from services.reporting.folds.notes import Noted, types_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.reporting.folds.notes import Count

TYPES: Mapping[str, Noted] = {
    **types_of("cases", cases.PROCEDURES),
    **types_of("permits", permits.PROCEDURES),
    **types_of("complaints", complaints.PROCEDURES),
}
"""Every event type that reporting knows, as it stands on the wire."""

COUNTS: Mapping[str, Count] = {**cases.COUNTS, **permits.COUNTS, **complaints.COUNTS}
"""By procedure, what its aggregates contribute to the rollups."""

"""Searching Chinese text: words of two characters, kept as a stored array of bigrams.

pg_trgm finds no trigram in a two-character word, so the bigrams of a text are stored in a `text[]`
column with a GIN index, and a query asks for rows that hold all bigrams of what was typed.
"""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Bring full-width and half-width, upper and lower case to one form, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def bigrams(*texts: str | None) -> list[str]:
    """Every two neighbouring characters of each text, sorted, each once."""
    found: set[str] = set()
    for text in texts:
        if text:
            folded = fold(text)
            found.update(folded[i : i + 2] for i in range(max(len(folded) - 1, 1)))
    return sorted(found)

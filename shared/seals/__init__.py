"""Seals over the order of events: they show what was removed, put in or moved."""

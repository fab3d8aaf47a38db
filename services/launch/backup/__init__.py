"""Backing the platform up into one file, and restoring it from that file into a new folder."""

"""Procedures as data: the table of transitions, and the one `apply` that runs every row."""

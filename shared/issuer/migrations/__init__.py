"""Alembic migrations of schema `identity`."""

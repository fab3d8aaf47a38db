"""Platforms to break."""

from tests.launch.conftest import new_platform as new_platform  # noqa: PLC0414 - a fixture

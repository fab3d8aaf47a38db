"""The `ecocase` command. Subcommands import what they need when they run: help is quick."""

from services.launch.cli.main import main

__all__ = ["main"]

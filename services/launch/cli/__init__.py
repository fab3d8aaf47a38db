"""The `ecocase` command. Each subcommand imports what it needs when it runs, so that help is quick."""

from services.launch.cli.main import main

__all__ = ["main"]

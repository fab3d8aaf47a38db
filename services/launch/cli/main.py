"""The command's entry: its subcommands, and how its errors end."""

from __future__ import annotations

import sys

import typer

from services.launch.cli import (
    auditing,
    backing_up,
    demo,
    documents,
    figures,
    loading,
    serving,
    settings,
    topics,
    trails,
    users,
    verifying,
)

REFUSED = 1
AWAY = 3

app = typer.Typer(
    name="ecocase",
    help="环案通 EcoCase：区县生态环境局办案平台。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
serving.add_to(app)
loading.add_to(app)
figures.add_to(app)
auditing.add_to(app)
verifying.add_to(app)
trails.add_to(app)
backing_up.add_to(app)
documents.add_to(app)
demo.add_to(app)
users.add_to(app)
settings.add_to(app)
topics.add_to(app)


def main() -> None:
    """Run the command; what the user can mend ends in one line, not in a traceback."""
    from services.launch.client import (  # noqa: PLC0415 - slow to import
        CredentialsError,
        PlatformAwayError,
        RefusedError,
    )
    from services.launch.settings import SettingsError  # noqa: PLC0415 - slow to import

    try:
        app()
    except SettingsError as error:
        _say(str(error))
        sys.exit(REFUSED)
    except PlatformAwayError as away:
        _say(str(away))
        sys.exit(AWAY)
    except (CredentialsError, RefusedError) as error:
        _say(str(error))
        sys.exit(REFUSED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(REFUSED)


def _say(message: str) -> None:
    print(f"ecocase：{message}", file=sys.stderr)

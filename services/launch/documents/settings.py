"""docs/settings.md: every setting, from the class that reads them."""

from __future__ import annotations

from services.launch.settings import Settings
from services.launch.settings_table import table

_HEAD = """# Settings

Generated from `services/launch/settings.py` by `make docs`; do not edit.

Settings are environment variables. `ecocase settings` prints them with the values in force and
where each was set; passwords are not shown. A variable that begins with `ECOCASE_` and is none of
these is named when the platform starts: it is misspelt.

| variable | meaning (含义) | default |
|---|---|---|
"""


def settings_page() -> str:
    """The page."""
    rows = table(Settings.model_construct())
    return _HEAD + "".join(
        f"| `{row.name}` | {row.meaning} | {f'`{row.default}`' if row.default != '—' else '—'} |\n"
        for row in rows
    )

"""The data folder while it is restored: what was in it stays in place until all is verified.

    restoring/          being built: a whole data folder of its own, worth nothing until verified
    restored-STAMP/     verified; what was in the data folder is being set aside
    moving-STAMP/       what was verified is being moved into the data folder
    replaced-STAMP/     what was in the data folder before

Each step is a rename and can be done again, so that a restore killed anywhere is completed or begun
anew by the next, and nothing is served meanwhile (`unfinished`).
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.postgres.cluster import private_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESTORING = "restoring"
_RESTORED, _MOVING, _REPLACED = "restored-", "moving-", "replaced-"
_NOT_OURS = "lost+found"


def unfinished(data: Path) -> Path | None:
    """The folder of a restore that has not come to its end; None where there is none."""
    building = data / RESTORING
    if building.exists():
        return building
    return next(iter([*data.glob(f"{_RESTORED}*"), *data.glob(f"{_MOVING}*")]), None)


def used(data: Path) -> bool:
    """Whether the folder holds anything but what restores have left in it."""
    return any(_contents(data))


def kept(name: str) -> bool:
    """Whether an entry of the data folder is a restore's own, or the file system's."""
    return name == _NOT_OURS or name.startswith((RESTORING, _RESTORED, _MOVING, _REPLACED))


def begin(data: Path) -> Path:
    """Give an empty folder to restore into."""
    building = data / RESTORING
    if building.exists():
        shutil.rmtree(building)
    return private_folder(building)


def give_up(data: Path) -> None:
    """Remove what was being built."""
    shutil.rmtree(data / RESTORING, ignore_errors=True)


def complete(data: Path) -> Path | None:
    """Put what was built and verified in place; gives where that which it replaces now lies."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    _rename(data / RESTORING, data / f"{_RESTORED}{stamp}")
    return resume(data)


def resume(data: Path) -> Path | None:
    """Go on with `complete` where it was cut short; `needs_resuming` says whether it was."""
    for verified in data.glob(f"{_RESTORED}*"):
        stamp = verified.name.removeprefix(_RESTORED)
        for entry in list(_contents(data)):
            _rename(entry, private_folder(data / f"{_REPLACED}{stamp}") / entry.name)
        _rename(verified, data / f"{_MOVING}{stamp}")
    aside = None
    for verified in data.glob(f"{_MOVING}*"):
        for entry in list(verified.iterdir()):
            _rename(entry, data / entry.name)
        verified.rmdir()
        sync_folder(data)
        replaced = data / f"{_REPLACED}{verified.name.removeprefix(_MOVING)}"
        aside = replaced if replaced.exists() else None
    return aside


def needs_resuming(data: Path) -> bool:
    """Whether a restore was cut short after all was verified."""
    found = unfinished(data)
    return found is not None and found.name != RESTORING


def _contents(data: Path) -> Iterator[Path]:
    return (entry for entry in data.iterdir() if not kept(entry.name))


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    sync_folder(target.parent)

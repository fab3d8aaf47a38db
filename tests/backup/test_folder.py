"""Putting a restored folder in place, cut short at every rename."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.launch.backup import folder

if TYPE_CHECKING:
    from pathlib import Path

STAMP = "20260101T000000Z"
NAMES = ("credentials.json", "keys", "postgres")


def fill(place: Path, content: str, names: tuple[str, ...] = NAMES) -> None:
    place.mkdir(exist_ok=True)
    for name in names:
        (place / name).write_text(content)


def contents(place: Path) -> dict[str, str]:
    return {entry.name: entry.read_text() for entry in place.iterdir() if entry.is_file()}


def test_what_was_built_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    fill(tmp_path / "restoring", "new")
    assert folder.unfinished(tmp_path) is not None
    aside = folder.complete(tmp_path)
    assert contents(tmp_path) == dict.fromkeys(NAMES, "new")
    assert aside is not None
    assert contents(aside) == dict.fromkeys(NAMES, "old")
    assert folder.unfinished(tmp_path) is None


def test_in_an_empty_folder_nothing_is_set_aside(tmp_path: Path) -> None:
    fill(tmp_path / "restoring", "new")
    assert folder.complete(tmp_path) is None
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("set_aside", range(len(NAMES) + 1))
def test_setting_aside_is_gone_on_with(tmp_path: Path, set_aside: int) -> None:
    fill(tmp_path, "old", NAMES[set_aside:])
    fill(tmp_path / f"replaced-{STAMP}", "old", NAMES[:set_aside])
    fill(tmp_path / f"restored-{STAMP}", "new")
    assert folder.needs_resuming(tmp_path)
    in_place(tmp_path, folder.resume(tmp_path))


@pytest.mark.parametrize("moved", range(len(NAMES) + 1))
def test_moving_in_is_gone_on_with(tmp_path: Path, moved: int) -> None:
    fill(tmp_path, "new", NAMES[:moved])
    fill(tmp_path / f"replaced-{STAMP}", "old")
    fill(tmp_path / f"moving-{STAMP}", "new", NAMES[moved:])
    assert folder.needs_resuming(tmp_path)
    in_place(tmp_path, folder.resume(tmp_path))


def in_place(data: Path, aside: Path | None) -> None:
    assert aside == data / f"replaced-{STAMP}"
    assert contents(aside) == dict.fromkeys(NAMES, "old")
    assert contents(data) == dict.fromkeys(NAMES, "new")
    assert folder.unfinished(data) is None


def test_what_is_only_being_built_is_begun_anew_or_given_up(tmp_path: Path) -> None:
    fill(tmp_path, "old")
    fill(tmp_path / "restoring", "half")
    assert not folder.needs_resuming(tmp_path)
    assert list(folder.begin(tmp_path).iterdir()) == []
    folder.give_up(tmp_path)
    assert folder.unfinished(tmp_path) is None
    assert contents(tmp_path) == dict.fromkeys(NAMES, "old")

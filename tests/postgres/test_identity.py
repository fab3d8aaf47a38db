"""Root runs PostgreSQL all the same: in a namespace, or, where refused, as another account."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.postgres.cluster import binaries
from shared.postgres.identity import choose_identity

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFINED = Path(__file__).with_name("confined_process.py")
as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux"
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter, as pytest's own is not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def start_without_namespaces(folder: Path) -> str:
    """Start a server where namespaces are refused; its answer, or the refusal."""
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, CONFINED, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as confined:
        assert confined.stdout is not None
        pid = confined.stdout.readline().strip()
        for mapping in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{mapping}").write_text("0 0 65536")
        answer, _ = confined.communicate("mapped\n")
    return answer.strip()


@as_root
def test_root_keeps_its_files_and_is_known_by_another_name(tmp_path: Path) -> None:
    identity = choose_identity(tmp_path, binaries())
    assert identity.owner == os.geteuid()
    assert identity.seen_as != "root"


@as_root
def test_root_without_namespaces_falls_back_to_an_unprivileged_account(open_folder: Path) -> None:
    owner = int(start_without_namespaces(open_folder / "postgres"))
    assert owner != 0
    assert pwd.getpwuid(owner).pw_name in {"postgres", "daemon"}


@as_root
def test_a_folder_that_account_cannot_enter_is_refused_by_name(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    assert f"进不了 {closed}" in start_without_namespaces(closed / "postgres")

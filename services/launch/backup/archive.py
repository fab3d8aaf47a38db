"""The backup's file: a ZIP of the database's dump, the data folder's files and the manifest.

    database.dump       pg_dump's custom format
    files/…             the data folder's files, by their paths in it
    manifest.json       the last member: without it the archive is not whole

The file appears under its name only when it is whole and safe on disk. Readable by its owner
alone: it holds personal data, password hashes and signing keys.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import zipfile
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from pydantic import ValidationError

from services.launch.backup.manifest import FORMAT, Manifest, Member
from shared.postgres.cluster import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

DUMP = "database.dump"
FILES = "files/"
MANIFEST = "manifest.json"
CHUNK = 1024 * 1024
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BackupError(Exception):
    """A backup cannot be taken or restored; the message says why and what to do."""


class ArchiveWriter:
    """Writes an archive to `target`; it appears there when the block ends without an error.

    Raises BackupError where `target` exists, cannot be written or has no space.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._partial = target.with_name(f".{target.name}.partial")
        self._members: dict[str, Member] = {}

    def __enter__(self) -> Self:
        """Begin, in a file beside the target; one that a killed backup left is overwritten."""
        if self._target.exists():
            raise BackupError(f"{self._target} 已存在：请换一个文件名")
        try:
            descriptor = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise BackupError(f"不能写 {self._target}（{error.strerror}）") from error
        self._file = os.fdopen(descriptor, "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise BackupError(f"另一个备份正在写 {self._target}") from None
        os.fchmod(descriptor, 0o600)
        self._file.truncate(0)
        self._zip = zipfile.ZipFile(self._file, "w", compresslevel=1)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Give the file its name, or remove it."""
        try:
            if kind is None:
                with self._space():
                    self._zip.close()
                    self._file.flush()
                    os.fsync(self._file.fileno())
                    self._partial.rename(self._target)
                sync_folder(self._target.parent)
        finally:
            self._partial.unlink(missing_ok=True)
            for each in (self._zip, self._file):
                with suppress(OSError):  # what they would still write is thrown away
                    each.close()
        if isinstance(error, OSError) and error.errno in _NO_SPACE:
            raise self._no_space() from error

    @property
    def names(self) -> frozenset[str]:
        """The members written so far."""
        return frozenset(self._members)

    @property
    def members(self) -> dict[str, Member]:
        """The members written so far, with their digests."""
        return dict(self._members)

    @contextmanager
    def member(self, name: str, *, compressed: bool = False) -> Iterator[MemberWriter]:
        """Write one member, chunk by chunk; `compressed` where its content is so already."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_STORED if compressed else zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as out:
            writer = MemberWriter(out)
            yield writer
        self._members[name] = Member(bytes=writer.bytes, sha256=writer.digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, the last member."""
        with self._zip.open(MANIFEST, "w") as out:
            out.write(manifest.model_dump_json(indent=2).encode())

    @contextmanager
    def _space(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise self._no_space() from error
            raise

    def _no_space(self) -> BackupError:
        return BackupError(f"{self._target.parent} 的空间不够，备份没有写成：请清理或换一处")


class MemberWriter:
    """Takes one member's chunks, counts and digests them."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.bytes = 0
        self.digest = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Write a chunk."""
        self._out.write(chunk)
        self.digest.update(chunk)
        self.bytes += len(chunk)


class Archive:
    """Reads an archive; close it by leaving the block.

    Raises BackupError where the file is missing, not whole, or of another format.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise BackupError(f"读不到 {path}（{error.strerror}）") from error
        except zipfile.BadZipFile as error:
            raise BackupError(f"{path} 不是完整的备份") from error
        try:
            self.manifest = Manifest.model_validate_json(self._zip.read(MANIFEST))
        except (KeyError, ValidationError, zipfile.BadZipFile) as error:
            self._zip.close()
            raise BackupError(f"{path} 不是完整的备份：没有可读的 {MANIFEST}") from error
        if self.manifest.format != FORMAT:
            self._zip.close()
            raise BackupError(
                f"{path} 是第 {self.manifest.format} 版格式，本程序只认识第 {FORMAT} 版"
            )

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the file."""
        self._zip.close()

    @property
    def files(self) -> dict[str, PurePosixPath]:
        """The members that are files of the data folder, with their paths in it."""
        return {
            name: PurePosixPath(name.removeprefix(FILES))
            for name in self.manifest.members
            if name.startswith(FILES)
        }

    def chunks(self, name: str) -> Iterator[bytes]:
        """Read a member; raises BackupError where it is not what was written."""
        wanted = self.manifest.members[name]
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(CHUNK):
                    digest.update(chunk)
                    yield chunk
        except (KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise self._damaged(name) from error
        if digest.hexdigest() != wanted.sha256:
            raise self._damaged(name)

    def check(self) -> Iterator[int]:
        """Read every member through, giving the bytes read; raises BackupError as `chunks` does."""
        held = set(self._zip.namelist()) - {MANIFEST}
        if strange := held ^ self.manifest.members.keys():
            raise self._damaged("、".join(sorted(strange)))
        for path in self.files.values():
            if not path.parts or path.is_absolute() or ".." in path.parts:
                raise self._damaged(str(path))
        for name in self.manifest.members:
            for chunk in self.chunks(name):
                yield len(chunk)

    def _damaged(self, name: str) -> BackupError:
        return BackupError(f"{self._path} 已损坏：{name} 与清单不符，请换用另一份备份")

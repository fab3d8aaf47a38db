"""Files that only the platform's own user may read, written whole or not at all."""

import os
import tempfile
from pathlib import Path


class ReadableKeyError(Exception):
    """A key file may be read by others; the message says what to do."""


def write_private(path: Path, content: bytes) -> None:
    """Write `content` to `path` with mode 0600; the file is then the old one or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}."
    )  # 0600 by itself
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_key(path: Path) -> bytes:
    """The content of a key file. Raises `ReadableKeyError` where others may read it too."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ReadableKeyError(f"密钥 {path} 可被其他用户读取,请执行 chmod 600 后再启动")
    return path.read_bytes()

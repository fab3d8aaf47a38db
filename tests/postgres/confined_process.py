"""Start a PostgreSQL as a root whom the system refuses further user namespaces.

    python confined_process.py FOLDER

Prints its own process number, waits for a line (by then its accounts are mapped),
then prints the uid that owns the server's files, or why there is no server.
"""

import asyncio
import ctypes
import os
import sys
from pathlib import Path

import asyncpg

from shared.postgres.child import CLONE_NEWUSER
from shared.postgres.embedded import EmbeddedPostgres
from shared.postgres.identity import NoIdentity


async def start(folder: Path) -> str:
    """Start, ask where the files are, stop."""
    postgres = EmbeddedPostgres(folder)
    await postgres.start()
    connection = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    files: str = await connection.fetchval("SHOW data_directory")
    await connection.close()
    await postgres.stop()
    return files


def main() -> None:
    """Enter a namespace of our own, in which no further one is allowed."""
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) != 0:
        raise OSError("unshare")
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    try:
        files = asyncio.run(start(Path(sys.argv[1])))
    except NoIdentity as refusal:
        sys.stdout.write(str(refusal))
    else:
        sys.stdout.write(f"{Path(files).stat().st_uid}")


main()

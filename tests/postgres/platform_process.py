"""Stands in for the platform's process: owns a PostgreSQL until it is killed.

    python platform_process.py FOLDER

Commits one row, prints the server's process number, then waits for ever.
"""

import asyncio
import sys
from pathlib import Path

import asyncpg

from shared.postgres.embedded import EmbeddedPostgres


async def main(folder: Path) -> None:
    """Start, commit, say so, wait."""
    postgres = EmbeddedPostgres(folder)
    await postgres.start()
    connection = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    sys.stdout.write(f"{postgres.pid}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1])))

"""What signing in leaves behind of the memory that a password's hash takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

SIGNING_IN = """
import asyncio
from pathlib import Path
from shared.issuer.passwords import Passwords

def resident():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))

async def main():
    passwords = Passwords()
    known = await passwords.hash("one")
    before = resident()
    await asyncio.gather(*(passwords.verify(known, "another") for _ in range(8)))
    print(resident() - before)

asyncio.run(main())
"""
ONE_HASH_KB = 19_456


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_signing_in_keeps_no_memory() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SIGNING_IN], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < ONE_HASH_KB / 4

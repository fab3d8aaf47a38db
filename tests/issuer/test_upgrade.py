"""An installation from before accounts were administered keeps its accounts and certificates."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

from shared.identity.officers import Certificate
from shared.issuer import policy
from shared.issuer.accounts import Accounts
from shared.issuer.policy import DEMONSTRATION
from shared.postgres.database import Database
from shared.postgres.migrate import Migrations
from tests.issuer.conftest import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_fixture import MakeFresh

BEFORE = """
INSERT INTO account VALUES
  ('officer1', '执法人员甲', 'hash', '{investigator}', '500152', NULL, 'A-1', '2020-01-01',
   '2035-12-31', now()),
  ('legal1', '法制审核甲', 'hash', '{legal}', '500152', NULL, NULL, NULL, NULL, now());
INSERT INTO refresh_token VALUES
  (gen_random_uuid(), 'legal1', '\\x00', gen_random_uuid(), now(), now(), NULL, NULL);
INSERT INTO sign_in (at, outcome, account, name_hash, address, user_agent) VALUES
  (now(), 'accepted', 'legal1', '\\x00', '192.0.2.1', 'test');
"""


async def test_accounts_and_certificates_outlive_the_upgrade(
    fresh_database: MakeFresh, tmp_path: Path
) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    shutil.copy(MIGRATIONS / "versions" / "0001_accounts.py", versions)
    fresh = await fresh_database({"identity": tmp_path})
    old = fresh.database("identity")
    await old.open()
    async with old.connection() as connection:
        await connection.execute(BEFORE)
    await old.close()
    new = Database("identity", fresh.url("identity"), migrations=MIGRATIONS)
    await new.open()
    try:
        await Migrations(new).upgrade()
        officer = await Accounts(new.engine).find("officer1")
        assert officer is not None
        assert officer.certificates == (
            Certificate("officer1", "A-1", date(2020, 1, 1), date(2035, 12, 31)),
        )
        async with new.engine.connect() as connection:
            assert await policy.stored(connection) == DEMONSTRATION
        async with new.connection() as raw:
            assert await raw.fetchval("SELECT count(*) FROM account WHERE NOT one_time") == 2
            assert await raw.fetchval("SELECT count(*) FROM sign_in") == 1
            assert await raw.fetchval("SELECT count(*) FROM session") == 0
    finally:
        await new.close()

"""The calendar in force, kept in the `clock` schema; read again as another process may load one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from shared.audit.tables import audit_tables
from shared.clock.calendar import WorkCalendar
from shared.clock.calendar_store import CalendarNotice, calendar_table, load_calendar

if TYPE_CHECKING:
    from shared.postgres.database import Database

log = structlog.stdlib.get_logger("ecocase.clock")

metadata = sa.MetaData()
calendar_year = calendar_table(metadata)
audit_tables(metadata)
REFRESH_SECONDS = 30.0


class Calendars:
    """Gives the newest calendar loaded; until one is read, the official one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calendar = WorkCalendar.official()

    @property
    def calendar(self) -> WorkCalendar:
        """The calendar in force."""
        return self._calendar

    async def read(self) -> None:
        """Read what has been loaded."""
        async with self._database.engine.connect() as connection:
            rows = (await connection.execute(sa.select(calendar_year))).mappings().all()
        self._calendar = load_calendar([dict(row) for row in rows])

    async def follow(self) -> None:
        """Read again every half minute, until cancelled: another process may have loaded one."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.read()
            except Exception:
                log.exception("the calendar could not be read again")

    async def load(self, notice: CalendarNotice, account: str) -> int:
        """Keep a notice as a new version of its year, and answer the version.

        The same notice again is not kept twice.
        """
        async with self._database.engine.begin() as connection:
            await connection.execute(
                sa.text("SELECT pg_advisory_xact_lock(hashtext('calendar_year'))")
            )
            newest = (
                (
                    await connection.execute(
                        sa.select(calendar_year)
                        .where(calendar_year.c.year == notice.year)
                        .order_by(calendar_year.c.version.desc())
                        .limit(1)
                    )
                )
                .mappings()
                .one_or_none()
            )
            version = 1 if newest is None else int(newest["version"])
            if newest is None or _differs(newest, notice):
                version = 1 if newest is None else version + 1
                await connection.execute(
                    sa.insert(calendar_year).values(
                        year=notice.year,
                        version=version,
                        source=notice.source,
                        holidays=list(notice.holidays),
                        workdays=list(notice.makeup),
                        loaded_at=datetime.now(UTC),
                        loaded_by=account,
                    )
                )
        await self.read()
        return version


def _differs(row: sa.RowMapping, notice: CalendarNotice) -> bool:
    kept = (row["source"], tuple(row["holidays"]), tuple(row["workdays"]))
    return kept != (notice.source, notice.holidays, notice.makeup)

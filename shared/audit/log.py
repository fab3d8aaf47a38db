"""The audit trail as one process writes it: entries of all requests in batches, by one task.

    log = AuditLog(database)
    async with log:
        await log.record(entry)      # durable when it returns; 503 where it cannot be
        await log.refused(entry)     # the same for a refusal, which is answered in any case

Entries that come while a batch is being written form the next one, so the trail costs a commit a
batch, however many ask.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import structlog
from prometheus_client import Counter
from uuid_utils.compat import uuid7

from shared.audit import notes, retention
from shared.audit.chain import Head, insert, linked, stored_head
from shared.audit.entry import Entry, Kind, Outcome
from shared.audit.period import LEAST_DAYS, USUAL_DAYS
from shared.audit.repeats import Repeats
from shared.http.problem import Unavailable

if TYPE_CHECKING:
    from types import TracebackType

    from shared.postgres.database import Connection, Database

log = structlog.stdlib.get_logger("ecocase.audit")

ENTRIES = Counter("ecocase_audit_entries", "Audit entries written.", ["service", "kind"])
UNRECORDED = Counter(
    "ecocase_audit_unrecorded",
    "Refusals answered that the audit trail could not take.",
    ["service"],
)

MOST_WAITING = 2_000
BATCH = 500
WAIT_SECONDS = 5.0
CLOSE_SECONDS = 2.0
NOTE_SECONDS = 3600.0


class AuditUnavailable(Unavailable):
    """The audit trail cannot be written, so what must be recorded is not done."""

    title = "审计日志暂时无法写入，请稍后再试"


def utc_now() -> datetime:
    """The time now, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Somebody waits for an entry to be durable; without one, for all that was counted so far."""

    entry: Entry | None
    at: datetime
    done: asyncio.Future[None]
    note: bool = False


class AuditLog:
    """One service's trail; an async context manager, bound to the loop that enters it.

    `days` is how long entries are kept, at least 183; `now` gives aware times.
    """

    def __init__(
        self,
        database: Database,
        *,
        days: int = USUAL_DAYS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        if days < LEAST_DAYS:
            raise ValueError(f"an audit trail is kept {LEAST_DAYS} days at least")
        self.service = database.service
        self.database = database
        self._days = days
        self._now = now
        self._head = Head(uuid7())
        self._attempted: bytes | None = None
        self._waiting: deque[_Waiting] = deque()
        self._repeats = Repeats()
        self._lost = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def head(self) -> Head:
        """The last entry that this process knows to be durable in its own chain."""
        return self._head

    async def __aenter__(self) -> Self:
        """Begin the chain with a note; raises `DatabaseUnavailable`."""
        await self._commit([], note=notes.OPENED)
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what waits and what was counted, and end with a note.

        A database that does not answer is not waited for: a chain without a closing note is one
        that was cut short.
        """
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def record(self, entry: Entry) -> None:
        """Write an entry; it is durable on return. Raises `AuditUnavailable`."""
        if len(self._waiting) >= MOST_WAITING:
            raise AuditUnavailable
        await self._durable(entry)

    async def refused(self, entry: Entry) -> None:
        """Write a refusal, or count it to others like it; never raises.

        Where the trail cannot be written, the refusal stands in the platform's log and in
        `ecocase_audit_unrecorded_total`, and the trail says how many are missing.
        """
        now = asyncio.get_running_loop().time()
        if not self._repeats.admits(entry, self._now(), now):
            self._wake.set()
            return
        try:
            await self.record(entry)
        except AuditUnavailable:
            self._miss(entry)

    async def flush(self, *, note: bool = False) -> None:
        """Write what was counted, and a note where wanted. Raises `AuditUnavailable`.

        With each note what is too old is purged, at most once a day.
        """
        await self._durable(None, note=note)

    async def _durable(self, entry: Entry | None, *, note: bool = False) -> None:
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entry, self._now(), done, note))
        self._wake.set()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await asyncio.shield(done)  # who leaves is recorded all the same
        except TimeoutError as error:
            done.cancel()
            raise AuditUnavailable from error

    async def _run(self) -> None:
        """Write batches until closed."""
        clock = asyncio.get_running_loop().time
        next_note = clock() + NOTE_SECONDS
        while not self._closing:
            wait_until = min(self._repeats.next_end() or next_note, next_note)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(wait_until):
                    await self._wake.wait()
            self._wake.clear()
            due = clock() >= next_note
            if due:
                next_note = clock() + NOTE_SECONDS
            await self._write(self._repeats.ended(clock()), note=notes.HOURLY if due else None)
        while self._waiting:
            await self._write([], note=None)
        await self._write(self._repeats.counted(), note=notes.CLOSED)

    async def _write(self, counted: list[tuple[Entry, datetime]], note: str | None) -> None:
        """Write one batch, and tell whoever waits for it."""
        batch = self._take()
        if any(one.note for one in batch):
            note = note or notes.HOURLY
        if any(one.entry is None for one in batch):
            counted = [*counted, *self._repeats.counted()]
        entries = [(one.entry, one.at) for one in batch if one.entry is not None]
        try:
            if entries or counted or note:
                await self._commit([*entries, *counted], note)
        except Exception as error:
            log.exception("audit trail not written", service=self.service)
            for entry, _ in counted:
                self._miss(entry)
            _tell(batch, error)
        else:
            _tell(batch, None)

    def _take(self) -> list[_Waiting]:
        """What the next batch holds: of those who wait, who has not given up."""
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        if self._waiting:
            self._wake.set()
        return [one for one in batch if not one.done.done()]

    async def _commit(self, entries: list[tuple[Entry, datetime]], note: str | None) -> None:
        """Link entries to the chain and commit them, a note first where one is due."""
        now = self._now()
        lost = self._lost
        if lost:
            missing = Entry(kind=Kind.TRAIL, action=notes.LOST, outcome=Outcome.REFUSED, count=lost)
            entries = [(missing, now), *entries]
        async with self.database.connection() as connection, connection.transaction():
            head = self._head
            if self._attempted is not None:
                head, left = await self._recall(connection)
                entries = [*((one, now) for one in left), *entries]
            if note is not None:
                await notes.take_turn(connection)
                purged = await retention.purge(connection, now, self._days)
                written = await notes.note(connection, note, purged=purged)
                entries = [(written, now), *entries]
            rows = linked(head, entries)
            self._attempted = rows[-1]["hash"]
            await insert(connection, rows)
        self._attempted = None
        self._lost -= lost
        self._head = Head(head.writer, rows[-1]["number"], rows[-1]["hash"])
        for entry, _ in entries:
            ENTRIES.labels(self.service, entry.kind.value).inc()
        if note is not None:
            log.info(
                "audit trail noted",
                service=self.service,
                writer=str(self._head.writer),
                number=self._head.number,
                hash=rows[-1]["hash"].hex(),
            )

    async def _recall(self, connection: Connection) -> tuple[Head, list[Entry]]:
        """Find our head again after a failure: a commit whose answer was lost may have been made.

        Where another hand went on with the chain, it is left to it, and an entry says so.
        """
        stored = await stored_head(connection, self._head.writer)
        if stored.number > self._head.number and stored.hash != self._attempted:
            log.error("audit chain continued by another", service=self.service)
            return Head(uuid7()), [notes.left(self._head)]
        if stored.number > self._head.number:
            self._head = stored
        return self._head, []

    def _miss(self, entry: Entry) -> None:
        self._lost += entry.count
        UNRECORDED.labels(self.service).inc(entry.count)
        log.error(
            "refusal not recorded",
            service=self.service,
            action=entry.action,
            account=entry.account,
            problem=entry.problem,
            count=entry.count,
        )


def _tell(batch: list[_Waiting], error: Exception | None) -> None:
    for one in batch:
        if one.done.done():
            continue
        if error is None:
            one.done.set_result(None)
        else:
            failure = AuditUnavailable()
            failure.__cause__ = error
            one.done.set_exception(failure)

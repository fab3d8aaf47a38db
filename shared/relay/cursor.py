"""The relay's cursor: how far it has published, in which term, to which topic's generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.relay.leadership import Leadership, LeadershipLost
from shared.relay.log import Position

if TYPE_CHECKING:
    from shared.postgres.database import Connection

_TAKE = """
INSERT INTO relay_cursor (term, epoch, xid, seq, position) VALUES (1, 0, '0', 0, 0)
ON CONFLICT (one) DO UPDATE SET term = relay_cursor.term + 1
RETURNING term, topic_generation, epoch, xid, seq, position, event_id
"""
_MOVE = """
UPDATE relay_cursor SET epoch = $2, xid = $3, seq = $4, position = $5, event_id = $6
WHERE term = $1 RETURNING true
"""
_GO_OVER = "UPDATE relay_cursor SET topic_generation = $2 WHERE term = $1 RETURNING true"


class Cursor:
    """The leader's hold on the cursor row."""

    def __init__(self, leadership: Leadership, topic_generation: int, position: Position) -> None:
        self.leadership = leadership
        self.topic_generation = topic_generation
        self.position = position

    @classmethod
    async def take(cls, connection: Connection) -> Cursor:
        """Begin a new term."""
        row = await connection.fetchrow(_TAKE)
        assert row is not None  # noqa: S101 - it returns the row it wrote
        term, topic_generation, *place = row
        return cls(Leadership(connection, term), topic_generation, Position(*place))

    async def move(self, to: Position) -> None:
        """Move the cursor; raises `LeadershipLost` where another term has begun."""
        await self._write(_MOVE, to.epoch, to.xid, to.seq, to.offset, to.event_id)
        self.position = to

    async def go_over(self, topic_generation: int) -> None:
        """Publish to another generation of the topic from now on; raises `LeadershipLost`."""
        await self._write(_GO_OVER, topic_generation)
        self.topic_generation = topic_generation

    async def _write(self, statement: str, *values: object) -> None:
        async with self.leadership.turn:
            written = await self.leadership.connection.fetchval(
                statement, self.leadership.term, *values
            )
        if not written:
            raise LeadershipLost

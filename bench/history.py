"""A history of penalty cases, made in SQL: cases, their events and all that stands beside them.

Not one command is run: a million cases would take an hour. The rows are those that commands leave,
spread over states, bureaus, parties and two years, and reporting has applied every event. Hashes
chain, but are not those of the events' contents.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import asyncpg

from services.reporting.shape import SHAPE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    Connection = asyncpg.Connection[asyncpg.Record]

BUREAU = "500152"
"""Has four cases in ten; the others are those of six more bureaus."""
RARE, FREQUENT = "砷渣", "环保"
"""Two words of parties' names: of one case in ten thousand, and of every second one."""
CASES_A_CHUNK = 25_000
CASES_A_PARTY = 10
WRITERS = 2
MIXED = (1, 2, 3, 3, *(4,) * 6, *(5,) * 10)
"""How far cases have come: of twenty one is still a clue, half are closed."""
CLOSED = (5,)

_SESSION = """
SET search_path = cases, reporting; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'
"""
# Parties: the first of them turn up far more often than the last.
_PARTIES = f"""
CREATE TABLE bench_party AS
SELECT number, md5('party ' || number)::uuid AS id, name, code,
    ARRAY(
        SELECT DISTINCT substr(text, at, 2)
        FROM unnest(ARRAY[name, lower(code)]) AS text, generate_series(1, length(text) - 1) AS at
        ORDER BY 1
    ) AS words
FROM (
    SELECT number,
        '91500' || lpad(number::text, 8, '0') || 'MA00X' AS code,
        '示例' || (ARRAY['东风', '临江', '双江', '梓潼', '柏梓', '塘坝', '古溪'])[1 + number % 7]
            || CASE WHEN number % 10000 = 4999 THEN '{RARE}' WHEN number % 2 = 0 THEN '{FREQUENT}'
                ELSE (ARRAY['电镀', '养殖', '建材', '化工', '印染'])[1 + number % 5] END
            || (ARRAY['一', '二', '三', '四', '五', '六', '七', '八', '九'])[1 + number / 7 % 9]
            || (ARRAY['有限公司', '厂', '合作社'])[1 + number % 3] AS name
    FROM generate_series(0, $1::integer - 1) AS number
) AS named
"""
_EVENTS = """
CREATE TABLE bench_step AS
SELECT * FROM (VALUES
    (1, 'clue', 'clue-registered', 'officer1'),
    (2, 'preliminary', 'clue-examined', 'officer1'),
    (3, 'filed', 'case-filed', 'leader1'),
    (4, 'investigating', 'investigation-started', 'officer1'),
    (5, 'closed', 'case-closed', 'officer1')
) AS step (version, state, event, actor)
"""
_CHUNK = """
CREATE TEMPORARY TABLE chunk (
    number integer, id uuid, bureau text, state text, version integer, day date, party integer,
    register uuid, examine uuid, facts jsonb
) ON COMMIT DELETE ROWS
"""
# Of $3 cases those numbered $1 up to $2, their versions those of $4 in turn.
_CASES = f"""
INSERT INTO chunk
SELECT number, id, bureau,
    (ARRAY['clue', 'preliminary', 'filed', 'investigating', 'closed'])[version],
    version, day, party, register, examine,
    jsonb_strip_nulls(jsonb_build_object(
        'register', jsonb_build_array(jsonb_build_object(
            'at', day + time '01:00', 'by', 'officer1', 'on', day, 'source', 'monitoring',
            'party_id', md5('party ' || party)::uuid, 'party_kind', 'organisation',
            'discovered_on', day, 'particulars_id', register)),
        'examine', CASE WHEN version >= 2 THEN jsonb_build_array(jsonb_build_object(
            'at', day + time '01:00', 'by', 'officer1', 'on', day, 'particulars_id', examine)) END,
        'file', CASE WHEN version >= 3 THEN jsonb_build_array(jsonb_build_object(
            'at', day + time '01:00', 'by', 'leader1', 'on', day, 'cause', 'air', 'harmful', false,
            'licensed', false, 'eia_report', false, 'punishable', true, 'act_ended_on', day,
            'has_evidence', true, 'in_jurisdiction', true,
            'investigators', jsonb_build_array('officer1', 'officer2'))) END,
        'investigate', CASE WHEN version >= 4 THEN jsonb_build_array(jsonb_build_object(
            'at', day + time '01:00', 'by', 'officer1', 'on', day)) END,
        'close', CASE WHEN version >= 5 THEN jsonb_build_array(jsonb_build_object(
            'at', day + time '01:00', 'by', 'officer1', 'on', day)) END))
FROM (
    SELECT number, uuidv7((number - $3) * interval '60 s') AS id,
        CASE WHEN number % 10 < 4 THEN '{BUREAU}' ELSE '50015' || 3 + number % 10 - 4 END AS bureau,
        ($4::integer[])[1 + number / 10 % cardinality($4::integer[])] AS version,
        date '2024-01-01' + (730::bigint * number / $3)::integer AS day,
        floor($3 / {CASES_A_PARTY} * power(random(), 2))::integer AS party,
        gen_random_uuid() AS register, gen_random_uuid() AS examine
    FROM generate_series($1::integer, $2::integer - 1) AS number
) AS made
"""
_HASH = "sha256(convert_to(chunk.number || '/' || {}, 'UTF8'))"
_WRITE = (
    f"""
    INSERT INTO penalty_case (id, bureau, state, version, hash, opened_at, stepped_at, party_id,
        party_name, words, facts, clocks, cause)
    SELECT chunk.id, bureau, state, version, {_HASH.format("version")}, day + time '01:00',
        day + time '01:00', party.id, name, words, facts,
        jsonb_build_object('filing', jsonb_build_object('ended', null, 'pauses', '[]'::jsonb,
            'period', 'filing', 'started', day, 'extensions', '[]'::jsonb)),
        CASE WHEN version >= 3 THEN 'air' END
    FROM chunk JOIN bench_party AS party ON party.number = chunk.party ORDER BY chunk.number
    """,
    """
    INSERT INTO party (id, bureau, aggregate_id, kind, name, code)
    SELECT gen_random_uuid(), bureau, chunk.id, 'organisation', name, code
    FROM chunk JOIN bench_party AS party ON party.number = chunk.party
    """,
    """
    INSERT INTO particulars (id, bureau, aggregate_id, content)
    SELECT register, bureau, id, '{"description": "在线监控显示颗粒物浓度超标"}'::jsonb FROM chunk
    UNION ALL
    SELECT examine, bureau, id, '{"opinion": "建议立案"}'::jsonb FROM chunk WHERE version >= 2
    """,
    f"""
    INSERT INTO event (id, aggregate_id, aggregate_version, type, schema_version, bureau, state,
        actor, occurred_at, recorded_at, data, idempotency_key, correlation_id, traceparent,
        previous_hash, hash, hash_algorithm)
    SELECT gen_random_uuid(), chunk.id, step.version, 'cn.ecocase.cases.' || event || '.v1', 1,
        bureau, step.state, actor, day + time '01:00', day + time '02:00',
        CASE event
            WHEN 'clue-registered' THEN (facts #> '{{register,0}}') - '{{at,by,on}}'::text[]
            WHEN 'clue-examined' THEN (facts #> '{{examine,0}}') - '{{at,by,on}}'::text[]
            WHEN 'case-filed' THEN (facts #> '{{file,0}}') - '{{at,by,on}}'::text[]
            ELSE '{{}}'::jsonb
        END,
        'history-' || lpad(number::text, 7, '0') || '-' || step.version, chunk.id,
        '00-' || md5(number::text) || '-9b5ee7009d9ce84e-01',
        CASE WHEN step.version > 1 THEN {_HASH.format("step.version - 1")} END,
        {_HASH.format("step.version")}, 'sha256'
    FROM chunk JOIN bench_step AS step ON step.version <= chunk.version
    ORDER BY number, step.version
    """,
    f"""
    INSERT INTO idempotency (bureau, key, fingerprint, aggregate_id, aggregate_version)
    SELECT bureau, 'history-' || lpad(number::text, 7, '0') || '-' || step.version,
        {_HASH.format("step.version")}, id, step.version
    FROM chunk JOIN bench_step AS step ON step.version <= chunk.version
    ORDER BY number, step.version
    """,
)
_FACTS = f"""
INSERT INTO fact (generation, aggregate_id, topic, bureau, version, hash, state, body)
SELECT $1, id, 'cases', bureau, version, {_HASH.format("version")}, state,
    jsonb_strip_nulls(jsonb_build_object('procedure', 'penalty-case', 'done', jsonb_build_object(
        'register', jsonb_build_array(jsonb_build_object('on', day, 'source', 'monitoring')),
        'file', CASE WHEN version >= 3
            THEN jsonb_build_array(jsonb_build_object('on', day, 'cause', 'air')) END,
        'close', CASE WHEN version >= 5 THEN jsonb_build_array(jsonb_build_object('on', day)) END)))
FROM chunk ORDER BY number
"""
_SERVE = """
WITH first AS (
    INSERT INTO generation (state, shape, started_at, ended_at) VALUES ('live', $1, now(), now())
    RETURNING number
), served AS (
    INSERT INTO serving (generation) SELECT number FROM first
)
SELECT number FROM first
"""
_CONSUMED = (
    """
    INSERT INTO relay_cursor (term, epoch, xid, seq, position, event_id)
    SELECT 0, epoch, xid, seq, (SELECT count(*) FROM event), id FROM event
    ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1
    """,
    """
    INSERT INTO position (
        generation, topic, partition, topic_generation, next_offset, last_event_id)
    SELECT generation, 'cases', 0, 1, position, event_id FROM serving, relay_cursor
    """,
    # One seal over all, of a digest nobody checks: sealing the past is not what is measured.
    """
    INSERT INTO seal (number, epoch, first_xid, first_seq, last_xid, last_seq, events, digest,
        hash_algorithm, term, sealed_at, hash)
    SELECT 1, epoch, '0', 0, xid, seq, position, sha256('past'), 'sha256', 0, now(), sha256('past')
    FROM relay_cursor
    """,
)
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'cases' AND tablename IN ('penalty_case', 'party', 'particulars')
    AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u'))
"""
_TABLES = (
    *("cases.penalty_case", "cases.party", "cases.particulars", "cases.event"),
    *("cases.idempotency", "reporting.fact"),
)


@dataclass(frozen=True, slots=True)
class History:
    """What was loaded: cases, and the party with the most of them."""

    cases: int
    party_id: str


async def load(url: str, cases: int, versions: Sequence[int] = MIXED) -> History:
    """Load so many cases into a migrated, empty database; `url` is that of a superuser."""
    async with _session(url) as connection:
        await connection.execute(_EVENTS)
        await connection.execute(_PARTIES.replace("$1", f"{max(cases // CASES_A_PARTY, 1)}"))
        await connection.execute("CREATE UNIQUE INDEX ON bench_party (number)")
        await connection.execute("ANALYZE bench_party, bench_step")
        generation = await connection.fetchval(_SERVE, SHAPE)
        indexes = await connection.fetch(_INDEXES)
        for index in indexes:
            await connection.execute(f"DROP INDEX cases.{index['indexname']}")
        chunks = ((begin, min(begin + CASES_A_CHUNK, cases)) for begin in count(0, CASES_A_CHUNK))
        await asyncio.gather(
            *(_write(url, generation, cases, versions, chunks) for _ in range(WRITERS))
        )
        for index in indexes:
            await connection.execute(index["indexdef"])
        for statement in _CONSUMED:
            await connection.execute(statement)
        await connection.execute("DROP TABLE bench_party, bench_step")
        for table in _TABLES:
            await connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}")
        await connection.execute("CHECKPOINT")
        party = await connection.fetchval(
            "SELECT party_id FROM penalty_case GROUP BY party_id ORDER BY count(*) DESC LIMIT 1"
        )
    return History(cases, str(party))


async def _write(
    url: str,
    generation: int,
    cases: int,
    versions: Sequence[int],
    chunks: Iterator[tuple[int, int]],
) -> None:
    """Write chunks while there are any, each a transaction."""
    async with _session(url) as connection:
        await connection.execute(_CHUNK)
        for begin, end in chunks:
            if begin >= cases:
                return
            async with connection.transaction():
                await connection.execute(_CASES, begin, end, cases, versions)
                for statement in _WRITE:
                    await connection.execute(statement)
                await connection.execute(_FACTS, generation)


@asynccontextmanager
async def _session(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_SESSION)
        yield connection
    finally:
        await connection.close()

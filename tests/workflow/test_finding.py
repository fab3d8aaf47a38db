"""Finding words in a list of 20,000 cases: what is found, and what the database does for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from services.cases import app as cases
from services.cases.models import tables
from shared.workflow.finding import LOOKED_THROUGH, by_index, by_walking, find_newest
from tests.service_double import BUREAU, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.postgres_fixture import FreshDatabases
    from tests.service_double import Service

CASES = 20_000
OTHER = "500153"
TABLE = tables.aggregates["penalty-case"]
IN_BUREAU = sa.select(TABLE.c.id, TABLE.c.state).where(TABLE.c.bureau == BUREAU)
# Of two cases one, of a hundred, of 250, of 4000; a word of one case, the oldest; one that only the
# other bureau's cases hold, every one of them; and one that none holds.
WORDS = {"环保": 10_000, "塘坝": 200, "梓潼": 80, "砷渣": 5, "柏梓": 1, "外地": 0, "无此": 0}
_CASES = f"""
INSERT INTO penalty_case (id, bureau, state, version, hash, opened_at, stepped_at, words, facts, clocks)
SELECT uuidv7((number - {CASES}) * interval '1 min'), bureau,
    CASE number % 3 WHEN 0 THEN 'clue' ELSE 'filed' END, 1, '', now(), now(),
    array_remove(ARRAY[
        '厂',
        CASE WHEN number % 2 = 0 THEN '环保' END,
        CASE WHEN number % 100 = 7 THEN '塘坝' END,
        CASE WHEN number % 250 = 9 THEN '梓潼' END,
        CASE WHEN number % 4000 = 0 THEN '砷渣' END,
        CASE WHEN number = 0 THEN '柏梓' END,
        CASE WHEN bureau = '{OTHER}' THEN '外地' END
    ], NULL),
    '{{}}', '{{}}'
FROM generate_series(0, {CASES - 1}) AS number, unnest(ARRAY['{BUREAU}', '{OTHER}']) AS bureau
"""


@pytest.fixture(scope="module")
async def service(fresh_databases: FreshDatabases) -> AsyncIterator[Service]:
    made = []

    async def fresh(migrations: Any) -> Any:
        made.append(await fresh_databases.create(migrations))
        return made[-1]

    async with running(cases, fresh) as service:
        async with service.database.connection() as connection:
            await connection.execute(_CASES)
            await connection.execute("ANALYZE penalty_case")
        yield service
    for each in made:
        await fresh_databases.drop(each)


@pytest.fixture
def asked(service: Service) -> Iterator[list[str]]:
    """The statements that queries have run."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = service.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("word, holding", WORDS.items())
async def test_page_by_page_every_case_is_found_newest_first(
    service: Service, word: str, holding: int
) -> None:
    found: list[str] = []
    after: dict[str, str] = {}
    for _ in range(3):
        page = (await service.get("/penalties", q=word, limit=200, **after)).json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) == min(holding, 600)


async def test_words_and_state_together(service: Service) -> None:
    page = (await service.get("/penalties", q="砷渣", state="clue")).json()
    assert [item["state"] for item in page["items"]] == ["clue"] * 2


@pytest.mark.parametrize("word, looks", [("环保", 1), ("塘坝", 2), ("梓潼", 2), ("外地", 2)])
async def test_a_frequent_word_needs_one_look_and_any_other_two(
    service: Service, asked: list[str], word: str, looks: int
) -> None:
    async with service.database.engine.connect() as connection:
        await find_newest(connection, IN_BUREAU, TABLE, [word], 51)
    assert len(asked) == looks
    assert ("every" in asked[-1]) == (word in {"梓潼", "外地"})


@pytest.mark.parametrize("word", WORDS)
async def test_looking_through_reads_no_more_than_the_newest(service: Service, word: str) -> None:
    walk = await explained(service, by_walking(IN_BUREAU, TABLE, [word], 51, LOOKED_THROUGH))
    [scan] = [node for node in walk if "Scan" in node["Node Type"] and "Index Name" in node]
    assert scan["Node Type"] == "Index Scan"
    assert scan["Scan Direction"] == "Backward"
    assert scan["Actual Rows"] <= LOOKED_THROUGH


@pytest.mark.parametrize("word", ["砷渣", "柏梓", "无此"])
async def test_a_rare_word_is_found_by_the_index_on_words(service: Service, word: str) -> None:
    plan = await explained(service, by_index(IN_BUREAU, TABLE, [word], 51))
    assert "penalty_case_words" in {node.get("Index Name") for node in plan}
    assert max(node["Actual Rows"] for node in plan) <= 2 * WORDS[word]


async def test_a_word_of_another_bureau_is_not_walked_after(service: Service) -> None:
    """By the statistics every second case holds it."""
    plan = await explained(service, by_index(IN_BUREAU, TABLE, ["外地"], 51))
    assert "Backward" not in {node.get("Scan Direction") for node in plan}


async def explained(service: Service, query: sa.Select[Any]) -> list[dict[str, Any]]:
    """Every node of the plan by which a query was run."""
    sql = str(query.compile(dialect=pg.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]
    async with service.database.connection() as connection:
        await connection.execute("SET plan_cache_mode = force_custom_plan")
        raw = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
    return list(nodes(orjson.loads(raw)[0]["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)

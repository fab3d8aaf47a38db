"""Every event that a lawful course writes is what the published schemas and AsyncAPI say it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event

from services.launch.catalogue import PROCEDURES
from shared.events.registry import asyncapi, event_types
from tests.every_service.courses import courses

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

    from tests.every_service.stage import Stage

    Stages = Callable[[str], Stage]

EVERY_SERVICE = pytest.mark.parametrize("service", PROCEDURES)
DOCUMENT = asyncapi(PROCEDURES, "test")


@pytest.fixture(scope="module")
def written(stages: Stages) -> Callable[[str], list[asyncpg.Record]]:
    """Give every event of a service after its courses have been taken."""
    played: dict[str, list[asyncpg.Record]] = {}

    def events(service: str) -> list[asyncpg.Record]:
        if service not in played:
            stage = stages(service)
            for procedure in PROCEDURES[service]:
                for course in courses(procedure):
                    stage.play(procedure, course)
            played[service] = stage.fetch("SELECT * FROM event ORDER BY seq")
        return played[service]

    return events


@EVERY_SERVICE
def test_the_courses_write_every_type_of_event(
    written: Callable[[str], list[asyncpg.Record]], service: str
) -> None:
    published = {kind.name for kind in event_types(PROCEDURES[service])}
    assert {event["type"] for event in written(service)} == published


@EVERY_SERVICE
def test_every_event_matches_the_schema_of_its_type(
    written: Callable[[str], list[asyncpg.Record]], service: str
) -> None:
    schemas = {kind.name: kind.schema for kind in event_types(PROCEDURES[service])}
    validators = {
        name: jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for name, schema in schemas.items()
    }
    for event in written(service):
        data = orjson.loads(event["data"])
        validators[event["type"]].validate(data)
        described = set(schemas[event["type"]]["properties"])
        assert set(data) <= described, event["type"]


@EVERY_SERVICE
def test_every_event_is_a_cloud_event_in_the_binding_that_asyncapi_describes(
    written: Callable[[str], list[asyncpg.Record]], service: str
) -> None:
    headers = DOCUMENT["components"]["schemas"]["CloudEventHeaders"]
    validator = jsonschema_rs.Draft202012Validator(headers, validate_formats=True)
    for event in written(service):
        filled = {
            name: value for name, value in _headers(event).items() if name in headers["properties"]
        }
        validator.validate(filled)
        message = KafkaMessage(
            headers={name: value.encode() for name, value in filled.items()},
            key=str(event["aggregate_id"]),
            value=event["data"],
        )
        read = from_kafka_event(message)
        assert (read.get_id(), read.get_type()) == (str(event["id"]), event["type"])
        assert read.get_time() == event["occurred_at"]
        assert read.get_data() == orjson.loads(event["data"])


def _headers(event: asyncpg.Record) -> dict[str, Any]:
    """What the columns of an event give for the headers that AsyncAPI names."""
    given = {
        "ce_specversion": "1.0",
        "ce_id": str(event["id"]),
        "ce_source": event["type"].split(".")[2],
        "ce_type": event["type"],
        "ce_time": event["occurred_at"].isoformat(),
        "ce_subject": str(event["aggregate_id"]),
        "ce_aggregateversion": str(event["aggregate_version"]),
        "ce_bureau": event["bureau"],
        "ce_state": event["state"],
        "ce_actor": event["actor"],
        "ce_recordedtime": event["recorded_at"].isoformat(),
        "ce_hash": event["hash"].hex(),
        "ce_previoushash": event["previous_hash"] and event["previous_hash"].hex(),
        "ce_traceparent": event["traceparent"],
        "content-type": "application/json",
    }
    return {name: value for name, value in given.items() if value is not None}

"""Every event type with its JSON Schema, and the AsyncAPI document, both from the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.events.envelope import PARTITIONS
from shared.workflow.payload import event_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.workflow.table import Procedure, Row


@dataclass(frozen=True, slots=True)
class EventType:
    """A type as it stands on the wire: `cn.ecocase.cases.case-filed.v1`."""

    name: str
    procedure: Procedure
    row: Row

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the event's data."""
        schema = event_model(self.row.payload, self.row.derived).model_json_schema(
            mode="serialization"
        )
        schema["title"] = self.row.title
        schema["description"] = self.row.article.citation
        return schema


def event_types(procedures: Iterable[Procedure]) -> list[EventType]:
    """The types that procedures publish; raises ValueError where one stands twice."""
    found: dict[str, EventType] = {}
    for procedure in procedures:
        for row in procedure.rows:
            name = procedure.type_of(row)
            if name in found:
                msg = f"event type {name} stands twice"
                raise ValueError(msg)
            found[name] = EventType(name, procedure, row)
    return list(found.values())


_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0，Kafka 二进制绑定",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "事件编号（UUIDv7）"},
        "ce_source": {"type": "string", "description": "发布事件的服务"},
        "ce_type": {"type": "string", "description": "事件类型"},
        "ce_time": {"type": "string", "format": "date-time", "description": "发生时间"},
        "ce_subject": {"type": "string", "format": "uuid", "description": "事项编号，亦为消息键"},
        "ce_aggregateversion": {"type": "string", "description": "事项的第几版，从 1 起不间断"},
        "ce_bureau": {"type": "string", "description": "行政区划代码"},
        "ce_state": {"type": "string", "description": "事件之后的状态"},
        "ce_actor": {"type": "string", "description": "办理人账号"},
        "ce_recordedtime": {"type": "string", "format": "date-time", "description": "记录时间"},
        "ce_hash": {"type": "string", "description": "本事件的散列（十六进制）"},
        "ce_previoushash": {"type": "string", "description": "同一事项前一事件的散列"},
        "ce_traceparent": {"type": "string", "description": "W3C Trace Context"},
        "content-type": {"const": "application/json"},
    },
}


def asyncapi(services: Mapping[str, Sequence[Procedure]], release: str) -> dict[str, Any]:
    """Describe every service's topic and events (AsyncAPI 3.0)."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for service, procedures in services.items():
        types = event_types(procedures)
        channels[service] = {
            "address": f"ecocase.{service}",
            "title": f"{service} 的事件",
            "messages": {
                kind.row.event: {"$ref": f"#/components/messages/{service}.{kind.row.event}"}
                for kind in types
            },
            "bindings": {
                "kafka": {
                    "partitions": PARTITIONS,
                    "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1},
                }
            },
        }
        operations[f"publish-{service}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{service}"},
        }
        for kind in types:
            messages[f"{service}.{kind.row.event}"] = {
                "name": kind.name,
                "title": f"{kind.procedure.title}：{kind.row.title}",
                "summary": kind.row.article.citation,
                "contentType": "application/json",
                "headers": {"$ref": "#/components/schemas/CloudEventHeaders"},
                "payload": kind.schema,
                "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}}},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "环案通 EcoCase 事件",
            "version": release,
            "description": "每一步骤一个事件；不载自然人的姓名、证件、电话、住址和自由文字。",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {"CloudEventHeaders": _HEADERS}},
    }

"""docs/caseload.md: the caseload format, with an example of every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from shared.issuer.demo import demo_accounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.workflow.table import Procedure, Row

_HEAD = """# Caseloads

Generated from the procedures' tables by `make docs`; do not edit.

A caseload (案卷) is a file of JSON Lines that `ecocase load FILE` plays through the public APIs.
The first line names it; every other line is one command:

```json
{"caseload": "2024 synthetic"}
{"service": "cases", "ref": "a-1", "command": "register", "actor": "officer1", "at": …}
```

| field | meaning |
|---|---|
| `service` | the service: `cases`, `permits`, `complaints` |
| `ref` | names an aggregate within this caseload and service; in another caseload another one |
| `command` | one of the commands below; an aggregate's lines are played in the file's order |
| `actor` | the account that takes the step |
| `at` | when it happened: RFC 3339; without offset Asia/Shanghai; a bare date is 09:00 |
| `data` | what the command takes |

A line's identity is (caseload, service, ref, command, how many such came before). A file that was
cut short or continued by hand and is loaded again under its name goes on where it stood: what is
there already is not done twice, and a loaded line that was edited since is refused.

`ecocase load` checks every line first and names the number, field and reason of each bad one. The
good ones still load, unless `--all-or-nothing` was given. It exits with 1 where any line was
refused, and with 3 when the platform has not answered for 10 seconds.

Where accounts come from an outside issuer, the credentials file holds an account of the role 导入
(or its token, `{"token": "…"}`) and no other: it then names each line's `actor`, and both are
recorded.
"""


def caseload_page(services: Mapping[str, Sequence[Procedure]]) -> str:
    """Write the page."""
    parts = [_HEAD]
    for service, procedures in services.items():
        for procedure in procedures:
            parts.append(f"## {procedure.title} (`{service}`, {procedure.name})\n")
            parts += [_command(procedure, row) for row in procedure.rows]
    return "\n".join(parts)


def _command(procedure: Procedure, row: Row) -> str:
    sources = [state.title for name, state in procedure.states.items() if name in row.source]
    if row.opens:
        where = "opens it"
    elif len(sources) == len(procedure.states):
        where = "in any state"
    else:
        where = "in " + "、".join(sources)
    example = {
        "service": procedure.service,
        "ref": f"{procedure.name}-1",
        "command": row.command,
        "actor": _actor(row),
        "at": "2024-03-01",
        "data": procedure.examples[row.command],
    }
    return (
        f"**`{row.command}`** {row.title}: {where}. {row.article.citation}\n\n"
        f"```json\n{orjson.dumps(example).decode()}\n```\n"
    )


def _actor(row: Row) -> str:
    return next(one.account for one in demo_accounts() if one.roles & row.roles)

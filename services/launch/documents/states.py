"""A procedure's page: its state diagram, and a row a transition with article, roles and guards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.workflow.table import End, Extend, Resume, Start, Suspend

if TYPE_CHECKING:
    from shared.workflow.table import ClockEffect, Procedure, Row


def state_page(procedure: Procedure) -> str:
    """Write the page (Markdown with a Mermaid diagram)."""
    lines = [
        f"# {procedure.title} (`{procedure.service}` / `{procedure.name}`)",
        "",
        "Generated from the procedure's table by `make docs`; do not edit.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *(f'    state "{state.title}" as {name}' for name, state in procedure.states.items()),
        *_edges(procedure),
        *(f"    {name} --> [*]" for name, state in procedure.states.items() if state.final),
        "```",
        "",
        "## Steps",
        "",
        "| command | 步骤 | from | to | roles | article | conditions | clocks | event |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_line(procedure, row) for row in procedure.rows if not row.is_record),
        "",
        "## Records",
        "",
        "A record only adds; it may lie anywhere since the opening.",
        "",
        "| command | 记载 | while | roles | article | conditions | clocks | event |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(procedure, row) for row in procedure.rows if row.is_record),
        "",
    ]
    return "\n".join(lines)


def _edges(procedure: Procedure) -> list[str]:
    edges = []
    for row in procedure.rows:
        if row.is_record:
            continue
        sources = [name for name in procedure.states if name in row.source] or ["[*]"]
        edges += [f"    {source} --> {row.target}: {row.title}" for source in sources]
    return edges


def _line(procedure: Procedure, row: Row) -> str:
    titles = [state.title for name, state in procedure.states.items() if name in row.source]
    everywhere = len(titles) == len(procedure.states)
    cells = [f"`{row.command}`", row.title, "任何状态" if everywhere else "、".join(titles) or "—"]
    if row.target is not None:
        cells.append(procedure.states[row.target].title)
    cells += [
        "、".join(sorted(role.title for role in row.roles if role.value != "importer")),
        row.article.citation,
        "；".join(f"{guard.name}（{guard.article.citation}）" for guard in row.guards) or "—",
        "；".join(_effect(effect) for effect in row.clocks) or "—",
        f"`{row.event}`",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _effect(effect: ClockEffect) -> str:
    match effect:
        case Start():
            return f"start `{effect.clock}`"
        case Suspend(reason=reason):
            return f"stop `{effect.clock}` ({reason})"
        case Resume(reason=reason):
            return f"go on `{effect.clock}` ({reason})"
        case Extend():
            return f"extend `{effect.clock}`"
        case End():
            return f"end `{effect.clock}`"

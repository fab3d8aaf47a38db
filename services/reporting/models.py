"""The tables of reporting: the consumer's, and the rollups."""

from __future__ import annotations

import sqlalchemy as sa

from services.reporting.measures import DIMENSIONS, MEASURES
from shared.audit.tables import audit_tables
from shared.consumer.tables import consumer_tables

metadata = sa.MetaData()
audit_tables(metadata)
consumer = consumer_tables(metadata)

# The few facts that are read themselves: the rules in force at a year's end.
sa.Index(
    "fact_time_limit",
    consumer.fact.c.generation,
    consumer.fact.c.bureau,
    postgresql_where=sa.text("body ->> 'procedure' = 'time-limit'"),
)

combination = sa.Table(
    "combination",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("bureau", sa.Text, nullable=False),
    *(sa.Column(dimension.name, sa.Text, nullable=False) for dimension in DIMENSIONS),
    sa.UniqueConstraint(
        "bureau", *(dimension.name for dimension in DIMENSIONS), name="combination_dimensions"
    ),
)
"""A combination of dimensions, by a number made of them; an absent one is the empty string."""

rollup = sa.Table(
    "rollup",
    metadata,
    sa.Column("generation", sa.Integer),
    sa.Column("day", sa.Date),
    sa.Column("combination", sa.BigInteger),
    sa.Column("partition", sa.Integer),
    sa.PrimaryKeyConstraint("generation", "combination", "day", "partition", name="rollup_pkey"),
    *(
        sa.Column(measure.name, sa.BigInteger, nullable=False, server_default="0")
        for measure in MEASURES
    ),
)
"""Sums of a day of the law. The partition keeps two instances from queueing on one row.

By combination first, so that a query reads its own bureau's days and none of the others'.
"""

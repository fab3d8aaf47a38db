"""PostgreSQL: the embedded server, roles and schemas, connections, migrations.

Read in this order: `embedded` (a server of our own), `provision` (database,
roles, schemas), `database` (one service's connections), `migrate`.
"""

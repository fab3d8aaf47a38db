"""Events: history, audit chain and outbox in one table, and their types."""

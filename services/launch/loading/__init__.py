"""Playing a caseload through the public APIs."""

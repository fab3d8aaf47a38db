"""The consumer: applies every event once to a projection, whichever bus brings it."""

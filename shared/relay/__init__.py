"""The relay: publishes a service's events, each aggregate's in order, and loses none."""

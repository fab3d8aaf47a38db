"""What every service's HTTP side stands on: errors, request ids, logs, metrics, health, docs."""

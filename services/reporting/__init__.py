"""Reporting: live statistics, warnings and the annual report, from the services' events alone."""

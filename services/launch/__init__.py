"""The `ecocase` command and the one-process server: the only folder that imports every service."""

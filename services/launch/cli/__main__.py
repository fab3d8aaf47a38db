"""`python -m services.launch.cli`, the same as `ecocase`."""

from services.launch.cli.main import main

main()

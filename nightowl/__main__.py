"""``python -m nightowl``."""

from nightowl.cli import main

main()

"""Alembic's environment; ``versions`` holds one file per schema."""

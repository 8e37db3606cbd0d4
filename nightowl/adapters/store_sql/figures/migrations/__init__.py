"""Alembic's environment of the figures' own schema; ``versions`` holds one file per revision."""

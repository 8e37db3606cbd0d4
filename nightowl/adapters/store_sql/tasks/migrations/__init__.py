"""Alembic's environment of the tasks' own schema; ``versions`` holds one file per revision."""

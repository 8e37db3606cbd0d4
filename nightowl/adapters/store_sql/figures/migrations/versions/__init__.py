"""One file per schema, oldest first by name."""

"""Flower's options, as its users have them, turned into a configuration."""

from nightowl.config.flower.mapping import configuration
from nightowl.config.flower.options import OPTIONS
from nightowl.config.flower.reading import Given, read

__all__ = ["OPTIONS", "Given", "configuration", "read"]

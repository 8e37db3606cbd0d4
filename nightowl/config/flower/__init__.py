"""Flower's options, as its users have them, turned into a configuration."""

from nightowl.config.flower.mapping import ANYWHERE, configuration
from nightowl.config.flower.options import OPTIONS
from nightowl.config.flower.reading import Given, read

__all__ = ["ANYWHERE", "OPTIONS", "Given", "configuration", "read"]

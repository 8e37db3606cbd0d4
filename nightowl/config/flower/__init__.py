"""Flower's options, as its users have them, turned into a configuration."""

from nightowl.config.flower.given import Given
from nightowl.config.flower.mapping import configuration
from nightowl.config.flower.options import OPTIONS
from nightowl.config.flower.reading import read

__all__ = ["OPTIONS", "Given", "configuration", "read"]

"""Configuration: TOML in, plain frozen values out, every mistake at once."""

from nightowl.config.exporting import rule_to_toml, spec_to_toml
from nightowl.config.loading import check_from_spec, load, rule_from_spec
from nightowl.config.models import BUILT_IN_KINDS
from nightowl.config.reload import Watched
from nightowl.config.settings import ChannelSettings, Configuration
from nightowl.config.state import state_folder

__all__ = [
    "BUILT_IN_KINDS",
    "ChannelSettings",
    "Configuration",
    "Watched",
    "check_from_spec",
    "load",
    "rule_from_spec",
    "rule_to_toml",
    "spec_to_toml",
    "state_folder",
]

"""Does a broker answer?"""

from __future__ import annotations

from nightowl.adapters.celery_bus.app import BrokerSettings, make_app
from nightowl.adapters.celery_bus.link import sentence
from nightowl.core.errors import ConfigurationError


def knock(settings: BrokerSettings) -> str:
    """Connect and say what is wrong, without the password (empty: the broker answers)."""
    try:
        app = make_app(settings)
    except ConfigurationError as error:
        return str(error)
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            connection.channel().close()
            return ""
    except Exception as error:  # noqa: BLE001 - whatever the driver raises
        return sentence(settings, error)
    finally:
        app.close()

"""Does a broker answer?"""

from __future__ import annotations

from nightowl.adapters.celery_bus.app import BrokerSettings, make_app
from nightowl.adapters.celery_bus.link import place, sentence


def knock(settings: BrokerSettings) -> str:
    """Connect and say what is wrong, without the password (empty: the broker answers)."""
    app = make_app(settings)
    try:
        with app.connection_for_read() as connection, connection.channel():
            return ""
    except Exception as error:  # noqa: BLE001 - whatever the driver raises
        return sentence(place(settings.url), error)
    finally:
        app.close()

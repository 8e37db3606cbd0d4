"""Does a broker answer?"""

from __future__ import annotations

from nightowl.adapters.celery_bus.app import BrokerSettings, make_app
from nightowl.core.redaction import without_password


def knock(settings: BrokerSettings) -> str:
    """Connect and say what is wrong, without the password (empty: the broker answers)."""
    app = make_app(settings)
    try:
        with app.connection_for_read() as connection, connection.channel():
            return ""
    except Exception as error:  # noqa: BLE001 - whatever the driver raises
        said = (str(error) or type(error).__name__).splitlines()[0]
        return without_password(f"the broker does not answer: {said}")
    finally:
        app.close()

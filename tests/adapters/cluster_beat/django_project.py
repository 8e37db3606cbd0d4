"""A Django project with django-celery-beat and one entry of each kind: ``python django_project.py URL``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import django
import pymysql
from django.conf import settings
from django.core.management import call_command
from sqlalchemy import make_url

LAST = datetime(2026, 6, 1, 1, 0, 2, tzinfo=UTC)


def database(url: str) -> dict[str, object]:
    """Django's words for a URL of SQLAlchemy."""
    parts = make_url(url)
    engine = {"sqlite": "sqlite3", "mariadb": "mysql"}.get(parts.get_backend_name(), parts.get_backend_name())
    named = {"NAME": parts.database, "USER": parts.username, "PASSWORD": parts.password}
    return {"ENGINE": f"django.db.backends.{engine}", **named, "HOST": parts.host, "PORT": parts.port}


def main(url: str) -> None:
    pymysql.install_as_MySQLdb()
    settings.configure(
        DATABASES={"default": database(url)},
        INSTALLED_APPS=["django_celery_beat"],
        USE_TZ=True,
        TIME_ZONE="Europe/Paris",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from django_celery_beat import models  # noqa: PLC0415 - once Django is set up

    def entry(name: str, **keys: object) -> None:
        models.PeriodicTask.objects.create(name=name, task=f"shop.{name}", **keys)

    three = models.CrontabSchedule.objects.create(minute="0", hour="3", timezone="Europe/Paris")
    minutes = models.IntervalSchedule.objects.create(every=5, period="minutes")
    entry("nightly", crontab=three, last_run_at=LAST, queue="reports", kwargs='{"password": "x"}', args="[7]")
    entry("often", interval=minutes, enabled=False, start_time=LAST, expires=LAST + timedelta(days=9))
    entry("dusk", solar=models.SolarSchedule.objects.create(event="sunset", latitude=48.85, longitude=2.35))
    entry("once", clocked=models.ClockedSchedule.objects.create(clocked_time=LAST), one_off=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""Write the dashboards beside this file: ``python -m deploy.grafana.generate``."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.grafana import (
    celery_prometheus,
    checks_prometheus,
    cloudwatch,
    graphite,
    own_prometheus,
    queues_prometheus,
    workers_prometheus,
)
from deploy.grafana.boards import Board
from deploy.grafana.model import dashboard

FOLDER = Path(__file__).parent / "dashboards"
SUBJECTS = (
    *(celery_prometheus, queues_prometheus, workers_prometheus, checks_prometheus, own_prometheus),
    *(graphite, cloudwatch),
)


def boards() -> list[Board]:
    """Return all dashboards as values."""
    return [board for subject in SUBJECTS for board in subject.boards()]


def files() -> dict[Path, str]:
    """Return what stands in which file."""
    return {
        FOLDER / board.source / f"{board.uid}.json": json.dumps(dashboard(board), indent=1) + "\n" for board in boards()
    }


def main() -> None:
    """Write all files; one that no dashboard has any more is removed."""
    wanted = files()
    for path in FOLDER.glob("*/*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

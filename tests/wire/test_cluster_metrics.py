"""The metrics of clusters as their watchers stored them."""

import pytest

from nightowl.config import Configuration
from nightowl.core.cluster.saved import packed
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import NotFound
from nightowl.testing.store import memory_tasks
from nightowl.wire.watcher import MetricsOfClusters
from tests.core.exposition_reader import value
from tests.core.sample_cluster import some_figures, state


def test_a_page_of_one_cluster_has_flowers_families_where_they_are_asked_for():
    tasks = memory_tasks()
    tasks.write("shop", [], state=state())
    tasks.save_figures("shop", packed(some_figures().encode(), b""))
    configuration = Configuration(clusters={"shop": ClusterSettings(name="shop", broker="redis://h")})
    page = MetricsOfClusters(lambda: configuration, tasks).text
    with_flowers = page({}, "shop", flower=True)
    assert value(with_flowers, "celery_task_succeeded_total", name="shop.charge") == 5
    assert value(with_flowers, "flower_events_total", type="task-sent", task="shop.charge") == 2
    assert "flower_" not in page({}, "shop") + page({}, flower=True)
    with pytest.raises(NotFound):
        page({}, "other", flower=True)
    tasks.close()

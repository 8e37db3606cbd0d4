"""``/api/v1/clusters/NAME/tasks``, and what is known of failures and workflows."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query

from nightowl.core.cluster.task import ORDERS, SORTED, TaskFilter, TaskState
from nightowl.core.errors import ConfigurationError, Mistake, NotFound
from nightowl.web.api.cluster_models import FailuresModel, TaskModel, TaskPageModel
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Moment
from nightowl.web.cluster_head import known
from nightowl.web.family import family
from nightowl.web.handlers import Handlers
from nightowl.web.wanted import order

FAMILY = 2000
"""Tasks of one workflow that are given at most."""

DAY = 86400.0

SORT = (
    f"`{'`, `'.join(ORDERS)}`, with a `-` before it from the top; without it newest first. What is not known comes "
    f"last. Of more than {SORTED:,} tasks the newest are sorted."
)

Name = Annotated[str, Path(max_length=200)]
Many = Annotated[list[str] | None, Query(max_length=20)]
States = Annotated[list[TaskState] | None, Query(max_length=20)]


def filter_of(  # noqa: PLR0913 - each is a filter
    *,
    name: Many = None,
    state: States = None,
    worker: Many = None,
    queue: Many = None,
    exception: str = "",
    place: str = "",
    root: str = "",
    parent: str = "",
    text: Annotated[str, Query(max_length=400, description="Words of arguments, results and errors.")] = "",
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
) -> TaskFilter:
    """Return which tasks a request asks for."""
    return TaskFilter(
        names=tuple(name or ()),
        states=tuple(each.value for each in state or ()),
        workers=tuple(worker or ()),
        queues=tuple(queue or ()),
        exception=exception,
        place=place,
        root=root,
        parent=parent,
        words=tuple(text.split()),
        start=start.timestamp() if start else None,
        end=end.timestamp() if end else None,
    )


Wanted = Annotated[TaskFilter, Depends(filter_of)]


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of tasks."""
    api = Endpoints("/clusters/{cluster}", "tasks")
    clock, tasks = handlers.clock, handlers.tasks

    @api.get("/tasks", summary="Its tasks, newest first or sorted")
    def list_tasks(
        cluster: Name,
        wanted: Wanted,
        *,
        sort: Annotated[str, Query(description=SORT)] = "",
        after: Annotated[str | None, Query(description="`after` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> TaskPageModel:
        try:
            page = tasks.page(known(handlers, cluster), wanted, after=after, limit=limit, order=order("sort", sort))
        except ValueError:
            allowed = "what the page before gave as after"
            raise ConfigurationError([Mistake(file="", key="after", found=f'"{after}"', allowed=allowed)]) from None
        return TaskPageModel(tasks=[TaskModel.of(each) for each in page.tasks], after=page.after)

    @api.get("/tasks/{uuid:path}", summary="One task")
    def get_task(cluster: Name, uuid: str) -> TaskModel:
        found = tasks.get(known(handlers, cluster), [uuid]).get(uuid)
        if found is None:
            raise NotFound(f"no task of {cluster} is called {uuid}")
        return TaskModel.of(found)

    @api.get("/workflows/{root:path}", summary="All tasks of a task's workflow, in the order in which they were seen")
    def get_workflow(cluster: Name, root: str) -> list[TaskModel]:
        return [TaskModel.of(each) for each in family(tasks, known(handlers, cluster), root, FAMILY)[1]]

    @api.get("/names", summary="Names of tasks that were seen")
    def list_names(cluster: Name) -> list[str]:
        return tasks.names(known(handlers, cluster))

    @api.get("/failures", summary="Failures by task, exception and place, most first")
    def list_failures(
        cluster: Name,
        start: Annotated[Moment | None, Query(alias="from", description="A day ago without it.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[FailuresModel]:
        since = start.timestamp() if start else clock.now() - DAY
        return [FailuresModel.of(each) for each in tasks.failures(known(handlers, cluster), since, limit)]

    return api

"""Ways to a Redis that are less common: by a socket of the file system, and by Sentinels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.servers.programs import program
from tests.servers.redis_server import Redis
from tests.servers.server import Server
from tests.services.intake_parts import CLOCK, celery, send, taking

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]

OwnServer = Callable[[], Server]


def restarted(server: Server, command: list[str]) -> Redis:
    """The same server, run by another command."""
    assert isinstance(server, Redis)
    server.stop()
    server.command = lambda: command  # type: ignore[method-assign]
    server.start()
    return server


def test_a_unix_socket(own_redis: OwnServer, tmp_path: Path) -> None:
    server = own_redis()
    path = f"{server.folder}/socket"
    restarted(server, [*server.command(), "--unixsocket", path])
    url = f"redis+socket://{path}?virtual_host=2"
    with celery(url) as app, taking(url) as taken:
        taken.ready(app)
    with taking(f"redis+socket://{tmp_path}/none") as taken:
        taken.until(lambda: taken.source.fault)
        assert taken.source.fault == f"the broker at {tmp_path}/none does not answer: No such file or directory"


def test_a_password_alone(own_redis: OwnServer) -> None:
    server = own_redis()
    with redis.Redis(port=server.port) as client:
        client.config_set("requirepass", "h0nk-h0nk")
    url = f"redis://:h0nk-h0nk@127.0.0.1:{server.port}/1"
    with celery(url) as app, taking(url) as taken:
        taken.ready(app)
    with taking(url.replace(":h0nk-h0nk@", "")) as taken:
        taken.until(lambda: taken.source.fault)
        assert "refuses the user by default: NOAUTH" in taken.source.fault


def sentinel_of(own_redis: OwnServer, master: Server) -> Redis:
    server = own_redis()
    file = server.folder / "sentinel.conf"
    file.write_text(
        f"port {server.port}\nbind 127.0.0.1\n"
        f"sentinel monitor shop 127.0.0.1 {master.port} 1\nsentinel down-after-milliseconds shop 60000\n"
    )
    return restarted(server, [program("redis-server"), str(file), "--sentinel"])


def failed_over(sentinel: redis.Redis) -> bool:
    """Whether the Sentinel begins a failover: it must have seen a replica that is fit."""
    try:
        return bool(sentinel.execute_command("SENTINEL", "FAILOVER", "shop"))
    except redis.ResponseError:
        return False


def test_the_master_is_found_again_after_a_failover(own_redis: OwnServer) -> None:
    first, second = own_redis(), own_redis()
    sentinel = sentinel_of(own_redis, first)
    url = f"sentinel://127.0.0.1:1/4;sentinel://127.0.0.1:{sentinel.port}/4"
    with (
        redis.Redis(port=first.port) as copied,
        redis.Redis(port=second.port) as replica,
        redis.Redis(port=sentinel.port) as asked,
        taking(url, transport_options={"master_name": "shop"}) as taken,
    ):
        copied.config_set("repl-diskless-sync-delay", 0)
        replica.execute_command("REPLICAOF", "127.0.0.1", first.port)
        with celery(f"redis://127.0.0.1:{first.port}/4") as app:
            taken.ready(app)
        asked.execute_command("SENTINEL", "DEBUG", "INFO-PERIOD", "200")
        began = CLOCK.now()
        taken.until(lambda: failed_over(asked), "failover")
        taken.until(lambda: taken.gaps, "gap")
        with celery(f"redis://127.0.0.1:{second.port}/4") as app:
            send(app, "task-sent", uuid="after")
            taken.until(lambda: taken.of("task-sent"))
        assert taken.gaps[-1].end >= began
    with taking(url, transport_options={"master_name": "nobody"}) as taken:
        taken.until(lambda: "knows no master that is called nobody" in taken.source.fault)
    with taking(url) as taken:
        taken.until(lambda: taken.source.fault)
        assert "master_name is missing" in taken.source.fault

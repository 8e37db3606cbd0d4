"""What ``nightowl-instrument`` costs a task, beside the same run without it.

``python -m benchmarks.instrument [TASKS]`` measures microseconds of CPU a task, the instrument's own thread included:
of tracing alone, as the process of a pool does it, with what is sent and received around it; and of a whole worker
(solo, over memory) that sends itself so many tasks (20,000) and runs them. Each is run in a process of its own, in
turn, three times; the middle one counts. StatsD is a socket that is read, NightOwl a server that answers 202.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from celery import Celery
from celery.app.trace import build_tracer
from celery.contrib.testing.worker import start_worker
from celery.signals import before_task_publish, task_received
from celery.worker.request import Request

KINDS = ("without", "statsd", "push")
ROUNDS = 3
BUDGET = 20.0
"""Microseconds a task."""


def app_with(kind: str, port: str) -> Celery:
    app = Celery("shop", broker="memory://", set_as_current=True)
    app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=0, worker_hijack_root_logger=False)
    app.conf.broker_transport_options = {"polling_interval": 0.001}
    if kind != "without":
        from nightowl_instrument import install  # noqa: PLC0415 - what is not measured is not imported

        if kind == "statsd":
            install(app, statsd=f"udp://127.0.0.1:{port}")
        else:
            install(app, push=f"http://127.0.0.1:{port}", cluster="shop")
    return app


def tracing(app: Celery, tasks: int) -> float:
    """Microseconds of CPU for what Celery's signals do in a task's life."""

    @app.task(name="shop.nothing")
    def nothing() -> None:
        pass

    app.finalize()
    task = app.tasks[nothing.name]  # as a worker has it, and not the promise of it
    trace = build_tracer(task.name, task, app=app, eager=False)
    request = {"delivery_info": {"exchange": "", "routing_key": "celery"}, "retries": 0, "is_eager": False}

    class Received:
        name = task.name
        delivery_info = request["delivery_info"]

    began = time.process_time()
    for number in range(tasks):
        headers = {"id": str(number), "task": task.name}
        before_task_publish.send(sender=task.name, exchange="", routing_key="celery", headers=headers)
        task_received.send(sender=Request, request=Received)
        trace(str(number), (), {}, {**request, **headers})
    time.sleep(0.3)  # its thread carries the last of it
    return 1e6 * (time.process_time() - began) / tasks


def working(app: Celery, tasks: int) -> float:
    """Microseconds of CPU for a whole worker's run."""
    done = threading.Event()
    left = iter(range(tasks - 1))

    @app.task(name="shop.nothing")
    def nothing() -> None:
        if next(left, None) is None:
            done.set()

    began = time.process_time()
    for _ in range(tasks):
        nothing.delay()
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="error"):
        done.wait(600)
        time.sleep(0.3)
        return 1e6 * (time.process_time() - began) / tasks


def statsd() -> int:
    """A StatsD that reads and forgets; its port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    threading.Thread(target=lambda: [made.recv(65536) for _ in iter(int, 1)], daemon=True).start()
    return int(made.getsockname()[1])


def nightowl() -> int:
    """A NightOwl that takes everything; its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def main(tasks: int) -> None:
    ports = {"without": 0, "statsd": statsd(), "push": nightowl()}
    for what in ("tracing", "working"):
        kinds = KINDS if what == "working" else KINDS[:2]  # events are Celery's own doing, not that of signals
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind in kinds:
                command = [sys.executable, "-m", "benchmarks.instrument", what, kind, str(ports[kind]), str(tasks)]
                said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                found[kind].append(float(said.split()[-1]))
        without = statistics.median(found["without"])
        print(f"{what}: {without:.1f} us a task without it")
        for kind in kinds[1:]:
            cost = statistics.median(found[kind]) - without
            print(f"  {kind:7} {cost:+6.1f} us a task ({1 + cost / without:.2f} times; budget {BUDGET:g} us)")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print({"tracing": tracing, "working": working}[sys.argv[1]](app_with(*sys.argv[2:4]), int(sys.argv[4])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

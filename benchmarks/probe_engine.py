"""The probe engine against a floor and against blackbox_exporter, in one run on one machine.

``python -m benchmarks.probe_engine [SECONDS]`` starts a server on loopback and lets each contender check it over a
fresh connection, 100 at a time: the bare loop that libcurl needs (the floor), ``nightowl probe``, and
Debian's prometheus-blackbox-exporter where it is installed. Then memory: 1,000 checks at a time, 5 % of which hang.
CPU is that of the contender's process alone, its start included; memory is its peak.
"""

from __future__ import annotations

import http.client
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
import pycurl
import trustme

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\nConnection: close\r\n\r\nhello from a local server"[:-1]
HOST = "127.0.0.1"


class Result(msgspec.Struct, frozen=True):
    """What a contender did: checks, seconds of wall clock and of CPU, bytes of memory at its peak."""

    name: str
    checks: int
    seconds: float
    cpu: float
    memory: int


# -- servers ---------------------------------------------------------------------------------------------------------


@contextmanager
def server(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server in a process of its own that answers one connection after another; its port."""
    listener = socket.create_server((HOST, 0), backlog=4096)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while True:
            peer, _ = listener.accept()
            _answer(peer, context)
    port = int(listener.getsockname()[1])
    listener.close()
    try:
        yield port
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def _answer(peer: socket.socket, context: ssl.SSLContext | None) -> None:
    try:
        peer.settimeout(5.0)
        if context is not None:
            peer = context.wrap_socket(peer, server_side=True)
        peer.recv(4096)
        peer.sendall(ANSWER)
    except OSError:
        pass
    finally:
        peer.close()


@contextmanager
def hanging() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server((HOST, 0), backlog=4096) as listener:
        yield int(listener.getsockname()[1])


# -- contenders ------------------------------------------------------------------------------------------------------


def run(name: str, command: list[str], out: Path, count: Callable[[bytes], int]) -> Result:
    """Run a command to its end; ``count`` tells the checks from what it has written to ``out``."""
    began = time.monotonic()
    memory = 0
    with out.open("wb") as written:
        child = subprocess.Popen(command, stdout=written)
        while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
            memory = peak_memory(child.pid) or memory  # wait4's figure would include this process, as it was forked
            time.sleep(0.1)
    _, status, usage = ended
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    return Result(name, count(out.read_bytes()), seconds, usage.ru_utime + usage.ru_stime, memory)


def peak_memory(process: int) -> int:
    """The most bytes that a process has held so far (0: it has ended)."""
    status = Path(f"/proc/{process}/status").read_text()
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def nightowl(urls: list[str], seconds: float, in_flight: int, folder: Path) -> Result:
    """The probe command, walking URLs for a time."""
    targets, out = folder / "targets", folder / "out.jsonl"
    targets.write_text("\n".join(urls))
    command = [str(Path(sys.executable).with_name("nightowl")), "probe", "--targets", str(targets)]
    command += ["--repeat-for", str(seconds)]
    command += ["--in-flight", str(in_flight), "--attempts", "1", "--timeout", "5", "--json"]
    command += ["--ca", str(folder / "ca.pem")]
    return run("nightowl probe", command, out, lambda written: written.count(b"\n"))


def floor(url: str, seconds: float, folder: Path) -> Result:
    """The bare loop, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.probe_engine", "floor", url, str(seconds), str(folder / "ca.pem")]
    return run("floor: bare libcurl", command, folder / "floor", int)


def bare_loop(url: str, seconds: float, ca: str, in_flight: int = 100) -> int:
    """Transfers on one multi handle by ``socket_action``, with nothing read, judged or kept; how many there were."""
    epoll = select.epoll()
    known: set[int] = set()
    due = [0.0]

    def watch(what: int, descriptor: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            known.discard(descriptor)
            epoll.unregister(descriptor)
            return
        events = (select.EPOLLIN if what & pycurl.POLL_IN else 0) | (select.EPOLLOUT if what & pycurl.POLL_OUT else 0)
        (epoll.modify if descriptor in known else epoll.register)(descriptor, events)
        known.add(descriptor)

    def timer(milliseconds: int) -> None:
        due[0] = time.monotonic() + (milliseconds / 1000 if milliseconds >= 0 else 3600)

    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_SOCKETFUNCTION, watch)
    multi.setopt(pycurl.M_TIMERFUNCTION, timer)
    for _ in range(in_flight):
        curl = pycurl.Curl()
        for option, value in (
            (pycurl.URL, url), (pycurl.WRITEFUNCTION, len), (pycurl.FORBID_REUSE, 1), (pycurl.FRESH_CONNECT, 1),
            (pycurl.NOSIGNAL, 1), (pycurl.CAINFO, ca), (pycurl.SSL_SESSIONID_CACHE, 0),
        ):  # fmt: skip
            curl.setopt(option, value)
        multi.add_handle(curl)
    until = time.monotonic() + seconds
    checks = 0
    while time.monotonic() < until:
        ready = epoll.poll(max(0.0, min(due[0] - time.monotonic(), 0.1)))
        for descriptor, events in ready:
            multi.socket_action(descriptor, (events & select.EPOLLIN) | (events & select.EPOLLOUT) >> 1)
        if due[0] <= time.monotonic():
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        _, good, bad = multi.info_read()
        for curl in (*good, *(curl for curl, _, _ in bad)):
            multi.remove_handle(curl)
            multi.add_handle(curl)
        checks += len(good)
    return checks


class Blackbox:
    """A running blackbox_exporter."""

    def __init__(self, folder: Path) -> None:
        configuration = folder / "blackbox.yml"
        configuration.write_text(
            f"modules: {{http: {{prober: http, timeout: 5s, http: {{tls_config: {{ca_file: {folder / 'ca.pem'}}}}}}}}}"
        )
        with socket.create_server((HOST, 0)) as free:
            self.port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [
                "prometheus-blackbox-exporter",
                f"--config.file={configuration}",
                f"--web.listen-address={HOST}:{self.port}",
                "--log.level=error",
            ],
            stderr=subprocess.DEVNULL,
        )
        while socket.socket().connect_ex((HOST, self.port)):
            time.sleep(0.05)

    def check(self, urls: list[str], seconds: float, in_flight: int) -> Result:
        """Probe URLs for a time, by its own HTTP interface over connections that stay open."""
        until = time.monotonic() + seconds
        counts = [0] * in_flight

        def scrape(number: int) -> None:
            connection = http.client.HTTPConnection(HOST, self.port)
            while time.monotonic() < until:
                url = urls[(number + counts[number] * in_flight) % len(urls)]
                connection.request("GET", f"/probe?module=http&target={quote(url, safe='')}")
                connection.getresponse().read()
                counts[number] += 1

        threads = [threading.Thread(target=scrape, args=(number,)) for number in range(in_flight)]
        began, cpu = time.monotonic(), self._cpu()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Result(
            "blackbox_exporter",
            sum(counts),
            time.monotonic() - began,
            self._cpu() - cpu,
            peak_memory(self._process.pid),
        )

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- the tables ------------------------------------------------------------------------------------------------------


def show(title: str, results: list[Result]) -> None:
    print(f"\n{title}\n{'':<22}{'checks/s':>10}{'us CPU/check':>14}{'peak MiB':>10}")
    for result in results:
        each = result.cpu / max(result.checks, 1) * 1e6
        rate = result.checks / result.seconds
        print(f"{result.name:<22}{rate:>10.0f}{each:>14.1f}{result.memory / 2**20:>10.1f}")
    if results[-1].name == "blackbox_exporter":
        ours, last = results[-2:]
        cpu = (last.cpu / last.checks) / (ours.cpu / ours.checks)
        memory = ours.memory / last.memory
        print(f"{cpu:.1f} times the checks per CPU-second of blackbox_exporter, {memory:.2f} of its memory")


def compare(title: str, urls: list[str], seconds: float, in_flight: int, folder: Path) -> None:
    results = [floor(urls[0], seconds, folder)] if len(set(urls)) == 1 else []
    results.append(nightowl(urls, seconds, in_flight, folder))
    if shutil.which("prometheus-blackbox-exporter"):
        blackbox = Blackbox(folder)
        results.append(blackbox.check(urls, seconds, in_flight))
        blackbox.stop()
    show(title, results)


def main(seconds: float) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with tempfile.TemporaryDirectory() as name, server() as plain, server(context) as secure, hanging() as silent:
        folder = Path(name)
        authority.cert_pem.write_to_path(folder / "ca.pem")
        fine = f"http://{HOST}:{plain}/"
        compare("http, 100 at a time", [fine] * 100, seconds, 100, folder)
        compare("https, 100 at a time", [f"https://{HOST}:{secure}/"] * 100, seconds, 100, folder)
        some_hang = [f"http://{HOST}:{silent}/" if number % 20 == 0 else fine for number in range(1000)]
        compare("http, 1,000 at a time, 5 % hang for 5 s", some_hang, seconds, 1000, folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["floor"]:
        print(bare_loop(sys.argv[2], float(sys.argv[3]), sys.argv[4]))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)

"""A private RabbitMQ node, with its own epmd in its process group and nothing of the machine's configuration."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from tests.servers.authority import HOST, Certificates
from tests.servers.programs import program
from tests.servers.server import Server, ServerFailed

VIRTUAL_HOSTS_AT_ONCE = 8
"""A call of rabbitmqctl takes half a second, however much it does."""

CONFIGURATION = """
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
listeners.ssl.default = 127.0.0.1:{port}
ssl_options.cacertfile = {tls.ca}
ssl_options.certfile = {tls.server}
ssl_options.keyfile = {tls.server_key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""

ADD_VIRTUAL_HOSTS = """
[begin
  Name = list_to_binary(io_lib:format("{prefix}-~b", [N])),
  rabbit_vhost:add(Name, <<"tests">>),
  rabbit_auth_backend_internal:set_permissions(<<"guest">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)
end || N <- lists:seq(1, {count})], ok.
"""


class RabbitMQ(Server):
    """rabbitmq-server without plugins; ``ports`` are AMQP, distribution, epmd, rabbitmqctl's own, and AMQP over TLS."""

    kind = "rabbitmq"
    port_count = 5

    def __init__(self, run: Path, name: str, ports: Sequence[int] = ()) -> None:
        super().__init__(run, name, ports)
        self._unused: list[str] = []

    def prepare(self) -> None:
        """The files that would otherwise be looked for in /etc/rabbitmq."""
        (self.folder / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self.ports[4], tls=self.certificates))
        (self.folder / "plugins").write_text("[].")
        (self.folder / "environment").touch()

    def command(self) -> list[str]:
        """The node; epmd goes first, in the foreground, lest the node starts one that outlives it."""
        epmd = f"{program('epmd')} -address 127.0.0.1 -port {self.ports[2]}"
        return ["/bin/sh", "-c", f"{epmd} & exec {program('rabbitmq-server')}"]

    def environment(self) -> dict[str, str]:
        """Names, ports and paths for the node and for rabbitmqctl."""
        amqp, distribution, epmd, ctl, _ = map(str, self.ports)
        return os.environ | {
            "HOME": str(self.folder),  # where the cookie lies
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": epmd,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "environment"),
            "RABBITMQ_CTL_DIST_PORT_MAX": ctl,
            "RABBITMQ_CTL_DIST_PORT_MIN": ctl,
            "RABBITMQ_DIST_PORT": distribution,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(self.folder / "feature_flags"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_NODENAME": f"owl{amqp}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": amqp,
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",  # idle means idle
        }

    def fresh_url(self) -> str:
        """A new virtual host."""
        if not self._unused:
            self._unused = self._add_virtual_hosts()
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{self._unused.pop()}"

    def over_tls(self, url: str) -> str:
        """The same virtual host at the port for clients that show a certificate."""
        return f"amqps://guest:guest@{HOST}:{self.ports[4]}/{url.rpartition('/')[2]}"

    @property
    def certificates(self) -> Certificates:
        """What the server's authority has issued."""
        return Certificates(self.folder / "tls")

    def drop(self, url: str) -> None:
        """An idle virtual host costs less than removing it."""

    def _add_virtual_hosts(self) -> list[str]:
        prefix = uuid.uuid4().hex[:8]
        self.rabbitmqctl("eval", ADD_VIRTUAL_HOSTS.format(prefix=prefix, count=VIRTUAL_HOSTS_AT_ONCE))
        return [f"{prefix}-{number}" for number in range(1, VIRTUAL_HOSTS_AT_ONCE + 1)]

    def administrator(self) -> dict[str, str]:
        """The environment in which the command rabbitmqctl is about this node."""
        tools = Path(program("rabbitmqctl")).parent  # before Debian's wrapper
        return self.environment() | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}

    def rabbitmqctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against this node; what it printed.

        Raises:
            ServerFailed: it returned an error.
        """
        done = subprocess.run(
            [program("rabbitmqctl"), *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise ServerFailed(f"rabbitmqctl {arguments[0]}: {done.stdout}{done.stderr}")
        return done.stdout

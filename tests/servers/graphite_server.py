"""A private Graphite: carbon takes samples, whisper keeps them second by second, graphite-web answers."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from tests.servers.http_server import HttpServer
from tests.servers.programs import program

WEB = """
import os, sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
from graphite.wsgi import application
class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
class Handler(WSGIRequestHandler):
    def log_message(self, *_): pass
make_server("127.0.0.1", int(sys.argv[1]), application, Server, Handler).serve_forever()
"""


class Graphite(HttpServer):
    """carbon-cache and graphite-web of Debian; ``ports`` are those of the web, of lines, of queries and of pickles."""

    kind = "graphite"
    health = "/render?format=json&target=none"
    port_count = 4

    def prepare(self) -> None:
        """The configurations of both."""
        for name in ("whisper", "logs", "conf"):
            (self.folder / name).mkdir()
        (self.folder / "conf/storage-schemas.conf").write_text("[all]\npattern = .*\nretentions = 1s:2h\n")
        (self.folder / "conf/carbon.conf").write_text(
            f"[cache]\nSTORAGE_DIR = {self.folder}\nCONF_DIR = {self.folder}/conf\nLOG_DIR = {self.folder}/logs\n"
            f"PID_DIR = {self.folder}\nLOCAL_DATA_DIR = {self.folder}/whisper\nUSER =\nENABLE_TAGS = False\n"
            "LINE_RECEIVER_INTERFACE = 127.0.0.1\nPICKLE_RECEIVER_INTERFACE = 127.0.0.1\n"
            f"LINE_RECEIVER_PORT = {self.ports[1]}\nPICKLE_RECEIVER_PORT = {self.ports[3]}\n"
            f"CACHE_QUERY_INTERFACE = 127.0.0.1\nCACHE_QUERY_PORT = {self.ports[2]}\n"
            "MAX_CREATES_PER_MINUTE = inf\nMAX_UPDATES_PER_SECOND = inf\nCACHE_WRITE_STRATEGY = naive\n"
        )
        (self.folder / "conf/owl_settings.py").write_text(
            f"SECRET_KEY = 'tests'\nSTORAGE_DIR = '{self.folder}'\nCONF_DIR = '{self.folder}/conf'\n"
            f"LOG_DIR = '{self.folder}/logs'\nINDEX_FILE = '{self.folder}/index'\n"
            f"WHISPER_DIR = '{self.folder}/whisper'\nSTANDARD_DIRS = [WHISPER_DIR]\n"
            f"CARBONLINK_HOSTS = ['127.0.0.1:{self.ports[2]}']\nALLOWED_HOSTS = ['*']\nFUNCTION_PLUGINS = []\n"
            f"DATABASES = {{'default': {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': '{self.folder}/web.db'}}}}\n"
        )
        (self.folder / "web.py").write_text(WEB)

    def command(self) -> list[str]:
        """Both in one process group, which ends with its leader.

        Where carbon was killed, whatever process has its number now is taken for it, by the file that it left.
        """
        carbon = f"{program('carbon-cache')} --config={self.folder}/conf/carbon.conf --nodaemon start"
        web = (
            f"PYTHONPATH={self.folder}/conf GRAPHITE_SETTINGS_MODULE=owl_settings "
            f"/usr/bin/python3 -W ignore {self.folder}/web.py {self.port}"
        )
        return ["/bin/sh", "-c", f"rm -f {self.folder}/carbon-cache-a.pid; {carbon} & {web}"]

    def answers(self) -> bool:
        """Whether both do."""
        try:
            socket.create_connection(("127.0.0.1", self.ports[1]), 1).close()
        except OSError:
            return False
        return super().answers()

    def write(self, samples: Iterable[tuple[str, float, float]]) -> None:
        """Send samples: path, value, Unix seconds."""
        lines = "".join(f"{path} {value} {at:.0f}\n" for path, value, at in samples)
        with socket.create_connection(("127.0.0.1", self.ports[1])) as carbon:
            carbon.sendall(lines.encode())

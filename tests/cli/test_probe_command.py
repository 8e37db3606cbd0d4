"""``nightowl probe``: what it takes, what it prints and how it ends."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from nightowl.cli.probe import probe

KEYS = ["url", "check", "location", "state", "up", "reason", "detail", "status", "duration", "phases", "address"]
ATTEMPT_KEYS = {"up", "state", "reason", "status", "duration", "phases", "address"}


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        status = 500 if self.path == "/broken" else 302 if self.path == "/away" else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"shop")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def shop():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(*arguments):
    return CliRunner().invoke(probe, [str(argument) for argument in arguments])


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_an_outcome_is_one_line_of_json(shop):
    result = run(shop, "--json")

    [line] = lines(result.stdout)
    assert result.exit_code == 0
    assert list(line) == [*KEYS, "certificate", "attempts"]
    assert (line["url"], line["state"], line["up"], line["status"]) == (shop, "up", True, 200)
    assert set(line["phases"]) == {"dns", "connect", "tls", "first_byte", "transfer"}
    assert [set(attempt) for attempt in line["attempts"]] == [ATTEMPT_KEYS] * 3


def test_something_down_makes_the_exit_code_1(shop):
    result = run(shop, f"{shop}/broken", "--json", "--attempts", 1)

    assert result.exit_code == 1
    assert {line["url"]: line["reason"] for line in lines(result.stdout)} == {shop: "", f"{shop}/broken": "http.status"}


def test_a_pipe_gets_plain_lines(shop):
    result = run(shop, f"{shop}/broken", "--attempts", 1)

    assert len(result.stdout.splitlines()) == 2
    assert "http.status: status 500, expected 200-299" in result.stdout


def test_a_file_of_targets_is_walked_once(shop, tmp_path):
    targets, out = tmp_path / "targets", tmp_path / "out.jsonl"
    targets.write_text("".join(f"{shop}/{number}\n" for number in range(30)) + "\n# not a target\n")

    result = run("--targets", targets, "--attempts", 1, "--out", out, "--json")

    assert (result.exit_code, result.stdout) == (0, "")
    assert {line["url"] for line in lines(out.read_text())} == {f"{shop}/{number}" for number in range(30)}


def test_a_file_of_targets_is_walked_in_a_circle_for_a_time(shop, tmp_path):
    targets = tmp_path / "targets"
    targets.write_text(f"{shop}/a\n{shop}/b\n")

    result = run("--targets", targets, "--repeat-for", 0.5, "--in-flight", 4, "--attempts", 1, "--json")

    assert result.exit_code == 0
    assert len(lines(result.stdout)) > 4


def test_a_typed_url_may_go_anywhere_unless_the_guard_is_asked_for(shop):
    port = shop.rpartition(":")[2]

    assert run(f"{shop}/away", "--attempts", 1, "--allow", f"127.0.0.0/8:{port}", "--json").stdout.count(
        "policy.address"
    )
    assert run(shop, "--attempts", 1, "--allow", "127.0.0.0/8:1", "--json").stdout.count("policy.port")
    assert run(shop, "--attempts", 1, "--allow", "127.0.0.0/8").exit_code == 0


def test_the_checks_of_a_configuration_run_from_their_locations(shop, tmp_path):
    file = tmp_path / "nightowl.toml"
    file.write_text(
        f"""
        [location.office]
        reach = "private"
        allow = [{{ network = "127.0.0.0/8" }}]
        [location.street]
        [check.shop]
        url = "{shop.replace("127.0.0.1", "127.1")}"  # an address only once it is resolved
        attempts = 1
        [check.broken]
        url = "{shop}/broken"
        locations = ["office"]
        """
    )

    found = {(line["check"], line["location"]): line for line in lines(run("-c", file, "--json").stdout)}
    chosen = lines(run("-c", file, "--check", "broken", "--attempts", 1, "--json").stdout)

    assert set(found) == {("shop", "office"), ("shop", "street"), ("broken", "office")}
    assert found["shop", "office"]["up"]
    assert found["shop", "street"]["reason"] == "policy.address"
    assert len(found["broken", "office"]["attempts"]) == 3
    assert [(line["check"], len(line["attempts"])) for line in chosen] == [("broken", 1)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Nothing to probe"),
        (["shop.example"], "no scheme"),
        (["ftp://shop.example"], "allowed: http, https, "),
        (["http://"], "no host"),
        (["tcp://shop.example"], "no port"),
        (["http://shop.example:http/"], "is not a URL"),
        (["http://shop.example", "--attempts", "0"], "--attempts"),
        (["http://shop.example", "--allow", "anywhere"], "--allow"),
        (["http://shop.example", "--allow", "10.0.0.0/8:http"], "--allow"),
        (["http://shop.example", "--check", "shop"], "-c PATH"),
        (["--targets", "no-such-file"], "no-such-file"),
        (["http://shop.example", "--timeout", "nan"], "finite number of seconds"),
        (["http://shop.example", "--repeat-for", "nan"], "finite number of seconds"),
        (["http://shop.example", "--repeat-for", "inf"], "finite number of seconds"),
        (["-c", "no-such-file.toml"], "no-such-file.toml"),
        (["http://shop.example", "--out", "/no/such/folder/out"], "/no/such/folder/out"),
    ],
)
def test_wrong_input_is_one_clear_message_and_exit_code_2(arguments, says):
    result = run(*arguments)

    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("output", ["--json", "--attempts=1"])
def test_the_secrets_of_a_configuration_are_not_shown(output, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter22")
    file = tmp_path / "nightowl.toml"
    file.write_text(
        '[location.local]\nallow = [{ network = "127.0.0.1" }]\n'
        '[check.shop]\nurl = "http://127.0.0.1:1/${env:SECRET}/?token=plain22"\n'
    )

    result = run("-c", file, output)

    assert "***" in result.output
    assert "hunter22" not in result.output
    assert "plain22" not in result.output


def test_an_unknown_check_names_those_that_exist(shop, tmp_path):
    file = tmp_path / "nightowl.toml"
    file.write_text('[location.office]\n[check.shop]\nurl = "http://shop.example/"\n')

    result = run("-c", file, "--check", "basket")

    assert result.exit_code == 2
    assert "no check is named 'basket'; there are: shop" in result.stderr


def test_a_heartbeat_is_nothing_to_probe(tmp_path):
    file = tmp_path / "nightowl.toml"
    file.write_text('[location.office]\n[check.backup]\nkind = "heartbeat"\nevery = "1d"\n')

    result = run("-c", file, "--check", "backup")

    assert result.exit_code == 2
    assert "backup is a heartbeat, which jobs call: there is nothing to probe." in result.stderr

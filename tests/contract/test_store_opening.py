"""Opening a store: new, old, newer, out of reach; and what survives a kill."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, create_engine, insert, inspect, text

from nightowl.adapters.store_sql import migrate, open_store, versions
from nightowl.adapters.store_sql.engines import connect, parse
from nightowl.adapters.store_sql.schema import METADATA
from nightowl.adapters.store_sql.tasks import open_tasks
from nightowl.adapters.store_sql.versions import upgrade_on
from nightowl.core.errors import ConfigurationError, SchemaOutdated, StoreUnavailable, StoreUnusable
from nightowl.core.series import Series
from nightowl.core.values import Attempt, Outcome, Sample, State, User
from nightowl.ports import Store, StoredCheck

REVISION = "0007"


def run(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def put(store: Store, name: str) -> None:
    with store.transaction() as unit:
        unit.checks.put(StoredCheck(name=name, origin="stored", paused=False, spec={"url": "http://shop"}))


def names(store: Store) -> list[str]:
    with store.read() as unit:
        return [check.name for check in unit.checks.all()]


def test_an_empty_database_gets_its_tables_where_that_is_wanted(lasting_url: str) -> None:
    with pytest.raises(SchemaOutdated, match='create them with "nightowl db migrate"'):
        open_store(lasting_url)
    open_store(lasting_url, migrate=True).close()
    open_store(lasting_url).close()
    assert migrate(lasting_url) == (REVISION, REVISION)


def test_several_may_open_an_empty_database_at_once(lasting_url: str) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            open_store(lasting_url, migrate=True).close()
        except BaseException as error:  # noqa: BLE001  # told to the test below
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_whoever_finds_a_database_half_made_waits_for_the_rest(lasting_url: str) -> None:
    engines = connect(parse(lasting_url))
    with ThreadPoolExecutor(1) as other, versions.alone(engines.writer) as connection:
        versions.upgrade_on(connection, "0001")
        opening = other.submit(open_store, lasting_url, migrate=True)
        assert wait([opening], 0.5).not_done
        versions.upgrade_on(connection, "head")
    opening.result().close()
    engines.dispose()


def migrate_and_be_killed(url: str, command: str, at: str) -> None:
    killed = """
import os, signal, sys
from sqlalchemy import Engine, event
from nightowl.adapters.store_sql import migrate
from nightowl.adapters.store_sql.tasks import open_tasks

@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *_):
    if statement.strip().startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

{"migrate": migrate, "open_tasks": open_tasks}[sys.argv[2]](sys.argv[1])
"""
    ended = subprocess.run([sys.executable, "-c", killed, url, command, at], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("since", "at", "found"),
    [
        (None, "INSERT INTO marks", "Table 'marks' already exists"),
        ("0001", "ALTER TABLE outcomes", "Duplicate entry 'installation'"),
    ],
)
def test_a_migration_that_was_killed_is_begun_anew_or_refused_for_good(
    lasting_url: str, since: str | None, at: str, found: str
) -> None:
    if since:
        engine = create_engine(lasting_url)
        with engine.begin() as connection:
            upgrade_on(connection, since)
        engine.dispose()
    migrate_and_be_killed(lasting_url, "migrate", at)
    if "mysql" not in lasting_url:
        assert migrate(lasting_url) == (since, REVISION)
        return
    with pytest.raises(StoreUnusable, match=f"{found}.*interrupted.*drop it.*restore the backup") as refused:
        migrate(lasting_url)
    assert ":owl@" not in str(refused.value), "the password is not told"
    if since is None:
        with pytest.raises(StoreUnusable, match=f"{found}.*interrupted"):
            open_store(lasting_url, migrate=True)


@pytest.mark.mariadb
def test_a_first_start_that_was_killed_is_refused_for_good(mariadb_url: str) -> None:
    open_store(mariadb_url, migrate=True).close()
    migrate_and_be_killed(mariadb_url, "open_tasks", "CREATE UNIQUE INDEX tasks_by_uuid")
    with pytest.raises(StoreUnusable, match=r"already exists.*interrupted"):
        open_tasks(mariadb_url)


def test_the_revisions_are_those_of_the_migrations_in_their_order() -> None:
    folder = Path(versions.__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert versions.known() == [script.revision for script in scripts][::-1]


def test_migrations_make_the_tables_that_the_code_knows(lasting_url: str) -> None:
    assert migrate(lasting_url) == (None, REVISION)
    engine = create_engine(lasting_url)
    found = inspect(engine)
    assert set(found.get_table_names()) == {*METADATA.tables, "alembic_version"}
    for table in METADATA.tables.values():
        columns = found.get_columns(table.name)
        assert [column["name"] for column in columns] == [column.name for column in table.columns]
        assert [column["nullable"] for column in columns] == [column.nullable for column in table.columns]
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [
            column.name for column in table.primary_key
        ]
        assert {index.name for index in table.indexes} <= {index["name"] for index in found.get_indexes(table.name)}
    engine.dispose()


def test_what_an_older_schema_held_is_still_there_after_migrating(lasting_url: str) -> None:
    engine = create_engine(lasting_url)
    with engine.begin() as connection:
        upgrade_on(connection, "0001")
        connection.execute(text("INSERT INTO users VALUES ('ann', 'admin', '$argon2', 'stored')"))
    engine.dispose()
    assert migrate(lasting_url) == ("0001", REVISION)
    store = open_store(lasting_url)
    with store.read() as unit:
        assert unit.users.all() == [User(name="ann", role="admin", password_hash="$argon2")]
    store.close()


@pytest.mark.parametrize("may_create", [False, True])
def test_a_newer_schema_is_refused(lasting_url: str, may_create: bool) -> None:
    migrate(lasting_url)
    run(lasting_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaOutdated, match=r"newer NightOwl .schema 9999.*nightowl db migrate"):
        open_store(lasting_url, migrate=may_create)
    with pytest.raises(SchemaOutdated, match="9999"):
        migrate(lasting_url)


@pytest.mark.parametrize("may_create", [False, True])
def test_an_older_schema_is_refused_with_the_command_that_migrates_it(
    lasting_url: str, monkeypatch: pytest.MonkeyPatch, may_create: bool
) -> None:
    migrate(lasting_url)
    monkeypatch.setattr("nightowl.adapters.store_sql.versions.head", lambda *_: "9998")
    with pytest.raises(SchemaOutdated, match=r'has schema 0007.*needs 9998.*run "nightowl db migrate"'):
        open_store(lasting_url, migrate=may_create)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://owl:geh%40im@127.0.0.1:1/owl",
        "postgresql:///owl?host=127.0.0.1&port=1&user=owl&password=geh%40im",
        "mysql://owl:geh%40im@127.0.0.1:1/owl",
        "sqlite:////nowhere/nightowl.db",
    ],
)
def test_a_database_out_of_reach_is_one_sentence_without_a_password(url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url, migrate=True)
    message = str(caught.value)
    assert "127.0.0.1" in message or "/nowhere/nightowl.db" in message
    assert "geh" not in message
    assert "\n" not in message


def test_a_wrong_password_is_not_told(postgresql_url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(postgresql_url.replace("owl:owl@", "nobody:geheim@"), migrate=True)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["oracle://owl:geheim@db/owl", "postgresql+asyncpg://owl:geheim@db/owl", "what?"])
def test_a_database_that_nightowl_does_not_know_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///PATH") as caught:
        open_store(url)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mariadb://owl:geheim@127.0.0.1:1/owl?foo=1", "unexpected keyword argument 'foo'"),
        ("mariadb://owl:geheim@127.0.0.1:1/owl?connect_timeout=soon", "soon"),
        ("mariadb://owl:geheim@127.0.0.1:1/owl?ssl_ca=/nowhere/ca.pem", "No such file"),
        ("postgresql://owl:geheim@127.0.0.1:1/owl?foo=1", 'invalid connection option "foo"'),
    ],
)
def test_arguments_that_the_driver_does_not_know_are_a_mistake_in_the_url(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"store\.url: found .*127\.0\.0\.1:1/owl") as caught:
        open_store(url, migrate=True)
    assert said in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "nightowl.db"
    path.write_text("no database, but long enough to be taken for one at first sight" * 20)
    with pytest.raises(StoreUnavailable, match=r"nightowl\.db: file is not a database"):
        open_store(f"sqlite:///{path}", migrate=True)


def test_ping_tells_whether_the_database_answers(lasting_url: str) -> None:
    store = open_store(lasting_url, migrate=True)
    store.ping()
    store.close()


def test_what_was_committed_is_there_after_a_restart(lasting_url: str) -> None:
    store = open_store(lasting_url, migrate=True)
    put(store, "shop")
    store.close()
    again = open_store(lasting_url)
    assert names(again) == ["shop"]
    again.close()


def test_what_failed_half_way_was_never_written(store: Store) -> None:
    def write_half() -> None:
        with store.transaction() as unit:
            unit.checks.put(StoredCheck(name="half", origin="stored", paused=False, spec={}))
            raise ValueError("power cut")

    with pytest.raises(ValueError, match="power cut"):
        write_half()
    put(store, "whole")
    assert names(store) == ["whole"]
    with store.read() as unit:
        assert [item.subject for item in unit.feed.after(0, 9)] == ["whole"]


def test_a_process_killed_between_statements_leaves_nothing_behind(lasting_url: str) -> None:
    store = open_store(lasting_url, migrate=True)
    killed = """
import os, signal, sys
from nightowl.adapters.store_sql import open_store
from nightowl.ports import StoredCheck
with open_store(sys.argv[1]).transaction() as unit:
    unit.checks.put(StoredCheck(name="half", origin="stored", paused=False, spec={"tags": {"a": "b"}}))
    unit.rounds.scheduled_until()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", killed, lasting_url], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    put(store, "whole")
    assert names(store) == ["whole"]
    store.close()


def test_reading_sees_one_moment(lasting_url: str) -> None:
    store = open_store(lasting_url, migrate=True)
    put(store, "a")
    with store.read() as unit:
        assert len(unit.checks.all()) == 1
        put(store, "b")
        assert len(unit.checks.all()) == 1
    assert names(store) == ["a", "b"]
    store.close()


def test_nothing_can_be_written_while_reading(store: Store) -> None:
    with pytest.raises(StoreUnavailable), store.read() as unit:
        unit.leases.acquire("director", "me", 5.0)


def test_huge_batches_fit(store: Store) -> None:
    attempt = Attempt(state=State.UP, started=1.0, duration=0.1, detail="x" * 1000, excerpt="🦉" * 1000)
    outcomes = [
        Outcome(check=f"check-{n % 3000}", due=float(n), location="london", state=State.UP, attempts=(attempt,), kept=0)
        for n in range(6000)
    ]
    with store.transaction() as unit:
        unit.rounds.add_outcomes(outcomes)
    with store.read() as unit:
        assert unit.rounds.outcomes("check-2999", 5999.0) == outcomes[-1:]


def test_sqlite_is_opened_for_many_readers_and_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "owl ünï.db"
    store = open_store(f"sqlite:///{path}", migrate=True)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    store.close()
    assert list(tmp_path.iterdir()) == [path]


def test_another_process_that_holds_sqlite_too_long_makes_the_store_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightowl.adapters.store_sql.engines._PATIENCE", 0.05)
    path = tmp_path / "nightowl.db"
    store = open_store(f"sqlite:///{path}", migrate=True)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="database is locked"):
        put(store, "shop")
    other.execute("ROLLBACK")
    other.close()
    put(store, "shop")
    assert names(store) == ["shop"]
    store.close()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        # the servers of tests do not wait for the disk unless told
        pytest.param("postgresql", "?options=-csynchronous_commit%3Don", marks=pytest.mark.postgresql),
        pytest.param("mariadb", "", marks=pytest.mark.mariadb),
    ],
)
def test_a_server_that_was_killed_and_comes_back_is_used_again(
    request: pytest.FixtureRequest, kind: str, options: str
) -> None:
    server = request.getfixturevalue(f"own_{kind}")()
    store = open_store(server.fresh_url() + options, migrate=True)

    def write_half() -> None:
        with store.transaction() as unit:
            unit.checks.put(StoredCheck(name="half", origin="stored", paused=False, spec={}))
            server.kill()

    with pytest.raises(StoreUnavailable):
        write_half()
    with pytest.raises(StoreUnavailable):
        store.ping()
    server.start()
    store.ping()
    put(store, "whole")
    assert names(store) == ["whole"]
    store.close()


def test_samples_of_an_older_schema_are_carried_over(lasting_url: str) -> None:
    times = [1_790_000_000.25 + 10 * n for n in range(500)]
    engine = create_engine(lasting_url)
    with engine.begin() as connection:
        upgrade_on(connection, "0003")
        old = Table("series", MetaData(), autoload_with=connection)
        for number, name in ((3, "a"), (300, "b")):
            columns = {"id": number, "key": name.encode(), "metric": "m", "labels": f'[["q","{name}"]]'}
            connection.execute(insert(old).values(columns))
            rows = [{"id": number, "time": time, "value": number + time / 7} for time in times]
            connection.execute(text("INSERT INTO samples VALUES (:id, :time, :value)"), rows)
    engine.dispose()
    migrate(lasting_url)
    store = open_store(lasting_url)
    wanted = [
        Sample("m", (("q", name),), time, number + time / 7)
        for number, name in ((3, "a"), (300, "b"))
        for time in times
    ]
    with store.transaction() as unit:
        assert unit.series.window("m", {}, 0, times[-1]) == wanted
        unit.series.append("test", times[-1], [Sample("m", (("q", "c"),), times[0], 1.0)])
        assert unit.series.number([Series("m", (("q", "c"),))]).tolist() == [301]
        assert unit.series.compact(times[-1] + 7200, 99) == 4
        assert unit.series.window("m", {}, 0, times[-1])[:-1] == wanted
    store.close()

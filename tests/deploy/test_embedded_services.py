"""The embedded servers survive being killed, and keep what they were told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from deploy import databases
from deploy.broker import EmbeddedBroker
from deploy.postgres import EmbeddedPostgres


@pytest.fixture
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder / "pg")
    server.start()
    yield server
    server.stop_any()


@pytest.fixture
def broker(open_folder: Path) -> Iterator[EmbeddedBroker]:
    server = EmbeddedBroker(open_folder / "broker")
    server.start()
    yield server
    server.stop_any()


def kill(server: EmbeddedPostgres | EmbeddedBroker) -> None:
    assert server.child
    os.kill(server.child.pid, signal.SIGKILL)
    server.child.wait()


def test_postgres_keeps_what_was_committed_before_it_was_killed(
    postgres: EmbeddedPostgres,
) -> None:
    with psycopg.connect(postgres.url("postgres")) as owner:
        owner.execute("create table kept (id int); insert into kept values (1)")
    kill(postgres)
    postgres.start()
    with psycopg.connect(postgres.url("postgres")) as owner:
        assert owner.execute("select id from kept").fetchone() == (1,)


def test_a_second_starter_attaches_to_the_running_postgres(postgres: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(postgres.home)
    second.start()
    assert second.child is None
    assert second.ready()


def test_postgres_listens_on_no_port(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url("postgres")) as owner:
        assert owner.execute("show listen_addresses").fetchone() == ("",)


def test_preparing_the_roles_twice_changes_nothing(postgres: EmbeddedPostgres) -> None:
    for _ in range(2):
        databases.prepare_roles(postgres.url("postgres"))
    with psycopg.connect(postgres.url("postgres", role=databases.APPLICATION)) as application:
        row = application.execute(
            "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb"
            " from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == (False,)


def test_a_database_that_exists_stays_as_it_is(postgres: EmbeddedPostgres) -> None:
    for _ in range(2):
        databases.create(postgres.url("postgres"), name="clinic")
    with psycopg.connect(postgres.url("clinic")) as owner:
        assert owner.execute("select current_database()").fetchone() == ("clinic",)


def test_the_broker_keeps_its_queue_through_a_kill(broker: EmbeddedBroker) -> None:
    with redis.Redis(unix_socket_path=str(broker.socket)) as client:
        client.rpush("queue", "nudge")
        client.execute_command("waitaof", 1, 0, 2000)
    kill(broker)
    broker.start()
    with redis.Redis(unix_socket_path=str(broker.socket)) as client:
        assert client.lrange("queue", 0, -1) == [b"nudge"]


def test_the_broker_listens_on_no_port(broker: EmbeddedBroker) -> None:
    with redis.Redis(unix_socket_path=str(broker.socket)) as client:
        assert client.config_get("port") == {"port": "0"}

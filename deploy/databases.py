"""Make a database with its two roles: the owner, who migrates, and the application, who may not."""

from __future__ import annotations

import psycopg
from psycopg import sql

APPLICATION = "attune_app"


def prepare_roles(owner_url: str) -> None:
    """Create the application's role: bound by row security, without a table of its own.

    Two may do this at once (test workers share a server), so the catalog's own answer decides.
    """
    role = sql.Identifier(APPLICATION)
    with psycopg.connect(owner_url, autocommit=True) as owner:
        try:
            owner.execute(sql.SQL("create role {} login nobypassrls").format(role))
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            owner.execute(
                sql.SQL("alter role {} nosuperuser nocreatedb nocreaterole nobypassrls").format(
                    role
                )
            )


def create(owner_url: str, *, name: str, template: str | None = None) -> None:
    """Create the database `name`, empty or as a copy; one that exists stays as it is."""
    source = sql.SQL(" template {}").format(sql.Identifier(template)) if template else sql.SQL("")
    with psycopg.connect(owner_url, autocommit=True) as owner:
        if owner.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            return
        owner.execute(sql.SQL("create database {}").format(sql.Identifier(name)) + source)


def drop(owner_url: str, *, name: str) -> None:
    """Drop the database `name`, whoever is still connected."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


def close_to_public(database_owner_url: str) -> None:
    """Take the public schema from everybody; accounts.row_security hands out what is needed."""
    with psycopg.connect(database_owner_url, autocommit=True) as owner:
        owner.execute("revoke all on schema public from public")

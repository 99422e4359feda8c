"""The tables of a memory on a PostgreSQL server: those of a file, and vectors to search."""

from __future__ import annotations

VERSION = 1

# Names sort by their bytes, as everywhere in traceloc, whatever the server's language is.
TABLES = """
CREATE TABLE meta (key TEXT COLLATE "C" PRIMARY KEY, value BYTEA NOT NULL);
CREATE TABLE rows (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    shelf SMALLINT NOT NULL,
    system TEXT COLLATE "C",
    trace TEXT COLLATE "C",
    body BYTEA NOT NULL,
    vector BYTEA NOT NULL
);
CREATE INDEX rows_by_shelf ON rows (shelf, system, id);
CREATE TABLE changes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    note TEXT NOT NULL,
    undoes BIGINT UNIQUE REFERENCES changes (id),
    too_old SMALLINT NOT NULL DEFAULT 0,
    chain BYTEA NOT NULL DEFAULT ''
);
CREATE TABLE images (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    change BIGINT NOT NULL REFERENCES changes (id),
    id TEXT COLLATE "C" NOT NULL,
    removed SMALLINT NOT NULL,
    before_n BIGINT,
    dead BIGINT,
    body BYTEA,
    vector BYTEA
);
CREATE INDEX images_by_change ON images (change);
CREATE INDEX images_by_id ON images (id, change);
CREATE TABLE neighbours (
    n BIGINT PRIMARY KEY REFERENCES rows (n) ON DELETE CASCADE,
    shelf SMALLINT NOT NULL,
    system TEXT COLLATE "C",
    trace TEXT COLLATE "C",
    vector halfvec NOT NULL
);
CREATE INDEX neighbours_by_shelf ON neighbours (shelf, system)
"""

"""The numbered migrations of `library.db`, and the functions that SQLite needs to compare vectors.

Queries are left to `library.py`, `vectors.py` and `retrieve.py`.
"""

from __future__ import annotations

import logging

import apsw

from edgellm.documents import words

# Add to the end, never change one that was released
MIGRATIONS: tuple[str, ...] = (
    f"""
    CREATE TABLE collection (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created REAL NOT NULL);
    CREATE TABLE source (
        id INTEGER PRIMARY KEY,
        collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        UNIQUE (collection, path)
    );
    CREATE TABLE content (
        id INTEGER PRIMARY KEY,
        sha256 TEXT NOT NULL,
        suffix TEXT NOT NULL,
        format TEXT NOT NULL,
        title TEXT NOT NULL,
        notes TEXT NOT NULL,
        UNIQUE (sha256, suffix)
    );
    CREATE TABLE file (
        id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        content INTEGER REFERENCES content (id),
        reason TEXT NOT NULL DEFAULT '',
        hint TEXT NOT NULL DEFAULT '',
        UNIQUE (source, path)
    );
    CREATE INDEX file_content ON file (content);
    CREATE TABLE passage (
        id INTEGER PRIMARY KEY,
        content INTEGER NOT NULL REFERENCES content (id) ON DELETE CASCADE,
        text TEXT NOT NULL,
        page INTEGER NOT NULL,
        headings TEXT NOT NULL,
        start INTEGER NOT NULL,
        stop INTEGER NOT NULL
    );
    CREATE INDEX passage_content ON passage (content, start);
    CREATE VIRTUAL TABLE passage_words USING fts5 (
        context, text, content = '', contentless_delete = 1, tokenize = "{words.TOKENIZER}"
    );
    CREATE TRIGGER passage_removed AFTER DELETE ON passage BEGIN
        DELETE FROM passage_words WHERE rowid = old.id;
    END;
    """,
    # Contents that were read before readers had versions are those of the first
    "ALTER TABLE content ADD COLUMN reader INTEGER NOT NULL DEFAULT 1;",
    # A vector belongs to a passage and goes with it; `vector_model` has the one row that says which model made them all
    """
    CREATE TABLE vector_model (
        only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL, size INTEGER NOT NULL
    );
    CREATE TABLE vector (
        passage INTEGER PRIMARY KEY REFERENCES passage (id) ON DELETE CASCADE, data BLOB NOT NULL
    );
    CREATE TABLE vector_sign (
        passage INTEGER PRIMARY KEY REFERENCES vector (passage) ON DELETE CASCADE, sign BLOB NOT NULL
    );
    """,
    # A source's number is never given again: one that was taken out and added again is seen to be another. The files go
    # first, since dropping a table deletes what points to its rows
    """
    CREATE TABLE new_source (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        UNIQUE (collection, path)
    );
    INSERT INTO new_source SELECT id, collection, path FROM source;
    CREATE TABLE new_file (
        id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL REFERENCES new_source (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime INTEGER NOT NULL,
        content INTEGER REFERENCES content (id),
        reason TEXT NOT NULL DEFAULT '',
        hint TEXT NOT NULL DEFAULT '',
        UNIQUE (source, path)
    );
    INSERT INTO new_file SELECT id, source, path, size, mtime, content, reason, hint FROM file;
    DROP TABLE file;
    DROP TABLE source;
    ALTER TABLE new_source RENAME TO source;
    ALTER TABLE new_file RENAME TO file;
    CREATE INDEX file_content ON file (content);
    """,
)
_log = logging.getLogger(__name__)


def load_vector_functions(connection: apsw.Connection) -> bool:
    """Load sqlite-vec into a connection; False where it does not load, and then words are all there is."""
    try:
        import sqlite_vec

        connection.enable_load_extension(True)
        try:
            connection.load_extension(sqlite_vec.loadable_path())
        finally:
            connection.enable_load_extension(False)
    except (
        ImportError,
        AttributeError,
        apsw.Error,
        OSError,
    ) as error:  # or a SQLite without extensions
        _log.warning("sqlite-vec could not be loaded: %s", type(error).__name__)
        return False
    return True

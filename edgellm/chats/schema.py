"""The numbered migrations of `chats.db`: add to the end, never change one that was released.

A message is immutable once it has left the state `streaming`, so the search index is written exactly once, then.
"""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE chat (
        id INTEGER PRIMARY KEY,
        title TEXT NOT NULL DEFAULT '',
        system TEXT NOT NULL DEFAULT '',
        draft TEXT NOT NULL DEFAULT '',
        leaf INTEGER,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        deleted REAL
    );
    CREATE INDEX chat_updated ON chat (updated DESC);
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        chat INTEGER NOT NULL REFERENCES chat (id) ON DELETE CASCADE,
        parent INTEGER REFERENCES message (id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
        text TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL CHECK (state IN ('streaming', 'done', 'cancelled', 'interrupted')),
        facts TEXT NOT NULL DEFAULT '{}',
        created REAL NOT NULL
    );
    CREATE INDEX message_parent ON message (chat, parent);
    CREATE INDEX message_streaming ON message (state) WHERE state = 'streaming';

    CREATE VIRTUAL TABLE message_search USING fts5 (
        text, content = 'message', content_rowid = 'id', tokenize = 'trigram'
    );
    CREATE TRIGGER message_added AFTER INSERT ON message WHEN new.state <> 'streaming' BEGIN
        INSERT INTO message_search (rowid, text) VALUES (new.id, new.text);
    END;
    CREATE TRIGGER message_finished AFTER UPDATE OF state ON message
    WHEN old.state = 'streaming' AND new.state <> 'streaming' BEGIN
        INSERT INTO message_search (rowid, text) VALUES (new.id, new.text);
    END;
    CREATE TRIGGER message_removed AFTER DELETE ON message WHEN old.state <> 'streaming' BEGIN
        INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text);
    END;

    CREATE VIRTUAL TABLE chat_search USING fts5 (
        title, content = 'chat', content_rowid = 'id', tokenize = 'trigram'
    );
    CREATE TRIGGER chat_added AFTER INSERT ON chat BEGIN
        INSERT INTO chat_search (rowid, title) VALUES (new.id, new.title);
    END;
    CREATE TRIGGER chat_renamed AFTER UPDATE OF title ON chat BEGIN
        INSERT INTO chat_search (chat_search, rowid, title) VALUES ('delete', old.id, old.title);
        INSERT INTO chat_search (rowid, title) VALUES (new.id, new.title);
    END;
    CREATE TRIGGER chat_removed AFTER DELETE ON chat BEGIN
        INSERT INTO chat_search (chat_search, rowid, title) VALUES ('delete', old.id, old.title);
    END;
    """,
)

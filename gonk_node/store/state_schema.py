"""The tables of `state.db`: a projection of the log, disposable, and meant to be read with any SQLite tool.

`event_no` names an event on this node only: the lsn of its entry times 4096, plus its index in the entry. A change to
anything here needs a new STATE_VERSION: a database of another version is deleted and rebuilt.
"""

from __future__ import annotations

STATE_VERSION = 2
INDEX_BITS = 12  # an entry holds at most 4096 events

OBJECT, ANNOTATION, SCHEMA = 0, 1, 2
TABLES = ("objects", "annotations", "schemas")
ENTITY_NAMES = ("object", "annotation", "schema")

_REVISION = """
    event_no INTEGER PRIMARY KEY,  -- the create or update event
    uuid     BLOB NOT NULL,        -- 16 bytes; rows with one uuid are revisions of one {one}
    base_no  INTEGER,              -- the revision that this one was made from; NULL: a first one; -1: not held here
    root_no  INTEGER,              -- the create event that it descends from; NULL while it takes no effect
    live     INTEGER NOT NULL,     -- 0 while something that it refers to is not held
    version  INTEGER,              -- depth in the tree of revisions; NULL while it takes no effect
    status   INTEGER NOT NULL,     -- 1 create-pending, 2 create-rejected, 4 delete-pending, 8 delete-accepted; 0 accepted
    shared   INTEGER,              -- the status as counted in the State digest; NULL: a stranger's proposal
    current  INTEGER NOT NULL,     -- 1: this revision is what the {one} is now
    named    INTEGER NOT NULL,     -- 1: this revision answers to (uuid, version)
"""

SCHEMA_SQL = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE branches (            -- a stretch of one log without forks
    branch_no  INTEGER PRIMARY KEY,
    author     BLOB NOT NULL,      -- Ed25519 public key, 32 bytes
    log_id     BLOB NOT NULL,      -- 8 bytes
    parent_no  INTEGER,            -- the branch that it leaves; NULL: it begins at seq 0
    parent_seq INTEGER NOT NULL    -- the last sequence number that both share
);
CREATE INDEX branches_by_author ON branches (author);

CREATE TABLE entries (
    lsn         INTEGER PRIMARY KEY,  -- order of arrival on this node
    entry_id    BLOB NOT NULL UNIQUE,
    branch_no   INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    time_ms     INTEGER NOT NULL,     -- milliseconds since 1970 UTC, as the author says
    event_count INTEGER NOT NULL,
    bytes       INTEGER NOT NULL      -- of the record
);
CREATE INDEX entries_by_position ON entries (branch_no, seq);

CREATE TABLE objects ({_REVISION.format(one="object")}
    name TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL, content_id BLOB NOT NULL, sha256 BLOB NOT NULL
);
CREATE TABLE annotations ({_REVISION.format(one="annotation")}
    schema_no INTEGER,             -- the schema revision (schemas.event_no); NULL: not held here
    body      BLOB NOT NULL        -- JSON, exactly as given
);
CREATE TABLE schemas ({_REVISION.format(one="schema")}
    name TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX objects_by_uuid ON objects (uuid);
CREATE INDEX annotations_by_uuid ON annotations (uuid);
CREATE INDEX schemas_by_uuid ON schemas (uuid);
CREATE INDEX objects_by_name ON objects (name);
CREATE INDEX objects_by_content ON objects (content_id);
CREATE INDEX objects_pending ON objects (event_no) WHERE status & 5;
CREATE INDEX annotations_pending ON annotations (event_no) WHERE status & 5;
CREATE INDEX schemas_pending ON schemas (event_no) WHERE status & 5;

CREATE TABLE annotation_objects (  -- which object revisions the annotation of that create event hangs on
    object_no INTEGER NOT NULL, annotation_no INTEGER NOT NULL, PRIMARY KEY (object_no, annotation_no)
) WITHOUT ROWID;
CREATE INDEX annotation_objects_by_annotation ON annotation_objects (annotation_no);

CREATE TABLE deletions (
    event_no    INTEGER PRIMARY KEY,
    target_no   INTEGER,           -- the revision to delete; NULL: not held here
    entity_type INTEGER,           -- 0 object, 1 annotation, 2 schema
    uuid        BLOB,
    decided     INTEGER NOT NULL DEFAULT 0  -- 0 pending, 1 accepted, 2 rejected
);
CREATE INDEX deletions_by_uuid ON deletions (uuid);
CREATE INDEX deletions_by_target ON deletions (target_no);
CREATE INDEX deletions_pending ON deletions (event_no) WHERE decided = 0;

CREATE TABLE reviews (event_no INTEGER PRIMARY KEY, decision INTEGER NOT NULL, comment TEXT NOT NULL);
CREATE TABLE votes (               -- which events a review decides
    target_no INTEGER NOT NULL, review_no INTEGER NOT NULL, PRIMARY KEY (target_no, review_no)
) WITHOUT ROWID;
CREATE TABLE supersedes (
    superseded_no INTEGER NOT NULL, review_no INTEGER NOT NULL, PRIMARY KEY (review_no, superseded_no)
) WITHOUT ROWID;

-- grants, accepted grants, revokes, replaced roots
CREATE TABLE acts (event_no INTEGER PRIMARY KEY);
CREATE TABLE releases (event_no INTEGER PRIMARY KEY, tag TEXT NOT NULL);
CREATE TABLE profiles (event_no INTEGER PRIMARY KEY, author BLOB NOT NULL, display_name TEXT NOT NULL);
CREATE INDEX profiles_by_author ON profiles (author);

CREATE TABLE redactions (
    event_no INTEGER PRIMARY KEY, target_entry BLOB NOT NULL, target_index INTEGER NOT NULL, honoured INTEGER NOT NULL
);
CREATE INDEX redactions_by_target ON redactions (target_entry);

CREATE TABLE waiting (             -- events that refer to what is not held here (or not any more)
    entry_id BLOB NOT NULL, event_index INTEGER NOT NULL, event_no INTEGER NOT NULL,
    PRIMARY KEY (entry_id, event_index, event_no)
) WITHOUT ROWID;
-- events of which only the hash is held
CREATE TABLE withheld (event_no INTEGER PRIMARY KEY);

CREATE TABLE conflicts (           -- entities of which several revisions compete to be current
    entity_type INTEGER NOT NULL, uuid BLOB NOT NULL, rivals INTEGER NOT NULL, PRIMARY KEY (entity_type, uuid)
) WITHOUT ROWID;
-- bytes of records held of each author
CREATE TABLE authors (author BLOB PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;

CREATE VIEW current_objects AS
    SELECT lower(hex(uuid)) AS uuid, version, name, media_type, size, lower(hex(sha256)) AS sha256
    FROM objects WHERE current;
CREATE VIEW current_annotations AS
    SELECT lower(hex(a.uuid)) AS uuid, a.version, s.name AS schema, CAST(a.body AS TEXT) AS body,
           o.name AS object, lower(hex(o.uuid)) AS object_uuid, o.version AS object_version
    FROM annotations a
    JOIN schemas s ON s.event_no = a.schema_no
    JOIN annotation_objects l ON l.annotation_no = a.root_no
    JOIN objects o ON o.event_no = l.object_no
    WHERE a.current;
CREATE VIEW log AS
    SELECT e.lsn, lower(hex(e.entry_id)) AS entry_id, lower(hex(b.author)) AS author, lower(hex(b.log_id)) AS log_id, e.seq,
           datetime(e.time_ms / 1000, 'unixepoch') AS time, e.event_count
    FROM entries e JOIN branches b USING (branch_no);
"""

# Indexes that a State made from nothing gets last: nothing but queries, reviews and redactions needs them.
LATER_INDEXES = ("annotations_by_uuid", "annotations_pending", "annotation_objects_by_annotation")


def event_number(lsn: int, index: int) -> int:
    """The local number of an event."""
    return lsn << INDEX_BITS | index


def split_number(event_no: int) -> tuple[int, int]:
    """The (lsn, index) of a local event number."""
    return event_no >> INDEX_BITS, event_no & ((1 << INDEX_BITS) - 1)

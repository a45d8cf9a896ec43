"""Every bound of gonk, in one leaf: protocol constants first (never settings: nodes would disagree), then this node's own.

Units are in the names; each constant says why it has its value.
"""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

# --- protocol: part of the format, the same on every node -------------------------------------------------

PROTOCOL_VERSION = 1  # first element of each header
RULES_VERSION = 1  # version of the A-rules, fixed by the genesis
INT_MAX = 2**53 - 1  # integers that every language holds exactly (RFC 8259 section 6 gives the same bound)
ENTRY_BYTES_MAX = 4 * MIB  # one entry fits one sync message and one LMDB value without strain
EVENT_BYTES_MAX = 1 * MIB  # larger data belongs into content
EVENTS_PER_ENTRY_MAX = 4096  # one signature for a large import; index fits 12 bits
NAME_BYTES_MAX = 1 * KIB  # names of datasets, objects, schemas, people (UTF-8)
COMMENT_BYTES_MAX = 4 * KIB  # comments, reasons, notes (UTF-8)
SCHEMA_BYTES_MAX = 64 * KIB  # a schema document; the cost of validating grows with it
CBOR_DEPTH_MAX = 6  # deepest event (release.create: heads) has depth 3; room for kinds to come
REFS_PER_REVIEW_MAX = 4096  # as many as an entry has events, so one review can decide one import
REFS_PER_ANNOTATION_MAX = 1024  # objects that one annotation hangs on (multi-view, video frames)
HEADS_PER_EVENT_MAX = 8192  # logs named by a revoke's pins or a release
RECOVERY_KEYS_MAX = 16  # a printed sheet each; more cannot be kept safe
APPROVALS_MAX = 64  # approvals that a dataset may ask for
BRANCHES_PER_LOG_MAX = 16  # forks are deliberate; enough to prove them, too few to fill a disk
TIME_LEAP_MS_MAX = 24 * 3600 * 1000  # a time further ahead than a day is not followed by later entries
CHUNK_BYTES = 1 * MIB  # unit of transfer and of resuming
OBJECT_BYTES_MAX = 256 * 1024 * MIB  # its chunk list is then 8 MiB, which a receiver holds in memory

# --- this node's own: may differ between nodes ---------------------------------------------------------------

AUTHORS_CACHED_MAX = 16_384  # keys whose point check is remembered: 90 µs saved per entry, 3 MiB at most
KEY_FILE_BYTES_MAX = 4 * KIB  # key files are about 200 bytes
CERTIFICATE_FILE_BYTES_MAX = 64 * KIB  # a certificate with its key takes 1 KiB
PASSPHRASE_BYTES_MAX = 1 * KIB  # longer ones are a file given by mistake
KDF_OPS_MAX = 8  # argon2id passes that a key file may ask for: twice libsodium's "sensitive"
KDF_MEMORY_BYTES_MAX = 1024 * MIB  # memory that a key file may ask for: libsodium's "sensitive"
STRANGER_BYTES_PER_KEY = 1 * MIB  # default quota: some thousand proposals of one unvouched key
STRANGER_BYTES_TOTAL = 64 * MIB  # default quota for all unvouched keys of a dataset

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
CBOR_ITEMS_MAX = 65_536  # in one encoding: a release of all heads has 41,000; decoded, an item takes up to 100 bytes
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
DATASET_JSON_BYTES_MAX = 64 * KIB  # a name and a policy; larger is no such file
KDF_OPS_MAX = 8  # argon2id passes that a key file may ask for: twice libsodium's "sensitive"
KDF_MEMORY_BYTES_MAX = 1024 * MIB  # memory that a key file may ask for: libsodium's "sensitive"
STRANGER_BYTES_PER_KEY = 1 * MIB  # default quota: some thousand proposals of one unvouched key
STRANGER_BYTES_TOTAL = 64 * MIB  # default quota for all unvouched keys of a dataset
STRANGER_REVISIONS_MAX = 512  # undecided ones of one object, annotation or schema: folding one reads them all
STRANGER_CONTENT_BYTES_PER_KEY = 64 * MIB  # content of undecided proposals of one unvouched key: some hundred images
STRANGER_CONTENT_BYTES_TOTAL = 1024 * MIB  # of all such keys of a dataset
STRANGER_CONTENT_BYTES_MIN = 4 * KIB  # what the smallest file counts for there: about what it costs in the store
CITED_BYTES_PER_KEY = 16 * MIB  # of a stranger's log up to what an owner accepted: room for thousands of proposals

SNAPSHOT_MEMORY_EVENTS_MAX = 20_000  # a State of so many is folded in memory, in a second; some 20 MB
SNAPSHOTS_KEPT_MAX = 4  # files of past States of one dataset: two releases that are compared, and two more in use
RELEASE_TAG_CHARS_MAX = 100  # that this node signs; tags become names of files
RELEASE_URL_CHARS_MAX = 1000  # of an address in notes; browsers take 2,000
RELEASE_KEYWORDS_MAX = 32  # in notes
RELEASE_KEYWORD_CHARS_MAX = 64  # of one

# --- schemas and annotation bodies: what checking one may cost (see state/schema_guard.py) --------------------

JSON_DEPTH_MAX = 64  # arrays and objects in one another; deeper ones overflow stacks of validators
SUBSCHEMAS_MAX = 2000  # in one document; the largest real annotation schemas have some hundred
SCHEMA_CHAIN_MAX = 32  # subschemas and $refs in one another at one place: 1 MiB of stack at JSON_DEPTH_MAX
SCHEMA_PATTERNS_MAX = 64  # regular expressions in one document; each may cost 1 ms to compile
PATTERN_PROGRAM_BYTES_MAX = 256 * KIB  # compiled expression; a Unicode class such as \p{L} takes 30 KiB
BRANCHING_MAX = 10**5  # subschema evaluations that one value of a body may need
BRANCHING_DEPTH = 12  # levels of a body at which that is asked of every schema, recursive ones included
VALIDATION_COST_MAX = 5 * 10**7  # steps of some 10 ns for one body; beyond, it is `unknown` on every node
EXPLANATION_COST_MAX = 10**7  # bytes copied to explain one body: each problem found carries its value
SCHEMAS_COMPILED_MAX = (
    256  # revisions kept ready for one dataset: a large one takes some MiB, and strangers may add some
)
PROBLEMS_EXPLAINED_MAX = 10  # what a person reads at once

# --- content transfer and peers (see net/) --------------------------------------------------------------------

BACKOFF_FIRST_SECONDS = 1.0  # bound of the first wait before a peer is called again
BACKOFF_MAX_SECONDS = 300.0  # of all later ones: a peer that comes back is noticed within five minutes
PEERS_MAX = 1024  # the user named them one by one
PEER_DATASETS_MAX = 256  # named in the peer book for one peer
PEER_ERROR_CHARS_MAX = 500  # a line for people
PEER_BOOK_BYTES_MAX = 32 * MIB  # above PEERS_MAX times the longest peer; a larger file is no peer book
CONTENT_TOKEN_SECONDS = 600.0  # life of a token without renewal: a download outlives its session by that much
CONTENT_TOKENS_MAX = 4096  # sessions that may hold a token at a time; the oldest gives way
CONTENT_REQUESTS_PER_TOKEN = 8  # at a time; fills a fast link, and one peer cannot take all
CONTENT_REQUESTS_MAX = 64  # at a time in all: some 2 MiB of memory each
CONTENT_WRITE_SECONDS = 60.0  # for a reader to take 256 KiB (35 kbit/s); slower ones are cut off
CONTENT_BATCH_FILES_MAX = 1024  # files asked for in one request: 32 KiB of ids
CONTENT_BATCH_BYTES_MAX = 4 * MIB  # in the answer to it; one piece more may follow
CONTENT_PUT_BYTES_MAX = 1 * MIB  # files handed over in one request; small, so that a slow uplink sees them acknowledged
CONTENT_UPLOAD_LANES = 4  # of these at a time: 1 MiB each within CONTENT_REQUEST_SECONDS over 120 kbit/s
CONTENT_OFFERS_PER_ROUND = 20  # to one peer, then from the beginning again: it may have lost what it had
CONTENT_RECEIVE_BYTES_MAX = 64 * MIB  # bodies that are being received at a time; chunk lists have up to 8 MiB
FETCH_CALLS = 8  # peers that are called at a time for one file that somebody reads
FETCH_SIZES_MAX = 8  # tried for one content; objects may declare several, and at most one is right
CONTENT_LANES = 8  # requests that a download has in flight over all peers
CONTENT_STALL_SECONDS = 20.0  # without one byte from a peer that owes some
CONTENT_REQUEST_SECONDS = 300.0  # for one whole answer: eight of 4 MiB at a time over 1 Mbit/s
CONTENT_BUSY_SECONDS = 0.5  # wait after a peer said that it is busy
CONTENT_BUSY_MAX = 20  # times in a row, then it counts as unavailable
CONTENT_MISBEHAVIOURS_MAX = 3  # wrong answers of one peer before it is left alone; bits do flip on the way
CONTENT_WRITE_BYTES = 4 * MIB  # chunks flushed to disk together: a flush costs as much as writing 1..4 MiB
LOG_MAP_BYTES = 64 * 1024 * MIB  # address space for one log at first; the file itself is only as long as needed
CONTENT_MAP_BYTES = 1024 * 1024 * MIB  # the same for the content of a node
MAPPED_BYTES_MAX = (
    64 * MIB
)  # chunks read before their pages are let go: the kernel counts those as the process's memory
MAP_BYTES_MAX = 32 * 1024 * 1024 * MIB  # where doubling ends: a process has 128 TiB on most machines
SIGNATURE_BATCH_MIN = 64  # records, from which on another process checks their signatures: 5 ms of work
SIGNATURE_BATCH_SECONDS = 10.0  # for a batch of them; it takes a tenth of a second
SIGNATURE_PROCESS_IDLE_SECONDS = 5.0  # without work, then it ends; the next one takes a quarter of a second to start
META_VALUE_BYTES_MAX = 64 * KIB  # small values that other layers keep in a log's meta table
GROUP_CHANGES_MAX = 64  # writes that wait at one time and share a flush; bounds how long the first one waits
GROUP_EVENTS_MAX = 256  # writes that share an entry, a flush and a fold: some 50 ms, which the first of them waits
GROUP_BYTES_MAX = ENTRY_BYTES_MAX // 2  # of their events, beyond the last one: all of them fit one entry
GROUP_WAITING_MAX = 4096  # writes that wait to be signed: some seconds of work; beyond, callers are told to come again
FSCK_ROWS = 256  # rows read in one transaction while a whole table is walked

# --- sync protocol (spec section 9): part of the protocol, the same on every node -------------------------------

HANDSHAKE_BYTES_MAX = 64 * KIB  # a frame from somebody who has not proved who he is; real ones have 200 bytes
FRAME_BYTES_MAX = ENTRY_BYTES_MAX + 64 * KIB  # the largest record, and what stands around it
FRAME_PART_BYTES_MAX = 64 * KIB  # one WebSocket message: what is buffered for somebody unknown
VERSIONS_OFFERED_MAX = 16  # protocol versions in a handshake
REASON_CHARS_MAX = 500  # why a peer closes, a line for people
HEADS_PER_MESSAGE_MAX = 1024  # 85 KiB
HEADS_PER_PORTION_MAX = 65_536  # heads told before the other side answers: 25 MiB of its memory
HEADS_PER_SESSION_MAX = 2**20  # more logs than a dataset can have in earnest
NEEDS_PER_MESSAGE_MAX = 1024  # as many as a page of heads has
NEEDS_OPEN_MAX = 2 * HEADS_PER_PORTION_MAX  # asked for and not sent yet; two portions may overlap
KNOWN_PER_NEED_MAX = 1024  # locators of 16 branches of 2^53 entries have 880 ids
KNOWN_PER_MESSAGE_MAX = 16_384  # 560 KiB
IDS_PER_MESSAGE_MAX = 1024  # 34 KiB
BODIES_PER_MESSAGE_MAX = 16_384  # asked for in one message: 48 KiB of indexes, four entries that lack all
BATCH_BYTES = 1 * MIB  # records in one message, beyond the first record; one flush of the receiver
BATCH_RECORDS_MAX = 1024  # records in one message: a quarter of a second of signature checks
WINDOW_BYTES = 4 * MIB  # records sent and not yet durable: what a receiver holds in memory
CITED_BYTES_MAX = 256 * MIB  # taken in one session beyond the quota for strangers, on the word of an accept
REPLIES_OPEN_MAX = 128  # answers that wait for a peer to read; as many as a portion has pages, twice
IDLE_MESSAGES_MAX = 1000  # messages that carry nothing (ping, announce) between two ticks of a second
GAPS_MAX = 1024  # groups of a peer that do not join on to what is held; one is an accident
KEEPALIVE_MS = 15_000  # without sending anything, then a ping
SILENCE_MS = 45_000  # without hearing anything, then the peer is gone: three pings lost
STALL_MS = 60_000  # without progress where the peer owes some
COMPARE_MS = 600_000  # for the peer to finish its State: 18 million events at 30,000 a second
CONTENT_TOKEN_BYTES = 32  # random; nobody guesses it

# --- files that people import ----------------------------------------------------------------------------------

IMPORTED_BODY_BYTES_MAX = EVENT_BYTES_MAX - 4 * KIB  # leaves room for the references around it in the event
VOC_FILE_BYTES_MAX = 16 * MIB  # one image; a thousand boxes take 300 KiB
JPEG_SEGMENTS_MAX = 4096  # before the one with the size; profiles and thumbnails take some dozens
TIFF_TAGS_MAX = 512  # of one image; usual are twenty
YOLO_FILE_BYTES_MAX = 16 * MIB  # labels of one image; a thousand outlines of a hundred points take 2 MiB
YOLO_YAML_BYTES_MAX = 4 * MIB  # 65,536 names of classes
YAML_DEPTH_MAX = 16  # lists and mappings in one another; data.yaml has 3
YAML_VALUES_MAX = 262_144  # of one file, keys too: some four seconds of parsing; 65,536 names have half as many
XML_DEPTH_MAX = 32  # elements in one another; VOC has 4, CVAT 8
XML_TOKEN_BYTES_MAX = 4 * MIB  # a tag with its attributes, or a comment: a mask of a million runs in a tag takes 4 MiB
XML_ELEMENT_CHARS_MAX = 16 * MIB  # of an element that is held as a whole, with all in it: what CVAT says of a project
XML_ELEMENTS_MAX = 1 << 19  # in such a one; ten thousand labels with five attributes each take 300,000
CVAT_SHAPES_MAX = 1 << 20  # of one image, or tracks of one file: a digest of each is held, to tell equal ones apart
CVAT_MASK_RUNS_MAX = 1 << 20  # of one mask; an outline through ten thousand rows has some ten thousand
CVAT_POINTS_MAX = 4096  # of one skeleton, as the schemas have it; a hand takes 21, a face some hundreds
CVAT_TEXT_CHARS_MAX = 1024  # of what each annotation keeps of its task or track; names of tasks take at most 256
CVAT_ATTRIBUTES_MAX = 65_536  # different names of attributes in one export; all are remembered
CSV_COLUMNS_MAX = 256  # of one file; spreadsheets of labels have a dozen
CSV_LINE_CHARS_MAX = 1 << 20  # a row of a thousand characters a column
JSONL_LINE_BYTES_MAX = 256 * MIB  # one object with all its annotations; a hundred thousand boxes take 20 MiB
IMPORTED_EVENT_BYTES_MAX = 1 * MIB  # one event of Gonk's log; an annotation of a thousand objects takes 80 KiB
LABEL_STUDIO_MASK_PIXELS_MAX = 64 * MIB  # of an image with a brush region: two bytes for each while one is decoded
LABEL_STUDIO_TEXT_BYTES_MAX = 16 * MIB  # a text that stands in a task, or is labelled; five novels
LABEL_STUDIO_KEPT_BYTES_MAX = (
    4 * KIB
)  # what is kept of a task, an annotation or a result beside what gonk has words for
LABEL_STUDIO_TAGS_MAX = 256  # in a labelling config that is written; people look at ten at one time
LABEL_STUDIO_CONFIG_BYTES_MAX = 4 * MIB  # a labelling config; a thousand labels take 100 KiB
LABEL_SET_BYTES_MAX = 512 * KIB  # read whole; 4,000 labels with all that may be said of them
SPOOL_BYTES = 64 * MIB  # of one temporary file of what is unpacked; it is gone once all that it holds was taken
SPOOLED_WAITING_BYTES_MAX = 256 * MIB  # unpacked files that wait to be taken together
UNPACKED_BYTES_FREE = 1024 * MIB  # that any packed file may unpack to,
UNPACKED_RATIO_MAX = 100  # and this much more for each of its bytes; images hardly shrink, texts to a tenth
TAR_HEADER_BYTES_MAX = 1 * MIB  # a long name or extended attributes of one member; names have 1 KiB at most
TAR_HEADERS_MAX = 8  # of one member: at most four in earnest
WEBDATASET_MEMBERS_MAX = 64  # files of one sample; usual are two to five
WEBDATASET_JSON_BYTES_MAX = 64 * KIB  # of one sample, kept in an annotation; img2dataset writes some hundred bytes
WEBDATASET_CLASS_BYTES_MAX = 4 * KIB  # a number, or the name of a class
CLASSES_FILE_BYTES_MAX = 4 * MIB  # 65,536 names of classes
PARQUET_FOOTER_BYTES_MAX = 32 * MIB  # read whole: ours hold schemas and label sets, others a few KiB a column
PARQUET_STRUCTURES_MAX = 1 << 18  # in the footer of one file: some three for each column chunk
PARQUET_DEPTH_MAX = 32  # columns in one another; pyarrow goes down in its stack, and gonk's tables have five
PARQUET_COLUMNS_MAX = 4096  # leaves of the columns of one file; usual are twenty
PARQUET_PAGE_HEADER_BYTES_MAX = 1 * MIB  # with the least and greatest value in the page
PARQUET_VALUES_MAX = 1 << 24  # of one column in a row group: a few bytes can claim any number of nulls
PARQUET_BATCH_BYTES = 16 * MIB  # decoded at a time, where a page is not larger
PARQUET_ROW_BYTES_MAX = 16 * KIB  # values of other columns that are kept with an annotation

# --- files that people export, and what they are told of losses (see formats/) ----------------------------------

EXPORT_FILES_MAX = 50_000_000  # beyond that something is wrong, and file systems run out of inodes
EXPORT_BYTES_MAX = 1 << 50  # 1 PiB: no disk here holds it
EXPORT_FOLDERS_MAX = 100_000  # that the names of objects may make; each is remembered
EXPORT_PARTS_MAX = 16  # folders in one another in the name of one object
EXPORT_PART_BYTES_MAX = 200  # of one file name: common file systems take 255, and a uuid may come to it
EXPORT_LABELS_MAX = 65_536  # different labels in one export; all are remembered
CHECKSUMS_HELD_MAX = 65_536  # files whose paths and hashes are held until they are sorted: some 10 MiB
INVENTORY_FILES_MAX = 1000  # that croissant.json lists one by one; beyond, they are sets
CITED_CREATORS_MAX = 100  # that files which cite a release name; the rest is counted
CITED_NAME_CHARS_MAX = 100  # of one of them
EXPORT_NUMBER_MAX = 1e100  # in a body: of greater ones products and percentages are no finite numbers any more
EXPORT_ID_MAX = 1 << 52  # ids that a file brought and that are kept; what is numbered anew comes after them
WEBDATASET_SHARD_SAMPLES = 10_000  # of one shard: enough to shuffle within, few enough to share shards out
WEBDATASET_SHARD_BYTES = 1024 * MIB  # of one shard with more than one sample: read in sequence, and moved as a whole
LOSS_PROBLEMS_MAX = 10_000  # that a report lists; the rest is counted
LOSS_LINES_MAX = 50  # of problems that a command prints one by one; --json has all that are listed
LOSS_KINDS_MAX = 200  # of things that were not carried; the rest is one kind
LOSS_PLACES_MAX = 5  # that a report names of one kind

# --- tables: exported, imported, and what programs read (see formats/parquet/table.py and node/loading/) -----------

PARQUET_GROUP_ROWS = 1000  # of one row group: readers decode a group at a time
PARQUET_GROUP_BYTES = 64 * MIB  # of content in one row group: what writing and reading one takes in memory
PARQUET_CONTENT_BYTES_MAX = 1024 * MIB  # of one file in a cell: Arrow counts in 32 bits, and a group must fit memory
PARQUET_ANNOTATIONS_BYTES_MAX = 256 * MIB  # of one object in a cell: a hundred thousand boxes take 20 MiB
PARQUET_PAGE_BYTES_MAX = PARQUET_CONTENT_BYTES_MAX + 64 * MIB  # unpacked whole: the largest cell, and a group before it
PARQUET_FILE_BYTES = 512 * MIB  # of values in one exported file, by when the next one begins
PARQUET_METADATA_BYTES_MAX = 16 * MIB  # schemas and label sets in one file's footer
REPR_ROWS = 10  # samples that a notebook shows of a dataset

# --- transport of sessions: this node's own (see net/) ----------------------------------------------------------

CONNECT_SECONDS = 15.0  # to reach a peer: name, TCP, TLS and the upgrade to a WebSocket
FIRST_FRAME_SECONDS = 5.0  # for a client to begin; an honest one begins at once
HANDSHAKE_SECONDS = 15.0  # for both to prove who they are: two round trips
CLOSE_SECONDS = 2.0  # for the peer to hear that it is over
HANDSHAKES_OPEN_MAX = 32  # unproven connections at a time: 4 MiB of memory in all
SESSIONS_OPEN_MAX = 64  # proven ones at a time; each may hold two windows of records
TICK_SECONDS = 1.0  # between two looks at the clock of a session

# --- a node on the network: its own (see net/server.py and node/) -----------------------------------------------

PEER_CONNECTIONS_MAX = 512  # on the peer port at a time, proven or not: some 100 KiB each
PEER_IDLE_SECONDS = 15.0  # for a whole request to come on a connection; trickling headers do not prolong it
TLS_HANDSHAKE_SECONDS = 10.0  # for TLS alone
HTTP_LINE_BYTES_MAX = 4 * KIB  # request line or one header; ours have some 200 bytes
HTTP_HEADERS_MAX = 32  # ours have ten
SHUTDOWN_SECONDS = 5.0  # for sessions and requests to end in order when a server stops
LOG_POLL_SECONDS = 0.25  # between two looks whether another process appended: pushed within half a second
FOLDER_POLL_SECONDS = 1.0  # between two looks for new datasets and peers
SYNCED_SECONDS = 900.0  # for a peer to be done after all was exchanged: COMPARE_MS and some
CONTENT_SOURCE_SECONDS = 10.0  # for a peer to say how its content is had; it does so with its greeting
CONTENT_PAUSE_RATIO = 10.0  # looking for missing content takes at most a tenth of the time

# --- the HTTP API: this node's own (see api/) ---------------------------------------------------------------------

API_PAGE_ROWS = 25  # of a list, where the request does not say: Gonk's number
API_PAGE_ROWS_MAX = 1000  # that a request may ask for
API_JSON_BYTES_MAX = 32 * MIB  # of one JSON body: an object of 24 MB in base64; larger ones are uploaded as they are
API_JSON_ITEMS_MAX = 131_072  # values in one body: each takes 70 bytes and 100 ns; a review names 4,096 events
API_BODY_SMALL_BYTES = 64 * KIB  # that each connection may hold at a time; annotations are smaller
API_BODIES_BYTES_MAX = 2 * API_JSON_BYTES_MAX  # of larger ones at a time; each takes up to four times its size
API_BODY_TURN_SECONDS = 120.0  # to wait for room among them; each takes about a second
API_BODY_PART_SECONDS = 30.0  # for the next 256 KiB of a body
API_BURST_SECONDS = 2  # of its rate that a key may use at once
API_CONNECTIONS_MAX = 512  # at a time; browsers and clients keep some open each
API_IDLE_SECONDS = 60.0  # for the next request on a connection; clients that pool connections expect about that
API_LINE_BYTES_MAX = (
    16 * KIB
)  # request line or one header: browsers send along the cookies of whatever else is on localhost
API_LINGER_SECONDS = 3.0  # for the rest of a body that was refused
API_HEADERS_MAX = 100  # browsers send some twenty
API_STREAMS_MAX = 64  # event streams at a time; one may hold the events of one entry, some 2 MiB
API_STREAM_KEEPALIVE_SECONDS = 15.0  # without an entry, then a comment: proxies drop connections that are silent for 30
API_STREAM_WRITE_SECONDS = 30.0  # for a reader to take one message; slower ones are cut off
LOG_PAGE_ENTRIES_MAX = 4000  # entries looked at for one page of the log: 0.1 s at most, whatever is asked for
LOG_PAGE_EVENTS_MAX = 10_000  # events of entries that are read for it, beyond the first entry
LOG_PAGE_BYTES_MAX = 16 * MIB  # of their records, likewise
API_READERS = 3  # connections to the State of one dataset: a long question holds up only some of the others

# --- people who share a node (see node/users.py) -------------------------------------------------------------------

USERS_JSON_BYTES_MAX = 1 * MIB  # 4,000 users of one key; read whole after each change
USER_KEYS_MAX = 64  # of one user: a removed owner who is added again gets a further one

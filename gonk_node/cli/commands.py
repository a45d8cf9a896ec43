"""The table of commands: where each is, and the line that `gonk --help` shows, so that help loads none of them.

A test holds that each line is the first sentence of the command's own help.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: its module in this package, the name of the click command there, and its line of help."""

    module: str
    attribute: str
    help: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Start": {
        "init": Entry("init_cmd", "init", "Make a node here: a key that is yours, and a place for datasets."),
        "whoami": Entry("whoami_cmd", "whoami", "Show the keys of this node, and what you are called."),
        "dataset": Entry("dataset_cmd", "dataset", "Create, list and describe datasets."),
        "schema": Entry("schema_cmd", "schema", "Add, list and show schemas, which say what annotations look like."),
        "labels": Entry("labels_cmd", "labels", "List the labels of a dataset, set those of a schema, or rename one."),
    },
    "Propose": {
        "add": Entry("add_cmd", "add", "Propose files as objects."),
        "import": Entry("import_cmd", "import_", "Propose objects and annotations from another program's files."),
        "annotate": Entry("annotate_cmd", "annotate", "Propose an annotation of an object, or a new version of one."),
        "update": Entry("update_cmd", "update", "Propose a new version of an object."),
        "delete": Entry("delete_cmd", "delete", "Propose to delete an object or annotation, or to deprecate a schema."),
        "revert": Entry("revert_cmd", "revert", "Propose to undo what somebody did, and others accepted."),
        "redact": Entry("redact_cmd", "redact", "Have the contents of one event erased on every node."),
    },
    "Look": {
        "list": Entry("list_cmd", "list_", "List objects, annotations or schemas."),
        "show": Entry("show_cmd", "show", "Show all there is about one object, annotation, schema or event."),
        "log": Entry("log_cmd", "log", "Show the signed entries of a dataset, newest first."),
        "blame": Entry(
            "blame_cmd",
            "blame",
            "Show who made something what it is: each version, who decided it, and what it changed.",
        ),
        "status": Entry("status_cmd", "status", "Show where a dataset stands, or all of them."),
        "export": Entry("export_cmd", "export_", "Write what is accepted in another program's format."),
        "conflicts": Entry("conflicts_cmd", "conflicts", "List what has several accepted versions that compete."),
    },
    "Decide": {
        "review": Entry("review_cmd", "review", "List, accept or reject proposals."),
        "owner": Entry("roles_cmd", "owner", "List, add and remove owners, who review and decide about roles."),
        "reviewer": Entry("roles_cmd", "reviewer", "List, add and remove reviewers, who accept and reject proposals."),
        "contributor": Entry("roles_cmd", "contributor", "List, add and remove contributors, whose proposals spread."),
    },
    "Release": {
        "release": Entry(
            "release_cmd",
            "release",
            "Make, list, verify and compare releases: named states of a dataset that anybody can check.",
        ),
    },
    "Share": {
        "serve": Entry("serve_cmd", "serve", "Serve peers, and Gonk's HTTP API, until stopped."),
        "run": Entry("run_cmd", "run", "Do what gonk serve does; this is Gonk's spelling of it."),
        "users": Entry("users_cmd", "users", "Add, list and remove people who share this node through its HTTP API."),
        "share": Entry("share_cmd", "share", "Print the link by which others clone a dataset."),
        "clone": Entry("clone_cmd", "clone", "Fetch a dataset with its whole history from a peer, and verify it."),
        "peer": Entry("peer_cmd", "peer", "Add, list and remove peers."),
        "sync": Entry("sync_cmd", "sync", "Exchange with peers what either side lacks."),
    },
    "Look after": {
        "fsck": Entry("fsck_cmd", "fsck", "Check everything on this node: each signature, each byte of content."),
        "rebuild": Entry("rebuild_cmd", "rebuild", "Delete the State of a dataset and derive it anew from the log."),
    },
}

COMMANDS: dict[str, Entry] = {name: entry for section in SECTIONS.values() for name, entry in section.items()}

"""The command line in tests: `Gonk` runs commands on a home of its own, in this process, and reads what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from gonk_node.cli import main
from gonk_node.config import load_config
from gonk_node.home import Home
from gonk_node.node.node import Node
from gonk_node.replica.reading.queries import Queries
from gonk_node.store.state_schema import OBJECT

BOX = {"label": "WBC", "x": 1, "y": 2, "w": 30, "h": 40}


class Result(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    def error(self) -> dict[str, Any]:
        """The error that --json puts on standard error."""
        error: dict[str, Any] = json.loads(self.err)["error"]
        return error


class Gonk:
    """One node, as its person uses it."""

    def __init__(self, folder: Path, name: str = "node") -> None:
        self.home = folder / name
        self.files = folder / f"{name} files"
        self.files.mkdir(parents=True)

    def run(self, *arguments: object, stdin: bytes | str | None = None) -> Result:
        """Run `gonk --home … ARGUMENTS`."""
        words = ["--home", str(self.home), *map(str, arguments)]
        result = CliRunner().invoke(main, words, input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Result(result.exit_code, result.stdout, result.stderr)

    def ok(self, *arguments: object, stdin: bytes | str | None = None) -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments, stdin=stdin)
        assert result.code == 0, f"gonk {' '.join(map(str, arguments))}: {result}"
        return result

    def json(self, *arguments: object, stdin: bytes | str | None = None) -> Any:
        """Run a command that must succeed with --json; what it printed."""
        return self.ok(*arguments, "--json", stdin=stdin).json()

    def file(self, name: str, data: bytes | str | dict[str, Any]) -> Path:
        """A file of this person with those bytes; a dict becomes JSON."""
        if isinstance(data, dict):
            data = json.dumps(data)
        path = self.files / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def key(self) -> str:
        """The person's public key, 64 hex digits."""
        key: str = self.json("whoami")["author"]
        return key

    def with_dataset(self, name: str = "cells", **options: object) -> Gonk:
        """Make the node and a dataset on it."""
        self.ok("init", "--name", "Ada")
        flags = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        self.ok("dataset", "create", name, *flags)
        return self

    def add(self, name: str = "a.png", data: bytes | str = b"pixels", dataset: str = "cells") -> dict[str, Any]:
        """Add one file; what `gonk add --json` says of it."""
        found: dict[str, Any] = self.json("add", dataset, self.file(name, data))["added"][0]
        return found

    def annotate(self, name: str = "a.png", body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Put a bounding box on an object, with the schema that ships (added where it is missing)."""
        if not self.json("schema", "list", "cells"):
            self.ok("schema", "add", "cells", "bounding-box")
        words = ("annotate", "cells", name, "bounding-box", self.file("body.json", body or BOX))
        found: dict[str, Any] = self.json(*words)
        return found

    def accept_all(self, dataset: str = "cells") -> None:
        """Accept what waits."""
        self.ok("review", dataset, "accept", "--all")

    def state(self, dataset: str = "cells") -> tuple[str, int]:
        """State digest and number of entries: equal if nothing was changed and nothing was signed."""
        with self.node() as node:
            replica = node.replica(dataset)
            return replica.state_digest().hex(), replica.log.last_lsn()

    def refused(self, *arguments: object, code: int = 1, stdin: bytes | str | None = None) -> Result:
        """Run a command that must fail with that exit code, a message, and nothing changed; also with --json."""
        before = self.state()
        result = self.run(*arguments, stdin=stdin)
        assert result.code == code, result
        assert self.state() == before, "something was signed"
        assert any(line.startswith("gonk: ") for line in result.err.splitlines()), result
        again = self.run(*arguments, "--json", stdin=stdin)
        assert again.code == code
        assert again.out == ""
        assert again.error()["what"]
        assert self.state() == before, "something was signed"
        return result

    def node(self) -> Node:
        """The node, opened; for what no command shows."""
        home = Home(self.home)
        return Node.open(home, load_config(home, environ={}))


def exchange(one: Gonk, other: Gonk, dataset: str = "cells") -> None:
    """Give each node the entries of the other, as a sync would; the second node may lack the dataset."""
    with one.node() as here, other.node() as there:
        replica = here.replica(dataset)
        records = [record for _, record in replica.log.scan(0, count_max=10**6, bytes_max=10**9)]
        if not any(info.dataset == replica.dataset for info in there.datasets()):
            there.known.make(dataset, records[0], replica.dataset)
        copy = there.replica(dataset)
        copy.ingest(records)
        replica.ingest([record for _, record in copy.log.scan(0, count_max=10**6, bytes_max=10**9)])


def share_content(one: Gonk, other: Gonk) -> None:
    """Give each node the files that the other has."""
    with one.node() as here, other.node() as there:
        for revision in Queries(here.replica("cells").db).iterate(OBJECT):
            content_id = revision.content_id or b""
            giver, taker = (here, there) if here.content.has(content_id) else (there, here)
            taker.content.put_file(giver.content.reader(content_id))

"""The datasets that a node keeps: found by local name or id, made whole or not at all, described by `dataset.json`.

    {"name": "cells", "content_policy": "all"}     policy: only where it differs from the node's

A dataset's folder is filled beside its final place and then renamed, so a crash leaves no half of one. What is inside of
a log is not looked at here.
"""

from __future__ import annotations

import difflib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gonk_node.core.limits import DATASET_JSON_BYTES_MAX
from gonk_node.errors import (
    AmbiguousError,
    DamagedStoreError,
    ExistsError,
    GonkError,
    NotFoundError,
    StorageError,
    UsageError,
)
from gonk_node.home import DatasetFolder, Home
from gonk_node.replica.replica import Replica
from gonk_node.store import read_only
from gonk_node.store.creation import flush_folder
from gonk_node.store.private_file import read_private, replace_private

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")  # Gonk's characters; a name is part of paths and addresses
_SHORT_ID = re.compile(r"[0-9a-f]{6,64}")
_NEW = ".new-"
_POLICIES = ("all", "accepted", "none")


class DatasetInfo(NamedTuple):
    """One dataset of a node.

    Attributes:
        dataset: its id, 32 bytes.
        name: what it is called here; its short id where `dataset.json` cannot be read.
        content_policy: "all", "accepted" or "none"; None: as the node's settings say.
        folder: where it is kept.
        problem: what is wrong with its folder, if anything.
        has_log: whether it can be opened at all.
    """

    dataset: bytes
    name: str
    content_policy: str | None
    folder: DatasetFolder
    problem: GonkError | None = None
    has_log: bool = True


def check_name(name: str) -> str:
    """The name, if a dataset may be called so; UsageError otherwise."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a dataset's name",
            hint="use up to 100 letters (A-Z, a-z), digits and hyphens, not beginning with a hyphen",
        )
    return name


class Datasets:
    """The folder `datasets` of a node."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def all(self) -> list[DatasetInfo]:
        """Every dataset that has a folder here, by name; damaged ones tell their problem."""
        return sorted((self._info(dataset) for dataset in self._home.dataset_ids()), key=lambda info: info.name)

    def find(self, text: str) -> DatasetInfo:
        """The dataset of that local name, or whose id begins so (six hex digits or more).

        Raises:
            NotFoundError: there is none. AmbiguousError: several fit.
        """
        known = self.all()
        found = [info for info in known if info.name == text]
        if not found and _SHORT_ID.fullmatch(text):
            found = [info for info in known if info.dataset.hex().startswith(text)]
        if len(found) > 1:
            raise AmbiguousError(
                f"several datasets fit {text!r}", hint="name one by its id: " + found[0].dataset.hex()[:16]
            )
        if not found:
            near = difflib.get_close_matches(text, [info.name for info in known], 1)
            hint = f"did you mean {near[0]}?" if near else "gonk dataset list shows those that are here"
            raise NotFoundError(f"there is no dataset {text!r} on this node", hint=hint)
        return found[0]

    def by_id(self, dataset: bytes) -> DatasetInfo:
        """The dataset of that id (32 bytes); NotFoundError where it is not here."""
        if not self._home.dataset(dataset).root.is_dir():
            raise NotFoundError("this dataset is not on this node", where=dataset.hex(), hint="gonk clone fetches it")
        return self._info(dataset)

    def make(
        self, name: str, genesis_record: bytes, dataset: bytes | None = None, content_policy: str | None = None
    ) -> DatasetInfo:
        """Make a dataset's folder from its genesis, which was signed here or came from a peer.

        Args:
            name: what it is to be called here.
            genesis_record: its first entry.
            dataset: the id that it must have; None: whatever the genesis gives.
            content_policy: where it differs from the node's.

        Raises:
            UsageError: no such name can be. ExistsError: the name is taken, or the dataset is here already.
            InvalidEntryError: the record is no genesis, or another dataset's. ReadOnlyError, StorageError, DiskFullError.
        """
        check_name(name)
        with self._changing() as new:
            if any(info.name == name for info in self.all()):
                raise ExistsError(f"a dataset {name!r} is on this node already", hint="choose another name")
            genesis = Replica.make(DatasetFolder(new).log, genesis_record, dataset)
            folder = self._home.dataset(genesis.dataset)
            if folder.root.exists():
                known = self._info(genesis.dataset)
                raise ExistsError(
                    f"this dataset is on this node already, as {known.name!r}", hint=f"gonk sync {known.name}"
                )
            _write(DatasetFolder(new).dataset_json, name, content_policy)
            flush_folder(new)
            new.rename(folder.root)
            flush_folder(self._home.datasets)
        return self._info(genesis.dataset)

    @contextmanager
    def _changing(self) -> Iterator[Path]:
        """Give a new folder to fill; other processes that make one wait. Leftovers of crashes go first."""
        folder = self._home.datasets
        try:
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise StorageError(f"cannot be opened: {error.strerror}", where=str(folder)) from error
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            for leftover in folder.glob(_NEW + "*"):
                shutil.rmtree(leftover, ignore_errors=True)
            new = folder / f"{_NEW}{os.urandom(8).hex()}"
            new.mkdir(mode=0o700)
            try:
                yield new
            finally:
                shutil.rmtree(new, ignore_errors=True)  # where it still has that name, it did not get finished
        except OSError as error:
            if read_only.is_refusal(error):
                raise read_only.refused(folder) from error
            raise StorageError(f"the dataset could not be made: {error.strerror}", where=str(folder)) from error
        finally:
            os.close(held)

    def _info(self, dataset: bytes) -> DatasetInfo:
        folder = self._home.dataset(dataset)
        problem: GonkError | None = None
        name, policy = dataset.hex()[:12], None
        try:
            name, policy = _read(folder.dataset_json)
        except GonkError as error:
            problem = error
        try:
            has_log = (folder.log / "data.mdb").is_file()
        except PermissionError:
            return DatasetInfo(dataset, name, policy, folder, read_only.hidden(folder.log), False)
        if not has_log:
            problem = DamagedStoreError(
                "the log of this dataset is missing",
                where=str(folder.root),
                hint="delete the folder, then clone the dataset again from a peer",
            )
        return DatasetInfo(dataset, name, policy, folder, problem, has_log)


def _read(path: Path) -> tuple[str, str | None]:
    """Name and policy in a `dataset.json`; DamagedStoreError where it is none."""
    data = read_private(path, bytes_max=DATASET_JSON_BYTES_MAX, is_secret=False)
    try:
        found = json.loads(data or b"")
        name, policy = found["name"], found.get("content_policy")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or policy not in (None, *_POLICIES):
            raise ValueError("a value that cannot be")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DamagedStoreError(
            "is missing, or not what it should be" if data else "is missing",
            where=str(path),
            hint='write {"name": "NAME"} into it; the dataset itself is unharmed',
        ) from None
    return name, policy


def _write(path: Path, name: str, policy: str | None) -> None:
    value = {"name": name} | ({} if policy is None else {"content_policy": policy})
    replace_private(path, json.dumps(value).encode() + b"\n")

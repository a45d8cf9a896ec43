"""One node, opened: its folder, keys, content and datasets. The composition root that command line and servers build on.

Opens what is asked for, when it is asked for. It starts no server and calls no peer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from gonk_node.config import Config
from gonk_node.core import edge_cases, limits
from gonk_node.core.codec import CodecError
from gonk_node.core.events import PRIVATE, PUBLIC, DatasetCreate
from gonk_node.core.keys import Signer
from gonk_node.errors import NotFoundError, UsageError
from gonk_node.home import Home
from gonk_node.node.datasets import DatasetInfo, Datasets, check_name
from gonk_node.node.making import make_node
from gonk_node.node.user_table import User
from gonk_node.node.users import Users
from gonk_node.replica.replica import Quota, Replica
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.recovering import Recovery, checked_recovery
from gonk_node.store import read_only
from gonk_node.store.content import ContentStore
from gonk_node.store.instance import open_instance, store_instance
from gonk_node.store.keyring import Passphrase, load_key, public_key, read_passphrase_file
from gonk_node.store.private_file import remove_leftovers
from gonk_node.store.state_db import empty_state

Progress = Callable[[int, int], None]  # (entries folded, entries there are)


class Node:
    """An open node; thread-safe. Several processes may open one folder at a time.

    Attributes:
        home: its folder.
        config: its settings.
        known: the datasets that it keeps.
    """

    def __init__(self, home: Home, config: Config, ask: Passphrase = None) -> None:
        self.home = home
        self.config = config
        self.known = Datasets(home)
        self._ask = ask
        self._lock = threading.RLock()
        self._replicas: dict[bytes, Replica] = {}
        self._content: ContentStore | None = None
        self._instance: bytes | None = None
        self._signer: Signer | None = None
        self._node_signer: Signer | None = None
        self._users: Users | None = None

    @staticmethod
    def create(home: Home, *, name: str = "", passphrase: str | None = None) -> None:
        """Make a node in a folder; see `making.make_node`."""
        make_node(home, name=name, passphrase=passphrase)

    @classmethod
    def open(cls, home: Home, config: Config, *, ask: Passphrase = None) -> Node:
        """Open the node in a folder.

        Args:
            home: its folder, which `create` made.
            config: its settings; `passphrase_file` goes before `ask`.
            ask: asks a person for the passphrase of a locked key; called only when that key is needed.

        Raises:
            NotFoundError: there is no node. UnsafeLibraryError: see `core.edge_cases`.
        """
        edge_cases.self_test()
        if not home.exists():
            raise NotFoundError("there is no node here", where=str(home.root), hint="gonk init makes one")
        for folder in (home.root, home.author_key.parent, home.user_keys):
            remove_leftovers(folder)
        return cls(home, config, ask)

    def close(self) -> None:
        """Close everything that was opened; closing again does nothing."""
        with self._lock:
            for replica in self._replicas.values():
                replica.close()
            self._replicas.clear()
            if self._content is not None:
                self._content.close()
                self._content = None

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- keys -------------------------------------------------------------------------------------------

    @property
    def author_key(self) -> bytes:
        """The person's public key; needs no passphrase. KeyFileError."""
        return public_key(self.home.author_key)

    @property
    def node_key(self) -> bytes:
        """The machine's public key, as it stands in peers' addresses. KeyFileError."""
        return public_key(self.home.node_key)

    def own_keys(self) -> set[bytes]:
        """The public keys that sign on this node: its person's, and those of its users, also of removed ones."""
        return {self.author_key, *(key for user in self.users.all() for key in user.keys)}

    def signer(self) -> Signer:
        """The person's key, unlocked; KeyFileError where it is locked and nobody can unlock it."""
        with self._lock:
            if self._signer is None:
                self._signer = load_key(self.home.author_key, self._passphrase())
            return self._signer

    def signer_in(self, path: Path) -> Signer:
        """Another key of the person's, from a file that is locked with the same passphrase or with none; KeyFileError."""
        return load_key(path, self._passphrase())

    def node_signer(self) -> Signer:
        """The machine's key; it is never locked. KeyFileError."""
        with self._lock:
            if self._node_signer is None:
                self._node_signer = load_key(self.home.node_key)
            return self._node_signer

    def _passphrase(self) -> Passphrase:
        file = self.config.passphrase_file
        return self._ask if file is None else lambda: read_passphrase_file(file)

    @property
    def users(self) -> Users:
        """The people who share this node. A locked key of theirs is opened with `passphrase_file` only: nobody is asked."""
        with self._lock:
            if self._users is None:
                file = self.config.passphrase_file
                passphrase = None if file is None else lambda: read_passphrase_file(file)
                self._users = Users(self.home, self.signer, passphrase)
            return self._users

    @property
    def instance(self) -> bytes:
        """What makes this installation's logs its own (32 bytes); never to be told to anybody."""
        with self._lock:
            if self._instance is None:
                self._instance = open_instance(self.home.instance)
            return self._instance

    @property
    def store_instance(self) -> bytes:
        """The public name of this installation's stores (16 bytes), for sync cursors."""
        return store_instance(self.instance)

    def refuse_read_only(self) -> None:
        """Raise ReadOnlyError where the node's folder cannot be written to; single datasets in it say so themselves."""
        if not read_only.can_write(self.home.root):
            raise read_only.refused(self.home.root)

    # --- content and datasets -------------------------------------------------------------------------------

    @property
    def content(self) -> ContentStore:
        """The content of all datasets; an empty store where the folder was deleted (peers have it still).

        Raises:
            ReadOnlyError: it was deleted, and the node's folder cannot be written to. StorageError, DamagedStoreError.
        """
        with self._lock:
            if self._content is None:
                if not self.home.content.exists():
                    ContentStore.create(self.home.content).close()
                self._content = ContentStore.open(self.home.content)
            return self._content

    def datasets(self) -> list[DatasetInfo]:
        """Every dataset here, by name; see `Datasets.all`."""
        return self.known.all()

    def content_policy(self, info: DatasetInfo) -> str:
        """Which content of a dataset is fetched: "all", "accepted" or "none"."""
        return info.content_policy or self.config.content_policy

    def replica(self, text: str, progress: Progress | None = None) -> Replica:
        """The dataset of that local name or id prefix, opened; errors as of `Datasets.find` and `replica_of`."""
        return self.replica_of(self.known.find(text), progress)

    def replica_of(self, info: DatasetInfo, progress: Progress | None = None) -> Replica:
        """A dataset, opened once for this node; its State has caught up with its log.

        Args:
            info: from `datasets`, `known.find` or `known.by_id`.
            progress: called while the State catches up.

        Raises:
            DamagedStoreError: its log is missing or damaged. StorageError, StoreLockedError.
        """
        with self._lock:
            if info.dataset not in self._replicas:
                if info.problem is not None and not info.has_log:
                    raise info.problem
                quota = Quota(self.config.stranger_bytes_per_key, self.config.stranger_bytes_total)
                self._replicas[info.dataset] = Replica.open(
                    info.folder.log, info.folder.state_db, self.instance, quota=quota, progress=progress
                )
            return self._replicas[info.dataset]

    def rebuild(self, info: DatasetInfo, progress: Progress | None = None) -> Replica:
        """Empty the State of a dataset and derive it anew; errors as of `replica_of`.

        Other processes that have it open go on with it: they see what is derived so far.
        """
        with self._lock:
            if info.dataset in self._replicas:
                self._replicas[info.dataset].rebuild(progress)
            else:
                empty_state(info.folder.state_db, info.dataset)
            return self.replica_of(info, progress)

    def author(self, replica: Replica) -> Author:
        """This node's person at a dataset; unlocks the key."""
        return Author(replica, self.signer(), self.config.display_name)

    def author_of(self, replica: Replica, user: User) -> Author:
        """A user of this node at a dataset; errors as of `Users.signer`."""
        key = self.users.key_for(user, replica.authority)
        return Author(replica, self.users.signer(user, key), user.name)

    def create_dataset(
        self,
        name: str,
        *,
        description: str = "",
        private: bool = False,
        approvals: int = 1,
        recovery: Recovery = Recovery(),  # noqa: B008 - immutable
        signer: Signer | None = None,
        display_name: str | None = None,
    ) -> DatasetInfo:
        """Found a dataset.

        Args:
            name: what it is called, here and in its genesis.
            description: for people.
            private: only keys with a role may fetch it.
            approvals: how many distinct owners or reviewers must accept a proposal.
            recovery: the keys that can replace the root owner, and how many of them it takes.
            signer: the key that becomes its root owner; None: that of this node's person.
            display_name: what the root owner wants to be called; None: as the settings say.

        Raises:
            UsageError: a value cannot be. ExistsError: the name is taken here. KeyFileError, StorageError.
        """
        check_name(name)
        if not 1 <= approvals <= limits.APPROVALS_MAX:
            raise UsageError(f"the approvals needed must be from 1 to {limits.APPROVALS_MAX}", where=str(approvals))
        visibility = PRIVATE if private else PUBLIC
        nonce = os.urandom(16)  # two datasets of one name and author differ
        recovery = checked_recovery(recovery)
        genesis = DatasetCreate(name, description, limits.RULES_VERSION, approvals, visibility, *recovery, nonce)
        try:
            signer = signer or self.signer()
            entry = Replica.found(signer, self.instance, genesis)
        except CodecError as error:
            raise UsageError(f"this cannot be signed: {error}", hint="shorten or correct it") from None
        info = self.known.make(name, entry.record, entry.entry_id)
        called = self.config.display_name if display_name is None else display_name
        Author(self.replica_of(info), signer, called).introduce()
        return info

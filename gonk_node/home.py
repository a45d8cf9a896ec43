"""A node's folder: where each of its files is. What is in them is the matter of those who read and write them.

The layout:

    <home>/                       --home, GONK_HOME, else the platform's folder for user data; mode 0700
        config.toml               settings, where they differ from the defaults
        instance                  what makes this installation's logs its own; not for backups
        peers.json                addresses of peers
        users.json                people who share this node: names, public keys, hashes of API keys
        serving.json              where peers are served just now (`node.serving_mark`); only while gonk serve runs
        keys/
            author.key            signs entries: the person
            node.key              signs handshakes: the machine, as peers' addresses name it
            tls.pem               throw-away TLS certificate with its key
            api.secret            the key under which API keys are hashed
            users/<public key>.key  signs entries: a user
        datasets/<dataset id>/
            log/                  LMDB: the signed entries; all else follows from them
            state.db              SQLite: the State; delete it and it is built anew
            at/                   SQLite: States at earlier heads (`replica.snapshot_files`); delete them at any time
            dataset.json          what is known of it beside the log: local name, peers, policy
        content/                  LMDB: the chunks of objects
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gonk_node.core.ids import HASH_BYTES
from gonk_node.store.private_file import make_private_folder
from gonk_node.store.read_only import hidden

_MOUNTS = Path("/proc/self/mountinfo")  # proc(5)
_NETWORK_FILE_SYSTEMS = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "9p",
    "fuse.sshfs",
    "fuse.s3fs",
}


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """Where one dataset is kept on this node."""

    root: Path

    @property
    def log(self) -> Path:
        """LMDB environment (a folder) of the signed entries."""
        return self.root / "log"

    @property
    def state_db(self) -> Path:
        """SQLite file of the State."""
        return self.root / "state.db"

    @property
    def dataset_json(self) -> Path:
        """What this node knows of the dataset beside its log."""
        return self.root / "dataset.json"


@dataclass(frozen=True, slots=True)
class Home:
    """The layout of a node's folder, as the module's docstring draws it; `root` is an absolute path."""

    root: Path

    @property
    def config_toml(self) -> Path:
        """Settings; may be missing."""
        return self.root / "config.toml"

    @property
    def instance(self) -> Path:
        """See `store.instance`."""
        return self.root / "instance"

    @property
    def author_key(self) -> Path:
        """Key file of the person."""
        return self.root / "keys" / "author.key"

    @property
    def node_key(self) -> Path:
        """Key file of the machine."""
        return self.root / "keys" / "node.key"

    @property
    def tls_certificate(self) -> Path:
        """PEM file of the TLS certificate and its key."""
        return self.root / "keys" / "tls.pem"

    @property
    def users_json(self) -> Path:
        """The people who share this node; may be missing."""
        return self.root / "users.json"

    @property
    def serving_json(self) -> Path:
        """Where peers are served just now; see `node.serving_mark`."""
        return self.root / "serving.json"

    @property
    def api_secret(self) -> Path:
        """The key under which API keys are hashed; may be missing."""
        return self.root / "keys" / "api.secret"

    @property
    def user_keys(self) -> Path:
        """The folder of users' key files; may be missing."""
        return self.root / "keys" / "users"

    def user_key(self, key: bytes) -> Path:
        """Key file of a user, by the public key (32 bytes)."""
        return self.user_keys / f"{key.hex()}.key"

    @property
    def content(self) -> Path:
        """LMDB environment (a folder) of chunks."""
        return self.root / "content"

    @property
    def datasets(self) -> Path:
        """The folder of all datasets."""
        return self.root / "datasets"

    def dataset(self, dataset: bytes) -> DatasetFolder:
        """Where the dataset of that id (32 bytes) is kept, or would be."""
        return DatasetFolder(self.datasets / dataset.hex())

    def dataset_ids(self) -> list[bytes]:
        """The ids (32 bytes each) of the datasets that have a folder here, in order.

        Raises:
            StorageError: this user may not look.
        """
        try:
            if not self.datasets.is_dir():
                return []
            paths = list(self.datasets.iterdir())
        except PermissionError as error:
            raise hidden(error.filename) from error
        names = [path.name for path in paths if len(path.name) == 2 * HASH_BYTES]
        return [bytes.fromhex(name) for name in sorted(names) if not name.strip("0123456789abcdef")]

    def exists(self) -> bool:
        """Whether `gonk init` was here: both keys are, or this user may not see whether they are."""
        try:
            return self.author_key.exists() and self.node_key.exists()
        except PermissionError:
            return True

    def create_dirs(self) -> None:
        """Create what is missing of the folders, each of mode 0700; that of the content comes with its store.

        Raises:
            StorageError: the file system refuses.
        """
        for folder in (self.root, self.author_key.parent, self.datasets):
            make_private_folder(folder)

    def network_file_system(self) -> str | None:
        """The kind of network file system that the folder is on (LMDB's locks do not hold there), else None.

        Known on Linux only; elsewhere None.
        """
        try:
            mounts = [line.split(" ") for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
        except OSError:
            return None
        here = self.root.resolve()
        best, kind = Path(), ""
        for mount in mounts:  # later lines are mounted over earlier ones
            point = Path(mount[4].replace("\\040", " "))
            if here.is_relative_to(point) and len(point.parts) >= len(best.parts):
                best, kind = point, mount[mount.index("-") + 1]
        return kind if kind in _NETWORK_FILE_SYSTEMS else None

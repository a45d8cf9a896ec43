"""`gonk init`: everything that a node's folder needs, made once. It opens nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gonk_node.config import SETTINGS, Setting
from gonk_node.errors import ExistsError
from gonk_node.home import Home
from gonk_node.store.content import ContentStore
from gonk_node.store.instance import open_instance
from gonk_node.store.keyring import create_key
from gonk_node.store.private_file import write_new

_HEAD = """\
# Settings of this node. A line that begins with # shows a default and does nothing; take the # away to change it.
# An option on the command line or a variable GONK_... goes before what stands here.
"""


def make_node(home: Home, *, name: str = "", passphrase: str | None = None) -> None:
    """Make a node. What a crash left of an earlier try is completed.

    The passphrase locks the author's key only: the key of the machine signs nothing but handshakes, and a server must be
    able to start when nobody is there to type.

    Args:
        home: its folder.
        name: what its person wants to be called.
        passphrase: locks `author.key`; None leaves it protected by its mode alone.

    Raises:
        ExistsError: there is a node already; nothing is changed.
        UsageError: the passphrase is empty or too long. StorageError, DiskFullError.
    """
    from gonk_node.net.tls import ensure_certificate  # lazy: X.509 takes a tenth of a second, of every command

    if home.exists():
        raise ExistsError("there is a node here already; nothing was changed", where=str(home.root), hint="gonk whoami")
    home.create_dirs()
    if not home.content.exists():
        ContentStore.create(home.content).close()
    open_instance(home.instance)
    ensure_certificate(home.tls_certificate)
    if not home.config_toml.exists():
        write_new(home.config_toml, config_text(SETTINGS, {"display_name": name} if name else {}).encode())
    _ensure_key(home.node_key, None)
    _ensure_key(home.author_key, passphrase)  # last: with it the node exists


def config_text(settings: Iterable[Setting], values: dict[str, str]) -> str:
    """A config.toml that explains each setting; those in `values` are set, the others commented out."""
    lines = [_HEAD]
    for setting in settings:
        if setting.name == "home":
            continue
        default = "" if setting.default is None else setting.default
        value = values.get(setting.name, default)
        mark = "" if setting.name in values else "# "
        lines.append(f"# {setting.help}\n{mark}{setting.name} = {_toml(value)}\n")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')  # printable: settings refuse control characters
    return f'"{text}"'


def _ensure_key(path: Path, passphrase: str | None) -> None:
    if not path.exists():
        create_key(path, passphrase=passphrase)

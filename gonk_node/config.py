"""A node's settings: the one table of them, and where values come from.

A setting is a flag, else a variable GONK_*, else a line of config.toml, else its default. The environment is
read here (and in `cli`) only. Nothing is started, and no file but config.toml is read.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import platformdirs

from gonk_node.core.limits import KIB, MIB, NAME_BYTES_MAX, STRANGER_BYTES_PER_KEY, STRANGER_BYTES_TOTAL
from gonk_node.errors import InputFileError, UsageError
from gonk_node.home import Home

_APP = "gonk-node"
_UNITS = {"": 1, "b": 1, "kib": KIB, "mib": MIB, "gib": 1024 * MIB}


# --- how a value is read: from text, ValueError says what it should have been ------------------------------


def _host(text: str) -> str:
    if not text or any(character.isspace() or character in "/@[]" for character in text):
        raise ValueError("must be an IP address or a host name")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError("must be a port: 0 (any that is free) to 65535")
    return int(text)


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or (":" in bare and bare == host):
        raise ValueError("must be HOST:PORT, with an IPv6 address in brackets")
    _host(bare)
    _port(port)
    return text


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text.lower()

    return read


def _byte_count(text: str) -> int:
    digits = text.rstrip("BGIKMbgikm ")
    unit = text[len(digits) :].strip().lower()
    if not (digits.isascii() and digits.isdigit() and unit in _UNITS):
        raise ValueError("must be a number of bytes, as in 1048576, 64 KiB, 1 MiB or 2 GiB")
    return int(digits) * _UNITS[unit]


def _name(text: str) -> str:
    if not text.isprintable() or len(text.encode()) > NAME_BYTES_MAX:
        raise ValueError(f"must be text of at most {NAME_BYTES_MAX} bytes without control characters")
    return text


def _names(text: str) -> str:
    for name in filter(None, text.split(",")):
        _host(name.strip())
    return text


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**9):
        raise ValueError("must be a number from 1 to 1000000000")
    return int(text)


def _path(text: str) -> Path:
    return Path(text).expanduser()


# --- the table ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: its name in config.toml, its default, how text is read, and what it is for."""

    name: str
    default: object
    read: Callable[[str], object]
    help: str

    @property
    def env(self) -> str:
        """Its environment variable."""
        return f"GONK_{self.name.upper()}"

    @property
    def flag(self) -> str:
        """Its option on the command line, where a command has it."""
        return f"--{self.name.replace('_', '-')}"


_policy = _choice("all", "accepted", "none")
_level = _choice("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one run; a field is a row: type, how text is read, what it is for, default."""

    peer_host: Annotated[str, _host, "address on which peers are served; 0.0.0.0 for all"] = "127.0.0.1"
    peer_port: Annotated[int, _port, "port on which peers are served"] = 7475
    http_host: Annotated[
        str, _host, "address on which the HTTP API is served; beyond loopback with --allow-remote only"
    ] = "127.0.0.1"
    http_port: Annotated[int, _port, "port of the HTTP API"] = 5000
    http_names: Annotated[
        str, _names, "further host names, separated by commas, by which clients call the HTTP API"
    ] = ""
    http_certificate: Annotated[
        Path | None,
        _path,
        "PEM file with key and certificate chain for the HTTP API; without it, the node's own is used beyond loopback",
    ] = None
    http_requests_per_second: Annotated[int, _count, "requests that one API key may make"] = 2000
    advertise: Annotated[str, _address, "HOST:PORT in share links, if not peer_host:peer_port"] = ""
    content_policy: Annotated[
        str,
        _policy,
        "content fetched by itself: of all objects; of accepted ones and those proposed by vouched keys; or none, until it"
        " is read",
    ] = "accepted"
    stranger_bytes_per_key: Annotated[
        int, _byte_count, "proposals kept, in a dataset, of one key that nobody vouched for"
    ] = STRANGER_BYTES_PER_KEY
    stranger_bytes_total: Annotated[int, _byte_count, "proposals kept, in a dataset, of all such keys together"] = (
        STRANGER_BYTES_TOTAL
    )
    passphrase_file: Annotated[Path | None, _path, "file with the passphrase of locked keys; mode 0600"] = None
    display_name: Annotated[str, _name, "what you are called; signed into each dataset with your first entry there"] = (
        ""
    )
    log_level: Annotated[str, _level, "least serious messages that are shown"] = "warning"


HOME_SETTING = Setting("home", None, _path, "the node's folder; cannot stand in config.toml, which is inside")
_CONFIG_SETTINGS = tuple(
    Setting(name, getattr(Config(), name), *hint.__metadata__)
    for name, hint in get_type_hints(Config, include_extras=True).items()
)
SETTINGS = (HOME_SETTING, *_CONFIG_SETTINGS)


# --- where values come from --------------------------------------------------------------------------------


def find_home(flag: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Home:
    """The node's folder: the flag, else GONK_HOME, else the platform's folder. It may be missing.

    Args:
        flag: what --home was given, if anything.
        environ: the environment; the process's own by default.
    """
    given = flag or (os.environ if environ is None else environ).get(HOME_SETTING.env)
    root = _path(str(given)) if given else platformdirs.user_data_path(_APP, appauthor=False)
    return Home(root.absolute())


def load_config(
    home: Home, flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> Config:
    """Gather the settings of a run.

    Args:
        home: whose config.toml is read, where there is one.
        flags: values given on the command line, by a setting's name; None stands for "not given".
        environ: the environment; the process's own by default. An empty variable counts as not set.

    Raises:
        UsageError: a value cannot be used, naming where it came from; or config.toml has an unknown setting.
        InputFileError: config.toml is not TOML.
    """
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    in_file = _read_toml(home.config_toml)
    values: dict[str, Any] = {}
    for row in _CONFIG_SETTINGS:
        if row.name in given:
            values[row.name] = _value(row, given[row.name], row.flag)
        elif environ.get(row.env):
            values[row.name] = _value(row, environ[row.env], row.env)
        elif row.name in in_file:
            value = _value(row, in_file[row.name], str(home.config_toml))
            # A path in the file is seen from the file; one in a flag or a variable, from where the user is.
            values[row.name] = home.root / value if isinstance(value, Path) else value
    return Config(**values)


def _value(row: Setting, raw: object, origin: str) -> object:
    try:
        if not isinstance(raw, str | int | Path) or isinstance(raw, bool):
            raise ValueError("must be text or a whole number")
        return row.read(str(raw))
    except ValueError as error:
        raise UsageError(f"{row.name} {error}, and {raw!r} is not", where=origin, hint=row.help) from None


def _read_toml(path: Path) -> dict[str, object]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise InputFileError(f"cannot be read as TOML: {error}", where=str(path)) from None
    known = [row.name for row in _CONFIG_SETTINGS]
    for name in found:
        if name not in known:
            raise UsageError(f"there is no setting {name}", where=str(path), hint=f"settings: {', '.join(known)}")
    return found

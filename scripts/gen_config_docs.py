"""Makes docs/configuration.md from the one table of settings in gonk_node/config.py.

Usage: `python scripts/gen_config_docs.py` prints the page; with `--write` it writes docs/configuration.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from generated_page import DOCS, print_or_write
from gonk_node.config import HOME_SETTING, SETTINGS, Setting

DOCUMENT = DOCS / "configuration.md"
MIB = 1024 * 1024

HEAD = """\
# Settings

Made from the table in `gonk_node/config.py` by `scripts/gen_config_docs.py --write`; a test compares the two.
Change the table, not this page.

A value comes from the option on the command line, where a command has it (see [cli.md](cli.md)); else from
the environment variable; else from `config.toml` in the node's folder; else it is the default. An empty
variable counts as not set. An unknown name in `config.toml` is an error.

| in `config.toml` | environment | default | meaning |
|---|---|---|---|
"""

TAIL = """
```toml
# config.toml
peer_host = "0.0.0.0"
stranger_bytes_total = "256 MiB"
```

`home` is the platform's folder for user data where nothing else is said: `~/.local/share/gonk-node` on Linux,
`~/Library/Application Support/gonk-node` on macOS. Sizes are numbers of bytes, or `64 KiB`, `1 MiB`, `2 GiB`.
"""


def render(settings: Iterable[Setting]) -> str:
    """The whole page, as markdown; one row a setting, in the order of the table."""
    return HEAD + "".join(_row(setting) for setting in settings) + TAIL


def _row(setting: Setting) -> str:
    name = "-" if setting is HOME_SETTING else f"`{setting.name}`"
    return f"| {name} | `{setting.env}` | {_default(setting.default)} | {setting.help} |\n"


def _default(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, int) and value >= MIB and value % MIB == 0:
        return f"{value // MIB} MiB"
    return f"`{value}`"


def main(arguments: list[str]) -> int:
    """Print the page, or write it with `--write`."""
    return print_or_write(arguments, render(SETTINGS), DOCUMENT, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

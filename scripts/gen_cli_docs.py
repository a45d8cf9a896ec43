"""Makes docs/cli.md from the commands themselves, so that the reference cannot differ from `gonk --help`.

Usage: `python scripts/gen_cli_docs.py` prints the page; with `--write` it writes docs/cli.md.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import click

from generated_page import DOCS, print_or_write

DOCUMENT = DOCS / "cli.md"

HEAD = """\
# The command line

Made from the commands by `scripts/gen_cli_docs.py --write`; a test compares the two. Change the
commands, not this page.

Data goes to standard output, progress and messages to standard error. `--json` makes every command that
prints print JSON instead, errors too. Commands and names complete with Tab: [completion.md](completion.md).

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed, or refused by the rules of the dataset |
| 2 | wrong usage |
| 3 | a peer is unavailable |
| 4 | verification failed |
| 5 | done, but conflicts are open |
| 6 | partly done and kept; the same command goes on from there |
| 130, 143 | stopped by Ctrl-C, or by SIGTERM; what was half written is removed |
"""


def command_line() -> click.Group:
    """The root group of `gonk`: `gonk_node.cli.main` itself, or the one group that stands beside it."""
    from gonk_node import cli  # lazy: the page of any other group can be rendered without the package

    if isinstance(cli.main, click.Group):
        return cli.main
    groups = {value for value in vars(cli).values() if isinstance(value, click.Group)}
    if len(groups) != 1:
        raise SystemExit("gonk_node.cli must hold exactly one click group, the root of the command line")
    return groups.pop()


def commands(group: click.Group, parent: click.Context | None = None) -> Iterator[tuple[str, click.Command]]:
    """Every visible command below a group with its full name (`gonk dataset create`); a group comes first."""
    context = click.Context(group, parent=parent, info_name=group.name if parent else "gonk")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{context.command_path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, context)


def render(group: click.Group) -> str:
    """The whole page, as markdown.

    Args:
        group: the root group; its own options come first, then each command in the order of `gonk --help`.
    """
    sections = [HEAD, _section("gonk", group, 2)]
    for path, command in commands(group):
        sections.append(_section(path, command, min(len(path.split()) + 1, 4)))
    return "\n".join(sections)


def _section(path: str, command: click.Command, level: int) -> str:
    context = click.Context(command, info_name=path)
    lines = [f"{'#' * level} `{path}`", "", _prose(command), "", "```"]
    lines += [" ".join([path, *command.collect_usage_pieces(context)]), "```", ""]
    options = [item for item in command.params if isinstance(item, click.Option) and not item.hidden]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [_option_row(option, context) for option in options]
        lines.append("")
    return "\n".join(lines)


def _prose(command: click.Command) -> str:
    """The help text; click's mark of a paragraph that keeps its line breaks becomes a code block."""
    paragraphs = inspect.cleandoc(command.help or "").partition("\f")[0].rstrip().split("\n\n")
    return "\n\n".join(
        "```\n" + paragraph.removeprefix("\b\n") + "\n```" if paragraph.startswith("\b\n") else paragraph
        for paragraph in paragraphs
    )


def _option_row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    if record is None:
        raise SystemExit(f"{context.info_name}: {option.opts[0]} has no help")
    names, meaning = (" ".join(part.split()).replace("|", "\\|") for part in record)
    return f"| `{names}` | {meaning} |"


def main(arguments: list[str]) -> int:
    """Print the page, or write it with `--write`."""
    return print_or_write(arguments, render(command_line()), DOCUMENT, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

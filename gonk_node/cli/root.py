"""The root command: loads others when they are called for, and turns errors into messages and exit codes.

Exit codes come from `gonk_node.errors` alone; 130 stands for Ctrl-C and 143 for SIGTERM, as in shells.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from gonk_node import __version__
from gonk_node.cli.commands import COMMANDS, SECTIONS
from gonk_node.cli.ending import Ending, drop_output, flush_output, stoppable
from gonk_node.cli.failure import show_error
from gonk_node.cli.run import Run
from gonk_node.errors import GonkError, OutputError, UsageError


class Root(click.Group):
    """The group `gonk`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Load one command; None where there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"gonk_node.cli.{entry.module}")
        command = getattr(module, entry.attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a slip in the table
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The commands with their lines, in sections, without loading them."""
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.help) for name, entry in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without loading them."""
        found = [CompletionItem(name, help=each.help) for name, each in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command line and exit with its code; shows every error first."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra.pop("standalone_mode", None)
        ending = Ending()
        try:
            with stoppable(ending):
                code = self._run(arguments, prog_name or "gonk", **extra)
        except (click.Abort, KeyboardInterrupt):
            click.echo("stopped", err=True)
            code = ending.code
        sys.exit(code)

    def _run(self, arguments: list[str], prog_name: str, **extra: Any) -> int:
        """Run a command line; its exit code, every error shown. click.Abort where it was interrupted."""
        try:
            try:
                result = super().main(arguments, prog_name, standalone_mode=False, **extra)
            except OSError:
                flush_output()  # raises where that is what failed: click's own help
                raise
            flush_output()
            return result if isinstance(result, int) else 0
        except click.Abort:
            raise
        except BrokenPipeError:  # `gonk list … | head` closed its end
            drop_output()
            return 1
        except OutputError as error:
            drop_output()
            return show_error(error, as_json=_wants_json(arguments))
        except click.exceptions.NoArgsIsHelpError as error:  # a group of commands alone: its help, as it is
            error.show()
            return error.exit_code
        except (GonkError, click.ClickException) as error:
            return show_error(_as_ours(error), as_json=_wants_json(arguments))
        except Exception as error:  # noqa: BLE001 - the last line of defence: a bug of gonk is told as one
            return _show_bug(error, arguments)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether --json was given, also where the rest could not be parsed."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _as_ours(error: GonkError | click.ClickException) -> GonkError:
    if isinstance(error, GonkError):
        return error
    context = getattr(error, "ctx", None)
    path = "gonk" if context is None else context.command_path
    said = " ".join(line.strip() for line in error.format_message().splitlines())  # choices come on a line each
    return UsageError(said.rstrip("."), hint=f"{path} --help")


def _show_bug(error: Exception, arguments: Sequence[str]) -> int:
    where = traceback.extract_tb(error.__traceback__)[-1]
    ours = GonkError(
        f"a fault in gonk itself: {type(error).__name__}: {error}",
        where=f"{where.filename}:{where.lineno}",
        hint="please report it; with --log-level debug it shows more",
    )
    if "debug" in arguments:
        traceback.print_exception(error)
    return show_error(ours, as_json=_wants_json(arguments))


@click.group(name="gonk", cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="FOLDER", help="The node's folder, if not GONK_HOME or the platform's usual place.")
@click.option("--passphrase-file", metavar="FILE", help="A file (mode 0600) with the passphrase of your key.")
@click.option("--log-level", metavar="LEVEL", help="Least serious messages shown: debug, info, warning or error.")
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, home: str | None, passphrase_file: str | None, log_level: str | None) -> None:
    """Build datasets together with people whom you need not trust.

    Every proposal is signed, works offline, and counts once owners have accepted it. Data goes to standard output,
    messages to standard error; --json makes any command print JSON.
    """
    run = Run(home, {"passphrase_file": passphrase_file, "log_level": log_level})
    ctx.obj = run
    ctx.call_on_close(run.close)

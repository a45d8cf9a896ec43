"""One run of a command: the flags that all share, the node opened when it is needed, and where output goes.

`verb` makes a command that has them. Imports what is heavy only when a command runs.
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gonk_node.errors import GonkError

if TYPE_CHECKING:
    from gonk_node.cli.output import Output
    from gonk_node.config import Config
    from gonk_node.home import Home
    from gonk_node.node.datasets import DatasetInfo
    from gonk_node.node.node import Node

Function = TypeVar("Function", bound=Callable[..., Any])


class Run:
    """What a command is given first: `home`, `config`, `node()`, `out`."""

    def __init__(self, home: str | None, flags: dict[str, object]) -> None:
        self.home_flag = home
        self.flags = flags
        self.as_json = False
        self._node: Node | None = None
        self._dataset: str | None = None  # the name of the dataset that the command is about

    @property
    def out(self) -> Output:
        """Where data and messages go."""
        from gonk_node.cli.output import Output  # lazy: help must not load rich

        return Output(as_json=self.as_json)

    @property
    def home(self) -> Home:
        """The node's folder; it may be missing."""
        from gonk_node.config import find_home  # lazy: help needs no folder

        return find_home(self.home_flag)

    def config(self, **flags: object) -> Config:
        """The settings, those given as options of the command included."""
        from gonk_node.config import load_config  # lazy: as for `home`

        return load_config(self.home, {**self.flags, **flags})

    def node(self, **flags: object) -> Node:
        """The node, opened once and closed when the command ends; NotFoundError without one."""
        from gonk_node.node.node import Node  # lazy: help must not load the stores

        if self._node is None:
            config = self.config(**flags)
            logging.basicConfig(level=config.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
            self._node = Node.open(self.home, config, ask=_ask if sys.stdin.isatty() else None)
        return self._node

    def find(self, dataset: str) -> DatasetInfo:
        """The dataset of that name, or whose id begins so; from now on the hints of errors name it."""
        info = self.node().known.find(dataset)
        self._dataset = info.name
        return info

    def named(self, error: GonkError) -> GonkError:
        """The error, its hint with the dataset's name where that is known."""
        return error if self._dataset is None else error.in_dataset(self._dataset)

    def close(self) -> None:
        """Close the node, if it was opened."""
        if self._node is not None:
            self._node.close()
            self._node = None


def _ask() -> str:
    answer = click.prompt("Passphrase of your key", hide_input=True, err=True)
    return str(answer)


class Verb(click.Command):
    """A command with --json, and with --home also behind its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_json = click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=lambda ctx, _, value: _set(ctx, "as_json", value),
            help="Print JSON.",
        )
        home = click.Option(
            ["--home"], expose_value=False, hidden=True, callback=lambda ctx, _, value: _set(ctx, "home_flag", value)
        )
        self.params += [as_json, home]

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - click's
        """The first sentence of the help, whole: the list of commands wraps it, where click would cut it off."""
        return " ".join(inspect.cleandoc(self.help or "").partition("\n\n")[0].split())

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; hints of what goes wrong name the dataset that it is about."""
        try:
            return super().invoke(ctx)
        except GonkError as error:
            run = ctx.find_object(Run)
            if run is not None:
                run.named(error)
            raise


def _set(ctx: click.Context, name: str, value: object) -> None:
    run = ctx.find_object(Run)
    if run is not None and value:
        setattr(run, name, value)


def verb(name: str, **attributes: Any) -> Callable[[Function], Verb]:
    """Decorator: make a command of a function that takes a `Run` first; what it returns is the exit code (None: 0)."""

    def decorate(function: Function) -> Verb:
        return click.command(name, cls=Verb, **attributes)(click.pass_obj(function))

    return decorate


def complete_dataset(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The names of the datasets here, for shells."""
    import json  # lazy: completion only

    from gonk_node.config import find_home  # lazy: completion only

    home = find_home(ctx.find_root().params.get("home"))
    names = []
    for dataset in home.dataset_ids():
        try:
            name = json.loads(home.dataset(dataset).dataset_json.read_bytes())["name"]
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if isinstance(name, str) and name.startswith(incomplete):
            names.append(name)
    return sorted(names)


dataset_argument = click.argument("dataset", metavar="DATASET", shell_complete=complete_dataset)

"""Every command and option explains itself, and docs/cli.md says what the commands say."""

from __future__ import annotations

import click
import pytest

from kit.loading import load_script
from kit.source_tree import ROOT, text

GENERATOR = load_script("gen_cli_docs")


@pytest.fixture(scope="module")
def root() -> click.Group:
    return GENERATOR.command_line()


def test_each_command_has_help_that_begins_with_a_sentence(root: click.Group) -> None:
    silent = [
        path
        for path, command in [("gonk", root), *GENERATOR.commands(root)]
        if not (command.help or "").strip() or not command.get_short_help_str(200).strip()
    ]
    assert not silent, f"no help: {silent}"


def test_each_option_has_help(root: click.Group) -> None:
    silent = [
        f"{path} {parameter.opts[0]}"
        for path, command in [("gonk", root), *GENERATOR.commands(root)]
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden and not (parameter.help or "").strip()
    ]
    assert not silent, f"no help: {silent}"


def test_each_parameter_without_help_is_named_in_the_help_of_its_command(root: click.Group) -> None:
    unclear = [
        f"{path}: {name}"
        for path, command in GENERATOR.commands(root)
        for parameter in command.params
        if isinstance(parameter, click.Argument)
        and not isinstance(parameter.type, click.Choice)  # shows its values in the usage line
        and (name := parameter.make_metavar(click.Context(command)).strip("[].{}")) not in (command.help or "")
    ]
    assert not unclear, f"arguments that the help does not mention by their name: {unclear}"


def test_the_reference_is_what_the_commands_say(root: click.Group) -> None:
    page = ROOT / "docs" / "cli.md"
    assert page.exists(), "run: python scripts/gen_cli_docs.py --write"
    assert text(page) == GENERATOR.render(root), "run: python scripts/gen_cli_docs.py --write"

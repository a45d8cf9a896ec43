"""Errors as people and programs see them, on standard error. What an error means is in `gonk_node.errors`."""

from __future__ import annotations

import json

import click

from gonk_node.cli.text import safe
from gonk_node.errors import GonkError

_FAULTS = {
    "gonk": "gonk's own",
    "author": "whoever signed this",
    "peer": "the other node",
    "disk": "this machine's disk",
}


def show_error(error: GonkError, *, as_json: bool) -> int:
    """Print what happened, where, whose fault it is if not the user's, and the next step; returns the exit code."""
    if as_json:
        click.echo(json.dumps({"error": error.as_dict()}), err=True)
    else:
        tell_error(error)
    return error.exit_code


def tell_error(error: GonkError) -> None:
    """The same for people."""
    click.echo(f"gonk: {safe(error.what)}", err=True)
    for title, text in (("where", error.where), ("fault", _FAULTS.get(error.fault)), ("next", error.hint)):
        if text:
            click.echo(f"  {title}: {safe(text)}", err=True)

"""`gonk users add | rekey | remove | list`."""

from __future__ import annotations

from pathlib import Path

import click

from gonk_node.cli.run import Run, verb
from gonk_node.node.user_table import User


@click.group("users")
def users() -> None:
    """Add, list and remove people who share this node through its HTTP API.

    Each has an API key, which a program sends in the header x-api-key, and a key pair that this node signs with in their
    name. A running gonk serve knows of a change at once.
    """


@verb("add")
@click.argument("name", metavar="NAME")
@click.option("--key", "key_file", metavar="FILE", help="A key file that NAME signs with, in place of a new key.")
def add(run: Run, name: str, key_file: str | None) -> None:
    """Add the user NAME, and print the API key, which is shown only now.

    With --key, a copy of FILE is kept (of this node's own key file, none). A locked one needs the setting
    passphrase_file whenever this node signs with it.
    """
    found = run.node().users
    tell_api_key(run, found.add(name, None if key_file is None else Path(key_file)), found.by_name(name))


@verb("rekey")
@click.argument("name", metavar="NAME")
def rekey(run: Run, name: str) -> None:
    """Give the user NAME another API key; the one before stops working.

    A user who was removed is let in again. The key pair that signs stays the same.
    """
    found = run.node().users
    tell_api_key(run, found.rekey(name), found.by_name(name))


@verb("remove")
@click.argument("name", metavar="NAME")
def remove(run: Run, name: str) -> None:
    """Take the API key of the user NAME away.

    What NAME signed stays, and so do roles in datasets: gonk owner remove ends those. Nobody else can get the name.
    """
    run.node().users.remove(name)
    if run.as_json:
        run.out.json({"name": name})
    else:
        run.out.note(f"removed {name}")


@verb("list")
def list_(run: Run) -> None:
    """List the users, as lines of number and name; with --json, the removed ones too."""
    found = run.node().users.all()
    if run.as_json:
        run.out.json([_json(user) for user in found])
        return
    for user in found:
        if not user.removed:
            run.out.line(f"{user.number}\t{user.name}")
    if not found:
        run.out.note("this node has no users yet")
        run.out.next("gonk users add NAME")


def tell_api_key(run: Run, api_key: str, user: User | None) -> None:
    """Print an API key that was just made, as Gonk does."""
    if run.as_json:
        run.out.json({"api_key": api_key} | ({} if user is None else _json(user)))
        return
    run.out.line(f"KEY: {api_key}")
    run.out.note("keep it; it is not shown again")


def _json(user: User) -> dict[str, object]:
    return {
        "number": user.number,
        "name": user.name,
        "keys": [key.hex() for key in user.keys],
        "removed": user.removed,
    }


for _command in (add, rekey, remove, list_):
    users.add_command(_command)

"""`gonk init`."""

from __future__ import annotations

import sys

import click

from gonk_node.cli.run import Run, verb
from gonk_node.errors import UsageError
from gonk_node.node.node import Node
from gonk_node.node.user_table import check_user_name
from gonk_node.store.keyring import read_passphrase_file


@verb("init")
@click.option("--name", default="", metavar="NAME", help="What you want to be called; it is signed into datasets.")
@click.option("--username", metavar="NAME", help="Be a user NAME of this node's HTTP API too; prints your API key.")
@click.option("--passphrase", is_flag=True, help="Lock your key: asks for a passphrase, or takes --passphrase-file.")
def init(run: Run, name: str, username: str | None, passphrase: bool) -> None:
    """Make a node here: a key that is yours, and a place for datasets.

    The folder is --home, else GONK_HOME, else the platform's place for user data. Nothing is overwritten. Whoever has
    your key file (keys/author.key) can sign as you: keep a copy in a safe place, and lock it if others use the machine.

    With --username, what programs do with your API key is signed with your own key; NAME is also what you are called,
    unless --name says otherwise. gonk users adds more people.
    """
    home = run.home
    if username is not None:
        name = name or username
        check_user_name(username)
    run.config(display_name=name or None)  # refuses a name that no setting can hold
    kind = home.network_file_system()
    if kind is not None:
        run.out.note(f"warning: {home.root} is on a network file system ({kind}); keep a node on a local disk")
    Node.create(home, name=name, passphrase=_passphrase(run) if passphrase and not home.exists() else None)
    node = run.node()
    api_key = None if username is None else node.users.add(username, home.author_key)
    if run.as_json:
        found = {"home": str(home.root), "author": node.author_key.hex(), "node": node.node_key.hex(), "name": name}
        run.out.json(found if api_key is None else found | {"username": username, "api_key": api_key})
        return
    run.out.note(f"a node is ready in {home.root}")
    run.out.pairs([("your key", node.author_key.hex()), ("this node", node.node_key.hex())])
    if api_key is not None:
        run.out.line(f"KEY: {api_key}")
        run.out.note("KEY is what programs send in x-api-key; keep it, it is not shown again")
    run.out.next("gonk dataset create NAME", "gonk clone LINK")


def _passphrase(run: Run) -> str:
    file = run.config().passphrase_file
    if file is not None:
        return read_passphrase_file(file)
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for a passphrase on", hint="gonk --passphrase-file FILE init --passphrase"
        )
    answer = click.prompt("Passphrase for your key", hide_input=True, confirmation_prompt=True, err=True)
    return str(answer)

"""`gonk whoami`."""

from __future__ import annotations

from typing import Any

import click

from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, complete_dataset, verb
from gonk_node.core.events import Profile
from gonk_node.errors import UsageError
from gonk_node.store.keyring import is_locked


@verb("whoami")
@click.argument("dataset", metavar="[DATASET]", required=False, shell_complete=complete_dataset)
@click.option("--name", metavar="NAME", help="Be called NAME in DATASET from now on; everybody there can read it.")
def whoami(run: Run, dataset: str | None, name: str | None) -> None:
    """Show the keys of this node, and what you are called.

    Your key is what you give to owners who want to add you. With DATASET, it also says what your key may do there.
    """
    node = run.node()
    found: dict[str, Any] = {
        "author": node.author_key.hex(),
        "locked": is_locked(node.home.author_key),
        "node": node.node_key.hex(),
        "home": str(node.home.root),
    }
    if dataset is None:
        if name is not None:
            raise UsageError("--name needs the DATASET in which you want to be called so")
        found["name"] = node.config.display_name or None
    else:
        place = Place(run, dataset)
        if name is not None:
            place.author.sign([Profile(name)])
            place = Place(run, dataset)
        found |= {"dataset": place.name, **place.people.json(node.author_key)}
        del found["key"]
    if run.as_json:
        run.out.json(found)
        return
    lock = "locked with a passphrase" if found["locked"] else "not locked"
    rows = [("your key", f"{found['author']}  ({lock})"), ("this node", found["node"]), ("home", found["home"])]
    if dataset is not None:
        rows += [("in", found["dataset"]), ("role", found["role"] or "none: your proposals wait for an owner")]
    rows.append(("name", found["name"] or "none"))
    run.out.pairs(rows)

"""`gonk dataset create | list | show`."""

from __future__ import annotations

import click

from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.core.events import PRIVATE
from gonk_node.core.limits import APPROVALS_MAX


@click.group("dataset")
def dataset() -> None:
    """Create, list and describe datasets."""


@verb("create")
@click.argument("name", metavar="NAME")
@click.option("--description", default="", metavar="TEXT", help="What it is about.")
@click.option("--private", is_flag=True, help="Only keys with a role may fetch it.")
@click.option(
    "--approvals",
    default=1,
    type=click.IntRange(1, APPROVALS_MAX),
    show_default=True,
    help="How many different people must accept a proposal.",
)
def create(run: Run, name: str, description: str, private: bool, approvals: int) -> None:
    """Found a dataset called NAME; you become its first owner.

    NAME has letters, digits and hyphens. Description, visibility and approvals are fixed for ever.
    """
    node = run.node()
    info = node.create_dataset(name, description=description, private=private, approvals=approvals)
    if run.as_json:
        run.out.json({"name": info.name, "id": info.dataset.hex(), "owner": node.author_key.hex()})
        return
    run.out.note(f"created {info.name}")
    run.out.pairs([("id", info.dataset.hex())])
    run.out.next(f"gonk schema add {name} bounding-box", f"gonk add {name} FILE…")


@verb("list")
def list_(run: Run) -> None:
    """List the datasets on this node."""
    node = run.node()
    infos = node.datasets()
    if run.as_json:
        run.out.json(
            [
                {
                    "name": info.name,
                    "id": info.dataset.hex(),
                    "content_policy": node.content_policy(info),
                    "problem": None if info.problem is None else info.problem.as_dict(),
                }
                for info in infos
            ]
        )
        return
    rows = [
        [
            info.name,
            info.dataset.hex()[:16],
            node.content_policy(info),
            "" if info.problem is None else info.problem.what,
        ]
        for info in infos
    ]
    if rows:
        run.out.table(["name", "id", "content", "problem"], rows)
    else:
        run.out.note("there is no dataset on this node yet")
        run.out.next("gonk dataset create NAME", "gonk clone LINK")


@verb("show")
@dataset_argument
def show(run: Run, dataset: str) -> None:
    """Describe the dataset DATASET: how it was founded, and where it is kept."""
    place = Place(run, dataset)
    genesis = place.replica.genesis
    root = place.replica.authority.root
    policy = place.node.content_policy(place.info)
    visibility = "private" if genesis.visibility == PRIVATE else "public"
    if run.as_json:
        run.out.json(
            {
                "name": place.name,
                "id": place.info.dataset.hex(),
                "founded_as": genesis.name,
                "description": genesis.description,
                "visibility": visibility,
                "approvals": genesis.approvals,
                "root": place.people.json(root),
                "recovery_keys": [key.hex() for key in genesis.recovery_keys],
                "recovery_threshold": genesis.recovery_threshold,
                "content_policy": policy,
                "folder": str(place.info.folder.root),
            }
        )
        return
    rows = [
        ("name", place.name),
        ("id", place.info.dataset.hex()),
        ("founded as", genesis.name),
        ("description", genesis.description),
        ("visibility", visibility),
        ("approvals", str(genesis.approvals)),
        ("root owner", f"{place.people.who(root)}  {root.hex()}"),
        ("content", policy),
        ("folder", str(place.info.folder.root)),
    ]
    run.out.pairs(rows)


for _command in (create, list_, show):
    dataset.add_command(_command)

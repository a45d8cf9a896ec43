"""`gonk dataset create | list | show | replace-root`."""

from __future__ import annotations

from pathlib import Path

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural
from gonk_node.core.events import PRIVATE, DatasetCreate
from gonk_node.core.ids import EventRef
from gonk_node.core.keys import parse_author
from gonk_node.core.limits import APPROVALS_MAX, RECOVERY_KEYS_MAX
from gonk_node.replica.signing.author import Author
from gonk_node.replica.signing.recovering import Recovery
from gonk_node.replica.signing.recovering import replace_root as sign_replacement


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
@click.option(
    "--recovery-key",
    "recovery_keys",
    multiple=True,
    metavar="KEY",
    help="A key that can help to replace yours if that is lost or stolen; give several. See gonk dataset replace-root.",
)
@click.option(
    "--recovery-threshold",
    type=click.IntRange(1, RECOVERY_KEYS_MAX),
    help="How many recovery keys must sign; more than half if not given.",
)
def create(
    run: Run,
    name: str,
    description: str,
    private: bool,
    approvals: int,
    recovery_keys: tuple[str, ...],
    recovery_threshold: int | None,
) -> None:
    """Found a dataset called NAME; you become its first owner.

    NAME has letters, digits and hyphens. Description, visibility, approvals and recovery keys are fixed for ever.
    """
    node = run.node()
    keys = tuple(parse_author(text) for text in recovery_keys)
    threshold = recovery_threshold if recovery_threshold is not None else (len(keys) // 2 + 1 if keys else 0)
    info = node.create_dataset(
        name, description=description, private=private, approvals=approvals, recovery=Recovery(keys, threshold)
    )
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
        ("recovery", _recovery(genesis)),
        ("content", policy),
        ("folder", str(place.info.folder.root)),
    ]
    run.out.pairs(rows)


def _recovery(genesis: DatasetCreate) -> str:
    if not genesis.recovery_threshold:
        return "no keys that can replace the root"
    return f"{genesis.recovery_threshold} of {plural(len(genesis.recovery_keys), 'key')} can replace the root"


@verb("replace-root")
@dataset_argument
@click.argument("new_key", metavar="NEWKEY")
@click.option("--key", "key_file", metavar="FILE", help="The key file to sign with, if not that of this node's person.")
def replace_root(run: Run, dataset: str, new_key: str, key_file: str | None) -> None:
    """Sign, with a recovery key, that NEWKEY follow the root owner of DATASET.

    For a root key that is lost or stolen. It counts once as many recovery keys as the dataset asks for have signed the same:
    sync between one and the next. What this node holds of the old root's logs stands (the first one's, where several sign);
    whatever else that key signed, or signs later, does not count.
    """
    place = Place(run, dataset)
    new_root = parse_author(new_key)
    author = place.author if key_file is None else Author(place.replica, place.node.signer_in(Path(key_file)))
    done = sign_replacement(author, new_root)
    root = place.replica.authority.root
    if run.as_json:
        event = event_text(EventRef(done.entry.entry_id, 0))
        run.out.json({"event": event, "signed": done.signed, "needed": done.needed, "root": root.hex()})
        return
    if root == new_root:
        run.out.note(f"{place.people.who(root)} is the root owner of {place.name} now")
        place.next_spreading("it takes effect on other nodes once they have it")
        return
    run.out.note(f"signed: {done.signed} of {done.needed} recovery keys have")
    again = f"gonk dataset replace-root {place.info.dataset.hex()[:16]} {new_key}"  # names differ between nodes
    run.out.next(f"gonk sync {place.name}", f"{again}    (by the holder of another recovery key)")


for _command in (create, list_, show, replace_root):
    dataset.add_command(_command)

"""`gonk rebuild`."""

from __future__ import annotations

from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural


@verb("rebuild")
@dataset_argument
def rebuild(run: Run, dataset: str) -> None:
    """Delete the State of a dataset and derive it anew from the log.

    Nothing of DATASET can be lost by it: all that counts is in the log. Needed only if gonk fsck says so. A gonk serve that
    runs beside it goes on, and shows what has been derived so far.
    """
    node = run.node()
    info = run.find(dataset)
    with run.out.progress("rebuilding") as advance:
        replica = node.rebuild(info, advance)
    entries = replica.log.last_lsn()
    if run.as_json:
        run.out.json({"name": info.name, "entries": entries, "state_digest": replica.state_digest().hex()})
        return
    run.out.note(f"rebuilt the State of {info.name} from {plural(entries, 'entry', 'entries')}")
    run.out.pairs([("State digest", replica.state_digest().hex())])

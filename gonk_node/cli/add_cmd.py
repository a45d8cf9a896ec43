"""`gonk add`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from gonk_node.cli.describe import event_text
from gonk_node.cli.place import Place
from gonk_node.cli.run import Run, dataset_argument, verb
from gonk_node.cli.text import plural
from gonk_node.core.ids import uuid_text
from gonk_node.errors import GonkError, InputFileError, UsageError
from gonk_node.formats.images import media_type
from gonk_node.replica.signing.adding import Added, Adder, NewFile

_PARTIAL = 6
_SHOWN_MAX = 20


@verb("add")
@dataset_argument
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--name", metavar="NAME", help="What the object is to be called, if not as the file; for one file.")
@click.option("--new-id", is_flag=True, help="Give a random uuid, also to content that is in the dataset already.")
def add(run: Run, dataset: str, files: tuple[str, ...], name: str | None, new_id: bool) -> int:
    """Propose files as objects.

    Each FILE becomes an object of DATASET, named as the file without its folder. Its uuid follows from its bytes, so the
    same file is never added twice. Exit code 6: some files were added, others not; the message says why.
    """
    if name is not None and len(files) > 1:
        raise UsageError("--name is for one file", where=f"{len(files)} files were given")
    place = Place(run, dataset)
    adder = Adder(place.author, place.node.content, random_uuid=new_id)
    results: list[Added] = []
    with run.out.progress("adding") as advance:
        for result in adder.add(_new_files(files, name)):
            results.append(result)
            advance(len(results), len(files))
    refused = [result.error for result in results if result.error is not None]
    if len(refused) == len(results) == 1:
        raise refused[0]
    if run.as_json:
        run.out.json({"added": [_json(each) for each in results if each.uuid], "refused": _refusals(run, results)})
    else:
        _tell(place, results)
    if not refused:
        return 0
    return _PARTIAL if len(refused) < len(results) else refused[0].exit_code


def _new_files(files: Sequence[str], name: str | None) -> Iterator[NewFile]:
    for file in files:
        path = Path(file)
        try:
            kind = media_type(name or path.name, path if path.is_file() else None)
        except InputFileError:  # told when it is read
            kind = "application/octet-stream"
        yield NewFile(path, name or path.name, kind)


def _json(added: Added) -> dict[str, Any]:
    found: dict[str, Any] = {"file": str(added.file.path), "name": added.file.name, "media_type": added.file.media_type}
    if added.uuid is not None and added.ref is not None and added.info is not None:
        found |= {
            "uuid": uuid_text(added.uuid),
            "event": event_text(added.ref),
            "size": added.info.size,
            "content_id": added.info.content_id.hex(),
            "sha256": added.info.sha256.hex(),
        }
    return found


def _refusals(run: Run, results: Sequence[Added]) -> list[dict[str, Any]]:
    refused = [(each, each.error) for each in results if each.error is not None]
    return [_json(each) | {"error": run.named(error).as_dict()} for each, error in refused]


def _tell(place: Place, results: Sequence[Added]) -> None:
    out = place.out
    added = [each for each in results if each.uuid is not None]
    for each in added:
        out.line(f"{uuid_text(each.uuid or b'')}  {each.file.name}")
    refused = [(each.file.path, each.error) for each in results if each.error is not None]
    for path, error in refused[:_SHOWN_MAX]:
        out.note(f"{path}: {_reason(error)}")
    if len(refused) > _SHOWN_MAX:
        out.note(f"and {len(refused) - _SHOWN_MAX} more; --json lists all")
    note = f"proposed {plural(len(added), 'object')}"
    out.note(note + (f", left out {plural(len(refused), 'file')}" if refused else ""))
    if added:
        place.next_after_proposing(event_text(added[0].ref) if len(added) == 1 and added[0].ref else None)


def _reason(error: GonkError) -> str:
    return f"{error.what} ({error.where})" if error.where and error.where.startswith("object") else error.what

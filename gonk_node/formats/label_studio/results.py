"""The results of one annotation of Label Studio, taken together into bodies of gonk's schemas.

Results of one `id` are one region and what is said of it: a shape (`rectanglelabels`, or `rectangle` with its `labels` in
another result), and texts, choices and numbers. Results without a region are about the whole object. Relations name regions
and come last. What the values of regions are is in `shapes`; the way back is in `export.label_studio.results`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from gonk_node.errors import InputFileError
from gonk_node.formats.label_studio.kept import INDEX, keep
from gonk_node.formats.label_studio.objects import body_of_object
from gonk_node.formats.label_studio.regions import OWN, About, Found, Region, Result, bodies_of, keep_score
from gonk_node.formats.loss import NotCarried
from gonk_node.state.strict_json import Json, Problem

OF_OBJECTS = frozenset(
    {"choices", "textarea", "rating", "number", "taxonomy", "datetime", "pairwise", "ranker", "chatmessage"}
)
"""Types of results that may be about the whole object; about a region where they share its id."""


class Relation(NamedTuple):
    """A result that joins two regions, as the file has it, with what is kept of it."""

    value: dict[str, Any]
    result: dict[str, Json]
    place: str


def read_results(results: list[Json], about: About, place: str) -> Iterator[Found | Relation | Problem | NotCarried]:
    """What the results of one annotation make.

    Args:
        results: as the file has them.
        about: their object.
        place: of the list, for messages.
    """
    groups: dict[str | int, list[Result]] = {}
    relations: list[Relation] = []
    for index, fields in enumerate(results):
        here = f"{place}/{index}"
        if isinstance(fields, dict) and fields.get("type") == "relation":
            kept, lost = keep(fields, (*OWN, "from_id", "to_id", "labels"), here, "results")
            relations.append(Relation(fields, {**kept, INDEX: index}, here))
            yield from lost
        elif not isinstance(fields, dict) or not isinstance(fields.get("value"), dict):
            yield Problem(here, "a result needs a value; left out")
        elif about.name and fields.get("to_name", about.name) != about.name:
            yield Problem(here, f"is about {str(fields['to_name'])[:80]!r}, another part of the task; left out")
        else:
            said = fields.get("id")
            key = said if isinstance(said, str) and said else index
            groups.setdefault(key, []).append(Result(index, here, fields, fields["value"]))
    data = about.config.data.get(about.name)
    about.channels = data is not None and data.attributes.get("splitchannels") == "true"
    about.channels |= any(each.value.get("channel") not in (None, 0) for group in groups.values() for each in group)
    regions: list[Region] = []
    made: list[tuple[int, Iterator[Found | Problem | NotCarried]]] = []
    for key, group in groups.items():
        own = key if isinstance(key, str) else ""
        shapes = [each for each in group if each.type not in OF_OBJECTS]
        if shapes:
            regions.append(_region(own, group, shapes))
        else:
            made += [(each.index, _object(each, own, part, about)) for part, each in enumerate(group)]
    made += [(region.main.index, bodies_of(region, about)) for region in _with_their_points(regions)]
    for _, records in sorted(made, key=lambda each: each[0]):
        yield from records
    yield from relations


def _region(key: str, group: list[Result], shapes: list[Result]) -> Region:
    main = next((each for each in shapes if each.type != "labels"), shapes[0])
    rest = [each for each in group if each is not main]
    labels, source = main.labels(), main
    if not labels and (apart := next((each for each in rest if each.type == "labels"), None)) is not None:
        labels, source = apart.labels(), apart
        rest.remove(apart)
    return Region(key, main, rest, labels, (str(source.fields.get("from_name")),))


def _with_their_points(regions: list[Region]) -> Iterator[Region]:
    """Keypoints go into the upright rectangle that they have as their parent; all others stay by themselves."""
    parents = {
        each.id: each
        for each in regions
        if each.id and each.labels and each.main.shape == "rectangle" and not each.main.value.get("rotation")
    }
    alone = []
    for region in regions:
        parent = region.main.fields.get("parentID")
        if region.main.shape == "keypoint" and region.labels and isinstance(parent, str) and parent in parents:
            parents[parent].points.append(region)
        else:
            alone.append(region)
    yield from alone


def _object(result: Result, region: str, part: int, about: About) -> Iterator[Found | Problem | NotCarried]:
    kept, lost = keep(result.fields, OWN, result.place, "results", whole=("meta",))
    kept[INDEX] = result.index
    control = about.config.controls.get(str(result.fields.get("from_name")))
    try:
        bodies = body_of_object(result.type, result.fields.get("from_name"), result.value, control)
    except InputFileError as error:
        yield Problem(result.place, f"{error.what}; left out")
        return
    yield from lost
    if result.type == "number":
        kept["type"] = result.type
    for at, (schema, body) in enumerate(bodies):
        own = dict(kept)
        keep_score(schema, body, result.fields, own)
        if at:
            own["part"] = at
        yield Found(schema, body, own, region, part + at, result.place, (str(result.fields.get("from_name")),))

"""What CVAT says, made into annotations that are told apart by what they say, not by their place: CVAT gives shapes no ids.

So a later export of a task adds what is new in it, wherever it stands in the file, and although the task has changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from gonk_node.errors import InputFileError
from gonk_node.formats.cvat import shapes as cvat_shapes
from gonk_node.formats.cvat.shapes import FORMAT, Body
from gonk_node.formats.loss import NotCarried
from gonk_node.formats.sample import Record, annotation
from gonk_node.state.strict_json import Problem

Equal = Counter[bytes]
"""How often the same was said before of one image or video."""


class Annotations:
    """Makes the annotations of one file.

    Attributes:
        schemas: those that they have so far.
    """

    def __init__(self) -> None:
        self.schemas: set[str] = set()

    def make(self, name: str, schema: str, body: Body, place: str, equal: Equal, aside: Body) -> Record:
        """An annotation of an image or video, or why it is none.

        Args:
            name: of the image or video.
            schema: that the body is of.
            body: what it says.
            place: in the file.
            equal: the same for all annotations of one image, or all tracks of a file.
            aside: what the file says of where it is from, which does not make it another annotation: kept in its attributes.
        """
        kept = {**body.get("attributes", {}).get(FORMAT, {}), **aside}
        whole = {**body, "attributes": {**body.get("attributes", {}), FORMAT: kept}} if kept else body
        made = annotation(name, schema, whole, format_name=FORMAT, source_id="#0", place=place, identity=body)
        if isinstance(made, Problem):
            return made
        self.schemas.add(schema)
        before = equal[made.key]
        equal[made.key] += 1
        if not before:
            return made
        return annotation(name, schema, whole, format_name=FORMAT, source_id=f"#{before}", place=place, identity=body)

    def of_shape(
        self,
        name: str,
        element: Element,
        size: tuple[int, int] | None,
        place: str,
        equal: Equal,
        aside: Body,
        *,
        label: str | None = None,
        more: Body | None = None,
    ) -> Iterator[Record]:
        """The annotation that a shape or tag makes.

        Args:
            name: of the image.
            element: the shape.
            size: see `shapes.read`, as for `label`.
            place: in the file.
            equal: see `make`.
            aside: see `make`.
            label: of its track, if it is in one.
            more: what else is kept of it.
        """
        try:
            found = cvat_shapes.read(element, size, label)
        except InputFileError as error:
            yield Problem(place, error.what)
            return
        yield from (NotCarried(place, what) for what in cvat_shapes.lost_of(element))
        kept = found.kept | (more or {})
        body = found.body | ({"attributes": {FORMAT: kept}} if kept else {})
        yield self.make(name, found.schema, body, place, equal, aside)

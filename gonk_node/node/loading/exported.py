"""Samples of programs as the exporters of `formats.export` take them: what is written is what `gonk export` writes of them.

What the files say is for the formats. It signs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from gonk_node.core.events import SCHEMA_PREFIX
from gonk_node.errors import ExistsError
from gonk_node.formats.export import EXPORTERS, job
from gonk_node.formats.folder import FolderWriter
from gonk_node.formats.loss import Loss
from gonk_node.node.loading.sample import Sample
from gonk_node.node.loading.source import Source


def exported(sample: Sample) -> job.Sample:
    """The same sample."""
    of = sample.object
    annotations = tuple(
        job.SampleAnnotation(
            each.uuid.bytes, each.version, each.schema.removeprefix(SCHEMA_PREFIX), each.schema_version, each.data
        )
        for each in sample.annotations
    )
    return job.Sample(of.uuid.bytes, of.version, of.name, of.media_type, of.size, of.sha256, sample.open, annotations)


def export(samples: Iterable[Sample], source: Source, format_name: str, target: Path, *, content: bool) -> Loss:
    """Write samples in a format that takes any schema.

    Args:
        samples: read more than once.
        source: whose schemas and label sets are written with them.
        format_name: one of `formats.export.OF_ANY_SCHEMA`.
        target: the folder to make.
        content: with the bytes of the objects.

    Returns:
        What was lost.

    Raises:
        ExistsError: there is something at the target. NotFoundError: the folder that it is to be in is not there.
        RefusedError: not in this format.
        StorageError, DiskFullError: the disk. As `Sample.open`.
    """
    loss = Loss()
    try:
        writer = FolderWriter(target)
    except ExistsError as error:
        error.hint = "give another folder"  # the option of the command line does not exist here
        raise
    with writer as folder:
        declared = source.declared()
        again = partial(_all, samples)
        EXPORTERS[format_name](job.Job(again, folder, loss, content, declared.labels, declared.schemas))
        folder.write_checksums()
    return loss


def _all(samples: Iterable[Sample], *, annotations: bool = True) -> Iterator[job.Sample]:
    del annotations  # reading them is not avoided: it is the files that take the time
    return map(exported, samples)

"""A dataset for Python programs that read it: its samples now, or as of a release or a time. It signs nothing.

Bytes that are not on this node are fetched from its peers when they are read.

from gonk_node import open_dataset

with open_dataset("cells") as cells:
    for sample in cells.at("v1.0"):
        image, boxes = sample.image(), sample.annotations
"""

from __future__ import annotations

import html
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, overload
from uuid import UUID

from gonk_node.config import find_home
from gonk_node.core.limits import REPR_ROWS
from gonk_node.core.plural import plural
from gonk_node.errors import GonkError, NotFoundError, UsageError
from gonk_node.formats.extras import library
from gonk_node.formats.label_set import LabelSet
from gonk_node.formats.loss import Loss
from gonk_node.formats.own_objects import is_own
from gonk_node.node.loading import tables
from gonk_node.node.loading.annotations import Annotation
from gonk_node.node.loading.exported import export
from gonk_node.node.loading.opening import Opening
from gonk_node.node.loading.sample import Sample
from gonk_node.node.loading.source import DataObject, Source

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Dataset(Sequence[Sample]):
    """The samples of an open dataset, in order of the objects' uuids: the same order on every node.

    Which they are is settled when it is opened; what is annotated on each is read when it is asked for. With `at`, both are
    as of a release or a time. Close it, or use it in a `with` statement; what was made of it closes with it. It may be
    pickled, and used on both sides of a fork.
    """

    def __init__(self, source: Source, numbers: array[int], at: str | None = None) -> None:
        self._source = source
        self._numbers = numbers
        self._at = at

    # --- samples ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Dataset: ...

    def __getitem__(self, index: int | slice) -> Sample | Dataset:
        if isinstance(index, slice):
            return Dataset(self._source, self._numbers[index], self._at)
        try:
            number = self._numbers[index]
        except IndexError:
            raise IndexError(f"there is no sample {index}: the dataset has {len(self):,}") from None
        except TypeError:
            what = f"samples are numbered or sliced, not asked for by {type(index).__name__}"
            raise TypeError(f"{what}; sample(name) finds one by name or uuid") from None
        return Sample(self._source, self._source.object(number))

    def shard(self, rank: int, world_size: int) -> Dataset:
        """The samples for one of several processes: together they have all, no two have one in common.

        Args:
            rank: which process, from 0.
            world_size: how many there are; their shards differ by at most one in length.

        Raises:
            UsageError: no such rank.
        """
        if not 0 <= rank < world_size:
            raise UsageError(f"there is no rank {rank} among {world_size}", hint="ranks are counted from 0")
        return self[rank::world_size]

    def at(self, when: str | date) -> Dataset:
        """The dataset as of a release, or of a time as its authors state it: all its samples, also of a slice or shard.

        Args:
            when: a release's tag; or a time, as text (RFC 3339) or as a datetime with its zone; a date is its first moment
                in UTC.

        Raises:
            NotFoundError: neither a release nor a time at which the dataset existed. UsageError: nothing of the sort.
            VerificationError: a release cannot be verified here; its class says why.
        """
        moment = when if isinstance(when, str) else _milliseconds(when)
        with self._source.lease() as opened:
            heads = opened.past(self._source.dataset, moment)
        source = self._source._replace(heads=heads)
        return Dataset(source, source.numbers(), str(when))

    # --- one object ---------------------------------------------------------------------------------------

    @property
    def id(self) -> bytes:
        """The dataset's id, 32 bytes: the same on every node."""
        return self._source.dataset

    @property
    def state_digest(self) -> bytes:
        """32 bytes that are equal on two nodes whose datasets say the same."""
        return self._source.state_digest()

    def objects(self) -> Iterator[DataObject]:
        """The objects of the samples."""
        return (sample.object for sample in self)

    def sample(self, name: str | UUID) -> Sample:
        """The sample of the object of that uuid or unique name; errors as of `object`, or it is one of gonk's own."""
        found = self.object(name)
        if is_own(found.media_type):
            raise NotFoundError(
                f"{str(name)!r} is no sample, but {found.media_type}", hint="dataset.object(name) gives it"
            )
        return Sample(self._source, found)

    def object(self, name: str | UUID) -> DataObject:
        """The object of that uuid or unique name.

        Raises:
            NotFoundError: there is none, or none of its revisions counts. AmbiguousError: several have the name.
            UsageError: it is neither a text nor a UUID.
        """
        return self._source.find(_name(name))

    def annotations(self, on: DataObject) -> list[Annotation]:
        """The annotations of that object revision that count and fit their schemas, in order of their uuids."""
        return self._source.annotations(on)

    def labels(self, schema: str) -> LabelSet:
        """The labels of a schema as the dataset's label set has them; its `indices` number classes for training.

        Args:
            schema: its name, such as "bounding-box".

        Returns:
            An empty set where the dataset has none for that schema.

        Raises:
            NonconformingError: what is accepted as such is none. As `read`, where its bytes are elsewhere.
        """
        return self._source.labels(schema)

    def has_content(self, of: DataObject) -> bool:
        """Whether the object's bytes are on this node; `read` and `open` fetch them where they are not."""
        return self._source.has_content(of)

    def read(self, of: DataObject) -> bytes:
        """The object's bytes; as `Sample.bytes`."""
        return self._source.read(of)

    def open(self, of: DataObject) -> BinaryIO:
        """The object's bytes as a seekable binary file; as `Sample.open`."""
        return self._source.open(of)

    # --- for other libraries --------------------------------------------------------------------------------

    def to_torch(self, transform: Callable[[Sample], Any] | None = None) -> Any:
        """A map-style `torch.utils.data.Dataset`; see `TorchDataset`. Extra `torch`.

        Args:
            transform: makes of each sample what the loader is to collate; run in the loader's workers.

        Raises:
            MissingExtraError: PyTorch is not installed.
        """
        library("torch", "torch")
        from gonk_node.node.loading.torch_dataset import TorchDataset  # lazy: extra

        return TorchDataset(self, transform)

    def to_pandas(self, rows: str = "samples") -> Any:
        """A `pandas.DataFrame` without the bytes; see `tables.frame`. Extra `pandas`.

        Args:
            rows: "samples", or "annotations" for one row each.

        Raises:
            MissingExtraError: pandas is not installed. UsageError: rows of something else.
        """
        return tables.frame(self, rows)

    def to_parquet(self, path: str | PathLike[str], *, content: bool = True) -> None:
        """Write a Parquet file; see `tables.write_parquet`. Extra `parquet`.

        Args:
            path: replaced, once the file is whole.
            content: with the bytes of the objects.

        Raises:
            MissingExtraError: pyarrow is not installed. DiskFullError, InputFileError: it cannot be written.
            UsageError: an object is too large for a cell. As `Sample.bytes`.
        """
        tables.write_parquet(self, self._source.declared(), Path(path), content=content)

    def to_webdataset(self, path: str | PathLike[str], *, content: bool = True) -> Loss:
        """Write the samples as WebDataset does: a folder of shards, which `gonk export DATASET webdataset` writes too.

        Args:
            path: the folder to make; it appears when all of it is written.
            content: with the bytes of the objects.

        Returns:
            What was lost, if anything.

        Raises:
            ExistsError: there is something. NotFoundError: the folder that it is to be in is not there. StorageError: it
                cannot be written. As `Sample.bytes`.
        """
        return export(self, self._source, "webdataset", Path(path), content=content)

    def to_hf(self, *, content: bool = True, cache_dir: str | PathLike[str] | None = None) -> Any:
        """A `datasets.Dataset` of Hugging Face; see `tables.hugging_face`. Extra `hf`.

        Args:
            content: with the bytes of the objects.
            cache_dir: where the library keeps its copy; None: where it always does.

        Raises:
            MissingExtraError: the library is not installed. As `to_parquet`.
        """
        return tables.hugging_face(
            self, self.state_digest, self._source.contents(), content=content, cache_dir=cache_dir
        )

    # --- for people and the interpreter -----------------------------------------------------------------------

    def __repr__(self) -> str:
        at = f"at {self._at}" if self._at else "now"
        return f"Dataset({self._source.name!r}, {plural(len(self), 'sample')}, {at})"

    def _repr_html_(self) -> str:
        """For notebooks: the first samples; whatever comes from the dataset is escaped."""
        rows = more = ""
        try:
            for sample in self[:REPR_ROWS]:
                cells = (sample.name, sample.media_type, f"{sample.object.size:,}", str(len(sample.annotations)))
                rows += "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
        except GonkError as error:
            more = (
                f"<p>{html.escape(error.what)}</p>"  # it was closed, or the disk fails: a notebook shows no traceback
            )
        head = "<tr><th>name</th><th>media type</th><th>bytes</th><th>annotations</th></tr>"
        if not more and len(self) > REPR_ROWS:
            more = f"<p>… and {len(self) - REPR_ROWS:,} more</p>"
        return f"<p><b>{html.escape(repr(self))}</b></p><table>{head}{rows}</table>{more}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Dataset, (self._source, self._numbers, self._at)

    def close(self) -> None:
        """Close the dataset, and all that was made of it; closing again does nothing."""
        self._source.opening.close()

    def __enter__(self) -> Dataset:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_dataset(name: str, home: str | PathLike[str] | None = None) -> Dataset:
    """Open a dataset of a node on this machine for reading; a server may run beside it.

    Args:
        name: its local name, or the first six hex digits or more of its id.
        home: the node's folder; None: GONK_HOME, else the platform's place for user data.

    Raises:
        NotFoundError: no node, or no such dataset. UsageError: the name is no text. DamagedStoreError, StorageError: as the
            stores say.
    """
    if not isinstance(name, str):
        raise UsageError(
            f"a dataset is opened by its name, not by {type(name).__name__}", hint='such as open_dataset("cells")'
        )
    root = find_home(None if home is None else Path(home)).root
    opening = Opening(root.resolve())
    try:
        with opening.lease() as opened:
            info = opened.node.known.find(name)
        source = Source(opening, info.dataset, info.name)
        return Dataset(source, source.numbers())
    except BaseException:
        opening.close()
        raise


def _name(name: object) -> str:
    """What names an object, as text; UsageError where it is nothing that does."""
    if not isinstance(name, str | UUID):
        what = f"an object is named by a text or a UUID, not by {type(name).__name__}"
        raise UsageError(what, where=repr(name)[:60], hint="dataset[0] is a sample by its number")
    return str(name)


def _milliseconds(when: object) -> int:
    """A moment, in milliseconds since 1970 UTC; UsageError where it is none."""
    if not isinstance(when, date):
        what = f"a release's tag or a time is wanted, not {type(when).__name__}"
        raise UsageError(
            what, where=repr(when)[:60], hint='such as at("v1.0"), at("2026-01-31"), at(date(2026, 1, 31))'
        )
    moment = when if isinstance(when, datetime) else datetime.combine(when, time(), UTC)
    if moment.tzinfo is None:
        raise UsageError("a time without its zone", where=str(when), hint="such as datetime(2026, 1, 31, tzinfo=UTC)")
    return (moment - _EPOCH) // timedelta(milliseconds=1)

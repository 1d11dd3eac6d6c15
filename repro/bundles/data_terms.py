"""What data a study used: digests, terms of use and where to ask. Never the data themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

from repro.data import catalogue
from repro.data.catalogue import Entry
from repro.records.records import BriefRecord

NAMES = {"mit_h5": "mit"}  # of catalogue entries that are not called like their source
OWN = (
    "This program draws them: source, parameters and seed stand in the study file. They are under "
    "the program's licence (MIT)."
)
PACKED = (
    "A file in the layout of MIT's train_face.h5. Of that file itself: {}. Of a file that somebody "
    "packed (`repro data prepare`): those of its pictures; ask the sender."
)
UNKNOWN = (
    "Files of whoever ran the study, which the catalogue of data sets does not list: ask the "
    "sender for them and for their terms."
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One part of the data of some runs.

    Attributes:
        role: ``train``, ``test``, ``nonfaces`` or ``crops``.
        source: Name of the source, as a study names it.
        digest: Of the content, as the records have it.
        entry: Of the catalogue; None for synthetic data and for files of one's own.
    """

    role: str
    source: str
    digest: str
    entry: Entry | None

    @property
    def identifier(self) -> str:
        """Its name in the crate."""
        return f"#data-{self.role}-{self.digest[:16] or 'unknown'}"

    @property
    def terms(self) -> str:
        """What may be done with it, in words."""
        if self.source == "synthetic":
            return OWN
        if self.entry is None:
            return UNKNOWN
        return PACKED.format(self.entry.terms) if self.may_be_packed else self.entry.terms

    @property
    def may_be_packed(self) -> bool:
        """Whether it has the layout of a published file, which people use for their own."""
        return self.source in NAMES

    @property
    def where(self) -> str | None:
        """Where to ask for it, or to download it."""
        if self.entry is None:
            return None
        where = self.entry.ask or self.entry.url
        return f"{where} (MIT's file)" if self.may_be_packed else where


def of_runs(found: Mapping[str, BriefRecord]) -> list[Dataset]:
    """The different parts of the data of some runs, in the order of the runs."""
    entries = catalogue.read()
    different: dict[tuple[str, str, str], Dataset] = {}
    for record in found.values():
        for role, source, digest in parts(record):
            one = Dataset(role, source, digest, entries.get(NAMES.get(source, source)))
            different.setdefault((role, source, digest), one)
    return list(different.values())


def parts(record: BriefRecord) -> list[tuple[str, str, str]]:
    """Role, source and digest of each part of a run's data."""
    data = record.configuration.get("data")
    sources = data if isinstance(data, Mapping) else {}
    found = []
    for role, digest in record.data.items():
        spec = sources.get(role)
        source = spec.get("source") if isinstance(spec, Mapping) else None
        found.append((role, str(source or "unknown"), digest))
    return found


def text(datasets: list[Dataset]) -> str:
    """``data/TERMS.md``: each data set, its digest, its terms, and where to ask."""
    lines = [
        "# The data of this study",
        "",
        "The data are not in this bundle. Each part is named by the digest of its content, which "
        "is part of the names of the runs: other content gives other names.",
        "",
    ]
    for one in datasets:
        lines += [f"## {one.role}: {one.source}", "", f"- digest: `{one.digest}`"]
        if one.entry and not one.may_be_packed:
            lines.append(f"- what: {one.entry.what}")
        lines.append(f"- terms: {one.terms}")
        if one.where:
            lines.append(f"- where: {one.where}")
        lines.append("")
    lines += [
        "## This bundle",
        "",
        "Records, tables and report belong to whoever ran the study; no licence of theirs is "
        "stated here: ask the sender. The program is under the MIT licence.",
        "",
    ]
    return "\n".join(lines)

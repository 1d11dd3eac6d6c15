"""Numbers of the tables and figures of a document."""

from dataclasses import dataclass

from repro.reporting.tables.table_part import Part


@dataclass(slots=True)
class Numbers:
    """Counts the tables and figures of the document."""

    tables: int = 0
    figures: int = 0

    def table(self, part: Part) -> int | None:
        """The next number, for a part with rows."""
        if not len(part.table):
            return None
        self.tables += 1
        return self.tables

    def figure(self) -> int:
        """The next number."""
        self.figures += 1
        return self.figures

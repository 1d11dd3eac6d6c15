"""The ASGI application of the pages of studies: it answers from records, and only reads."""

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from repro.records.mlflow import page_links
from repro.records.mlflow.request_rules import STUDIES
from repro.reporting.site import listing, pages
from repro.reporting.site.listing import Entry
from repro.reporting.site.maker import Maker, Wish

PATIENCE = 3.0  # seconds that a request waits for a page, before it says that it is being made
AGAIN = b"2"  # seconds after which a browser asks again

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


class Studies:
    """Answers the paths that begin with `listing.STUDIES`."""

    def __init__(self, results: Path, maker: Maker) -> None:
        """Serve the studies of a results folder.

        Args:
            results: The results folder.
            maker: Makes the pages.
        """
        self._results, self._maker = results, maker

    async def __call__(self, scope: MutableMapping[str, Any], _receive: Any, send: Send) -> None:
        """Answer a request."""
        path: str = scope["path"]
        await _give(send, *await asyncio.to_thread(self._answer, path))

    def _answer(self, path: str) -> tuple[int, bytes, list[Header]]:
        """Status, body and headers."""
        if path == STUDIES:
            return self._start()
        name, _, rest = path.removeprefix(STUDIES).partition("/")
        variant, slash, file = rest.partition("/")
        entry = listing.find(self._results, unquote(name), unquote(variant)) if slash else None
        if entry is None:
            return _html(pages.unknown(path), status=404)
        if entry.index is None:
            return _html(pages.broken(entry, entry.fault))
        return self._study(entry, file)

    def _start(self) -> tuple[int, bytes, list[Header]]:
        rows = []
        for entry in listing.entries(self._results):
            summary, link = None, ""
            if entry.index is not None:
                wish = Wish("summary", entry.name, entry.variant)
                summary = self._maker.get(wish, entry.stamp)
                link = page_links.of_study(self._results, entry.index).study
            rows.append(pages.Row(entry, summary, link))
        is_ready = all(row.summary is not None or row.entry.index is None for row in rows)
        return _html(pages.start(rows, self._results.name), again=not is_ready)

    def _study(self, entry: Entry, file: str) -> tuple[int, bytes, list[Header]]:
        wish = Wish("page", entry.name, entry.variant)
        made = self._maker.get(wish, entry.stamp, patience=PATIENCE)
        if made is None:
            return _html(pages.waiting(entry, self._maker.progress(wish)), again=True)
        if made.fault:
            return _html(pages.broken(entry, made.fault))
        if not file:
            return _html(made.content)
        if file not in made.files:
            return _html(pages.unknown(f"{entry.path}{file}"), status=404)
        kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
        headers = [(b"content-type", kind.encode()), (b"content-disposition", b"attachment")]
        return 200, made.files[file], headers


def _html(text: str, *, status: int = 200, again: bool = False) -> tuple[int, bytes, list[Header]]:
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]
    if again:
        headers.append((b"refresh", AGAIN))
    return status, text.encode(), headers


async def _give(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})

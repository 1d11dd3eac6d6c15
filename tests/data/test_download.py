"""Downloads, from a server on this machine."""

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from repro.cli.data import data
from repro.data import catalogue, download
from repro.data.catalogue import Entry
from repro.data.sources import RAW
from repro.errors import DataError
from repro.system import atomic_files

CONTENT = np.random.default_rng(0).bytes(3_000_000)
PIECE = download.PIECE
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Hands out the content; how well is to be set.

    Attributes:
        cuts: Bytes after which each of the next answers breaks off.
        ranges: Whether it hands out parts.
        asked: Ranges that it was asked for.
    """

    daemon_threads = False  # its end waits for them, so that no socket is left open

    def __init__(self):
        """Nothing was asked yet."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.cuts, self.ranges, self.asked, self.content = [], True, [], CONTENT

    def handle_error(self, *_):
        """A client that has seen enough hangs up."""

    @property
    def url(self):
        """Of the content."""
        return f"http://127.0.0.1:{self.server_port}/data.bin"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    timeout = 5

    def do_GET(self):
        """The content, or its rest, or as much as is to come before the cut."""
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        if self.path != "/data.bin":
            self.send_error(404)
            return
        whole = self.server.content
        if not self.server.ranges:
            start = 0
        if start and start >= len(whole):
            self.send_error(416)
            return
        rest = whole[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        self.end_headers()
        cut = self.server.cuts.pop(0) if self.server.cuts else len(rest)
        self.wfile.write(rest[:cut])
        self.close_connection = True

    def log_message(self, *_):
        """Nothing is printed."""


@pytest.fixture
def server(monkeypatch):
    """It runs until the end of the test; no proxy is asked for it."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def entry(url, **changes):
    """What the catalogue would say of the content."""
    said = {"url": url, "file": "data.bin", "size": len(CONTENT), "sha256": SHA256}
    return Entry(what="numbers", terms="none", **{**said, **changes})


def listing(folder):
    """Names of all that is there."""
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_whole_and_checked(server, tmp_path):
    """Size and hash are as the catalogue says; nothing else is left in the folder."""
    fetched = download.fetch(entry(server.url), tmp_path / "new")

    assert (tmp_path / "new" / "data.bin").read_bytes() == CONTENT
    assert (fetched.sha256, fetched.is_checked, fetched.was_there) == (SHA256, True, False)
    assert listing(tmp_path / "new") == ["data.bin"]


def test_a_download_goes_on_after_cuts(server, tmp_path):
    """Each try asks for the rest alone."""
    server.cuts = [20 * PIECE, 10 * PIECE + 5]
    download.fetch(entry(server.url), tmp_path)

    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.asked[0] is None
    assert server.asked[1:] == [f"bytes={20 * PIECE}-", f"bytes={30 * PIECE}-"]


def test_another_command_goes_on_where_the_last_one_gave_up(server, tmp_path):
    """What had come is kept, and what to do is said."""
    server.cuts = [PIECE] * download.TRIES
    with pytest.raises(
        DataError, match=r"262,144 of 3,000,000 bytes arrived, then no more .*continues"
    ):
        download.fetch(entry(server.url), tmp_path)
    assert listing(tmp_path) == ["data.bin.part"]
    download.fetch(entry(server.url), tmp_path)

    assert server.asked[-1] == "bytes=262144-"
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert listing(tmp_path) == ["data.bin"]


def test_a_server_that_hands_out_no_parts_is_asked_for_all(server, tmp_path):
    """What had come is thrown away; nothing is doubled."""
    server.ranges = False
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:1000])
    download.fetch(entry(server.url), tmp_path)

    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_part_that_is_the_whole_is_only_checked(server, tmp_path):
    """The end of the last try was too late by a moment."""
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    download.fetch(entry(server.url), tmp_path)

    assert server.asked == []
    assert listing(tmp_path) == ["data.bin"]


def test_a_part_of_something_longer_is_thrown_away(server, tmp_path):
    """It cannot be a part of this."""
    (tmp_path / "data.bin.part").write_bytes(CONTENT + b"more")
    download.fetch(entry(server.url), tmp_path)

    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_another_content_is_removed_and_told(server, tmp_path):
    """A part of one file and the rest of another is neither."""
    (tmp_path / "data.bin.part").write_bytes(b"x" * 1000)

    with pytest.raises(
        DataError, match=r"the SHA-256 of the download is not the catalogue's, .*was removed"
    ):
        download.fetch(entry(server.url), tmp_path)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("size", [2_999_999, 3_000_001])
def test_another_size_is_told_before_anything_comes(server, tmp_path, size):
    """The file was replaced, or the address is another's."""
    with pytest.raises(DataError, match=f"sends 3,000,000 bytes or more, .* says {size:,}"):
        download.fetch(entry(server.url, size=size), tmp_path)
    assert listing(tmp_path) == []


def test_a_missing_page_is_told(server, tmp_path):
    """With the server's own number."""
    url = server.url.replace("data.bin", "gone.bin")

    with pytest.raises(DataError, match=r"gone\.bin: the server answers 404 Not Found; try again"):
        download.fetch(entry(url), tmp_path)
    assert listing(tmp_path) == []


def test_no_server_is_told(server, tmp_path):
    """After as many tries as after cuts."""
    url = server.url
    server.server_close()

    with pytest.raises(DataError, match=r"0 of 3,000,000 bytes arrived, then no more \(Connection"):
        download.fetch(entry(url.replace("127.0.0.1", "127.0.0.2")), tmp_path)


def test_a_file_that_is_there_is_not_asked_for(server, tmp_path):
    """If it is the one that is meant."""
    (tmp_path / "data.bin").write_bytes(CONTENT)
    fetched = download.fetch(entry(server.url), tmp_path)

    assert fetched.was_there
    assert server.asked == []


@pytest.mark.parametrize(
    ("content", "what"), [(b"x", "1 bytes, not the 3,000,000"), (CONTENT[::-1], "SHA-256 ")]
)
def test_another_file_of_that_name_stays(server, tmp_path, content, what):
    """Somebody may need it."""
    (tmp_path / "data.bin").write_bytes(content)

    with pytest.raises(DataError, match=f"data.bin: exists, but has {what}"):
        download.fetch(entry(server.url), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == content


def test_too_small_a_disk_is_told_before_anything_comes(server, tmp_path, monkeypatch):
    """An hour later would be too late."""
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: SimpleNamespace(free=1))

    with pytest.raises(atomic_files.CannotWrite, match="3,000,000 bytes are needed and 1 are free"):
        download.fetch(entry(server.url), tmp_path)
    assert server.asked == []


def fetch(*words):
    """What the command prints; a mistake is raised."""
    result = CliRunner().invoke(data, ["fetch", *map(str, words)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_a_hash_that_nobody_published_is_printed(server, tmp_path):
    """And it is said that only the size was checked."""
    (tmp_path / "c.yaml").write_text(
        f"mine: {{what: numbers, terms: none, url: '{server.url}', file: data.bin, "
        f"size: {len(CONTENT)}, sha256: null}}\n"
    )
    said = fetch("mine", "--catalogue", tmp_path / "c.yaml", "--to", tmp_path)

    assert said.splitlines()[-2:] == [
        f"{tmp_path / 'data.bin'}: downloaded",
        f"sha256 {SHA256}: not checked, because none is published; the size is right",
    ]


def test_what_may_not_be_downloaded_is_asked_for():
    """Where, and on what terms."""
    said = fetch("ppb")

    assert "  terms: handed out on request, for research\n" in said
    assert "  where: ask the authors of Gender Shades, http://gendershades.org\n" in said


def test_the_catalogue_is_listed():
    """Every data set, with its terms."""
    listed = fetch("--list")

    assert [line.split(":")[0] for line in listed.splitlines() if line[0] != " "] == [
        *("mit", "ppb", "celeba", "imagenet", "fairface", "utkface"),
        *("fhibe", "mst_e", "facet", "bfw", "rfw"),
    ]
    assert fetch() == listed


def test_an_unknown_name_gets_the_closest():
    """A slip is corrected."""
    with pytest.raises(DataError, match=r"'fareface' is not in .* Did you mean fairface\?"):
        fetch("fareface")


def test_mits_file_is_known_by_its_size_alone():
    """Its hash is not published."""
    mit = catalogue.read()["mit"]

    assert (mit.size, mit.sha256) == (1_263_889_489, None)


def test_sources_of_training_images_have_their_terms_in_the_catalogue():
    """What is prepared carries them on."""
    assert {kind.catalogued for kind in RAW.values() if kind.catalogued} <= set(catalogue.read())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "cannot be read as YAML"),
        ("a: {what: x, terms: y}", "a: Value error, an entry has either ask, or url with file"),
        ("a: {what: x, terms: y, ask: z, size: 3}", "an entry has either ask, or url with file"),
        ("a: {what: x, terms: y, ask: z, extra: 3}", "a.extra: Extra inputs are not permitted"),
        ("a: {what: x, terms: y, url: 'http://x', file: ../a, size: 3}", "a.file: String should"),
        ("a: {what: x, terms: y, url: 'file:///a', file: a, size: 3}", "a.url: String should"),
    ],
)
def test_a_wrong_catalogue_is_named(tmp_path, content, message):
    """A file of one's own may have mistakes, and leads to no file of this machine."""
    (tmp_path / "c.yaml").write_text(content)

    with pytest.raises(DataError, match=re.escape(message)):
        catalogue.read(tmp_path / "c.yaml")

"""A user's own tables and folders, as spreadsheets and telephones leave them."""

import shlex
import sys

import pytest
from click.testing import CliRunner
from data_layouts import fairface, noise, put, write_ppb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from repro.cli.data import data
from repro.data import any_layout, raw_sources, sources
from repro.data.pictures import picture_files, picture_formats, picture_table
from repro.data.sources import labels_csv
from repro.data.sources.source_registry import RawOptions
from repro.errors import DataError
from repro.study.data_spec import Data, FairFace, Folder, Groups, MitH5, Ppb, Table
from repro.system import csv_file

PLAIN = "path,label,group\na.png,1,darker\ndeep/b.png,0,\ndeep/c d.png,1,lighter\n"
LINE_TWO = "a.png,1,darker"


@pytest.fixture
def place(tmp_path):
    """A folder of three pictures, for a table beside them."""
    for number, name in enumerate(("a.png", "deep/b.png", "deep/c d.png")):
        put(tmp_path / "mine" / name, number)
    return tmp_path / "mine"


def wrote(place, text, *, encoding="utf-8"):
    """The table of a text."""
    path = place / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def said(*words):
    """What `repro data` prints; a mistake is raised."""
    result = CliRunner().invoke(data, [*map(str, words)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def prepared(path):
    """Labels by name, as `prepare` reads a table."""
    read = raw_sources.read(f"csv:{path}", RawOptions(part="all", without=(), seed=0))
    return {picture.name: picture.label for picture in read.pictures}


SPELLINGS = {
    "capitals": PLAIN.replace("path,label,group", "Path,Label,GROUP"),
    "blanks": PLAIN.replace(",", " , "),
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "Excel's own first line": "sep=;\n" + PLAIN.replace(",", ";"),
    "byte order mark": "\ufeff" + PLAIN,
    "lines of Windows": PLAIN.replace("\n", "\r\n"),
    "blank rows": PLAIN.replace("\n", "\n,,\n\n   \n"),
    "empty columns": PLAIN.replace("\n", ",,\n"),
    "an index": "\n".join(f"{i},{line}" for i, line in enumerate(PLAIN.splitlines())),
    "another column": "\n".join(f"{line},x" for line in PLAIN.splitlines()),
    "a dot": PLAIN.replace("a.png", "./a.png").replace("deep/", "./deep/./"),
    "backslashes": PLAIN.replace("deep/", "deep\\"),
    "numbers": PLAIN.replace(",1,", ",1.0,").replace(",0,", ",0.00,"),
    "numbers of Germany": PLAIN.replace(",", ";").replace(";1;", ";1,0;").replace(";0;", ";0,0;"),
    "truth": PLAIN.replace(",1,", ",TRUE,").replace(",0,", ",False,"),
    "words": PLAIN.replace(",1,", ",yes,").replace(",0,", ",No,"),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_table_says_the_same_however_a_spreadsheet_saved_it(place, name):
    """Names, labels and groups are those of the plain table."""
    expected = labels_csv.entries(wrote(place, PLAIN))

    assert labels_csv.entries(wrote(place, SPELLINGS[name])) == expected
    assert labels_csv.entries(place / "mine.csv", groups=("group",)) == expected


def test_a_table_in_sixteen_bits_is_read(place):
    """As Excel's 'Unicode text' is; its byte order mark says so."""
    expected = labels_csv.entries(wrote(place, PLAIN))

    assert labels_csv.entries(wrote(place, PLAIN.replace(",", "\t"), encoding="utf-16")) == expected


def test_a_table_of_an_unknown_encoding_is_refused_with_what_to_do(place):
    """Nobody guesses which letters were meant."""
    path = wrote(place, PLAIN.replace("darker", "foncée"), encoding="cp1252")

    with pytest.raises(DataError) as caught:
        labels_csv.entries(path)
    assert str(caught.value) == (
        f"{path}:2: is not UTF-8: save it as CSV in UTF-8 (in Excel: 'CSV UTF-8')"
    )


@given(
    st.lists(st.lists(st.text("ab c\"'éß|", min_size=1), min_size=2, max_size=4), min_size=1),
    st.sampled_from(csv_file.SEPARATORS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_cells_come_back_whatever_separates_them(tmp_path, cells, mark, encoding):
    """Quotes, letters and inner blanks as they were; outer blanks and blank rows are dropped."""
    lines = [["first", "x", "y", "last"], *([*row, *[""] * (4 - len(row))] for row in cells)]
    text = "\n".join(mark.join('"' + c.replace('"', '""') + '"' for c in row) for row in lines)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    expected = [[cell.strip() for cell in row] for row in lines]

    assert [found for _, found in csv_file.read(tmp_path / "t.csv", most_bytes=10**6)] == [
        row for row in expected if any(row)
    ]


@pytest.mark.parametrize(
    "read",
    [
        prepared,
        lambda path: any_layout.read(path, kind=None, groups=()),
        lambda path: sources.portraits(Table(path=str(path))),
        lambda path: labels_csv.read(path, label=0),
    ],
    ids=["prepare", "info", "test", "nonfaces"],
)
@pytest.mark.parametrize("name", ["labels", "is_face", "Lable", "true_label", "la-bel", "Target"])
def test_a_column_that_may_be_the_labels_is_refused(place, read, name):
    """It would make every row a face, in silence."""
    path = wrote(place, PLAIN.replace("label", name))

    with pytest.raises(DataError, match=rf"mine\.csv:1: no column 'label'; did you mean '{name}'"):
        read(path)


def test_a_column_that_is_named_as_a_group_is_no_label(place):
    """Whoever says what it is may call it as he likes."""
    path = wrote(place, PLAIN.replace("label", "face"))

    assert labels_csv.read(path, label=1, groups=("face",)).groups == ("1", "0", "1")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("filename,label,group", "no column 'path'; the columns are filename, label, group. Did y"),
        ("path,label,groups", "no column 'group'; did you mean 'groups'? Rename it to 'group'"),
        ("path,label,Group,group ", "more than one column 'group'; keep one"),
    ],
)
def test_a_header_that_is_not_understood_is_refused(place, header, message):
    """With the line and what to do."""
    path = wrote(place, f"{header}\na.png,1,x{',y' * (header.count(',') - 2)}\n")

    with pytest.raises(DataError, match=rf"mine\.csv:1: {message.replace('?', '.')}"):
        labels_csv.entries(path)


def test_columns_that_are_not_read_are_named(place):
    """They may make groups; and a table without labels says what is taken for granted."""
    path = wrote(place, "path,group,country,,year\na.png,x,Chile,,1999\n")
    taken = f"{path}: no column 'label', so that every row is taken to be 1"
    unread = f"{path}: columns that are not read, but could make groups: "

    assert labels_csv.remarks(path) == (taken, f"{unread}country, year")
    assert labels_csv.remarks(path, groups=("country",)) == (taken, f"{unread}group, year")
    assert "  columns that are not read, but could make groups: country, year\n" in said(
        "info", path
    )


def test_all_missing_pictures_are_told_at_once(place):
    """The first ten with their lines, and how many there are."""
    rows_of = "".join(f"gone/{number}.png,1,x\n" for number in range(12))
    path = wrote(place, PLAIN + rows_of)

    with pytest.raises(DataError) as caught:
        labels_csv.entries(path)
    first, *told, last = str(caught.value).splitlines()
    assert first == f"{path}: 12 rows are wrong:"
    assert told == [
        f"  {path}:{number + 5}: no picture {place}/gone/{number}.png for this row"
        for number in range(10)
    ]
    assert last == "  and 2 more"


@pytest.mark.parametrize("lay", [write_ppb, fairface])
def test_missing_pictures_of_a_published_set_are_told_at_once(tmp_path, lay):
    """As those of a user's own table."""
    pictures = [file for file in lay(tmp_path / "set").rglob("*.*g") if file.is_file()]
    for file in pictures:
        file.unlink()
    spec = (Ppb if lay is write_ppb else FairFace)(path=str(tmp_path / "set"))

    with pytest.raises(DataError) as caught:
        sources.portraits(spec)
    assert str(caught.value).count(": no picture ") == len(pictures) > 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("C:\\mine\\a.png,1,x", "no picture C:\\mine\\a.png here; begin at the folder of the tab"),
        ("path,label,group", "the header again; remove this line"),
        ("a.png,1", "2 cells, but the header has 3 columns"),
    ],
)
def test_a_row_that_is_not_understood_is_refused(place, line, message):
    """With its line and what is wrong."""
    path = wrote(place, PLAIN.replace(LINE_TWO, line))

    with pytest.raises(DataError) as caught:
        labels_csv.entries(path)
    assert str(caught.value).startswith(f"{path}:2: {message}")


def test_pictures_may_lie_anywhere(place):
    """Whoever names his table means what is in it; names begin at its folder all the same."""
    other = put(place.parent / "elsewhere" / "x.png", 9)
    path = wrote(place, f"path\n{place}/a.png\n{other}\n../elsewhere/../mine/deep/b.png\n")
    read = labels_csv.read(path, label=1)

    assert read.names == ("a.png", "../elsewhere/x.png", "deep/b.png")
    assert [read.read(index).shape for index in range(3)] == [(100, 80, 3)] * 3


def test_a_picture_elsewhere_is_part_of_the_data(place):
    """Its bytes change the digest, as those of all others do."""
    other = put(place.parent / "x.png", 9)
    spec = Table(path=str(wrote(place, "path,group\n../x.png,x\n")))
    before = sources.fingerprint(spec)
    put(other, 10)

    assert sources.fingerprint(spec) != before


def people(root):
    """Groups, people, pictures; and files that are no pictures."""
    for number, name in enumerate(("Dark er/p/1.png", "Dark er/q/1.png", "light/2.png")):
        put(root / name, number)
    for name in ("light/3.GIF", "light/p.raw", "light/q.RAW", ".hidden"):
        (root / name).touch()
    return root


def test_folders_of_groups_are_a_test_set(tmp_path):
    """A study reads them as `info` does: the outer folder is the group, pictures stay whole."""
    test = Data(
        train="synthetic",
        test={"source": "groups", "path": str(people(tmp_path))},
        nonfaces="synthetic",
    ).test
    found = sources.portraits(test)
    looked_at = any_layout.read(tmp_path, kind=None, groups=())

    assert found.groups == looked_at.groups == ("dark_er", "dark_er", "light")
    assert found.names == looked_at.names
    assert found.read(0).shape == (100, 80, 3)


def test_a_path_to_a_csv_alone_is_a_table():
    """For the test pictures and for those without a face."""
    spec = Data(train="synthetic", test="a/mine.CSV", nonfaces="mine.csv")

    assert (spec.test.source, spec.nonfaces.source) == ("csv", "csv")


def test_a_folder_that_is_not_ppb_is_told_what_else_to_say(tmp_path):
    """A path alone stands for PPB."""
    with pytest.raises(DataError, match=r"use data\.test=\{source: groups, path: .*\}"):
        sources.fingerprint(Data(train="synthetic", test=str(people(tmp_path)), nonfaces="x").test)


def test_a_table_to_train_on_comes_with_the_command_that_prepares_it(place, monkeypatch):
    """The very command does it."""
    monkeypatch.chdir(place)
    wrote(place, PLAIN)
    with pytest.raises(DataError) as caught:
        sources.fingerprint(MitH5(path="mine.csv"))
    _, command, rest = str(caught.value).split("`")
    said(*shlex.split(command)[2:])

    assert rest == " and give data.train=mine.h5"
    assert len(sources.training_images(MitH5(path="mine.h5")).images) == 3


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (("Faces", "non-faces"), "faces:{0}/Faces nonfaces:{0}/non-faces"),
        (("a", "b"), "faces:{0} nonfaces:FOLDER"),
    ],
)
def test_a_folder_to_train_on_comes_with_the_command_that_prepares_it(tmp_path, folders, words):
    """With the folders of faces and others, where they are called so."""
    for name in folders:
        put(tmp_path / name / "a.png", 0)

    with pytest.raises(DataError, match=f"`repro data prepare {words.format(tmp_path)} "):
        sources.training_images(MitH5(path=str(tmp_path)))


TOLD = "7 files, 4 pictures read, 3 not: 2 .raw, 1 .gif"


def test_files_that_are_left_out_are_counted_by_suffix(tmp_path):
    """In whatever case; by info, prepare, and a study that reads them."""
    root = people(tmp_path / "own")
    put(root / "x.PNG", 7)
    others = put(tmp_path / "others" / "y.png", 8).parent
    spec = Data(train="synthetic", test="synthetic", nonfaces=str(root))

    assert f"  {TOLD}\n" in said("info", root)
    assert "left out: 2 .raw, 1 .gif;" in said(
        "prepare", f"faces:{root}", f"nonfaces:{others}", tmp_path / "o.h5"
    )
    assert sources.remarks(spec) == [f"{root}: {TOLD}"]


def test_nothing_is_said_of_a_folder_of_pictures_alone(place):
    """A remark that is always there is not read."""
    assert sources.remarks(Data(train="synthetic", test="synthetic", nonfaces=str(place))) == []


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_of_an_animated_picture_the_first_frame_is_read(tmp_path, suffix):
    """Whatever the format."""
    first = noise(1)
    file = tmp_path / f"a{suffix}"
    first.save(file, save_all=True, append_images=[noise(2)], lossless=True)

    assert (picture_files.read_picture(file) == first).all()


def test_avif_is_read_where_pillow_can(tmp_path):
    """And where it cannot, it is counted with what to do."""
    put(tmp_path / "a.png", 0)
    if ".avif" in picture_formats.suffixes():
        noise(1).save(tmp_path / "b.avif")
        assert picture_files.read(tmp_path).read(1).shape == (100, 80, 3)
    else:
        (tmp_path / "b.avif").touch()
        assert (
            "1 .avif (to read them: pip install 'pillow>=11.3')"
            in picture_files.remarks(tmp_path)[0]
        )


DECODER = """
from PIL import Image, PngImagePlugin

class Heif(PngImagePlugin.PngImageFile):
    format = "HEIF"

    def _open(self):
        assert self.fp.read(4) == b"HEIC"
        import io
        self.fp = io.BytesIO(self.fp.read())
        super()._open()

def register_heif_opener():
    Image.register_open("HEIF", Heif, lambda prefix: prefix.startswith(b"HEIC"))
"""


@pytest.fixture
def phone(tmp_path):
    """A folder with one picture of a telephone, in a format that a decoder of ours reads."""
    put(tmp_path / "own" / "a.png", 0)
    put(tmp_path / "b.png", 1)
    (tmp_path / "own" / "b.HEIC").write_bytes(b"HEIC" + (tmp_path / "b.png").read_bytes())
    return tmp_path / "own"


@pytest.fixture
def without_decoder(monkeypatch):
    """As on a machine without pillow-heif."""
    monkeypatch.setattr(picture_formats, "_heic", lambda: None)
    picture_formats.suffixes.cache_clear()
    yield
    picture_formats.suffixes.cache_clear()


@pytest.fixture
def with_decoder(tmp_path, monkeypatch):
    """A decoder by the name of pillow-heif, installed for one test."""
    site = tmp_path / "site"
    (site / "pillow_heif-7.8.9.dist-info").mkdir(parents=True)
    (site / "pillow_heif-7.8.9.dist-info" / "METADATA").write_text(
        "Name: pillow-heif\nVersion: 7.8.9"
    )
    (site / "pillow_heif.py").write_text(DECODER)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(sys.modules, "pillow_heif")
    monkeypatch.setattr(Image, "ID", Image.ID.copy())
    monkeypatch.setattr(Image, "OPEN", Image.OPEN.copy())
    caches = (picture_formats.suffixes.cache_clear, picture_formats._heic.cache_clear)
    for clear in caches:
        clear()
    yield
    for clear in caches:
        clear()


def test_pictures_of_telephones_are_counted_without_their_decoder(phone, without_decoder):
    """With what to install; one by itself is refused with the same words."""
    assert picture_files.remarks(phone) == (
        f"{phone}: 2 files, 1 pictures read, 1 not: 1 .heic (to read them: pip install "
        "pillow-heif)",
    )
    with pytest.raises(DataError, match="pip install pillow-heif"):
        picture_files.read_picture(phone / "b.HEIC")


def test_pictures_of_telephones_are_read_with_their_decoder(phone, with_decoder):
    """Only under names that say so."""
    read = picture_files.read(phone)
    (phone / "c.jpg").write_bytes((phone / "b.HEIC").read_bytes())

    assert read.names == ("a.png", "b.HEIC")
    assert (read.read(1) == noise(1)).all()
    with pytest.raises(DataError, match="the picture cannot be read"):
        picture_files.read_picture(phone / "c.jpg")


def test_the_decoder_is_part_of_the_data_that_it_decodes(phone, with_decoder, monkeypatch):
    """Another release may read other pixels; what Pillow alone reads keeps its digest."""
    with_heic = sources.fingerprint(Folder(path=str(phone)))
    alone = Groups(path=str(put(phone.parent / "other" / "g" / "a.png", 0).parent.parent))
    without_heic = sources.fingerprint(alone)
    monkeypatch.setattr(picture_formats, "_heic", lambda: "8.0")

    assert sources.fingerprint(Folder(path=str(phone))) != with_heic
    assert sources.fingerprint(alone) == without_heic


def test_rows_of_a_published_table_stay_in_its_folder(place):
    """Its author is not the user."""
    for name in ("../mine/a.png", f"{place}/a.png", "./a.png"):
        with pytest.raises(DataError, match="no picture"):
            picture_table.picture(name, "t.csv:2", place)


def test_a_study_says_once_what_it_leaves_out(tmp_path):
    """Before its first run, whatever the number of its arms and runs."""
    from faults import studies  # loads torch

    (put(tmp_path / "others" / "a.png", 0).parent / "b.GIF").touch()
    file = studies.toy(tmp_path / "study", replicates=2, keep=2)
    override = f"data.nonfaces={tmp_path / 'others'}"
    with studies.canned():
        watcher = studies.run_here(file, tmp_path / "results", overrides=(override,))

    assert [line for line in watcher.remarks if ".gif" in line] == [
        f"{tmp_path / 'others'}: 2 files, 1 pictures read, 1 not: 1 .gif"
    ]

"""Small copies of published test sets in the exact layouts in which they are handed out."""

import csv
import io

from data_layouts import put

FHIBE_VERSION = "20250716.u.gT5_rFTA"
FHIBE = f"fhibe.{FHIBE_VERSION}_downsampled_public"
FHIBE_FACES = (  # subject, picture, then the columns of `FHIBE_COLUMNS`
    ("s1", "i1", "24", "['1. He/him/his']", "['11. Asia']", 2, 3, "pakistan"),
    (
        "s2",
        "i2",
        "63",
        "['0. She/her/hers', '2. They/them/their']",
        "['0. Africa']",
        0,
        0,
        "Keenya",
    ),
    ("s2", "i3", "63", "['0. She/her/hers', '2. They/them/their']", "['0. Africa']", 0, 1, "Kenya"),
    (
        *("s3", "i4", "30", "['0. She/her/hers']"),
        *("['0. Africa', '4. Southern Africa', '17. Europe']", 5, 5, "vietnam"),
    ),
)
FHIBE_COLOURS = (  # as the tables write them, by their number
    *("0. [102, 78, 65]", "1. [136, 105, 81]", "2. [164, 131, 103]"),
    *("3. [175, 148, 120]", "4. [189, 163, 137]", "5. [198, 180, 157]"),
)
FHIBE_COLUMNS = (
    *("image_id", "filepath", "subject_id", "is_primary", "age", "pronoun", "ancestry"),
    *("natural_skin_color", "apparent_skin_color", "location_country", "consent", "segments"),
)
LONG = "[{'x': 1, 'y': 2}, " * 9000  # more characters than Python's reader of CSV takes by itself


def lines_of(rows):
    """Rows as a CSV with a byte order mark, as pandas or a spreadsheet writes it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def write(path, rows):
    """A table of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lines_of(rows))
    return path


def fhibe(root, *, people=FHIBE_FACES, gone=(), folder=FHIBE):
    """FHIBE's aligned faces; the pictures of `gone` were withdrawn."""
    rows, base = [FHIBE_COLUMNS], root / folder
    for number, (who, picture, age, pronoun, ancestry, natural, apparent, place) in enumerate(
        people
    ):
        file = f"faces_crop_and_align_{picture}_{who}.png"
        name = f"data/raw/fhibe_downsampled/{who}/{picture}/{file}"
        if picture not in gone:
            put(base / name, number, width=96, height=96)
        skin = (FHIBE_COLOURS[natural], FHIBE_COLOURS[apparent])
        said = (age, pronoun, ancestry, *skin, place, "True", LONG)
        rows.append((f"{picture}_{who}", name, who, "True", *said))
    name = "fhibe_face_crop_align"
    write(base / "data" / "processed" / name / f"{name}.csv", rows)
    return base


def fhibe_people(
    root, *, boxes=("[10, 20, 60, 90]", "[80, 5, 50, 80]"), faces=("[1, 2, 3, 4]",) * 2
):
    """FHIBE's whole pictures: two persons in one of 160 x 120, a row each."""
    base = root / FHIBE
    name = "data/raw/fhibe_downsampled/s1/i1/main_i1.png"
    put(base / name, 1, width=160, height=120)
    rows = [("image_id", "filepath", "subject_id", "person_bbox", "face_bbox", "pronoun")]
    rows[0] += ("apparent_skin_color", "multiple_subjects")
    for who, box, face, colour in zip(("s1", "s2"), boxes, faces, (0, 5), strict=True):
        rows.append(("i1", name, who, box, face, "['1. He/him/his']", FHIBE_COLOURS[colour], "1"))
    write(base / "data" / "processed" / "fhibe_downsampled" / "fhibe_downsampled.csv", rows)
    return base


MST_E = (
    ("subject_0", "a1.jpg", 4, "frontal", "well_lit", 0),
    ("subject_0", "a2.mp4", 4, "video", "well_lit", 0),
    ("subject_5", "b1.JPG", 7, "side", "poorly_lit", 1),
    ("subject_6", "c1.jpg", 4, "frontal", "well_lit", 0),
    ("subject_6", "c2.dng", 4, "frontal", "well_lit", 0),
)
MST_E_HEADER = ("subject_name", "image_ID", " MST", "pose", " lighting", "mask")


def mst_e(root, *, rows=MST_E, header=MST_E_HEADER):
    """MST-E as its archive unpacks; names of columns have blanks, and one suffix another case."""
    base = root / "mst-e_data"
    for number, (subject, picture, *_) in enumerate(rows):
        if picture.lower().endswith("jpg"):
            put(base / subject / picture.replace("JPG", "jpg"), number)
        else:
            (base / subject / picture).write_bytes(b"no picture")
    write(base / "mst-e_image_details.csv", [header, *rows])
    (base / "golden_and_adversarial_mst-e_image_ids.csv").write_text(
        "subject,golden_image_id,not_ideal_image_id\n"
    )
    return root


BOX = '{"x": 10.0, "y": 20.0, "width": 70.0, "height": 160.0}'
FACET_COLUMNS = (
    *("person_id", "filename", "class1", "class2", "bounding_box"),
    *("gender_presentation_masc", "gender_presentation_fem", "gender_presentation_na"),
    *(f"skin_tone_{tone}" for tone in range(1, 11)),
    *("skin_tone_na", "visible_face"),
)


def facet_row(person, picture, *, box=BOX, gender=(0, 1, 0), votes=None, face=1):
    """A row of FACET's table; `votes` are numbers of annotators by tone."""
    counts = [(votes or {}).get(tone, 0) for tone in range(1, 11)]
    return (person, picture, "nurse", "", box, *gender, *counts, 1, face)


FACET = (
    facet_row(1, "sa_1.jpg", votes={2: 2, 3: 1}),
    facet_row(2, "sa_1.jpg", box=BOX.replace("10.0", "90.0"), gender=(1, 0, 0), votes={7: 3}),
    facet_row(3, "sa_2.jpg", votes={5: 1, 6: 1}),
    facet_row(4, "sa_2.jpg", votes={1: 3}, face=0),
    facet_row(5, "sa_2.jpg", gender=(1, 0, 0)),
)


def facet(root, *, rows=FACET, folders=("imgs_1", "imgs_2")):
    """FACET: the pictures of 200 x 200 are spread over folders."""
    for number, picture in enumerate(sorted({row[1] for row in rows})):
        put(root / folders[number % len(folders)] / picture, number, width=200, height=200)
    write(root / "annotations" / "annotations.csv", [FACET_COLUMNS, *rows])
    return root


BFW = (
    *("asian_males/n000002/0010_01.jpg", "black_females/n001234/0001_02.jpg"),
    *("white_females/n000001/0003_01.jpg", "white_females/n000001/0004_01.jpg"),
)
BFW_NESTS = (
    *("", "bfw-cropped-aligned", "Users/jrobby/bfw/bfw-cropped-aligned"),
    "bfw-faces-cropped/jrobby/bfw/bfw-cropped-aligned",
)


def bfw(root, *, names=BFW, nest=BFW_NESTS[2]):
    """BFW's crops of odd sizes, as deep as the archive packs them, beside its list of pairs."""
    for number, name in enumerate(names):
        put(root / nest / name, number, width=52 + 9 * number, height=70)
    (root / "bfw-v0.1.5-datatable.csv").write_text("fold,p1,p2,label,id1,id2,att1,att2\n")
    return root


RFW = (
    *("African/m.0abc/m.0abc_0001.jpg", "African/m.0abc/m.0abc_0002.jpg"),
    *("Asian/m.0abc/m.0abc_0001.jpg", "Caucasian/m.0xyz/m.0xyz_0003.jpg"),
    "Indian/m.0qrs/m.0qrs_0001.jpg",
)


def rfw(root, *, names=RFW):
    """RFW: pictures and lists of the test, and somebody's aligned copies beside them."""
    for number, name in enumerate(names):
        put(root / "test" / "data" / name, number, width=80, height=80)
        put(root / "test_aligned" / name, 100 + number, width=80, height=80)
    for group in ("African", "Asian", "Caucasian", "Indian"):
        place = root / "test" / "txts" / group
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{group}_pairs.txt").write_text("m.0abc\t1\t2\nm.0abc\t1\tm.0xyz\t1\n")
        (place / f"{group}_images.txt").write_text("m.0abc_0001.jpg\t0\n")
    return root

"""Names that are joined of parts stay apart: of groups, of metrics, of columns, of files."""

import itertools

import pytest
from data_layouts import put, write_ppb
from hypothesis import given
from hypothesis import strategies as st

from faults.bad_studies import SOUND
from repro.data import sources
from repro.data.pictures.picture_table import GroupNames
from repro.errors import DataError, StudyError
from repro.records.mlflow import run_content
from repro.reporting.tables import csv_tsv
from repro.study import study
from repro.study.data_spec import FairFace, GroupFolders, Groups, Ppb, Table

ONE_NAME = [("a_b", "c"), ("a", "b_c"), ("A", "B C")]  # all would be a_b_c


def a_table(root, rows):
    """A CSV of portraits with two columns for groups."""
    lines = ["path,skin,gender"]
    for number, values in enumerate(rows):
        put(root / f"{number}.png", number)
        lines.append(",".join((f"{number}.png", *values)))
    (root / "mine.csv").write_text("\n".join(lines) + "\n")
    return Table(path=str(root / "mine.csv"), groups=("skin", "gender"))


def ppb(root, rows):
    """The same as a copy of PPB."""
    names = [f"{number}.png" for number in range(len(rows))]
    lines = [
        "filename,bi.fitz,gender",
        *(",".join((name, *values)) for name, values in zip(names, rows, strict=True)),
    ]
    write_ppb(root, lines=lines, pictures=names)
    return Ppb(path=str(root))


def fairface(root, rows):
    """The same as a copy of FairFace with columns of one's own."""
    lines = ["file,skin,sex"]
    for number, values in enumerate(rows):
        put(root / "val" / f"{number}.jpg", number)
        lines.append(",".join((f"val/{number}.jpg", *values)))
    (root / "fairface_label_val.csv").write_text("\n".join(lines) + "\n")
    return FairFace(path=str(root), groups=("skin", "sex"))


@pytest.mark.parametrize("write", [a_table, ppb, fairface], ids=lambda write: write.__name__)
@pytest.mark.parametrize("rows", list(itertools.combinations(ONE_NAME, 2)), ids=str)
def test_two_groups_of_one_name_are_refused_with_both_rows(tmp_path, write, rows, tally):
    """Nobody's results are counted in somebody else's group."""
    spec = write(tmp_path, [("x", "y"), *rows])
    tally.bad_inputs += 1
    with pytest.raises(DataError, match=r"csv:4: .* would be the same group, a_b_c, as ") as said:
        sources.portraits(spec)

    assert ".csv:3; change one of them" in str(said.value)
    with pytest.raises(DataError, match="would be the same group"):
        sources.groups(spec)


@pytest.mark.parametrize("write", [a_table, ppb, fairface], ids=lambda write: write.__name__)
def test_names_that_do_not_collide_are_as_ever(tmp_path, write):
    """Case, and blanks around a value, make no other group."""
    rows = [("Darker", "Female"), ("darker", " female "), ("Lighter Skin", "Male"), ("a_b", "c")]

    assert sources.portraits(write(tmp_path, rows)).groups == (
        *("darker_female", "darker_female", "lighter_skin_male", "a_b_c"),
    )


@given(
    st.lists(
        st.tuples(*[st.text("aAbB_ c", min_size=1).filter(str.strip)] * 2), min_size=2, max_size=8
    )
)
def test_a_name_has_one_combination_of_values_behind_it(rows):
    """Either a row is refused, or its values are those of all rows of its group."""
    names = GroupNames(("x", "y"))
    behind: dict[str, set[tuple[str, str]]] = {}
    for line, (x, y) in enumerate(rows):
        try:
            name = names.of({"x": x, "y": y}, f"t.csv:{line}")
        except DataError:
            continue
        behind.setdefault(name, set()).add((x.strip().lower(), y.strip().lower()))

    assert all(len(values) == 1 for values in behind.values())


@pytest.mark.parametrize("kind", [Groups, GroupFolders], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("folders", [("DF", "df"), ("a b", "a_b"), ("A B", "a b")], ids=str)
def test_two_folders_of_one_group_are_refused(tmp_path, kind, folders, tally):
    """Both are named."""
    for number, folder in enumerate(folders):
        put(tmp_path / folder / "1.png", number)
    tally.bad_inputs += 1
    with pytest.raises(DataError, match="would be the same group") as said:
        sources.read(kind(path=str(tmp_path)))

    assert all(folder in str(said.value) for folder in folders)


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        (["darker_female", "a b"], ["recall_darker_female", "recall_a b"]),
        (["é", "ü"], ["recall__", "recall___2"]),
        (["a/b", "a+b", "a_b"], ["recall_a_b", "recall_a_b_2", "recall_a_b_3"]),
        (["a/b", "a_b_2", "a+b"], ["recall_a_b", "recall_a_b_2", "recall_a_b_3"]),
        (["at_fpr_10"], ["recall_at_fpr_10_2"]),
    ],
    ids=str,
)
def test_each_group_has_a_metric_of_its_own_in_mlflow(groups, names, tally):
    """Whatever letters its name has; a name that is free stays as it is."""
    tally.bad_inputs += 1

    assert run_content._recall_names(groups, {"recall_at_fpr_10"}) == dict(
        zip(groups, names, strict=True)
    )


@given(st.lists(st.sampled_from(["a", "a_2", "a_2_2", "a_3", "b"]), max_size=8))
def test_columns_of_a_csv_have_names_of_their_own(heads):
    """A number is appended until the name is free."""
    assert len(set(csv_tsv._unlike(heads))) == len(heads)


@pytest.mark.parametrize(
    ("profiles", "said"),
    [
        (("a b", "a-b"), "profiles 'a b' and 'a-b' would have files of the same names: rename one"),
        (("Full", "full"), "profiles 'Full' and 'full' would have files of the same names"),
        (("x", "x-0123ab"), "'x-0123ab' may be called like a variant of the profile 'x': rename"),
    ],
    ids=str,
)
def test_profiles_whose_files_would_have_one_name_are_refused(tmp_path, profiles, said, tally):
    """With file, line and column of the second."""
    file = tmp_path / "toy.yaml"
    head = SOUND[: SOUND.index("profiles:")]
    file.write_text(f"{head}profiles:\n" + "".join(f'  "{name}": {{}}\n' for name in profiles))
    tally.bad_inputs += 1
    with pytest.raises(StudyError) as refused:
        study.load(file)

    assert said in str(refused.value)
    assert f":{head.count(chr(10)) + 3}:" in str(refused.value)


def test_profiles_that_differ_are_as_ever(tmp_path):
    """Six digits say nothing where there is no such profile."""
    file = tmp_path / "toy.yaml"
    head = SOUND[: SOUND.index("profiles:")]
    file.write_text(f"{head}profiles: {{x: {{}}, y-0123ab: {{}}, x-small: {{}}}}\n")

    assert study.load(file, profile="x-small").profile == "x-small"

"""Tables that are turned, have two columns of groups, or a row of sizes."""

import pytest

from repro.analysis.audit.reading.description import Description
from repro.analysis.audit.reading.tables import read_tables

TURNED = "Race,n,ModelA,ModelB\nBlack,318,88.1,90.2\nWhite,271,93.5,94.1\nAverage,,90.8,92.2\n"
ARMS = {"ModelA": "arm", "ModelB": "arm"}
TWO_KINDS = """\
arm,race,gender,accuracy
A,Black,female,88.1
A,Black,male,90.2
A,White,female,93.5
A,White,male,95.1
"""
SIZES = "model,darker_male,darker_female\nn,318,271\nA,88.1,90.2\nB,90.2,91.2\n"
AVERAGE = "Algorithm,Caucasian,Indian,Average,STD\nA,95.0,92.0,93.5,1.5\nB,96.0,93.0,94.5,1.5\n"


@pytest.fixture
def read(tmp_path):
    """Reads a text as a file, with roles of its columns."""

    def of(text, **columns):
        path = tmp_path / "t.csv"
        path.write_text(text)
        return read_tables(path, Description(columns=columns))

    return of


def test_a_table_of_groups_in_rows_asks_whether_its_columns_are_arms(read):
    """The command that is asked for turns it; none makes arms of the races."""
    (problem,) = read(TURNED).problems

    assert "since 'Race' names groups" in problem
    assert '--column "ModelA,ModelB=arm"' in problem
    assert "Race=arm" not in problem


def test_columns_that_were_said_to_be_shares_are_asked_for_again_in_a_turned_table(read):
    """Races do not become arms without a word."""
    (problem,) = read(TURNED, ModelA="share", ModelB="share", n="ignored").problems

    assert "column 'Race' names groups, and no column names the arms" in problem
    assert '--column n=ignored --column "ModelA,ModelB=arm"' in problem


def test_declared_arms_turn_a_table(read):
    """Rows become groups with their sizes, an average stays one, and it is said."""
    file = read(TURNED, **ARMS)
    (table,) = file.tables

    assert table.groups == ("Black", "White")
    assert [row.arm.name for row in table.rows] == ["ModelA", "ModelB"]
    assert [share.cell.text for share in table.rows[1].groups.values()] == ["90.2", "94.1"]
    assert table.rows[0].overall.text == "90.8"
    assert any("each row of the file is a group here" in note for note in file.notes)


def test_sizes_of_a_turned_table_are_read(read):
    """Its column `n` becomes a row of sizes."""
    (table,) = read(TURNED.replace("Average,,90.8,92.2\n", ""), **ARMS).tables

    assert table.description.groups == {"Black": 318, "White": 271}


def test_a_turned_table_names_each_group_once(read):
    """Two rows of one name would be two columns of one name."""
    (problem,) = read(TURNED.replace("White", "Black"), **ARMS).problems

    assert ":3: column 'Black': stands in two rows: each row must name another group" in problem


def test_a_further_column_of_numbers_in_a_turned_table_is_asked_for(read):
    """A third model that was not named is not dropped."""
    text = "Race,A1,B1,C1\nBlack,88.1,90.2,91.0\nWhite,93.5,94.1,92.0\n"
    (problem,) = read(text, A1="arm", B1="arm").problems

    assert "column 'C1': is no arm: " in problem


def test_two_columns_of_groups_are_asked_for_by_name(read):
    """Nothing else is said, and each way has its command."""
    (problem,) = read(TWO_KINDS).problems

    assert ":1: column 'gender': names groups, and so does column 'race'." in problem
    assert 't.csv --column "race,gender=group"; ' in problem
    assert 't.csv --column "gender=label"; ' in problem


def test_two_declared_columns_of_groups_are_one(read):
    """A group is Black female."""
    (table,) = read(TWO_KINDS, race="group", gender="group").tables

    assert table.groups == ("Black female", "Black male", "White female", "White male")


def test_a_label_divides_a_table_with_two_columns_of_groups(read):
    """One table for each gender."""
    tables = read(TWO_KINDS, gender="label").tables

    assert [table.part for table in tables] == ["female", "male"]


def test_a_row_of_sizes_is_no_arm(read):
    """It says the portraits of each group, and the reading says so."""
    file = read(SIZES)
    (table,) = file.tables

    assert [row.arm.name for row in table.rows] == ["A", "B"]
    assert table.description.groups == {"darker_male": 318, "darker_female": 271}
    assert "line 2 gives the portraits of each group: " in file.notes[0]


def test_a_row_named_n_with_decimals_stays_an_arm(read):
    """Sizes are whole numbers."""
    (table,) = read(SIZES.replace("318,271", "91.8,92.1")).tables

    assert [row.arm.name for row in table.rows] == ["n", "A", "B"]


def test_a_standard_deviation_after_an_average_of_groups_is_asked_for(read):
    """It may be that of the groups, or that of the average."""
    (problem,) = read(AVERAGE).problems

    assert '--column "STD=sd"; if over runs, of the column before it: ' in problem
    assert str(read(AVERAGE, STD="sd").tables[0].rows[0].sd.value) == "1.5"
    assert str(read(AVERAGE, STD="error").tables[0].rows[0].overall.error) == "1.5"

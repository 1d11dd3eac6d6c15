"""The shapes in which people publish results, cut short; the numbers are made up."""

import pytest

SHAPES = {
    "counts of right answers and of all": "metric,correct,total\nAge: A overlap,7,10\n",
    "a row a run and group": "dataset,arm,run,group,n,accuracy\nceleba,erm,0,0,9767,0.95\n",
    "a column a measure": "dataset,method,seed,acc_worst_group,acc_mean,eo_gap,hp_lr,backbone\n"
    "celeba,erm,0,0.4388888888888889,0.9595230938783689,0.5611,0.0015,resnet50\n",
    "a column a group": "arm,run,darker_male,darker_female\nerm,0,84.9,95.6\nerm,1,85.8,97.0\n",
    "a run in the arm's name": "name,dark male,dark female,var,precision,recall\n"
    "runs_a/train1_model0.pt,84.9,95.6,33.22,81.7,94.6\n",
    "a last column of averages": "Algorithm,A,C,Avg\nERM,84.1 +/- 0.4,80.2 +/- 0.6,82.1\n"
    "CORAL,X,X,X\nGroupDRO,83.5 ± 0.9,79.1 ± 0.6,81.3\n",
    "empty cells": "arm,A,C,overall\nERM,84.1,80.2,82.1\nCORAL,,,\n",
    "percent signs": "arm,run,group,n,accuracy_percent\nerm,0,dark,318,84.9%\n",
    "runs that failed": "arm,run,group,n,detected\nerm,0,dark,318,270\nerm,1,dark,318,nan\n",
    "names that begin with a sign": "arm,+90%,+80%,-90%\nERM,71.7,72.9,10.0\n",
    "names of measures": "arm,Avg,Worst,AvgPrec,AUROC,ECE\nERM,94.0,67.6,85.0,98.1,4.5\n",
    "a table of this program": "Arm,E[A]: Recall,Var[A]: Measure of Bias\nNo debias,98.67,0.32\n",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_cells_stand_as_they_are_written(cells, text):
    """No name is changed, no number rounded, no row left out."""
    assert cells("a.csv", text) == [tuple(line.split(",")) for line in text.splitlines()]


def test_semicolons_and_decimal_commas(grid):
    """What Excel saves in most of Europe."""
    found = grid("runs.csv", "arm;run;group;n;accuracy_percent\nerm;0;dark;318;84,9\n")

    assert (found.rows[0].cells[-1], found.decimal_mark) == ("84,9", ",")


def test_rows_of_separators_are_no_rows(grid):
    """A spreadsheet leaves them where rows were deleted."""
    assert len(grid("runs.csv", "arm,run,n\nerm,0,318\n,,\n,,\n").rows) == 1

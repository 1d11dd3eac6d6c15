"""The table of arms less their placebos."""

from dataclasses import replace

import closing

from repro.reporting.tables import placebo_table


def dealt(**parameters):
    """A study whose placebo has these parameters."""
    whole = closing.study()
    rule = {"resampling": {"rule": "placebo", "parameters": parameters}}
    arms = [replace(a, configured=rule) if a.name == "placebo" else a for a in whole.arms]
    return replace(whole, arms=tuple(arms))


def test_a_placebo_that_is_dealt_anew_in_each_epoch_is_called_a_check():
    """Over a run its weights even out, and the arm looks better beside it."""
    lasting, fresh = (
        placebo_table.part(dealt(permutation=one), "dehaan2020") for one in ("run", "epoch")
    )

    assert lasting.table["Dealt over"].tolist() == ["all faces"]
    assert fresh.table["Dealt over"].tolist() == ["all faces, anew in each epoch"]
    assert any("a check, no placebo" in remark for remark in fresh.remarks)
    assert not any("a check, no placebo" in remark for remark in lasting.remarks)

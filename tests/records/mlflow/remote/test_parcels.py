"""What of a run is sent, and in how many requests."""

import math
from dataclasses import replace

import mirrors
import pytest

from repro.records.mlflow import run_content
from repro.records.mlflow.remote import parcels, runs

EMPTY = run_content.Content(name="x", status="FINISHED", tags={})


def parcel(whole, **options):
    """A parcel with files."""
    return parcels.parcel("x", whole, {}, **({"takes_files": True, "weights": False} | options))


def test_a_name_that_mlflow_refuses_is_left_out_and_named_as_lacking():
    """251 characters are one too many; 6,000 of a value are not."""
    names = {"a" * 250: "1", "b" * 251: "2", "c": "3" * 6000}
    made = parcel(replace(EMPTY, params=names, points=[("d" * 251, 1.0, 0), ("e", 1.0, 0)]))

    assert made.content.params == {"a" * 250: "1", "c": "3" * 6000}
    assert made.content.points == [("e", 1.0, 0)]
    assert parcels.lacking(made.whole.params, made.content.params) == {"b" * 251: "2"}


def test_a_long_value_is_cut_to_what_mlflow_keeps():
    """Its end says where the whole one is."""
    made = parcel(replace(EMPTY, tags={"t": "x" * 8001}))

    assert len(made.content.tags["t"]) == 8000
    assert made.content.tags["t"].endswith("x ... [whole in long_values.json]")


def test_networks_have_a_digest_of_their_own(tmp_path):
    """So a run is whole without them."""
    (tmp_path / "record.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("weights")
    files = {path.name: path for path in tmp_path.iterdir()}
    plain, asked, bare = (
        parcel(replace(EMPTY, artifacts=files), **options)
        for options in ({}, {"weights": True}, {"takes_files": False, "weights": True})
    )

    assert (set(plain.files), set(plain.weights)) == ({"record.json"}, set())
    assert (set(asked.files), set(asked.weights)) == ({"record.json"}, {"model.safetensors"})
    assert plain.digest == asked.digest != bare.digest
    assert (plain.weights_digest, bare.weights_digest, bool(asked.weights_digest)) == ("", "", True)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_none_is_not_sent(value, tmp_path):
    """MLflow would store 1.8e308 for an infinite one."""
    record = replace(mirrors.RECORD, history=[{"epoch": 1.0, "train_loss": value}])
    names = {name for name, _, _ in run_content.whole(mirrors.INDEX, "a", record, tmp_path).points}

    assert "train/loss" not in names
    assert "test/recall" in names


def test_requests_have_as_many_items_and_bytes_as_mlflow_takes():
    """1,000 small ones, or as many as half a megabyte holds; one that is larger goes alone."""
    small, large = ["x"] * 2001, ["y" * 50_000] * 3 + ["z" * 90_000]

    assert [len(part) for part in runs.batches(small, 1000, len)] == [1000, 1000, 1]
    assert [len(part) for part in runs.batches(large, 100, len)] == [1, 1, 1, 1]
    assert [len(part) for part in runs.batches(["y" * 8000] * 21, 100, len)] == [10, 10, 1]
    assert [*runs.batches([], 100, len)] == []

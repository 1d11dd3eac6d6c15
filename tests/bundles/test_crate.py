"""The metadata of a bundle: which run is which action."""

import json
import zipfile

import bundled_study
import pytest
from bundled_study import FAILED, STARTED, repro

from repro.bundles import crate
from repro.reporting.figures import figure_registry


@pytest.fixture(scope="module")
def entities(tmp_path_factory):
    """Of a bundle, by their identifiers."""
    place = tmp_path_factory.mktemp("crate")
    folder = bundled_study.write(place / "home", place / "canary")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(figure_registry, "FIGURES", {})
        repro("bundle", "toy.yaml", "toy.zip")
    with zipfile.ZipFile(folder / "toy.zip") as archive:
        graph = json.loads(archive.read(crate.METADATA))["@graph"]
        names = archive.namelist()
    found = {one["@id"]: one for one in graph}
    assert len(found) == len(graph)
    return found, names


def test_a_failed_run_is_a_failed_action(entities):
    """With its error, its times and what it was made with."""
    found, _ = entities
    action = found[f"#run-{FAILED}"]

    assert action["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert action["error"] == "epoch 2: kl: it is nan"
    assert (action["startTime"], action["endTime"]) == (STARTED, "2026-11-27T09:01:01+00:00")
    assert action["environment"] == [{"@id": "#package-torch-2.13.0"}]
    assert action["name"] == "alpha = 0.1, seed 3"


def test_every_other_run_is_a_completed_action(entities):
    """Nine of ten, each with its files."""
    found, _ = entities
    runs = [one for name, one in found.items() if name.startswith("#run-") and FAILED not in name]

    assert len(runs) == 9
    assert {one["actionStatus"] for one in runs} == {"http://schema.org/CompletedActionStatus"}
    assert all(len(one["result"]) == 2 for one in runs)


def test_data_are_named_by_digest_and_terms(entities):
    """They are no file of the crate."""
    found, names = entities
    (data,) = [one for name, one in found.items() if name.startswith("#data-")]

    assert (data["@type"], data["identifier"]) == ("Dataset", "0123456789abcdef" * 4)
    assert data["usageInfo"].startswith("https://")
    assert not any(name.endswith(".h5") for name in names)


def test_every_file_is_described_once(entities):
    """All members but the metadata itself."""
    found, names = entities
    files = {name for name, one in found.items() if "File" in one["@type"]}

    assert files == set(names) - {crate.METADATA}


def test_no_reference_leads_nowhere(entities):
    """Each is an entity of the crate, or an address."""
    found, _ = entities
    named = [
        one["@id"]
        for entity in found.values()
        for value in entity.values()
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, dict)
    ]

    assert {name for name in named if name not in found} == {"https://w3id.org/ro/crate/1.1"}

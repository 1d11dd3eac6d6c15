"""Profiles that several studies share: ``from: NAME``."""

import pytest
import yaml
from places import ROOT

from repro.errors import StudyError
from repro.study import study, study_files

STUDY = """\
name: toy
question: Does it?
base: {preset: dehaan2020}
arms:
  - name: No debias
    resampling: {combine: none}
  - {name: short, epochs: 20}
reference: No debias
replicates: 3
select: {keep: 2, by: recall, split: test}
profiles:
  small: PROFILE
"""
SHARED = """\
data: {train: {source: synthetic, faces: 50}, test: synthetic, nonfaces: synthetic}
epochs: 4
batch_size: 16
"""


@pytest.fixture
def write(tmp_path):
    """Write a study with this profile, beside it the shared profile ``tiny``; give the study."""

    def write(profile, shared=SHARED, name="tiny"):
        folder = tmp_path / study_files.PROFILES
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(shared)
        path = tmp_path / "toy.yaml"
        path.write_text(STUDY.replace("PROFILE", profile))
        return path

    return write


def problems(path):
    """Each problem without the folder."""
    with pytest.raises(StudyError) as error:
        study.load(path)
    return [str(p).replace(f"{path.parent}/", "") for p in error.value.problems]


def configurations(path, **options):
    return {arm.name: arm.configuration for arm in study.load(path, **options).arms}


def test_a_profile_takes_the_keys_of_the_one_that_it_names(write):
    """As if they were written in the study."""
    named = configurations(write("{from: tiny}"))
    spelled = configurations(write("".join(f"\n    {line}" for line in SHARED.splitlines())))

    assert named == spelled


def test_a_profile_changes_single_keys_of_the_one_that_it_names(write):
    """Its own keys are laid over the others, inside mappings too, as are arms and ``--set``."""
    path = write(
        "{from: tiny, epochs: 5, data: {train: {nonfaces: 70}}, arms: {short: {epochs: 1}}}"
    )
    found = configurations(path, overrides=["batch_size=8"])

    train = found["No debias"].data.train
    assert (train.faces, train.nonfaces) == (50, 70)
    assert {name: (one.epochs, one.batch_size) for name, one in found.items()} == {
        "No debias": (5, 8),
        "short": (1, 8),
    }


def test_a_shared_profile_can_change_the_runs_of_a_study(write):
    """Replicates and what is kept of them, as a study's own profile can."""
    loaded = study.load(write("{from: tiny}", f"{SHARED}replicates: 7\nselect: {{keep: 6}}\n"))

    assert (loaded.replicates, loaded.select.keep) == (7, 6)


def test_a_shipped_profile_serves_a_study_anywhere(write):
    """One beside the study, of the same name, goes first."""
    path = write("{from: embedded}")
    shipped = configurations(path)["No debias"]
    write("{from: embedded}", name="embedded")
    own = configurations(path)["No debias"]

    assert shipped.data.train.faces != 50
    assert own.data.train.faces == 50


def test_shipped_studies_share_the_embedded_profile():
    """All of them: what is changed there is changed for each."""
    files = (ROOT / "studies").glob("*.yaml")
    blocks = [yaml.safe_load(path.read_text())["profiles"]["embedded"] for path in files]

    assert {block.get("from") for block in blocks} == {"embedded"}


@pytest.mark.parametrize(
    ("profile", "shared", "expected"),
    [
        (
            "{from: tinny}",
            SHARED,
            "toy.yaml:12:17: no shared profile is called 'tinny'; did you mean 'tiny'? (looked for "
            "it in profiles/ beside the study and among the shipped ones); known: tiny, embedded, "
            "real",
        ),
        (
            "{from: [tiny]}",
            SHARED,
            "toy.yaml:12:17: from: name a shared profile, not ['tiny']; known: tiny, embedded, "
            "real",
        ),
        (
            "{from: tiny}",
            "epochs: 4\nbatch_sise: 16\n",
            "profiles/tiny.yaml:2:1: unknown key 'batch_sise'; did you mean 'batch_size'?",
        ),
        (
            "{from: tiny}",
            "data: synthetic\nepochs: 0\n",
            "profiles/tiny.yaml:2:9: epochs: input should be greater than or equal to 1, not 0",
        ),
        (
            "{from: tiny, epochs: -1}",
            SHARED,
            "toy.yaml:12:31: epochs: input should be greater than or equal to 1, not -1",
        ),
        (
            "{from: tiny}",
            "epochs: 4\nexpected: 3 min\n",
            "profiles/tiny.yaml:2:1: 'expected' belongs in the study, beside 'from'",
        ),
        (
            "{from: tiny}",
            "epochs: 4\nepochs: 5\n",
            "profiles/tiny.yaml:2:1: duplicate key 'epochs' (first on line 1): remove one",
        ),
        (
            "{from: tiny}",
            "- epochs\n",
            "profiles/tiny.yaml:1:1: a mapping of keys is expected, as in a study's profile",
        ),
        ("{from: tiny}", "epochs: [\n", "profiles/tiny.yaml:2:1: not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(write, profile, shared, expected):
    """In the file that has it, once."""
    found = problems(write(profile, shared))

    assert len(found) == 1
    assert found[0].startswith(expected)


def test_profiles_of_one_file_report_its_mistake_once(write):
    """Two profiles may name the same file."""
    path = write("{from: tiny}\n  other: {from: tiny, epochs: 3}", "epochs: 4\nbatch_sise: 1\n")

    assert len(problems(path)) == 1

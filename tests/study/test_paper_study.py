"""The study as its paper ran it."""

import pytest

from repro.study import study, study_files

STUDY = """name: toy
question: Does it?
base: {preset: dehaan2020}
arms:
  - name: none
    resampling: {combine: none}
  - name: half
    resampling: {alpha: 0.5}
reference: none
replicates: 5
select: {keep: 3, by: recall, split: test}
published: {source: paper, margin: {recall: 0.9, variance: 12.0}}
profiles:
  synthetic: {data: synthetic, replicates: 2, select: {keep: 2}}
  real: {data: {train: "${NOT_SET}", test: ppb, nonfaces: others}}
  short: {data: {train: train.h5, test: ppb, nonfaces: others}, epochs: 1}
"""
PAPER = """source: Somebody (2020)
printed: Table 1
definition: dehaan2020
replicates: 5
keep: 3
protocol:
  groups: {a: 10, b: 20}
  training_images: 1000
  configuration: {data: {train: {source: mit_h5}, test: {source: ppb}}}
rows:
  - {arm: none, recall: 92.0, variance: 46.0}
"""


def read(folder, *, profile=None, paper=PAPER):
    (folder / "published").mkdir(exist_ok=True)
    (folder / "published" / "paper.yaml").write_text(paper)
    (folder / "toy.yaml").write_text(STUDY)
    return study.load(folder / "toy.yaml", profile=profile).paper


def test_the_first_profile_on_the_papers_data_is_its_study(tmp_path):
    """Two arms of five runs; a variable of the environment need not be set."""
    found = read(tmp_path)

    assert (found.profile, found.source, found.runs) == ("real", "Somebody (2020)", 10)
    assert (found.images, found.portraits) == (1000, 30)
    assert {arm.configuration.epochs for arm in found.arms} == {60}


def test_the_profile_that_is_planned_comes_first(tmp_path):
    """If it is on the paper's data."""
    assert read(tmp_path, profile="short").profile == "short"


def test_the_size_of_a_file_that_is_handed_out_is_known(tmp_path):
    """The paper does not say how many images it trained on; MIT's file has 109,914."""
    unsaid = PAPER.replace("  training_images: 1000\n", "")

    assert read(tmp_path, paper=unsaid).images == 109_914


@pytest.mark.parametrize(
    "configuration",
    [
        *("{}", "{data: []}", "{data: {train: {source: mit_h5}}}", "{data: {train: 3, test: ppb}}"),
        "{data: {train: {source: mit_h5}, test: {source: utkface}}}",
    ],
)
def test_a_paper_on_other_data_is_no_profile_of_the_study(tmp_path, configuration):
    """Nothing is told where its sources are not those of any profile, or not said."""
    before = "{data: {train: {source: mit_h5}, test: {source: ppb}}}"

    assert read(tmp_path, paper=PAPER.replace(before, configuration)) is None


def test_the_papers_table_3_is_25_runs_of_the_published_sizes():
    """As the shipped study has it: 109,914 images, held-out ones included, 1,270 portraits."""
    found = study.load(study_files.find("alpha_sweep").path).paper

    assert (found.profile, found.runs, found.images, found.portraits) == (
        *("paper", 25),
        *(109_914, 1_270),
    )

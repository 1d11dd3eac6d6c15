"""A study file and what it names, as a bundle carries them."""

import pytest

from repro.bundles import study_parts
from repro.errors import ReproError
from repro.plugins.plugin_errors import PluginError

STUDY = """\
name: toy
plugins: {plugins}
published: {{source: mine, margin: {{recall: 1.0, variance: 1.0}}}}
profiles:
  one: {{from: shared, data: {{train: /mnt/x/train.h5, test: "~/ppb", nonfaces: '/mnt/x'}}}}
"""
PLUGIN = "from repro.plugins import rule\n"


def written(folder, plugins="[]", inside="studies"):
    """A study in a folder of a project, with its profile and published values."""
    home = folder / inside
    for kind, name in (("profiles", "shared"), ("published", "mine")):
        (home / kind).mkdir(parents=True)
        (home / kind / f"{name}.yaml").write_text("a: 1\n")
    (home / "toy.yaml").write_text(STUDY.format(plugins=plugins))
    return home / "toy.yaml"


def test_profiles_and_published_values_lie_beside_the_study(tmp_path):
    """As the study finds them."""
    parts = study_parts.of_file(written(tmp_path))

    assert parts.main == "study/toy.yaml"
    assert sorted(parts.files) == [
        "study/profiles/shared.yaml",
        "study/published/mine.yaml",
        "study/toy.yaml",
    ]


def test_absolute_paths_of_a_study_keep_their_last_part(tmp_path):
    """All else is the same text."""
    parts = study_parts.of_file(written(tmp_path))

    assert parts.files["study/toy.yaml"].decode().splitlines()[-1] == (
        "  one: {from: shared, data: {train: train.h5, test: \"~/ppb\", nonfaces: 'x'}}"
    )


def test_plug_ins_keep_their_place(tmp_path):
    """A file beside the study, a folder above it."""
    (tmp_path / "lib" / "pack").mkdir(parents=True)
    (tmp_path / "lib" / "pack" / "__init__.py").write_text(PLUGIN)
    (tmp_path / "lib" / "pack" / "table.csv").write_text("1,2\n")
    file = written(tmp_path, "[rule.py, ../lib/pack]")
    (file.parent / "rule.py").write_text(PLUGIN)
    parts = study_parts.of_file(file)

    assert parts.main == "study/studies/toy.yaml"
    assert parts.plugins == (
        "study/studies/rule.py",
        "study/lib/pack/__init__.py",
        "study/lib/pack/table.csv",
    )


@pytest.mark.parametrize(
    ("plugins", "said"),
    [("[/mnt/x/rule.py]", "by an absolute path"), ("[../../rule.py]", "more than one folder")],
)
def test_a_plug_in_that_lies_elsewhere_is_refused(plugins, said, tmp_path):
    """Its path would show folders of the machine."""
    file = written(tmp_path, plugins, inside="a/studies")

    with pytest.raises(ReproError, match=said):
        study_parts.of_file(file)


def test_a_plug_in_that_is_gone_is_refused(tmp_path):
    """The bundle would hold another study."""
    with pytest.raises(PluginError, match="file not found"):
        study_parts.of_file(written(tmp_path, "[rule.py]"))

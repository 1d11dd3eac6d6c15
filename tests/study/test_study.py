import os
import re
import textwrap

import pytest
import yaml
from places import ROOT

from repro.errors import StudyError
from repro.study import published, study
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.study.section import Section
from repro.study.study_files import known_published

STUDIES = sorted((ROOT / "studies").glob("*.yaml"))
ANSWERING = [path for path in STUDIES if study.load(path).published is not None]
SOUND = """\
name: toy
question: Does it?
base:
  preset: dehaan2020
arms:
  - name: No debias
    resampling: {combine: none}
  - sweep: {resampling.alpha: [0.1, 0.01]}
reference: No debias
replicates: 3
select: {keep: 2, by: recall, split: test}
profiles:
  embedded: {data: synthetic, epochs: 2}
  paper:
    data: {train: "${TOY_TRAIN}", test: ppb, nonfaces: others}
"""


@pytest.fixture
def write(tmp_path):
    """Write a study with one line replaced, and give its path."""

    def write(old="", new=""):
        assert old in SOUND
        path = tmp_path / "toy.yaml"
        path.write_text(SOUND.replace(old, textwrap.dedent(new)) if old else SOUND)
        return path

    return write


def problems(path, **options):
    """Each problem without the folder."""
    with pytest.raises(StudyError) as error:
        study.load(path, **options)
    return [str(p).replace(f"{path.parent}/", "") for p in error.value.problems]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study_loads(path):
    """Studies that ship are sound and have the papers' five replicates, or more."""
    loaded = study.load(path)

    assert loaded.name == path.stem
    assert loaded.replicates >= 5


SET = {f"REPRO_{name}": "x" for name in ("TRAIN", "PPB", "NONFACES")}


def profiles(path):
    return yaml.safe_load(path.read_text())["profiles"]


@pytest.mark.parametrize("path", ANSWERING, ids=lambda path: path.stem)
def test_every_published_row_names_an_arm(path):
    """Numbers that a study answers to belong to arms that it has."""
    loaded = study.load(path)
    arms = {arm.name for arm in loaded.arms}

    assert {row.arm for row in loaded.published.rows} <= arms


def test_the_first_profile_is_the_default(write):
    """A study runs anywhere unless another profile is named."""
    loaded = study.load(write())

    assert (loaded.profile, loaded.arms[0].configuration.epochs) == ("embedded", 2)


def test_a_sweep_names_its_arms_by_key_and_value(write):
    """One arm per value, in the order of the file."""
    loaded = study.load(write())

    assert [arm.name for arm in loaded.arms] == ["No debias", "alpha = 0.1", "alpha = 0.01"]
    assert [a.configuration.resampling.alpha for a in loaded.arms[1:]] == [0.1, 0.01]


def test_layers_win_in_their_order(write):
    """Preset, base, profile, --set, arm: the later one wins key by key."""
    path = write("preset: dehaan2020", "preset: dehaan2020\n  epochs: 9\n  batch_size: 8")
    loaded = study.load(path, overrides=["batch_size=4", "resampling.rule=product"])
    first, second, _ = (arm.configuration for arm in loaded.arms)

    assert (first.epochs, first.batch_size) == (2, 4)
    assert (first.resampling.rule, second.resampling.rule) == ("none", "product")


def test_runs_go_seed_by_seed(write):
    """A study cut short stays balanced across arms."""
    runs = list(study.load(write()).runs())

    assert [run.seed for run in runs] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_fewer_replicates_on_the_command_line_keep_fewer(write):
    """--set replicates=1 is a quick look, not a mistake."""
    loaded = study.load(write(), overrides=["replicates=1"])

    assert (loaded.replicates, loaded.select.keep) == (1, 1)
    assert loaded.overrides == ("replicates=1",)


def test_seeds_can_begin_at_another_number(write):
    """Fresh seeds for a study whose first ones are known already."""
    loaded = study.load(write(), overrides=["seeds.first=100"])

    assert [run.seed for run in loaded.runs()] == [100, 100, 100, 101, 101, 101, 102, 102, 102]
    assert loaded.overrides == ("seeds.first=100",)


@pytest.mark.parametrize("first", ["-1", "4294967296", "many"])
def test_a_seed_that_cannot_be_first_is_refused(write, first):
    """It is a whole number of 32 bits."""
    (problem,) = problems(write(), overrides=[f"seeds.first={first}"])

    assert problem.startswith(f"--set seeds.first={first}: seeds.first: ")


def test_paths_come_from_the_environment(write, monkeypatch):
    """A profile names variables, never places."""
    monkeypatch.setenv("TOY_TRAIN", "/somewhere/train.h5")
    loaded = study.load(write(), profile="paper")

    assert loaded.arms[0].configuration.data.train.path == "/somewhere/train.h5"


def test_paths_come_from_the_command_line(write):
    """--set data.train=FILE needs no environment; captions show the last part of a path."""
    loaded = study.load(write(), overrides=["data.train=/a/b.h5"])

    assert loaded.arms[0].configuration.data.train.path == "/a/b.h5"
    assert loaded.arms[0].configuration.data.test.source == "synthetic"
    assert loaded.overrides == ("data.train=b.h5",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "preset: dehaan2020",
            "preset: dehaan2020\n  aplha: 1",
            "toy.yaml:5:3: unknown key 'aplha'; known here: architecture, batch_norm, "
            "batch_size, checkpoint, classification, data, decoder_input, epochs, indicator, kl, "
            "latent_dim, latent_noise, learning_rate, model, objective, precision, reconstruction, "
            "resampling, validation_share, windows",
        ),
        (
            "{combine: none}",
            "{combine: none, alpa: 1}",
            "toy.yaml:7:33: unknown key 'alpa'; did you mean 'alpha'?",
        ),
        (
            "replicates: 3",
            "replicates: 3\nreplicates: 4",
            "toy.yaml:11:1: duplicate key 'replicates' (first on line 10): remove one",
        ),
        (
            "[0.1, 0.01]",
            "[1e-1, 0.01]",
            "toy.yaml:8:32: resampling.alpha: '1e-1' is text, not a number. "
            "YAML needs a dot before an exponent: write 1.0e-1",
        ),
        (
            "epochs: 2",
            'epochs: "2"',
            "toy.yaml:13:39: epochs: '2' is text, not a number: remove the quotes",
        ),
        (
            "[0.1, 0.01]",
            "[]",
            "toy.yaml:8:31: empty grid: give 'resampling.alpha' a list of values",
        ),
        (
            "keep: 2",
            "keep: 4",
            "toy.yaml:11:16: select.keep is 4, but replicates is 3: keep fewer or run more",
        ),
        (
            "reference: No debias",
            "reference: No debis",
            "toy.yaml:9:12: unknown arm 'No debis'; did you mean 'No debias'?; the arms are: "
            "No debias, alpha = 0.1, alpha = 0.01",
        ),
        (
            "preset: dehaan2020",
            "preset: dehan2020",
            "toy.yaml:4:11: unknown preset 'dehan2020'; did you mean 'dehaan2020'?; "
            "known: amini2019, mit2019, mit2020, mit2024, mit2024_defects, dehaan2020, fijen2020",
        ),
        (
            "{combine: none}",
            "{combine: no}",
            "toy.yaml:7:27: resampling.rule: 'no' is not one of none, max, product, top5, "
            "placebo, oracle, subg, as_loss, frozen, jtt; did you mean 'none'?",
        ),
        (
            "[0.1, 0.01]",
            "[0.1, -0.01]",
            "toy.yaml:8:37: resampling.alpha: input should be greater than or equal to 0, "
            "not -0.01",
        ),
        (
            "[0.1, 0.01]",
            "[0.1, 0.1]",
            "toy.yaml:6:3: two arms are called 'alpha = 0.1': rename one",
        ),
        (
            "split: test",
            "split: validation",
            "toy.yaml:11:9: select: select by recall on test, or by accuracy on validation",
        ),
        ("question: Does it?\n", "", "toy.yaml:1:1: question is missing: add it"),
    ],
)
def test_a_mistake_is_named_with_its_place(write, old, new, expected):
    """file:line:column: what, did you mean, what to do."""
    assert expected in problems(write(old, new))


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            "published: paper",
            "toy.yaml:12:12: published: name the source and the margin: "
            "{source: dehaan2020_table3, margin: {recall: 0.9, variance: 12.0}}",
        ),
        (
            "published: {source: paper}",
            "toy.yaml:12:12: published.margin is missing: add it",
        ),
        (
            "published: {source: papr, margin: {recall: 1.0, variance: 9.0}}",
            "toy.yaml:12:21: unknown source 'papr'; did you mean 'paper'?; known: paper, "
            "amini2019_table1, dehaan2020_all, dehaan2020_choices, dehaan2020_figure5, "
            "dehaan2020_reductions, dehaan2020_resampling, dehaan2020_table3, fijen2020_results, "
            "mit2019_lab",
        ),
        (
            "published: {source: paper, margin: {recall: 0.0, variance: 9.0}}",
            "toy.yaml:12:45: published.margin.recall: input should be greater than 0, not 0.0",
        ),
        (
            "compare: {metrics: [recal], test: t}",
            "toy.yaml:12:21: compare.metrics[0]: 'recal' is not one of recall, variance; "
            "did you mean 'recall'?",
        ),
        (
            "compare: {metrics: [recall, recall], test: t}",
            "toy.yaml:12:10: compare: name each metric once",
        ),
        (
            "compare: {metrics: [recall], test: welch}",
            "toy.yaml:12:36: compare.test: 'welch' is not one of t, sign_flip, permutation",
        ),
        (
            "false_positive_rates: [5]",
            "toy.yaml:12:24: false_positive_rates[0]: input should be less than 1, not 5",
        ),
        (
            "false_positive_rates: 0.05",
            "toy.yaml:12:23: false_positive_rates: give a list of shares, such as "
            "[0.01, 0.05, 0.1]",
        ),
    ],
)
def test_a_mistake_about_comparisons_is_named_with_its_place(write, block, expected):
    """How results are compared is read as strictly as how they are made."""
    path = write("profiles:", f"{block}\nprofiles:")
    write_published(path)

    assert expected in problems(path)


def write_published(study_path, old="", new=""):
    """A file of printed numbers beside a study, with one word replaced."""
    folder = study_path.parent / "published"
    folder.mkdir(exist_ok=True)
    shipped = STUDIES[0].parent / "published" / "dehaan2020_table3.yaml"
    (folder / "paper.yaml").write_text(shipped.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    epochs: 60", "    epoch: 60", ":11:5: unknown key 'epoch'; did you mean 'epochs'?"),
        ("{weight: 1.0}", "{wait: 1.0}", ":15:10: unknown key 'wait'; did you mean 'weight'?"),
        ("keep: 3", "keep: 6", "keep is 6, but there were 5 replicates"),
        ("arm: alpha = 0.1\n", "arm: No debias\n", "two rows are called 'No debias'"),
        ("{darker_female: 93", "{darker: 93", "row 'No debias' has other groups than"),
        ("definition: dehaan2020", "definition: dehan", ":4:13: definition: 'dehan' is not one of"),
    ],
)
def test_a_mistake_in_printed_numbers_is_named_with_its_place(write, old, new, expected):
    """A protocol that no configuration could meet would refuse for ever."""
    path = write(
        "profiles:",
        "published: {source: paper, margin: {recall: 1.0, variance: 9.0}}\nprofiles:",
    )
    write_published(path, old, new)

    assert any(expected in problem for problem in problems(path))


PUBLISHED = STUDIES[0].parent / "published"
PRINTED = [PUBLISHED / f"{name}.yaml" for name in known_published(PUBLISHED)]


@pytest.mark.parametrize("path", PRINTED, ids=lambda path: path.stem)
def test_every_shipped_file_of_printed_numbers_is_sound(path):
    """Rows know the groups of the protocol, so that they can be restated."""
    found = published.read(path)

    assert {name for row in found.rows for name in row.groups or ()} == set(found.protocol.groups)


def test_every_mistake_is_reported_at_once(write):
    """One reading of the messages is enough to mend the file, profiles included."""
    path = write()
    text = SOUND.replace("combine: none", "combine: non").replace("epochs: 2", "epochs: two")
    path.write_text(text.replace("keep: 2", "keep: 9").replace("ppb", "3"))

    assert [problem.split(":")[1] for problem in problems(path)] == ["7", "11", "13", "15"]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("epocs=2", "--set epocs=2: unknown key 'epocs'; did you mean 'epochs'?"),
        ("epochs", "--set epochs: write KEY=VALUE, for example epochs=2"),
        (
            "learning_rate=1e-3",
            "--set learning_rate=1e-3: learning_rate: '1e-3' is text, not a number. "
            "YAML needs a dot before an exponent: write 1.0e-3",
        ),
        (
            "resampling.alpha=0.5",
            "--set resampling.alpha=0.5: has no effect: every arm that uses 'resampling.alpha' "
            "sets it in the study file",
        ),
        (
            "model=classifier",
            "toy.yaml:8:5: the classifier has no latents to resample by: "
            "set resampling.rule to 'none'",
        ),
    ],
)
def test_a_mistaken_override_is_named(write, override, expected):
    """The command line is checked like the file."""
    assert problems(write(), overrides=[override]) == [expected]


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("architecture=mit2020", lambda arm: arm.architecture),
        ("architecture.name=mit2020", lambda arm: arm.architecture),
        ("resampling.combine=top5", lambda arm: arm.resampling.rule),
        ("resampling.rule=top5", lambda arm: arm.resampling.rule),
    ],
)
def test_a_method_can_be_named_by_an_override(write, override, read):
    """Under each of its names; arms that name theirs keep it."""
    given = override.partition("=")[2]
    arms = study.load(write(), overrides=[override]).arms

    assert given in [read(arm.configuration) for arm in arms]


def test_an_unset_variable_is_named_with_both_remedies(write, monkeypatch):
    """The message says how to give the path."""
    monkeypatch.delenv("TOY_TRAIN", raising=False)

    assert problems(write(), profile="paper") == [
        "toy.yaml:15:19: data.train: the environment variable TOY_TRAIN is not set; "
        "set it, or pass --set data.train=PATH"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a\n- b\n",
        "a: [",
        "\t",
        "a: &a [*a]",
        "&a [*a, *a]",
        "x" * 10,
        "{" * 2000,
        "a: !!python/x 1",
    ],
    ids=repr,
)
def test_what_is_no_study_is_refused(tmp_path, text):
    """Broken YAML, other documents and hostile ones end in a message."""
    path = tmp_path / "toy.yaml"
    path.write_text(text)

    assert problems(path)


def test_an_alias_bomb_is_refused(tmp_path):
    """Ten lines that would expand to a thousand million values."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    path = tmp_path / "toy.yaml"
    path.write_text("\n".join(lines))

    assert "expands too far" in problems(path)[0]


def configuration(**changes):
    return Configuration.model_validate(PRESETS["dehaan2020"] | changes)


def test_one_and_one_point_zero_are_one_configuration():
    """Numbers are normalised before they name a run."""
    whole, real = configuration(learning_rate=1), configuration(learning_rate=1.0)

    assert whole.identity() == real.identity()


def test_an_arm_that_does_not_resample_ignores_alpha():
    """What has no effect is no part of a run's name, so studies share such runs."""
    rule = PRESETS["dehaan2020"]["resampling"] | {"rule": "none"}
    one, other = (configuration(resampling=rule | {"alpha": a}) for a in (0.1, 0.2))

    assert one.identity() == other.identity()


def test_a_path_is_no_part_of_a_configurations_identity():
    """The same data elsewhere give the same result."""
    one, other = (configuration(data={"train": p, "test": p, "nonfaces": p}) for p in ("a", "b"))

    assert one.identity() == other.identity()


def keys(section, prefix=""):
    """Every dotted key of a configuration without methods, data sources as a whole."""
    for name, field in section.model_fields.items():
        if name in ("objective", "of", "parameters"):  # docs/controls.md
            continue
        inner = field.annotation
        nested = isinstance(inner, type) and issubclass(inner, Section)
        yield from keys(inner, f"{prefix}{name}.") if nested else [f"{prefix}{name}"]


def test_the_documentation_names_every_choice():
    """docs/configuration.md has a row for each key, and no row for another."""
    page = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\| `([a-z_.0-9]+)` \|", page, flags=re.MULTILINE)

    assert sorted(rows) == sorted(keys(Configuration))


def arm_of(path, name, **options):
    return next(arm for arm in study.load(path, **options).arms if arm.name == name)


@pytest.fixture
def write_arm(write):
    """Write the study with one arm more, and perhaps what a profile says of it."""

    def write_arm(arm, profile=""):
        path = write("reference: No debias", f"  - {arm}\nreference: No debias")
        path.write_text(path.read_text().replace("epochs: 2}", f"epochs: 2{profile}}}"))
        return path

    return write_arm


def test_an_arm_can_start_from_a_preset_of_its_own(write_arm):
    """Its preset lies below the study's base and profile, in place of the study's preset."""
    path = write_arm("{name: lab, preset: mit2019}")
    choices = arm_of(path, "lab").configuration

    assert (choices.architecture, choices.batch_size, choices.epochs) == ("mit2019", 36, 2)


def test_an_arms_unknown_preset_is_named_with_its_place(write_arm):
    """File, line and column, and the nearest that there is."""
    path = write_arm("{name: lab, preset: mit2018}")

    assert problems(path) == [
        "toy.yaml:9:25: unknown preset 'mit2018'; did you mean 'mit2019'?; known: "
        + ", ".join(PRESETS)
    ]


def test_a_profile_can_change_one_arm_alone(write_arm):
    """Over what the arm itself says, in that profile only."""
    path = write_arm("{name: short, epochs: 20}", ", arms: {short: {epochs: 1}}")

    assert arm_of(path, "short").configuration.epochs == 1
    assert arm_of(path, "No debias").configuration.epochs == 2


def test_a_profiles_arm_that_does_not_exist_is_named(write_arm):
    """It would change nothing, silently."""
    path = write_arm("{name: short, epochs: 20}", ", arms: {shart: {epochs: 1}}")

    assert problems(path) == ["toy.yaml:14:56: no arm is called 'shart'; did you mean 'short'?"]


def test_arms_that_are_ranked_otherwise_may_share_a_configuration(write_arm):
    """They share the runs; which of them are kept is the difference."""
    select = "{by: accuracy, split: validation}"
    path = write_arm(f"{{name: other, resampling: {{combine: none}}, select: {select}}}")
    first, other = arm_of(path, "No debias"), arm_of(path, "other")

    assert first.configuration == other.configuration
    assert (first.select, other.select.by, other.select.split) == (None, "accuracy", "validation")


def test_an_arm_is_ranked_by_what_is_recorded(write_arm):
    """Recall on validation images is in no record."""
    path = write_arm("{name: other, epochs: 9, select: {by: recall, split: validation}}")

    assert problems(path) == [
        "toy.yaml:9:38: select: select by recall on test, or by accuracy on validation"
    ]


def test_a_profile_can_answer_to_other_numbers(write):
    """One set of arms, two sets of printed numbers."""
    answers = "published: {source: %s, margin: {recall: 1.0, variance: 9.0}}"
    path = write("profiles:", f"{answers % 'paper'}\nprofiles:")
    write_published(path)
    other = path.parent / "published" / "slides.yaml"
    other.write_text((path.parent / "published" / "paper.yaml").read_text().replace("Table 3", "S"))
    path.write_text(path.read_text().replace("epochs: 2}", f"epochs: 2, {answers % 'slides'}}}"))

    assert study.load(path).published.printed == "S"
    assert study.load(path, profile="paper", overrides=["data.train=x"]).published.printed != "S"


def test_every_file_of_printed_numbers_is_answered_by_a_study(monkeypatch):
    """Each published number is reachable from a study file."""
    monkeypatch.setattr("os.environ", os.environ | SET)
    loaded = [study.load(path, profile=name) for path in STUDIES for name in profiles(path)]
    answered = {one.published.source + one.published.printed for one in loaded if one.published}
    printed = [published.read(path) for path in PRINTED]

    assert {one.source + one.printed for one in printed} <= answered


CLAIMED = """\
select: {keep: 2, by: recall, split: test}
claims:
  - name: resampling makes the groups more equal
    quantity: variance
    read_at: {logit: 0}
    contrast: {arm: alpha = 0.01, less: No debias}
    expect: lower
    smallest_effect: {absolute: 10.0}
    primary: true
"""
SELECT = CLAIMED.splitlines()[0]


@pytest.mark.parametrize(
    ("stop", "looks"),
    [
        ("", (3,)),
        ("stop: {every: 5, at_most: 18}", (3, 8, 13, 18)),
        ("stop: {every: 5, at_most: 10}", (3, 8, 10)),
        ("stop: {every: 9, at_most: 4}", (3, 4)),
    ],
)
def test_a_study_is_looked_at_after_each_block(write, stop, looks):
    """The replicates, then every so many seeds, and at last all; fewer replicates plan the same."""
    path = write(SELECT, CLAIMED + stop)

    assert study.load(path).looks == looks
    assert study.load(path, overrides=["replicates=2"]).looks == looks


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (SELECT, SELECT + "\nstop: {every: 5, at_most: 9}", ": stop needs a claim"),
        (
            SELECT,
            CLAIMED + "stop: {every: 5, at_most: 3}",
            "stop.at_most is 3: it must be more than",
        ),
        (SELECT, CLAIMED + "stop: {every: 1, at_most: 999}", "997 looks are planned; at most 100"),
        (
            "replicates: 3\n" + SELECT,
            "replicates: 1\n" + CLAIMED.replace("2", "1") + "stop: {every: 1, at_most: 9}",
            "stop needs replicates: 2 or more",
        ),
        (SELECT, CLAIMED + "stop: {at_most: 9}", "stop.every is missing"),
    ],
)
def test_a_rule_that_cannot_stop_a_study_is_refused(write, old, new, message):
    """It has a claim to decide, at more runs than one look, and not at every run of thousands."""
    (problem,) = problems(write(old, new))

    assert message in problem


def test_the_command_line_does_not_change_the_rule_of_a_file(write):
    """As a variant of the study it would be looked at as often as there are variants."""
    path = write(SELECT, CLAIMED + "stop: {every: 5, at_most: 18}")

    assert "--until-answered with --at-most" in problems(path, overrides=["stop.at_most=30"])[0]


def test_a_profile_can_have_its_own_rule(write):
    """A quick one need not have the rule of the paper."""
    path = write(SELECT, CLAIMED)
    text = path.read_text().replace("epochs: 2}", "epochs: 2, stop: {every: 1, at_most: 5}}")
    path.write_text(text)

    assert study.load(path).looks == (3, 4, 5)

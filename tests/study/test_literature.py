import ast
import copy
import subprocess
import sys
from pathlib import Path

import pytest

import repro
from repro.stats.disparity import DEFINITIONS
from repro.study import literature
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.study.schema import Select
from repro.study.section import Section

PACKAGE = Path(repro.__file__).parent
PAGE = PACKAGE.parent / "docs" / "configuration.md"
CHOICES = {choice.key: choice for choice in literature.load().choices}
ARMS = [choice for choice in CHOICES.values() if choice.scope == "configuration"]
LETTERS = [source.letter for source in literature.load().sources]
EVERY_USE = [
    pytest.param(choice, letter, value, id=f"{choice.key}-{letter}-{value}")
    for choice in CHOICES.values()
    for letter, use in choice.uses.items()
    for value in use.values
]


def leaves(section, prefix=""):
    """Every dotted key of a configuration that a paper chose; each role of the data is one."""
    for name, field in section.model_fields.items():
        if name in ("objective", "of", "parameters"):  # of methods that no paper on DB-VAE has
            continue
        inner = field.annotation
        nested = isinstance(inner, type) and issubclass(inner, Section)
        yield from leaves(inner, f"{prefix}{name}.") if nested else [f"{prefix}{name}"]


def plain(**changes):
    """The preset as a record holds it, with sections changed."""
    value = copy.deepcopy(PRESETS["dehaan2020"])
    for name, change in changes.items():
        merge = isinstance(change, dict) and isinstance(value[name], dict)
        value[name] = value[name] | change if merge else change
    return Configuration.model_validate(value).model_dump(mode="json")


def set_at(value, key, new):
    """A copy of a nested mapping with one dotted key changed."""
    name, _, rest = key.partition(".")
    return value | {name: set_at(value[name], rest, new) if rest else new}


def at(value, key):
    """The value of a nested mapping at a dotted key."""
    name, _, rest = key.partition(".")
    return at(value[name], rest) if rest else value[name]


def test_the_sources_are_the_five_letters():
    """Columns stand in the order in which the sources appeared, A first."""
    assert LETTERS == ["A", "H", "M", "F", "E"]


def test_every_choice_of_a_configuration_has_one_row():
    """No choice is missing from the ledger, none is there twice, none is invented."""
    assert sorted(choice.key for choice in ARMS) == sorted(leaves(Configuration))


def test_the_other_choices_are_those_of_studies_and_tables():
    """What is set beside the arms: replicates, their selection, the definition."""
    others = {choice.key for choice in CHOICES.values() if choice.scope != "configuration"}

    assert others == {
        "replicates",
        "definition",
        *(f"select.{name}" for name in Select.model_fields),
    }


def test_no_key_has_two_rows():
    """Keys are names."""
    assert len(CHOICES) == len(literature.load().choices)


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_a_row_says_what_every_source_does(choice):
    """Each source has a text, and a dash stands for no value."""
    silent = [letter for letter, use in choice.uses.items() if use.text == "-" and use.values]

    assert list(choice.uses) == LETTERS
    assert all(use.text for use in choice.uses.values())
    assert silent == []


@pytest.mark.parametrize(("choice", "letter", "value"), EVERY_USE)
def test_a_machine_value_can_be_set(choice, letter, value):
    """What a source is said to do is something that a study can do."""
    if choice.scope == "configuration":
        whole = set_at(PRESETS["dehaan2020"], choice.key, value)
        if value == "classifier":
            whole = set_at(whole, "resampling.rule", "none")
        Configuration.model_validate(whole)
    elif choice.key == "definition":
        assert value in DEFINITIONS
    else:
        assert isinstance(value, int)


def test_the_reproductions_values_are_its_presets():
    """Whatever shapes a run of the preset is, first of all, what H's code does."""
    identity = Configuration.model_validate(PRESETS["dehaan2020"]).settings()
    shaping = [c.key for c in ARMS if not c.key.startswith("data.")]
    shaping.remove("resampling.arithmetic")  # of a product, which H gave up

    values = {key: CHOICES[key].uses["H"].values[0] for key in shaping}

    assert values == {key: at(identity, key) for key in shaping}


def test_the_deviations_are_numbered_from_one():
    """A report can refer to them."""
    numbers = [deviation.number for deviation in literature.load().deviations]

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("deviation", literature.load().deviations, ids=lambda d: str(d.number))
def test_a_deviation_says_what_from_whom_and_to_what_effect(deviation):
    """Nothing is left empty, and sources are called by their letters in order."""
    assert deviation.text
    assert deviation.effect
    assert deviation.where
    assert deviation.applies_to
    assert list(deviation.applies_to) == [x for x in LETTERS if x in deviation.applies_to]


@pytest.mark.parametrize(
    "place", sorted({w for d in literature.load().deviations for w in d.where})
)
def test_a_deviation_names_code_that_exists(place):
    """The name stands in the module, at its top."""
    module, _, name = place.rpartition(".")
    path = PACKAGE / module.replace(".", "/")
    tree = ast.parse(
        (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()
    )

    assert name in {bound for node in tree.body for bound in names(node)}


def names(node):
    """What a statement binds."""
    targets = getattr(node, "targets", [getattr(node, "target", node)])
    return [getattr(target, "id", getattr(target, "name", None)) for target in targets]


def test_the_documentation_holds_the_table():
    """docs/configuration.md has the ledger's table once."""
    page = PAGE.read_text(encoding="utf-8")

    assert page.count(f"\n\n{literature.markdown_table()}\n") == 1


def test_the_table_has_a_row_for_each_choice_and_equally_many_cells():
    """A bar inside a cell is escaped, and no cell breaks its line."""
    rows = literature.markdown_table().splitlines()

    assert {row.replace("\\|", "").count("|") for row in rows} == {3 + len(LETTERS)}
    assert len(rows) == 2 + len(CHOICES)


def test_values_show_what_each_arm_does():
    """Numbers stand without superfluous zeros, words as they are."""
    shown = literature.values({"one": plain(), "two": plain(kl={"weight": 0.0005}, epochs=8)})

    assert shown["kl.weight"] == {"one": "1", "two": "0.0005"}
    assert shown["epochs"] == {"one": "60", "two": "8"}
    assert shown["resampling.rule"] == {"one": "max", "two": "max"}


def test_values_follow_the_ledger():
    """Every choice of a configuration is there, in the ledger's order."""
    assert list(literature.values({"one": plain()})) == [choice.key for choice in ARMS]


def test_values_say_what_shapes_no_run():
    """Alpha without resampling and latents without a DB-VAE change nothing and are not shown."""
    shown = literature.values(
        {
            "no debias": plain(resampling={"rule": "none"}),
            "classifier": plain(model="classifier", resampling={"rule": "none"}),
        }
    )

    assert shown["resampling.alpha"] == {"no debias": "not used", "classifier": "not used"}
    assert shown["latent_dim"] == {"no debias": "100", "classifier": "not used"}
    assert shown["resampling.uniform_epochs"] == {"no debias": "shuffle", "classifier": "shuffle"}


def test_the_arithmetic_matters_for_a_product_alone():
    """A maximum is the same in any arithmetic."""
    shown = literature.values({"max": plain(), "product": plain(resampling={"rule": "product"})})

    assert shown["resampling.arithmetic"] == {"max": "not used", "product": "log"}


def test_values_show_files_by_their_last_part():
    """Where somebody keeps data is nobody's business."""
    files = {"train": "/home/me/train_face.h5", "test": "C:\\PPB-2017\\", "nonfaces": "a/scenes"}

    shown = literature.values({"real": plain(data=files)})

    assert shown["data.train"] == {"real": "train_face.h5 (channels bgr)"}
    assert shown["data.test"] == {"real": "PPB-2017 (groups bi.fitz and gender)"}
    assert shown["data.nonfaces"] == {"real": "scenes"}


def test_values_show_how_embedded_data_are_made():
    """Synthetic data are named by their parameters."""
    shown = literature.values({"embedded": plain()})

    assert shown["data.nonfaces"] == {"embedded": "synthetic (photographs 200, size 128, seed 0)"}


def choice(**uses):
    """A choice of hand-made uses."""
    made = {k: literature.Use(text="anything", values=v) for k, v in uses.items()}
    return literature.Choice(key="key", means="meaning", left_open="", uses=made)


def test_users_compare_numbers_as_numbers():
    """1 is 1.0 and 1e-3 is 0.001, whoever wrote them."""
    assert literature.users(choice(A=(1,), H=(0.5, 1.0), M=(10,)), "1") == ["A", "H"]
    assert literature.users(choice(A=(0.001,), H=(0.01,)), 1e-3) == ["A"]


def test_users_compare_words_whole():
    """A word that begins alike is another word."""
    assert literature.users(choice(A=("sum",), H=("summed",), M=()), "sum") == ["A"]


def test_nobody_is_the_user_of_what_is_not_used():
    """A choice without effect is nobody's, and neither is silence."""
    assert literature.users(CHOICES["resampling.alpha"], literature.NOT_USED) == []
    assert literature.users(CHOICES["latent_dim"], literature.NOT_SAID) == []


@pytest.mark.parametrize(
    ("key", "value", "letters"),
    [
        ("resampling.alpha", "0.001", ["A", "H", "M", "F", "E"]),
        ("resampling.alpha", "0", ["M", "E"]),
        ("resampling.rule", "max", ["H", "M", "F"]),
        ("kl.weight", "0.1", []),  # F's is of a mean: another choice
        ("latent_dim", "200", ["F"]),
        ("definition", "amini2019", ["A"]),
    ],
)
def test_users_know_the_literature(key, value, letters):
    """Worked by hand from the sources."""
    assert literature.users(CHOICES[key], value) == letters


def test_a_key_that_is_given_twice_is_refused():
    """Two rows of sources under one letter would hide one."""
    with pytest.raises(ValueError, match="duplicate key 'A'"):
        literature.parse("sources: {A: {}, A: {}}")


def test_a_row_with_an_unknown_part_is_refused():
    """A misspelt key is no key."""
    row = "{key: k, means: m, left_opne: '', uses: {}}"

    with pytest.raises(TypeError, match="left_opne"):
        literature.parse(f"sources: {{}}\nchoices: [{row}]\ndeviations: []")


def test_the_ledger_loads_nothing_heavy():
    """A report is written on machines without torch."""
    heavy = "{'torch', 'numpy', 'pandas'}"
    probe = (
        "import sys, repro.study.literature as m; m.load();"
        f"sys.exit(bool({heavy} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0

"""Equal runs have one name, unequal ones two."""

import json
import random

import yaml

from repro.study import study
from repro.study.configuration import Configuration
from repro.study.presets import PRESETS
from repro.study.section import digest

BASE = PRESETS["dehaan2020"]
UNLIMITED = 1000.0  # the largest value that is drawn of a number without an upper bound


def leaves(tree, path=()):
    """Path and value of every choice but the data's."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        elif name != "data":
            yield (*path, name), value


def shuffled(tree, chance):
    """The same mapping with its keys in another order, at every level."""
    items = [(k, shuffled(v, chance) if isinstance(v, dict) else v) for k, v in tree.items()]
    chance.shuffle(items)
    return dict(items)


def edited(tree, path, value):
    """The mapping with one leaf changed."""
    head, *rest = path
    return tree | {head: edited(tree[head], rest, value) if rest else value}


def name_of(tree):
    """What a run of a configuration is called after."""
    return digest(Configuration.model_validate(tree).identity())


def test_order_and_layout_do_not_matter(tmp_path, amount):
    """Keys shuffled, flow or block style, floats written otherwise: read back, one name."""
    chance = random.Random(0)
    names = set()
    for _ in range(amount(50, 500)):
        arm = {"name": "x", **shuffled(BASE, chance)}
        content = shuffled(
            {
                "name": "toy",
                "question": "?",
                "base": {"preset": "dehaan2020"},
                "arms": [arm],
                "reference": "x",
                "replicates": 1,
                "select": {"keep": 1, "by": "recall", "split": "test"},
                "profiles": {"embedded": {}},
            },
            chance,
        )
        style = {"default_flow_style": chance.choice([None, False, True])}
        text = yaml.safe_dump(content, sort_keys=False, indent=chance.randint(2, 8), **style)
        file = tmp_path / "toy.yaml"
        file.write_text(text.replace("0.001", chance.choice(["0.001", "1.0e-3", "0.00100"])))
        names.add(digest(study.load(file).arms[0].configuration.identity()))

    assert names == {name_of(BASE)}


def bounds(path):
    """The smallest and the largest value of a number, as the configuration declares them."""
    *sections, name = path
    owner = Configuration
    for section in sections:
        owner = owner.model_fields[section].annotation
    field = owner.model_fields[name]
    declared = {
        kind: getattr(bound, kind)
        for bound in field.metadata
        for kind in ("ge", "gt", "le", "lt")
        if hasattr(bound, kind)
    }
    edge = 1 if field.annotation is int else 1e-9  # between a bound that is excluded and the next
    smallest = declared["ge"] if "ge" in declared else declared["gt"] + edge
    largest = declared["le"] if "le" in declared else declared.get("lt", UNLIMITED) - edge
    return smallest, largest


def other(path, value, chance):
    """Another legal value of a number, anywhere in its range."""
    draw = chance.randint if isinstance(value, int) else chance.uniform
    while (drawn := draw(*bounds(path))) == value:
        pass
    return drawn


def test_every_number_matters(amount):
    """One is changed at a time, to any legal value, and the name is another every time."""
    chance = random.Random(1)
    numbers = [(path, value) for path, value in leaves(BASE) if isinstance(value, int | float)]
    changes = [numbers[count % len(numbers)] for count in range(amount(50, 500))]
    names = {name_of(edited(BASE, path, other(path, value, chance))) for path, value in changes}

    assert name_of(BASE) not in names


def test_the_smallest_and_the_largest_value_of_every_number_are_legal():
    """So is every value between them that a test draws."""
    for path, value in leaves(BASE):
        if isinstance(value, int | float):
            for bound in bounds(path):
                name_of(edited(BASE, path, bound))


def test_no_two_of_many_runs_share_a_name(amount):
    """A million random configurations; names have 128 bits."""
    chance = random.Random(2)
    tree = json.loads(json.dumps({**BASE, "data": None}))
    names = set()
    tries = amount(20_000, 1_000_000)
    for number in range(tries):
        tree["learning_rate"], tree["epochs"] = chance.random(), number
        names.add(digest(tree))

    assert len(names) == tries
    assert {len(name) for name in names} == {32}

"""Seeds are added in blocks until the primary claim is decided."""

import dataclasses
import functools
import shutil

import numpy as np
import pytest

from repro.analysis import claims
from repro.errors import ReproError
from repro.execution import runner, until_answered
from repro.execution.executors import hardware
from repro.metrics import Count
from repro.records import records
from repro.records.events import Remark, RunEnded, RunStarted
from repro.records.scores import Scores, to_csv
from repro.study import study

STUDY = """name: toy
question: Does it?
base: {preset: dehaan2020, data: synthetic, epochs: 1}
arms:
  - name: none
    resampling: {combine: none}
  - name: half
    resampling: {alpha: 0.5}
reference: none
replicates: 3
select: {keep: 2, by: recall, split: test}
claims:
  - name: more faces are found
    quantity: recall
    read_at: {logit: 0}
    contrast: {arm: half, less: none}
    expect: higher
    smallest_effect: {absolute: 10.0}
    primary: true
profiles: {embedded: {}}
"""
RULE = "stop: {every: 3, at_most: 9}\n"
FACES, BASE = 400, 200  # portraits, and how many the reference finds
# Points by which the arm's recall is higher, by seed: too scattered at 3 seeds, clear at 6.
CLEAR = (50, 10, 30, 29, 31, 30, 30, 30, 30)
NONE = (40, -40, 20, -20, 30, -30, 10, -10, 15)  # nothing can be told


def _photographs(found):
    """Portraits in two groups of which so many have a logit above 0."""
    logits = np.where(np.arange(FACES) < found, 1.0, -1.0)
    groups = tuple("ab"[k % 2] for k in range(FACES))
    ones = np.ones(FACES, dtype=np.int64)
    names = tuple(map(str, range(FACES)))
    return Scores(names, groups, logits, ones, (logits > 0).astype(np.int64))


def ended(task, points):
    """A run that finds so many more portraits, in points, if it is of the arm; None: it failed."""
    more = points[task.seed]
    if more is None:
        failure = {"epoch": 1, "term": "loss", "reason": "it is nan"}
        return RunEnded(task.key, task.title, task.record(failure=failure), {})
    found = BASE + (FACES * more // 100 if task.arm == "half" else 0)
    portraits = _photographs(found)
    groups = {
        name: Count(FACES // 2, int(portraits.positive[at::2].sum()))
        for at, name in enumerate("ab")
    }
    record = task.record(
        groups=groups,
        metrics={"val_accuracy": 0.9, "false_positive_rate": 0.0},
        provenance={"seconds": 1.0},
    )
    return RunEnded(
        task.key, task.title, record, {records.SCORES: to_csv({"portraits": portraits})}
    )


class Made:
    """An executor whose runs have their results at once; it can be stopped like a person does."""

    workers = 1

    def __init__(self, points, *, stop_after=None):
        """With the arm's points by seed."""
        self.points, self.computation = points, hardware.computation(["cpu"])
        self.ran, self.stop_after, self.task = [], stop_after, None

    def room(self):
        """Whether no run waits."""
        return self.task is None

    def choose(self, tasks):
        """The first."""
        return 0

    def submit(self, task, begun):
        """Take a run."""
        if len(self.ran) == self.stop_after:
            raise KeyboardInterrupt
        self.task = task
        self.ran.append(task.seed)

    def events(self):
        """Its beginning and its end."""
        task, self.task = self.task, None
        yield RunStarted(task.key, task.title, 1, 1000)
        yield ended(task, self.points)


@pytest.fixture
def place(tmp_path):
    """Write the study, and run it with these points; what it told, and its index."""

    def run(points, *, text=STUDY + RULE, overrides=(), stop_after=None, rule=None):
        (tmp_path / "toy.yaml").write_text(text)
        loaded = study.load(tmp_path / "toy.yaml", overrides=overrides)
        loaded = rule(loaded) if rule else loaded
        executor, told = Made(points, stop_after=stop_after), []
        go = functools.partial(runner.run, loaded, tmp_path / "results", executor=executor)
        on_event = told.append
        index = until_answered.run(
            loaded,
            tmp_path / "results",
            block=lambda seeds: go(on_event=on_event, seeds=seeds),
            on_event=on_event,
        )
        return index, [e.text for e in told if isinstance(e, Remark)], executor.ran

    run.results = tmp_path / "results"
    return run


def test_a_study_stops_when_its_claim_is_decided(place):
    """Not at 3 seeds, at 6; all arms together, and the three others are not run."""
    index, told, ran = place(CLEAR)

    assert ran == [seed for seed in range(6) for _ in ("none", "half")]
    assert (index.seeds, index.replicates) == (6, 3)
    assert (index.looks.planned, index.looks.taken) == ((3, 6, 9), (3, 6))
    assert told[0].startswith("Look after 3 seeds an arm: cannot tell yet (effect 30 [")
    assert told[1].startswith("Look after 6 seeds an arm: holds (effect 30 [")
    assert told[1].endswith("] points, 98.2 % interval, 6 pairs)")
    assert told[2:] == [
        "Decided after 6 seeds an arm: more faces are found: holds; 6 of 18 planned runs were not "
        "needed"
    ]


def test_each_word_that_decides_stops_a_study(place):
    """An arm that finds fewer faces does not hold after the first look."""
    index, told, _ = place((-30, -31, -30))

    assert index.seeds == 3
    assert told[-1].endswith("does not hold; 12 of 18 planned runs were not needed")


def test_a_study_that_cannot_be_decided_ends_at_its_last_look(place):
    """And says so."""
    index, told, _ = place(NONE)

    assert index.looks.taken == (3, 6, 9)
    assert told[-1] == ("Not decided after 9 seeds an arm, the most planned: more faces are found")


@pytest.mark.parametrize("stop_after", [1, 5, 6, 7, 11])
def test_an_interrupted_study_decides_the_same(place, stop_after):
    """Whenever it was interrupted: from the records at each planned look."""
    with pytest.raises(KeyboardInterrupt):
        place(CLEAR, stop_after=stop_after)
    index, told, _ = place(CLEAR)

    assert (index.seeds, index.looks.taken) == (6, (3, 6))
    assert told[-1].startswith("Decided after 6 seeds an arm")


def test_a_look_that_was_decided_stays_decided(place):
    """Also where records of more seeds exist, whoever made them."""
    place(CLEAR, text=STUDY.replace("replicates: 3", "replicates: 9"))
    shutil.rmtree(place.results / "studies")
    index, told, ran = place(CLEAR)

    assert ran == []
    assert (index.seeds, index.looks.taken) == (6, (3, 6))
    assert told[-1].startswith("Decided after 6 seeds an arm")


def test_failed_pairs_count_to_the_look_that_they_were_started_for(place):
    """Three of six failed: the look is at six seeds, with three pairs."""
    _, told, ran = place((50, None, None, 10, None, 30, 29, 31, 30))

    assert told[0].startswith(
        "Look after 3 seeds an arm: cannot tell yet (1 of 3 planned seeds has"
    )
    assert "3 pairs" in told[1]
    assert len(ran) == 18


def test_a_later_run_never_shrinks_a_study(place):
    """Without the rule, and with a rule that ends earlier; the paper's columns keep their block."""
    place(CLEAR)
    plain, told, ran = place(CLEAR, text=STUDY)

    assert (plain.seeds, plain.replicates, ran, told) == (6, 3, [], [])
    assert not plain.looks.changed


def test_a_plan_that_is_changed_after_a_look_is_marked(place):
    """A study that was run without a rule, or with another one."""
    place(NONE[:3], text=STUDY)
    index, told, _ = place(NONE, text=STUDY + RULE)

    assert index.looks.changed
    assert index.looks.planned == (3,)
    assert "fewer than five pairs of runs tell nothing" in told[0]
    assert (
        "99.72 % interval" in told[1]
    )  # the anytime bound of six pairs, 5.27, as a t of 5 degrees


def test_a_decision_is_final(place):
    """Whatever rule comes later: that of a file, a longer one, or the first one at all."""
    place(CLEAR)
    for text in (STUDY, STUDY + RULE.replace("9", "12"), STUDY + RULE):
        index, told, ran = place(CLEAR, text=text)

        assert text == STUDY or told[-1].startswith("Decided after 6 seeds an arm")
        assert (index.looks.decided, index.looks.changed, index.seeds, ran) == (6, False, 6, [])


def test_a_single_look_that_decides_needs_no_others(place):
    """A rule that is given afterwards has nothing to go on for."""
    plain, told, _ = place((-30, -31, -30), text=STUDY)
    index, *_ = place((-30, -31, -30), text=STUDY + RULE)

    assert told == []
    assert (plain.looks.decided, index.looks, index.seeds) == (3, plain.looks, 3)


def test_more_seeds_by_hand_are_no_look_of_the_plan(place):
    """The rule is left out: 7 replicates on the command line are 7."""
    index, told, ran = place(CLEAR, overrides=["replicates=7"])

    assert (index.seeds, len(ran), told) == (7, 14, [])
    assert (index.looks.planned, index.looks.taken) == ((3, 6, 9), (7,))


def test_an_option_gives_a_study_its_rule(place):
    """Looks after each block of the replicates, at most eight blocks or as many as asked."""
    rule = functools.partial(until_answered.with_rule, at_most=7)
    index, *_ = place(NONE, text=STUDY, rule=rule)
    assert index.looks.planned == (3, 6, 7)

    loaded = until_answered.with_rule(load(place, STUDY))
    assert loaded.looks == (3, 6, 9, 12, 15, 18, 21, 24)
    shorter = until_answered.with_rule(load(place, STUDY + RULE), 5)
    assert (shorter.looks, shorter.stop.every) == ((3, 5), 3)


def load(place, text, **options):
    file = place.results.parent / "toy.yaml"
    file.write_text(text)
    return study.load(file, **options)


@pytest.mark.parametrize(
    ("change", "options", "at_most", "message"),
    [
        (
            lambda text: text[: text.index("claims")] + "profiles: {embedded: {}}\n",
            {},
            9,
            "declare",
        ),
        (str, {"overrides": ["replicates=2"]}, 9, "leave out --set replicates=2"),
        (str, {}, 3, "--at-most is 3: it must be more than the 3"),
        (lambda text: text.replace("replicates: 3", "replicates: 2"), {}, 900, "at most 100"),
    ],
)
def test_a_rule_that_cannot_decide_is_refused(place, change, options, at_most, message):
    """Before anything is trained."""
    with pytest.raises(ReproError, match=message):
        until_answered.with_rule(load(place, change(STUDY), **options), at_most)


def test_a_group_that_the_portraits_do_not_have_is_told_before_training(place):
    """A study whose runs are all there says nothing more."""
    of_group = STUDY.replace("quantity: recall", "quantity: group_recall\n    group: darker_man")
    _, told, _ = place(CLEAR, text=of_group)
    _, again, _ = place(CLEAR, text=of_group)

    assert told == [
        "Claim 'more faces are found' cannot be answered: no group is called 'darker_man'; the "
        "groups are darker_female, darker_male, lighter_female, lighter_male"
    ]
    assert again == []


def test_the_index_keeps_the_looks(place):
    """As it was written; an older index, without looks, has none."""
    index, *_ = place(CLEAR)
    path = records.index_path(index, place.results)

    assert records.read_index(path) == index
    plain = dataclasses.replace(index, looks=None)
    assert records.read_index(records.write_index(plain, place.results)).looks is None


def test_a_study_that_no_seeds_can_decide_stops_at_once(place, monkeypatch):
    """Its portraits are of too few people: the reason is told, and nothing more is run."""
    plain = claims.primary_alone
    monkeypatch.setattr(
        claims,
        "primary_alone",
        lambda found: dataclasses.replace(
            plain(found), word="cannot tell yet", hopeless=True, reason="why"
        ),
    )
    index, told, _ = place(CLEAR)

    assert index.seeds == 3
    assert told[-1] == "Not decided, and more seeds cannot decide it (why): more faces are found"

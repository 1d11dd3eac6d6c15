"""A study of three arms with a plug-in's metric and rule and a failed run, and its bundle."""

import hashlib
import json
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import scored_study
from click.testing import CliRunner
from places import ROOT

from repro.cli import main
from repro.plugins import plugin_text
from repro.records import records
from repro.records.records import Record
from repro.study import file_digest

METRIC, RULE = "equal_opportunity_difference", "rule inverse_root"
EXAMPLES = ROOT / "docs" / "examples"
LOUD = "\nfrom pathlib import Path as _P\n_P({canary!r}).touch()\n"  # of code that was run
STUDY = """\
# A comment.
name: toy
question: Does it?
plugins: [rule.py, metric.py]
base:
  preset: dehaan2020
  data: {train: /mnt/somewhere/train.h5, test: synthetic, nonfaces: synthetic}
arms:
  - {name: No debias, resampling: {rule: none}}
  - {name: alpha = 0.1}
  - {name: alpha = 0.01, resampling: {rule: inverse_root, power: 0.5}}
reference: No debias
replicates: 3
metrics: [equal_opportunity_difference]
select: {keep: 2, by: recall, split: test}
profiles: {embedded: {}}
"""
FAILED = "0.1-seed3"
STARTED = "2026-11-27T09:00:00+00:00"


def write(folder, canary):
    """Write the study, its plug-ins and its results.

    Args:
        folder: Is made.
        canary: A file that is there as soon as the code of a plug-in was run.
    """
    folder.mkdir(parents=True)
    (folder / "toy.yaml").write_text(STUDY)
    for name, example in (("rule.py", "inverse_root.py"), ("metric.py", "equal_opportunity.py")):
        text = (EXAMPLES / example).read_text()
        (folder / name).write_text(text + LOUD.format(canary=str(canary)))
    results = folder / "results"
    scored_study.write(results)
    records.write_record(_failed(), results, {})
    (index,) = records.read_indexes(results)
    arms = [
        replace(arm, keys=[*arm.keys, FAILED]) if arm.name == "alpha = 0.1" else arm
        for arm in index.arms
    ]
    digest = plugin_text.read(folder / "rule.py").digest
    index = replace(
        index,
        arms=arms,
        file="./toy.yaml",
        file_digest=file_digest.of_file(folder / "toy.yaml", "embedded", name="toy"),
        metrics=[METRIC],
        plugins={RULE: {"where": "/home/somebody/rule.py", "digest": digest}},
    )
    records.write_index(index, results)
    return folder


def _failed():
    """A run that failed for a reason that shows a path."""
    data = {"train": {"source": "mit_h5", "path": "/home/somebody/data/faces.h5"}}
    return Record(
        key=FAILED,
        seed=3,
        configuration={"resampling": {"rule": "max", "alpha": 0.1}, "data": data},
        data={"train": "0123456789abcdef" * 4},
        failure={"epoch": 2, "term": "kl", "reason": "it is nan"},
        provenance={"started": STARTED, "seconds": 61.4, "packages": {"torch": "2.13.0"}},
    )


def repro(*words, status=0):
    """What a command prints, standard output and errors apart."""
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == status, done.output
    return done


def with_member(bundle, target, change):
    """A copy of a bundle, whose members, a dict of bytes by name, were changed in place."""
    with zipfile.ZipFile(bundle) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    change(members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def described(members):
    """Write the digests of changed members into the crate, as somebody could who forges them."""
    name = "ro-crate-metadata.json"
    crate = json.loads(members[name])
    for one in crate["@graph"]:
        if one["@id"] in members and "sha256" in one:
            one["sha256"] = hashlib.sha256(members[one["@id"]]).hexdigest()
    members[name] = json.dumps(crate).encode()


def forget_plugins():
    """So that this process would run their code again."""
    for name in [name for name in sys.modules if name.startswith("repro_plugin_")]:
        del sys.modules[name]


def moved(folder, target):
    """The same study elsewhere."""
    return Path(shutil.copytree(folder, target))

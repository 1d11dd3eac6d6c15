"""What a report says, and in which order."""

import dataclasses
import re
import shlex

import pytest
import toned
from report_chapters import (
    ARMS,
    GROUPS,
    PROVENANCE,
    PUBLISHED,
    UNDERFLOW,
    asking,
    chapter,
    illustration,
    judged,
)

from repro import cli
from repro.errors import ReproError
from repro.metrics import Count
from repro.reporting.report import choices, evidence, report_sections
from repro.reporting.report.document import Commands, Counts, Paragraph, Picture, Sheet
from repro.reporting.tables import answer
from repro.study import literature


def study(one):
    """What is said of a study that has the report to itself."""
    return report_sections.document([one]).studies[0]


def section(one, name):
    """The blocks of a section."""
    found = study(one)
    return next(s.blocks for s in found.sections if s.anchor == f"{found.anchor}-{name}")


def said(blocks):
    """The paragraphs."""
    return " ".join(block.text for block in blocks if isinstance(block, Paragraph))


def table(one, name, which=0):
    """A table of a section."""
    return [b for b in section(one, name) if isinstance(b, Sheet)][which].part.table


def test_a_failed_reference_is_told_where_the_comparisons_would_stand():
    """A sentence, not a table without rows; and none where there are comparisons."""
    failed = {("none", seed): {"failure": UNDERFLOW, "groups": {}} for seed in range(3)}

    assert said(section(chapter(changed=failed), "tables")) == (
        "No arm is compared: the reference, none, has no runs with results (3 failed)."
    )
    assert said(section(chapter(), "tables")) == ""


def test_the_answer_stands_in_the_box_at_the_top():
    """Its sentences and its claims; the verdict follows, and each stands there once."""
    found = study(asking(judged()))
    first, second = found.sections[:2]
    sentences, sheet = first.blocks

    assert (first.title, first.set_off, second.title, second.set_off) == (
        "Answer",
        True,
        "Verdict",
        False,
    )
    assert sentences.text == answer.of_study(asking(judged()).outcomes).text
    assert list(sheet.part.table["Answer"]) == ["cannot tell yet"]
    shown = [b.part.name for s in found.sections for b in s.blocks if isinstance(b, Sheet)]
    assert shown.count("claims") == 1


def test_a_figure_of_the_claims_stands_beside_them():
    """And not among the others."""
    drawn = [illustration(), dataclasses.replace(illustration(), name="claims")]
    found = study(asking(chapter(drawn=drawn)))
    pictures = {
        one.title: [b.illustration.name for b in one.blocks if isinstance(b, Picture)]
        for one in found.sections
    }

    assert (pictures["Answer"], pictures["Figures"]) == (["claims"], ["recall"])


def test_a_study_without_claims_has_its_verdict_in_the_box():
    """No empty section stands before it."""
    assert [one.set_off for one in study(judged()).sections][:2] == [True, False]


def test_detectors_of_others_are_no_answer_of_a_study_without_claims(monkeypatch):
    """What they find stands first, under a heading of its own."""
    monkeypatch.setattr(answer.detector_sentence, "sentence", lambda _: "Another finds all.")
    one, other = study(judged()).sections[0], study(asking(judged())).sections[0]

    assert (one.title, one.set_off, one.blocks) == (
        "Detectors of others",
        False,
        (Paragraph(text="Another finds all.", strong=False),),
    )
    assert other.title == "Answer"


def test_an_overview_shows_the_answers():
    """A column, with a dash where a study asks nothing."""
    found = report_sections.document([asking(judged()), chapter(name="other")])
    sheet = next(b for b in found.overview.blocks if isinstance(b, Sheet))

    assert list(sheet.part.table["Answer"]) == [
        answer.of_study(asking(judged()).outcomes).text,
        "—",
    ]


def test_sections_come_in_the_order_of_trust():
    """Verdict, the paper's table, all tables, figures, then where everything comes from."""
    found = study(judged())

    assert [one.anchor.removeprefix(f"{found.anchor}-") for one in found.sections] == [
        "verdict",
        "paper",
        "judgements",
        "tables",
        "figures",
        "ledger",
        "deviations",
        "provenance",
        "failures",
        "cost",
    ]


def test_the_verdict_is_counted_in_words():
    """Every word of the verdict's table, also one that no judgement came to."""
    counts = next(b for b in section(judged(), "verdict") if isinstance(b, Counts)).of
    words = table(judged(), "judgements")["Verdict"].tolist()

    assert dict(counts) == {
        word: words.count(word) for word in ("reproduced", "not reproduced", "cannot tell")
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "No verdict: the study has no published values to compare with."),
        ({"published": PUBLISHED}, "No verdict: the data are synthetic."),
        (
            {"published": {"source": "old"}},
            "No verdict: the study's index was written by a version",
        ),
    ],
)
def test_without_a_verdict_the_reason_comes_first(changes, words):
    """No numbers to answer to, other data, or an index that does not say how they were made."""
    first = section(chapter(**changes), "verdict")[0]

    assert first.strong
    assert first.text.startswith(words)


def test_the_papers_table_names_its_definition_and_leads_to_its_runs():
    """Every row's link is the anchor of the arm's first run."""
    blocks = section(chapter(), "paper")
    targets = next(b for b in section(chapter(), "provenance") if isinstance(b, Sheet)).targets

    assert "as dehaan2020 defines them: recall pooled over portraits" in said(blocks)
    assert sorted(blocks[1].links.values()) == sorted(targets.values())
    assert blocks[1].links.keys() == set(blocks[1].part.table.index)


def test_every_run_stands_in_the_provenance():
    """Failed and missing runs too, each with its key, and the arm's first row linked."""
    one = chapter(
        changed={("none", 1): {"failure": UNDERFLOW, "groups": {}}}, missing=[("none", 2)]
    )
    runs = table(one, "provenance")

    assert runs["Run"].tolist() == [key for _, _, key in one.index.wanted()]
    assert runs["State"].tolist()[:4] == ["finished", "failed", "no record yet", "finished"]
    assert evidence.first_rows(one) == {0: one.runs_anchor(0), 3: one.runs_anchor(1)}


def test_the_runs_behind_the_papers_column_are_marked():
    """As many as are kept, the best by recall."""
    one = chapter()
    kept = table(one, "provenance")["In the paper's column"]
    arm = one.outcomes.arm("none")

    assert [seed for seed, word in enumerate(kept["none"]) if word == "kept"] == sorted(
        arm.seeds[at] for at in arm.kept(2)
    )


def test_runs_share_data_and_machines_by_number():
    """What differs gets a number of its own; versions stand with the machine."""
    other = PROVENANCE | {"threads": 1}
    one = chapter(
        changed={("none", 0): {"provenance": other}, ("none", 1): {"data": {"train": "other"}}}
    )
    runs, data, machines = (table(one, "provenance", at) for at in range(3))

    assert runs["Machine"].tolist()[:3] == ["machine 1", "machine 2", "machine 2"]
    assert runs["Data"].tolist()[:3] == ["data 1", "data 2", "data 1"]
    assert data.loc["data 2"].tolist() == ["other", "—", "—"]
    assert machines["Threads"].tolist() == ["1", "2"]
    assert machines.loc["machine 2", "Packages"] == "torch 2.13.0, numpy 2.4.6"


def test_commits_are_short_in_the_table_and_whole_below_it():
    """A changed program is told apart and named as what it is."""
    dirty = PROVENANCE | {"commit": f"{PROVENANCE['commit']}-dirty"}
    part = evidence.runs(chapter(changed={("none", 0): {"provenance": dirty}}))

    assert part.table["Commit"].tolist()[:2] == ["012345678-dirty", "012345678"]
    assert any(PROVENANCE["commit"] in remark for remark in part.remarks)
    assert any("cannot be repeated" in remark for remark in part.remarks)


@pytest.mark.parametrize("overrides", [[], ["epochs=2", "data.train=my faces.h5", "kl.weight=1"]])
def test_the_commands_are_understood_by_the_command_line(overrides):
    """Both parse as they are printed, with profile and overrides."""
    commands = next(
        b for b in section(chapter(overrides=overrides), "provenance") if isinstance(b, Commands)
    )
    for line in commands.lines:
        program, name, *arguments = shlex.split(line)
        context = cli.main.commands[name].make_context(name, arguments)

        assert program == "repro"
        assert context.params["profile"] == "embedded"
        assert list(context.params["overrides"]) == overrides


@pytest.mark.parametrize(("device", "name"), [("cuda", "NVIDIA H100"), ("mps", "M2, its GPU")])
def test_the_commands_name_the_device(device, name):
    """What was trained on a GPU is not made again on a processor."""
    on_gpu = {"provenance": PROVENANCE | {"device": name}, "computation": {"device": device}}
    one = chapter(changed={("none", 0): on_gpu})

    assert evidence.commands(one)[0].endswith(f"--device {device}")


def test_files_given_by_their_name_are_told():
    """Only the last part of a path is recorded, so that the command alone does not do."""
    told = "Replace each file of data.* by its path"

    assert told in said(section(chapter(overrides=["data.train=faces.h5"]), "provenance"))
    assert told not in said(section(chapter(overrides=["epochs=2"]), "provenance"))


def test_failed_and_collapsed_runs_have_their_reasons():
    """Epoch, term and reason, or what collapsed means."""
    one = chapter(
        changed={
            ("none", 1): {"failure": UNDERFLOW, "groups": {}},
            ("alpha = 0.1", 0): {
                "groups": dict.fromkeys(GROUPS, Count(100, 100)),
                "nonfaces": Count(9, 9),
            },
        }
    )
    rows = table(one, "failures")

    assert rows.loc["none", ["Seed", "Epoch", "Term", "Reason"]].tolist() == [
        "1",
        "2",
        "resampling weights",
        "underflow in float32",
    ]
    assert rows.loc["alpha = 0.1", "Term"] == "collapsed"


def test_no_failure_is_said_in_words():
    """An empty table would leave it open."""
    assert said(section(chapter(), "failures")) == (
        "None: each of the 6 runs that ended has results."
    )


def test_the_cost_is_counted_in_hours_of_a_processor():
    """Three runs of a quarter of an hour on two threads."""
    cost = table(chapter(), "cost")

    assert cost.loc["none"].tolist() == ["3", "900.0", "1.500", "1,400", "machine 1"]
    assert cost.loc["All arms", "CPU hours"] == "3.000"


def test_a_run_of_a_stack_counts_its_share_of_the_hours():
    """Three runs of a quarter of an hour on two threads, as one network: half an hour in all."""
    of_stack = PROVENANCE | {"stacked_runs": 3}
    one = chapter(changed={("none", seed): {"provenance": of_stack} for seed in range(3)})
    remarks = [" ".join(section(each, "cost")[0].part.remarks) for each in (one, chapter())]

    assert table(one, "cost").loc["none", "CPU hours"] == "0.500"
    assert ["counts its share of the hours" in each for each in remarks] == [True, False]


def test_records_without_provenance_leave_dashes():
    """Old or foreign records still make a report."""
    bare = {(arm, seed): {"provenance": {}, "data": {}} for arm in ARMS for seed in range(3)}
    one = chapter(changed=bare)

    assert set(table(one, "provenance")["Commit"]) == {"—"}
    assert said(section(one, "cost")) == "No record contains the duration of its run."


def test_a_study_without_a_record_still_has_a_report():
    """Nothing ran yet: every section says so."""
    nothing = [(arm, seed) for arm in ARMS for seed in range(3)]
    one = chapter(missing=nothing, drawn=[])

    assert "No run has ended yet" in said(section(one, "ledger"))
    assert "no run has ended yet" in said(section(one, "failures"))
    assert "There is no figure" in said(section(one, "figures"))
    assert "0 of 6 runs ended" in said(section(one, "verdict"))


def test_the_ledger_lists_every_choice_once():
    """In the ledger's order, those of the study and of the table too."""
    assert table(chapter(), "ledger").index.tolist() == [
        one.key for one in literature.load().choices
    ]


def test_the_ledger_names_arms_only_where_they_differ():
    """One value for all, or each value with its arms."""
    used = table(chapter(), "ledger")["Used here"]

    assert used["latent_dim"] == "100"
    assert used["resampling.rule"] == "none (none); max (alpha = 0.1)"
    assert used["select.keep"] == "2"
    assert used["definition"] == "dehaan2020"


def test_the_ledger_says_who_does_the_same_and_what_the_others_do():
    """Every source is a user, does otherwise, or does not say."""
    row = table(chapter(), "ledger").loc["decoder_input"]

    assert row["Same in"] == "H, M, E"
    assert row["Other sources"] == "F: faces; not reported by A"


def test_a_value_of_most_arms_is_that_of_the_others():
    """A sweep of many arms does not list them all."""
    arms = {"none": {"rule": "none"}}
    arms |= {f"alpha = {a}": {"rule": "max", "alpha": a} for a in (0.1, 0.05, 0.01)}

    assert table(chapter(arms=arms), "ledger").loc["resampling.rule", "Used here"] == (
        "none (none); max (the others)"
    )


def test_deviations_are_numbered_through():
    """The standing ones keep their numbers; the study's own go on from there."""
    one = judged(overrides=["epochs=2", "data.train=faces.h5"])
    standing, own = table(one, "deviations", 0), table(one, "deviations", 1)
    count = len(literature.load().deviations)

    assert standing.index.tolist() == [str(d.number) for d in literature.load().deviations]
    assert own.index.tolist() == [str(count + 1 + at) for at in range(len(own))]
    assert own["What differs"].tolist()[:2] == [
        "epochs=2, on the command line",
        "data.train=faces.h5, on the command line",
    ]


def test_synthetic_data_do_not_hide_what_else_differs():
    """Each difference from the printed protocol is a deviation by itself."""
    protocol = PUBLISHED["protocol"] | {"configuration": {"epochs": 60}}
    one = chapter(published=PUBLISHED | {"protocol": protocol})
    told = table(one, "deviations", 1)["What differs"].tolist()

    assert told == ["the data are synthetic", "epochs is 2, not 60"]


def test_tables_and_figures_are_numbered_through_all_studies():
    """No number twice, none left out; in a single report and in one of several."""
    for chapters in ([judged()], [judged(), chapter(name="other")]):
        found = report_sections.document(chapters)
        sections = [s for one in found.studies for s in one.sections]
        shared = [one for one in (found.overview, found.appendix) if one]
        blocks = [b for s in [*shared[:1], *sections, *shared[1:]] for b in s.blocks]
        tables = [b.number for b in blocks if isinstance(b, Sheet) and b.number]
        figures = [b.number for b in blocks if isinstance(b, Picture)]

        assert tables == list(range(1, len(tables) + 1))
        assert figures == list(range(1, len(chapters) + 1))


def test_several_studies_have_an_overview_and_share_the_standing_deviations():
    """A line for each, leading to its chapter, the verdict in short."""
    found = report_sections.document([judged(), chapter(name="other")])
    sheet = found.overview.blocks[0]

    assert sheet.links == {"toy": "toy-embedded", "other": "other-embedded"}
    assert sheet.part.table["Verdict"]["other"].startswith("No verdict")
    assert re.match(r"\d+ reproduced, \d+ not", sheet.part.table["Verdict"]["toy"])
    assert found.appendix.blocks[0].part.table.equals(choices.standing().table)


def test_two_variants_of_a_study_are_told_apart():
    """Names, anchors and files of figures."""
    found = report_sections.document([chapter(), chapter(variant="paper")])

    assert [one.name for one in found.studies] == ["toy@embedded", "toy@paper"]
    assert [file for file, _ in report_sections.illustrations(found)] == [
        "figures/toy-embedded-recall.pdf",
        "figures/toy-paper-recall.pdf",
    ]


def test_the_report_says_of_which_days_its_records_are():
    """Dates come from the records, never from the clock."""
    later = PROVENANCE | {"started": "2026-12-01T00:00:00+00:00"}
    one = chapter(changed={("none", 0): {"provenance": later}})

    assert "records of 6 runs of 2026-11-24 to 2026-12-01" in report_sections.document([one]).origin


def test_the_title_can_be_given():
    """Else it is made of the studies' names."""
    assert report_sections.document([chapter()], title="Mine").title == "Mine"
    assert report_sections.document([chapter()]).title == "Reproduction report: toy"


def test_a_study_stands_in_a_report_once():
    """Its anchors and files would be there twice."""
    with pytest.raises(ReproError, match="toy-embedded: a report shows a study once"):
        report_sections.document([chapter(), chapter()])


def test_scores_are_not_needed():
    """Without them the tables that need them are left out."""
    found = dataclasses.replace(chapter(), illustrations=[])
    names = [b.part.name for b in section(found, "tables")]

    assert names == ["results", "groups", "inequality", "accuracy", "comparisons"]


def test_a_study_with_a_scale_of_skin_tone_has_a_section_of_it():
    """A sentence, the figure and the table; neither stands a second time."""
    arms = {name: {"resampling": rule} for name, rule in ARMS.items()}
    toned_one = dataclasses.replace(
        chapter(),
        outcomes=toned.outcomes(arms=arms, reference="none"),
        illustrations=[illustration("tone")],
    )
    sentence, picture, sheet = section(toned_one, "tone")

    assert sentence.strong
    assert "from the lightest tone (1) to the darkest (6)" in sentence.text
    assert isinstance(picture, Picture)
    assert list(sheet.part.table.columns)[1] == "Change over the scale"
    assert sentence.text not in sheet.part.remarks
    assert not [b for b in section(toned_one, "figures") if isinstance(b, Picture)]
    assert "tone" not in {b.part.name for b in section(toned_one, "tables") if isinstance(b, Sheet)}

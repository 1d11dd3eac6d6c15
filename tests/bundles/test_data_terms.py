"""Terms of the data of a study."""

from dataclasses import replace

from builders import RECORD

from repro.bundles import data_terms

DATA = {
    "train": {"source": "mit_h5", "path": "/mnt/x/train.h5"},
    "test": {"source": "ppb", "path": "~/ppb"},
    "nonfaces": {"source": "folder", "path": "photographs"},
    "crops": {"source": "synthetic"},
}
DIGESTS = {role: f"{number}" * 64 for number, role in enumerate(DATA)}
RUN = replace(RECORD, configuration={"data": DATA}, data=DIGESTS)


def test_each_part_has_its_digest_its_terms_and_where_to_ask():
    """Of the catalogue; files of one's own are asked of the sender, synthetic ones are ours."""
    found = {one.role: one for one in data_terms.of_runs({"a": RUN, "b": RUN})}

    assert list(found) == list(DATA)
    assert found["test"].terms == "handed out on request, for research"
    assert "gendershades.org" in found["test"].where
    assert found["train"].where.startswith("https://www.dropbox.com/")
    assert (found["nonfaces"].terms, found["nonfaces"].where) == (data_terms.UNKNOWN, None)
    assert found["crops"].terms == data_terms.OWN


def test_a_file_that_may_be_packed_is_not_taken_for_mits():
    """Its layout alone does not say whose pictures are in it."""
    text = data_terms.text(data_terms.of_runs({"a": RUN}))

    assert "109,914 crops" not in text
    assert "Of a file that somebody packed (`repro data prepare`): those of its pictures" in text
    assert "(MIT's file)" in text


def test_the_text_shows_digests_and_no_path():
    """Where the sender's files are is nobody's matter."""
    text = data_terms.text(data_terms.of_runs({"a": RUN}))

    assert all(digest in text for digest in DIGESTS.values())
    assert not any(word in text for word in ("/mnt", "~", "photographs"))


def test_other_content_is_another_part():
    """Two arms with different training images."""
    other = replace(RUN, data={**DIGESTS, "train": "f" * 64})

    assert len(data_terms.of_runs({"a": RUN, "b": other})) == len(DATA) + 1

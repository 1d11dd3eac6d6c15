"""Which requests the server of the MLflow pages answers; the rest is tried on the server itself."""

import pytest

from repro.records.mlflow.request_rules import refusal

SEARCH = "/ajax-api/2.0/mlflow/experiments/search"


@pytest.mark.parametrize(
    ("host", "port", "answered"),
    [("127.0.0.1", 80, True), ("localhost:80", 80, True), ("localhost", 5000, False)],
)
def test_browsers_leave_out_the_port_80(host, port, answered):
    """So both names are ours there, and at no other port."""
    reason = refusal("GET", SEARCH, [(b"host", host.encode())], port)

    assert (reason is None) == answered


def test_a_refusal_says_why():
    """The text is what a person sees in the browser."""
    evil = [(b"host", b"10.evil.test")]
    assert refusal("GET", SEARCH, evil, 5000) == "the host is '10.evil.test'"
    assert refusal("GET", SEARCH, [], 5000) == "the host is missing"
    own = [(b"host", b"localhost:5000")]
    assert refusal("PUT", "/x", own, 5000) == "PUT '/x' is not needed for that"
    foreign = [*own, (b"origin", b"http://localhost:1")]
    assert refusal("GET", SEARCH, foreign, 5000) == "asked by 'http://localhost:1'"


def test_pages_of_studies_are_read_and_not_written():
    """By our own pages alone, like all others."""
    own = [(b"host", b"localhost:5000")]
    path = "/studies/toy/embedded/tables/runs.csv"

    assert refusal("GET", "/studies/", own, 5000) is None
    assert refusal("HEAD", path, own, 5000) is None
    assert refusal("POST", path, own, 5000) == f"POST '{path}' is not needed for that"
    assert refusal("GET", "/studies/../x", own, 5000) is not None
    assert refusal("GET", path, [*own, (b"referer", b"http://evil.test/")], 5000) is not None

"""Types of the fields of records."""

from repro.records import field_types


def test_equal_values_are_checked_once():
    """The newest ones; 1 and 1.0 are not equal here."""
    seen = []
    check = field_types.checked_once(lambda value: seen.append(value) or value)
    first = check({"a": 1})

    assert check({"a": 1}) is first
    assert repr(check({"a": 1.0})) == "{'a': 1.0}"
    assert seen == [{"a": 1}, {"a": 1.0}]
    for other in range(field_types.NEWEST):
        check({"b": other})
    assert check({"a": 1}) is not first

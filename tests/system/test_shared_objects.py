import threading
from functools import partial

import numpy as np
import pytest
from builders import configuration

from repro.data import sources
from repro.system import shared_objects
from repro.system.shared_objects import Shelf

SMALL = {
    "train": {"source": "synthetic", "faces": 4, "nonfaces": 4},
    "test": {"source": "synthetic", "per_group": 1, "size": 64},
    "nonfaces": {"source": "synthetic", "photographs": 2, "size": 64},
}


@pytest.fixture
def shelf():
    """The files of a process; here its threads stand for other processes."""
    found = Shelf()
    yield found
    found.close()


def one(path, make):
    """The object of a file."""
    return shared_objects.all_of({"x": (path, make)})["x"]


def numbers():
    """Arrays of two kinds, one of them empty, within something else."""
    return {"a": np.arange(7.0), "b": [np.zeros((0, 3), np.uint8)], "c": "text"}


def test_an_object_is_made_once_and_is_the_same_for_all(shelf):
    """The second one finds what the first one made."""
    made = []
    for _ in range(2):
        found = one(shelf.path("x"), lambda: made.append(1) or numbers())
        assert found["a"].tolist() == [0, 1, 2, 3, 4, 5, 6]
        assert (found["b"][0].shape, found["c"]) == ((0, 3), "text")

    assert made == [1]


def test_what_one_writes_into_an_array_no_other_sees(shelf):
    """An array can be written, and the change is the writer's own."""
    mine, theirs = one(shelf.path("x"), numbers), one(shelf.path("x"), numbers)
    mine["a"][0] = 9

    assert (mine["a"][0], theirs["a"][0], one(shelf.path("x"), numbers)["a"][0]) == (9, 0, 0)


def test_two_processes_that_need_the_same_objects_make_different_ones(shelf):
    """Each begins one of two; neither makes the other's, for which it waits."""
    both_make = threading.Barrier(2, timeout=60)
    made, found = [], []

    def make(name):
        made.append(name)
        both_make.wait()
        return name

    def process():
        wanted = {name: (shelf.path(name), partial(make, name)) for name in ("a", "b")}
        found.append(shared_objects.all_of(wanted))

    shelf.path("a"), shelf.path("b")
    threads = [threading.Thread(target=process) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == ["a", "b"]
    assert found == [{"a": "a", "b": "b"}] * 2


def test_a_process_that_waits_for_another_says_so_until_the_object_is_there(shelf, monkeypatch):
    """However long it is made, so that the one that waits is not ended for doing nothing."""
    monkeypatch.setattr(shared_objects, "WORD", 0.0)
    begun, said_twice, words = threading.Event(), threading.Event(), []

    def make():
        begun.set()
        assert said_twice.wait(60)
        return "made"

    def word():
        words.append(1)
        if len(words) == 2:
            said_twice.set()

    maker = threading.Thread(target=one, args=(shelf.path("x"), make))
    maker.start()
    assert begun.wait(60)
    found = shared_objects.all_of({"x": (shelf.path("x"), numbers)}, word)
    maker.join()

    assert (found, len(words) >= 2) == ({"x": "made"}, True)


def test_what_a_process_did_not_finish_is_made_again(shelf):
    """It failed while it made the object, or was killed while it wrote: the header is missing."""
    with pytest.raises(ZeroDivisionError):
        one(shelf.path("x"), lambda: 1 / 0)
    with open(shelf.path("x"), "r+b") as file:
        file.write(bytes(100))

    assert one(shelf.path("x"), numbers)["c"] == "text"


@pytest.mark.parametrize("path", [None, "/nowhere/at/all"])
def test_without_a_file_each_process_makes_its_own(path):
    """Where the system has no such files, or they are out of reach."""
    assert one(path, lambda: "made here") == "made here"


def test_a_shelf_has_an_end(shelf, monkeypatch):
    """Objects beyond it are each process's own; those on it stay."""
    monkeypatch.setattr(shared_objects, "MOST", 1)
    first = shelf.path("x")

    assert (shelf.path("y"), shelf.path("x")) == (None, first)


def test_drawn_data_are_the_same_from_the_shelf(shelf):
    """To the byte, whichever process drew them; what they held is told as well."""
    data = configuration(data=SMALL).data
    names = sources.drawn(data, sources.fingerprints(data))
    shared = {role: shelf.path(name) for role, name in names.items()}
    plain = sources.material(data)
    for _ in range(2):
        found = sources.keeper()(data, shared)
        assert np.array_equal(found.images.images, plain.images.images)
        assert found.images.groups == plain.images.groups
        assert found.contents == plain.contents
        for name, photographs in plain.photographs.items():
            assert found.photographs[name].names == photographs.names
            for place in range(len(photographs)):
                pixels = found.photographs[name].read(place)
                assert np.array_equal(pixels, photographs.read(place))

    assert shared.keys() == {"train", "test", "nonfaces"}

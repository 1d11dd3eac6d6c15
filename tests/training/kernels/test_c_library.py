"""Which build of the C functions a processor gets."""

import pytest

from repro.records import diff
from repro.training import provenance
from repro.training.kernels import c_library

XEON = "flags\t\t: fpu sse2 fma avx2 avx512f avx512vl"
NONE = "blocks are for processors with AVX2 and FMA, and for 64-bit ARM"
PROCESSORS = {
    "Xeon": ("x86_64", XEON, ("avx512", "avx2")),
    "laptop": ("x86_64", "flags\t\t: fpu sse2 fma avx2", ("avx2",)),
    "Mac with Intel": ("x86_64", "Intel(R) Core(TM) i5 adx avx1_0 avx2_0 fma", ("avx2",)),
    "before 2013": ("x86_64", "flags\t\t: fpu sse2 avx", ()),
    "without FMA": ("x86_64", "flags\t\t: fpu avx2", ()),
    "Graviton": ("aarch64", "Features\t: fp asimd", ("neon",)),
    "Mac": ("arm64", "Apple M3", ("neon",)),
    "POWER": ("ppc64le", "", ()),
}


@pytest.fixture
def processor(monkeypatch):
    """What puts another processor in the place of this one."""

    def is_now(machine, words):
        monkeypatch.setattr(c_library.platform, "machine", lambda: machine)
        monkeypatch.setattr(c_library.machine, "processor_flags", lambda: tuple(words.split()))
        c_library.builds.cache_clear()
        c_library._loaded.cache_clear()

    yield is_now
    monkeypatch.undo()
    c_library.builds.cache_clear()
    c_library._loaded.cache_clear()


@pytest.mark.parametrize("kind", PROCESSORS)
def test_a_processor_gets_the_builds_that_it_can_execute(kind, processor):
    """The widest vectors first; the first is used."""
    machine, words, expected = PROCESSORS[kind]
    processor(machine, words)

    assert c_library.builds() == expected
    assert c_library.build() == (expected[0] if expected else None)


def test_a_processor_without_a_build_computes_by_torch(processor, monkeypatch):
    """With the reason; the record names no build then."""
    monkeypatch.delenv(c_library.CHOICE, raising=False)
    processor("ppc64le", "")

    assert c_library.chosen() == "torch"
    assert c_library.missing_because() == NONE
    made = provenance.environment("cpu")
    assert (made["kernels"], made["kernels_build"], made["compiler"]) == ("torch", None, None)


def test_a_build_that_the_processor_lacks_is_not_loaded(processor):
    """It would end the process at its first instruction."""
    processor("x86_64", "flags\t\t: fma avx2")
    with c_library.using_build("avx512"):
        assert c_library.build() == "avx512"
        assert c_library.load() is None
        assert c_library.missing_because() == "the processor does not execute avx512"

    assert c_library.build() == "avx2"


def test_the_record_names_the_build():
    """`repro verify` names it where two machines differ."""
    kernels = "torch" if c_library.chosen() == "torch" else c_library.build()
    made = provenance.environment("cpu")

    assert made["kernels_build"] == (None if kernels == "torch" else kernels)
    assert diff.of_environment({"kernels_build": "avx512"}, {"kernels_build": "avx2"}) == [
        "kernels_build: avx512 -> avx2"
    ]


@pytest.mark.skipif("avx2" not in c_library.builds(), reason="this processor lacks AVX2")
def test_the_build_for_avx2_has_nothing_of_avx512():
    """Though this processor may have it."""
    with c_library.using_build("avx2"):
        library = c_library.load()
        if library is None:
            pytest.skip(c_library.missing_because())
        assert not library.has_pairs()
        assert not c_library.has_pairs()

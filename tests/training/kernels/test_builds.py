"""The builds of the C functions for different processors make the same bits."""

import functools
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from builders import configuration, needs_blocks, training_images

from repro.training import trainer
from repro.training.kernels import c_compiler, c_library

PROGRAM = Path(__file__).parent / "every_function.c"
PARTIAL = range(1, 34)  # images: every block that is not full
STRIPS = (1, 4, 5, 8, 9, 13, 16, 29)  # of them, enough for vectors of four; an emulator is slow
MAPS = {  # height, width, fine and coarse channels; images, and those on ARM
    "small": ("4 4 12 12", PARTIAL, STRIPS),
    "pictures": ("4 8 3 12", PARTIAL, STRIPS),
    "large": ("32 32 3 12", (24,), (5,)),
    "rows in parts": ("16 16 12 24", (17, 40), (5,)),
    "many channels": ("8 4 36 96", (5, 24, 64), (5,)),
}
CROSS, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"


@functools.cache
def digests(build, maps, images, folder):
    """What the program prints, linked with this processor's library of a build."""
    library, program = folder / f"{build}.so", folder / build
    if not program.exists():
        library.write_bytes(c_library._compiled(build))
        compiler = c_compiler.command()
        subprocess.run([*compiler, "-O1", PROGRAM, library, "-o", program, "-lm"], check=True)
    return printed([program], maps, images)


def printed(command, maps, images):
    """The digests of one kind of maps, a line each."""
    words = [*command, *maps.split(), *map(str, images)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """For programs."""
    return tmp_path_factory.mktemp("builds")


@pytest.mark.skipif(len(c_library.builds()) < 2, reason="this processor executes one build")
@needs_blocks
@pytest.mark.parametrize(("maps", "images"), [(m, i) for m, i, _ in MAPS.values()], ids=MAPS)
def test_the_builds_of_a_processor_make_the_same_bits(maps, images, folder):
    """Every function, and whatever is left of a block holds numbers."""
    first, *others = (digests(b, maps, images, folder) for b in c_library.builds())

    assert len(first) > 20
    assert not [line for line in first if "not written" in line]
    assert all(other == first for other in others)


@pytest.fixture(scope="module")
def on_arm(folder):
    """The command of the program for 64-bit ARM, emulated."""
    for needed in (CROSS, EMULATOR):
        if shutil.which(needed) is None:
            pytest.skip(f"no {needed} here")
    program = folder / "neon"
    flags = [one for one in c_library.FLAGS if one not in ("-shared", "-fPIC")]
    sources = [PROGRAM, *c_library.SOURCES]
    words = [CROSS, *flags, *c_library.FLAGS_OF["neon"], "-static", *sources, "-o", program, "-lm"]
    subprocess.run(words, check=True)
    return [EMULATOR, program]


@needs_blocks
@pytest.mark.parametrize(("maps", "images"), [(m, i) for m, _, i in MAPS.values()], ids=MAPS)
def test_arm_makes_the_bits_of_this_processor(maps, images, on_arm, folder):
    """Compiled for it and emulated; its speed is nowhere known."""
    here = digests(c_library.build(), maps, images, folder)

    assert printed(on_arm, maps, images) == here


@pytest.mark.skipif(len(c_library.builds()) < 2, reason="this processor executes one build")
@needs_blocks
@pytest.mark.parametrize("images", [15, 20])
def test_a_run_has_the_same_bits_with_either_build(images):
    """Weights, history and running statistics, with a block of eight left over and without."""
    found = []
    for build in c_library.builds():
        with c_library.using_build(build):
            choices = configuration(batch_size=24)
            fitted = trainer.fit(choices, 3, training_images(faces=images, others=images))
        found.append((fitted.history, fitted.model.state_dict()))
    (history, weights), *others = found

    for other_history, other_weights in others:
        assert str(other_history) == str(history)
        assert all(torch.equal(weights[name], other_weights[name]) for name in weights)

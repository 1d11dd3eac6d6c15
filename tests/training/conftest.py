"""What tests of training share."""

import pytest

from repro.training.kernels import c_library


@pytest.fixture(params=c_library.builds())
def build(request):
    """Each build of the compiled kernels that this processor executes, in its turn."""
    with c_library.using_build(request.param):
        yield request.param

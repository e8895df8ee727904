"""What many of the tests begin with."""

import pytest


@pytest.fixture(scope="module")
def own_caches():
    """The programs of these tests, all in the cache, and no others'."""
    from tsrnn import programs  # with it comes TensorFlow, which takes seconds to start

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "_networks", programs.Cache(32))
        patch.setattr(programs, "_programs", programs.Cache(32))
        yield

"""What many of the tests begin with."""

import pytest

from tsrnn import programs


@pytest.fixture(scope="module")
def own_caches():
    """The programs of these tests, all in the cache, and no others'."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "_networks", programs.Cache(32))
        patch.setattr(programs, "_programs", programs.Cache(32))
        yield

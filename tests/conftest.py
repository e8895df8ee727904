"""What many of the tests begin with."""

import pytest
from hypothesis import Phase, settings

from tsrnn import programs

# For tests/mutation.py: the same examples for every mutant, and none made smaller, which takes longer than to find it.
settings.register_profile(
    "mutation", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None, deadline=None
)


@pytest.fixture(scope="module")
def own_caches():
    """The programs of these tests, all in the cache, and no others'."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "_networks", programs.Cache(32))
        patch.setattr(programs, "_programs", programs.Cache(32))
        yield

"""What many of the tests begin with, and the run of those that cover the tables of what can go wrong."""

import copy

import pytest
from rows import Report


def pytest_addoption(parser):
    parser.addoption("--rows", action="store_true", help="run and count the rows of what can go wrong")


def pytest_configure(config):
    if config.getoption("--rows"):
        config.pluginmanager.register(Report())


@pytest.fixture(scope="module")
def own_caches():
    """The programs of these tests, all in the cache, and no others'."""
    from tsrnn import programs  # with it comes TensorFlow, which takes seconds to start

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(programs, "_networks", programs.Cache(32))
        patch.setattr(programs, "_programs", programs.Cache(32))
        yield


@pytest.fixture
def watched(fitted, tmp_path, monkeypatch):
    """Copies of what a module has fitted; afterwards the world is the same."""
    from bad_input import same_world

    monkeypatch.chdir(tmp_path)
    copies = copy.deepcopy(fitted)
    with same_world():
        yield copies

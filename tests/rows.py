"""The rows of the two tables of what can go wrong: which tests cover them, and the report of `make faults`."""

from collections import defaultdict

import pytest

TABLES = {"bad_input": range(1, 71), "fault": [f"F{number}" for number in range(1, 21)]}
TITLES = {"bad_input": "bad input", "fault": "faults"}


def rows_of(item):
    """The (table, row) pairs that a test covers, by its markers."""
    return [(table, row) for table in TABLES for mark in item.iter_markers(table) for row in mark.args]


def missing(found):
    """The rows of each table that are not among the pairs `found`, and the pairs that stand in no table."""
    wanted = [(table, row) for table, rows in TABLES.items() for row in rows]
    return [pair for pair in wanted if pair not in found], sorted(set(found) - set(wanted), key=str)


class Report:
    """Runs the tests that cover rows and counts them; a row without a test that passes fails the run."""

    def __init__(self):
        self.outcomes = defaultdict(set)
        self.n_cases = self.n_failed = 0

    def pytest_collection_modifyitems(self, config, items):
        covering = [item for item in items if rows_of(item)]
        config.hook.pytest_deselected(items=[item for item in items if not rows_of(item)])
        items[:] = covering
        for item in items:
            item.user_properties.append(("rows", rows_of(item)))  # workers of pytest-xdist send them along

    def pytest_runtest_logreport(self, report):
        rows = [tuple(row) for row in dict(report.user_properties).get("rows", [])]
        self.n_failed += report.failed
        self.n_cases += report.when == "call"
        if report.failed or report.when == "call":
            for row in rows:
                self.outcomes[row].add(report.outcome)

    def faults(self):
        """What is wrong with each row, in words."""
        absent, strange = missing([row for row, outcomes in self.outcomes.items() if "passed" in outcomes])
        failed = [row for row, outcomes in self.outcomes.items() if "failed" in outcomes]
        words = [f"{TITLES[table]} {row}: no test that passes" for table, row in absent]
        words += [f"{TITLES[table]} {row}: a test fails" for table, row in failed]
        return words + [f"{table} {row}: no such row" for table, row in strange]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if not hasattr(session.config, "workerinput") and self.faults() and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("rows of what can go wrong")
        whole = [row for row, each in self.outcomes.items() if "passed" in each and "failed" not in each]
        absent, _ = missing(whole)
        for table, rows in TABLES.items():
            covered = len(rows) - sum(other == table for other, _ in absent)
            terminalreporter.write_line(f"{TITLES[table]}: {covered} of {len(rows)} rows covered")
        for words in self.faults():
            terminalreporter.write_line(words)
        terminalreporter.write_line(f"{self.n_cases} cases, {self.n_failed} failures")

"""The rows of the two tables of what can go wrong, which tests cover them, and the report of `make faults`."""

from collections import defaultdict

import pytest

BAD_INPUT = """
X None; y None; X of one axis; X of four axes; no rows; no columns; X sparse; complex numbers; objects that are numbers;
objects, one a dict; text; a column of times; of times with a zone; of spans, periods, categories; NaN in X at fit;
NaN in X at predict; infinity in X; NaN or infinity in y; pd.NA; beyond float32; X and y of different lengths;
y a column; y of another width; y of words; another number of features; another number of steps;
another number of channels; columns in another order; a column's name twice; names of several types;
predict before fit; no rows at predict; lookback no count; horizon no count; rows for no window; rows for one window;
a stride beyond the end; gap below 0; too many splits; folds of no rows; horizon beyond the test fold;
training fold below a window; index not in order; the same stamp twice; stamps missing; NaT; local time without zone;
zones in which clocks change; another zone at predict; rows that do not follow; an index of no time; a constant series;
a constant feature; a constant fold; one sample; windows beyond the memory; odd layouts of memory; odd types of numbers;
odd containers; weights of samples; counts that are none; a batch beyond the samples; a huge learning rate;
nothing left to validate; random states; unknown names; what no file may hold; clone; parameters set after a fit;
processes and threads
"""
FAULTS = """
killed while it saves; no room to save, or no right; two writers of one file; Ctrl-C; a callback or a worker that fails;
a damaged or made-up file; a file of another version; a loss that is no number; exploding gradients; GPU out of memory;
host out of memory; no GPU; a fork after TensorFlow; no TensorFlow, or another backend; leaked globals;
locale, clock and path; downloads; threads that predict; evicted programs; pickles of other versions
"""


def titles(text):
    return [" ".join(title.split()) for title in text.split(";")]


TABLES = {
    "bad_input": dict(enumerate(titles(BAD_INPUT), start=1)),
    "fault": {f"F{number}": title for number, title in enumerate(titles(FAULTS), start=1)},
}
NAMES = {"bad_input": "bad input", "fault": "faults"}


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
        self.outcomes = defaultdict(list)
        self.n_cases = self.n_failed = 0

    def pytest_collection_modifyitems(self, config, items):
        covering = [item for item in items if rows_of(item)]
        config.hook.pytest_deselected(items=[item for item in items if not rows_of(item)])
        items[:] = covering
        for item in items:
            item.user_properties.append(("rows", rows_of(item)))  # workers of pytest-xdist send them along

    def pytest_runtest_logreport(self, report):
        if report.passed and report.when != "call":
            return
        self.n_failed += report.failed
        self.n_cases += report.when == "call"
        for table, row in dict(report.user_properties).get("rows", []):
            self.outcomes[table, row].append(report.outcome)

    def faults(self):
        """What is wrong with each row, in words."""
        absent, strange = missing([row for row, outcomes in self.outcomes.items() if "passed" in outcomes])
        failed = [row for row, outcomes in self.outcomes.items() if "failed" in outcomes]
        words = [f"{NAMES[table]} {row}: no test that passes" for table, row in absent]
        words += [f"{NAMES[table]} {row}: a test fails" for table, row in failed]
        return words + [f"{table} {row}: no such row" for table, row in strange]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if not hasattr(session.config, "workerinput") and self.faults() and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("rows of what can go wrong")
        for words in [*self._table(), *self.faults(), *self._counts()]:
            terminalreporter.write_line(words)

    def _table(self):
        for table, rows in TABLES.items():
            for row, title in rows.items():
                outcomes = self.outcomes.get((table, row), [])
                counts = (
                    f"{outcomes.count(each)} {each}" for each in ("passed", "skipped", "failed") if each in outcomes
                )
                yield f"{row!s:>4}  {title:<42}  {', '.join(counts) or 'no test'}"

    def _counts(self):
        whole = [row for row, each in self.outcomes.items() if "passed" in each and "failed" not in each]
        absent, _ = missing(whole)
        for table, rows in TABLES.items():
            covered = len(rows) - sum(other == table for other, _ in absent)
            yield f"{NAMES[table]}: {covered} of {len(rows)} rows covered"
        yield f"{self.n_cases} cases, {self.n_failed} failures"

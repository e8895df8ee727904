"""What is shown is run: the examples in docstrings, README, docs and notebooks; and their links lead somewhere."""

import ast
import contextlib
import doctest
import importlib
import io
import itertools
import json
import math
import re
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient

import tsrnn

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.stem for path in (ROOT / "tsrnn").glob("*.py"))
PAGES = [*ROOT.glob("README.md"), *sorted((ROOT / "docs").glob("*.md"))]
ENERGY = ROOT / "notebooks" / "1-energy-demand.ipynb"
ARCHITECTURES = ROOT / "notebooks" / "4-architectures.ipynb"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FLAGS = doctest.NORMALIZE_WHITESPACE
TOLERANCE = 0.05  # of a number that a network made: other processors round differently

# A bound that only a process as long as a whole test run reaches; what is shown does not depend on it.
pytestmark = pytest.mark.filterwarnings("ignore:This process has compiled:RuntimeWarning")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run in a folder of its own, draw on no screen, and leave no figure open."""
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    yield
    plt.close("all")


# --- docstrings ---


@pytest.mark.parametrize("module", [module for module in MODULES if module != "_documentation"])
def test_the_examples_of_docstrings(module):
    source = (ROOT / "tsrnn" / f"{module}.py").read_text(encoding="utf-8")
    if "_documentation." in source:  # docstrings made from a template
        source += (ROOT / "tsrnn" / "_documentation.py").read_text(encoding="utf-8")
    results = doctest.testmod(importlib.import_module(f"tsrnn.{module}"), optionflags=FLAGS)
    assert results.failed == 0
    assert (results.attempted > 0) == (">>> " in source)


@pytest.mark.parametrize("name", tsrnn.__all__)
def test_everything_public_has_an_example(name):
    value = getattr(tsrnn, name)
    is_error = isinstance(value, type) and issubclass(value, Exception)
    assert is_error or ">>> " in value.__doc__


# --- pages ---


class Block(NamedTuple):
    language: str
    text: str
    line: int
    output: str | None  # what the block of plain text right behind it shows


def blocks_of(page):
    """The fenced blocks of a page, in order."""
    found = list(re.finditer(r"^```(\w*)\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE))
    blocks = []
    for here, after in itertools.zip_longest(found, found[1:]):
        shown = after is not None and after[1] == "text" and not page[here.end() : after.start()].strip()
        line = page[: here.start()].count("\n") + 1
        blocks.append(Block(here[1], here[2], line, after[2] if shown else None))
    return blocks


def run_page(name, page):
    """Run the Python blocks of a page in one namespace and compare what they print; return how many there were."""
    namespace = {"__name__": "page"}
    blocks = [block for block in blocks_of(page) if block.language == "python"]
    for block in blocks:
        if block.text.startswith(">>> "):
            run_examples(name, block, namespace)
        else:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile("\n" * block.line + block.text, name, "exec"), namespace)
            if block.output is not None:
                assert_same_output(printed.getvalue(), block.output)
    return len(blocks)


def run_examples(name, block, namespace):
    examples = doctest.DocTestParser().get_doctest(block.text, namespace, name, name, block.line)
    report = io.StringIO()
    results = doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=report.write, clear_globs=False)
    assert results.failed == 0, report.getvalue()
    namespace.update(examples.globs)


def assert_same_output(printed, shown):
    """Words must be equal, spaces apart; numbers within the tolerance."""
    number = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
    words = [" ".join(number.sub("0", text).split()) for text in (printed, shown)]
    assert words[0] == words[1], printed
    pairs = zip(number.findall(printed), number.findall(shown), strict=True)
    far = [pair for pair in pairs if not math.isclose(*(float(n.replace(",", "")) for n in pair), rel_tol=TOLERANCE)]
    assert far == [], printed


SLOW = {"concepts.md", "long-runs.md"}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] if path.name in SLOW else []) for path in PAGES],
    ids=lambda path: path.name,
)
def test_pages_run(path):
    assert run_page(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) > 0


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_outputs_stand_behind_what_printed_them(path):
    blocks = blocks_of(path.read_text(encoding="utf-8"))
    shown = [block for block in blocks if block.output is not None]
    assert len(shown) == sum(block.language == "text" for block in blocks)
    assert all(block.language == "python" and not block.text.startswith(">>> ") for block in shown)


def test_blocks_of_a_page_share_names_and_print_what_is_shown():
    page = (
        "```python\na = 2\n```\n"
        "```python\n>>> a + 1\n3\n>>> b = 3.1\n\n```\n"
        "```python\nprint('b  is', b)\n```\n\n```text\nb is 3\n```\n"
        "```sh\nfalse\n```\n"
    )
    assert run_page("page", page) == 3


@pytest.mark.parametrize(
    "page",
    [
        "```python\nassert False\n```\n",
        "```python\n>>> 1 + 1\n3\n\n```\n",
        "```python\n>>> unknown\n\n```\n",
        "```python\nprint(1.1)\n```\n\n```text\n1\n```\n",
        "```python\nprint('one', 1)\n```\n\n```text\ntwo 1\n```\n",
        "```python\nprint(1, 2)\n```\n\n```text\n1\n```\n",
        "```python\nprint(1)\n```\n\n```text\n-1\n```\n",
        "```python\npass\n```\n\n```text\n1\n```\n",
    ],
)
def test_faults_of_a_page_are_seen(page):
    with pytest.raises((AssertionError, NameError)):
        run_page("page", page)


# --- notebooks ---


def tagged(book, tag):
    """The one cell of a notebook that has `tag`."""
    (cell,) = (cell for cell in book.cells if tag in cell.metadata.get("tags", []))
    return cell


def assigned_names(source):
    return {target.id for node in ast.parse(source).body for target in node.targets}


def outputs_of(book):
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


def warnings_of(book):
    streams = [output.text for output in outputs_of(book) if output.output_type == "stream" and output.name == "stderr"]
    return [text for text in streams if re.search(r"\w*Warning\b|WARNING:tensorflow", text)]


def assert_has_rows(book, tag, rows):
    """The table of the cell `tag` has a line for each of `rows`, regular expressions."""
    (result,) = tagged(book, tag).outputs
    table = result.data["text/plain"]
    for row in rows:
        assert re.search(f"^{row}$", table, flags=re.MULTILINE), f"{row}\n{table}"


class Kept(NamedTuple):
    small: dict[str, object]  # settings with which the notebook is quick
    n_pictures: int
    tables: dict[str, list[str]]  # lines of the table of each tagged cell


BOOKS = {
    ENERGY: Kept(
        {"EPOCHS": 1, "HIDDEN_SIZES": [4], "N_FOLDS": 1},
        4,
        {"scores": [rf"{name}( +\d+\.\d+){{4}}" for name in ["network", "ridge", "daily naive", "weekly naive"]]},
    ),
    ARCHITECTURES: Kept(
        {"N_TRAIN": 100, "EPOCHS": 1, "N_SEEDS": 1},
        4,
        {
            "scores": [rf"{task} .* (\d+\.\d+|NaN)" for task in ["adding", "parity", "palindrome", "spikes"]],
            "demand": [rf"{name}( +\d+\.0){{3}}" for name in ["LSTM", "GRU", "GRU, bidirectional", "weekly naive"]],
            "claims": [
                rf"{claim}.* +(True|False)"
                for claim in ["weights", "time on this machine, GRU / LSTM", "accuracy", "memory", "fall of the error"]
            ],
        },
    ),
}


def test_all_notebooks_are_tested():
    assert list(BOOKS) == NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("path", [ENERGY, ARCHITECTURES], ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path, monkeypatch):
    for variable in ["IPYTHONDIR", "JUPYTER_RUNTIME_DIR"]:
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    folder = tmp_path / "here"
    folder.mkdir()
    book = nbformat.read(path, as_version=4)
    settings = tagged(book, "parameters")
    assert assigned_names(settings.source) == set(BOOKS[path].small)
    settings.source = "\n".join(f"{name} = {value}" for name, value in BOOKS[path].small.items())
    NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    for tag, rows in BOOKS[path].tables.items():
        assert_has_rows(book, tag, rows)
    assert warnings_of(book) == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_with_their_outputs(path):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert path.stat().st_size < 600_000
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {output.output_type if output.output_type != "stream" else output.name for output in outputs_of(book)}
    assert kinds <= {"execute_result", "display_data", "stdout"}
    assert sum("image/png" in output.get("data", {}) for output in outputs_of(book)) == BOOKS[path].n_pictures
    for tag, rows in BOOKS[path].tables.items():
        assert_has_rows(book, tag, rows)


# --- links ---


def links_of(page):
    """The targets of a page's links and pictures, code left out."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(\s*([^)\s]+)\s*\)", prose)


def anchors_of(page):
    """The anchors that a page's headings have where Markdown is shown."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path, page):
    broken = []
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve()
        exists = target.is_relative_to(ROOT) and target.exists()
        if not exists or (anchor and anchor not in anchors_of(target.read_text(encoding="utf-8") if name else page)):
            broken.append(link)
    return broken


def prose_of(path):
    """The text of a page, or of the Markdown cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = json.loads(text)["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize(
    "path", [*PAGES, *NOTEBOOKS, ROOT / "CHANGELOG.md", ROOT / "datasets" / "README.md"], ids=lambda path: path.name
)
def test_links_lead_somewhere(path):
    assert broken_links(path, prose_of(path)) == []


def test_broken_links_are_seen():
    page = "# A b-c\n[a](no.md) [b](LICENSE) ![c](docs/no.png) [d](#a-b-c) [e](#no) [f](https://no.no)\n`[g](no)`\n"
    assert broken_links(ROOT / "README.md", page) == ["no.md", "docs/no.png", "#no"]

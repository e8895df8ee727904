"""No path leads from `load` to code of a file: by the syntax tree of what it reaches, and by Python's own audit."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from imports import MAY_IMPORT
from saved import CASES, GOLDEN

from tsrnn import save

PACKAGE = Path(__file__).parents[1] / "tsrnn"
TREES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.glob("*.py"))}
ESTIMATORS = {"anomalies", "baselines", "calendars", "classifiers", "forecasting", "regressors", "transformers"}


def reachable(names):
    """The modules of the package that some may import, directly or not."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += MAY_IMPORT.get(name, ())
    return found & set(TREES)


READERS = reachable(["persistence"]) - reachable(ESTIMATORS)
"""The modules that read files, and nothing else."""


def names_in(tree):
    """All names of a module, whole ones such as os.system, and each attribute alone."""
    whole = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)}
    return whole | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def imported(tree):
    """The first parts of all modules that a module imports, wherever in it."""
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in modules}


def test_the_readers_are_found():
    expected = {"_zip_file", "_tree", "_rows", "_stacks", "_index_nodes", "_node_kinds", "_weight_shapes"}
    assert expected | {"persistence", "_saved_classes", "_saved_networks", "_saved_series"} == READERS


RUNS = {"eval", "exec", "__import__", "import_module", "load_model", "find_class", "popen", "os.system", "os.popen"}
RUNS |= {"runpy", "os.execv", "os.spawnv", "os.posix_spawn", "os.fork", "from_config", "deserialize", "unsafe_load"}
MODULES = {"pickle", "marshal", "shelve", "yaml", "h5py", "joblib", "dill", "cloudpickle", "ctypes", "socket", "skops"}


@pytest.mark.parametrize("module", sorted(reachable(["persistence"])))
def test_nothing_that_load_reaches_runs_what_a_file_names(module):
    tree = TREES[module]
    # Both copy what Keras has made, when a network trains: `load` makes nothing of Keras.
    allowed = {"from_config"} if module in ("_optimizers", "programs") else set()
    assert names_in(tree) & RUNS == allowed
    # Checkpoints name what a fit follows from by a hash, for which joblib pickles it; nothing is read so.
    hashes = {"joblib", "pickle"} if module == "_checkpoints" else set()
    assert imported(tree) & (MODULES | {"subprocess", "runpy", "imp"}) == hashes
    assert {name for name in names_in(tree) if name.startswith("joblib.")} <= {"joblib.hash"}
    assert "compile" not in {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


READER_MODULES = {"importlib", "zipfile", "keras", "tensorflow", "urllib", "shutil", "tempfile", "operator"}


@pytest.mark.parametrize("module", sorted(READERS))
def test_readers_look_nothing_up_by_a_name_in_the_file(module):
    tree = TREES[module]
    assert not imported(tree) & (READER_MODULES - ({"importlib"} if module == "persistence" else set()))
    assert not names_in(tree) & {"setattr", "delattr", "globals", "locals", "attrgetter", "query", "__builtins__"}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    looked_up = [ast.unparse(call) for call in calls if ast.unparse(call.func) == "getattr"]
    constant = [f"getattr({ast.unparse(call.args[0])}, " for call in calls if is_constant(call)]
    over_code = {"_tree": ["getattr(np, name)"]}.get(module, [])  # over a tuple in the code
    assert len(looked_up) == len(constant) + len(over_code)
    assert set(over_code) <= set(looked_up)
    made = [ast.unparse(call) for call in calls if ast.unparse(call.func) in ("object.__new__", "object.__setattr__")]
    assert (made != []) == (module == "_tree")


def is_constant(call):
    """Whether a call is a `getattr` of a name that stands in the code."""
    return ast.unparse(call.func) == "getattr" and isinstance(call.args[1], ast.Constant)


def test_importlib_tells_versions_alone():
    tree = TREES["persistence"]
    uses = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = {use for use in uses if use.startswith("importlib.metadata.")}
    assert found == {"importlib.metadata.version", "importlib.metadata.PackageNotFoundError"}


# --- what Python's audit tells of ---

AUDIT = """
import json, sys
import tsrnn, pandas, zoneinfo
seen = []
def hook(event, arguments):
    seen.append([event, str(arguments[0]) if arguments else ""])
sys.addaudithook(hook)
for path in sys.argv[1:]:
    tsrnn.load(path)
    seen.append(["loaded", path])
first = list(seen)
seen.clear()
for path in sys.argv[1:]:
    tsrnn.load(path)
print(json.dumps([first, seen, "tensorflow" in sys.modules or "keras" in sys.modules]))
"""

EVENTS = ("exec", "compile", "subprocess", "socket", "os.", "pty", "ctypes", "marshal", "pickle", "code.", "urllib")
EVENTS += ("shutil", "import", "http", "tempfile", "glob", "mmap", "builtins.input", "builtins.breakpoint", "sys.set")


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """The events of loading a file of every kind of estimator, for the first time and again; and their files."""
    folder = tmp_path_factory.mktemp("audit")
    files = [str(file) for file in sorted(GOLDEN.glob("*.tsrnn"))]
    for number, (fit, _) in enumerate(CASES.values()):
        files.append(str(folder / f"{number}.tsrnn"))
        save(fit(), files[-1])
    command = [sys.executable, "-W", "ignore", "-c", AUDIT, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return *json.loads(done.stdout), files


def is_harmless(event, what):
    """Whether an event is one of the libraries' own: what they import late, each by a name in their code."""
    own = ("email", "importlib", "csv", "zipfile", "zlib", "bz2", "lzma", "pandas", "numpy", "zoneinfo", "_zoneinfo")
    own += ("tzdata", "sklearn", "scipy")
    imports = event in ("import", "marshal.loads", "exec", "compile") and what.split(".")[0].startswith(own)
    return imports or event in ("os.listdir", "os.scandir", "sys._getframe", "marshal.loads") or "site-packages" in what


def test_loading_runs_imports_and_writes_nothing(heard):
    first, _, engine, files = heard
    assert [what for event, what in first if event == "loaded"] == files
    assert [pair for pair in first if pair[0].startswith(EVENTS) and not is_harmless(*pair)] == []
    assert not engine


def test_loading_again_opens_nothing_but_the_file(heard):
    _, again, _, files = heard
    opened = [what for event, what in again if event == "open"]
    assert [what for what in opened if "zoneinfo" not in what] == files
    assert [pair for pair in again if pair[0].startswith(EVENTS)] == []

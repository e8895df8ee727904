"""The rules of the package's build: one-way imports, small files, a complete public list, true docstrings.

What the syntax tree can tell is read from it, so that no module has to be imported for it.
"""

import ast
import graphlib
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
from imports import EVERYTHING, MAY_IMPORT

import tsrnn
from tsrnn import _validation

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tsrnn"
TREES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}

KNOWN = EVERYTHING | set(MAY_IMPORT)

# These import TensorFlow or Keras (3-4 s): others import them inside functions, and none of their names is public.
HEAVY = {
    "training",
    "programs",
    "networks",
    "losses",
    "_layers",
    "_decoders",
    "_truncation",
    "_export",
    "_optimizers",
    "_runtime",
    "_backend",
    "_memory",
} | {"stepping"}

# Which modules may name these, and everything below them.
THIRD_PARTY = {"tensorflow": HEAVY - {"networks", "losses", "training"}, "keras": HEAVY, "keras.src": set()}


def imported_names(node):
    """The dotted names that one statement imports, each module and each name taken from it."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        start = "." * node.level + (node.module or "")
        return [f"{start}.{alias.name}" for alias in node.names]
    return []


def imports(tree):
    """All names that a module imports, wherever in it."""
    return [name for node in ast.walk(tree) for name in imported_names(node)]


def is_for_types_only(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports_at_top(tree):
    """The names that importing a module imports: not those in functions, nor those for type checkers."""
    names, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        names += imported_names(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += node.orelse if is_for_types_only(node) else ast.iter_child_nodes(node)
    return names


def siblings(names):
    """The modules of the package that `names` stand in; a name taken from the package itself is `__init__`'s."""
    found = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == "tsrnn":
            found.add(parts[1] if len(parts) > 1 and parts[1] in KNOWN else "__init__")
    return found


def is_private(name):
    """Whether a dotted name goes through a private module."""
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def test_the_package_is_flat():
    assert [str(path) for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE] == []


@pytest.mark.parametrize("module", TREES)
def test_imports_run_one_way(module):
    assert module in MAY_IMPORT, (
        f"tsrnn/{module}.py is not in MAY_IMPORT of {Path(__file__).name}: add what it may import"
    )
    wrong = siblings(imports(TREES[module])) - MAY_IMPORT[module]
    assert not wrong, f"tsrnn/{module}.py imports {sorted(wrong)}; it may import {sorted(MAY_IMPORT[module])}"


def test_imports_have_no_cycle():
    graph = {module: siblings(imports(tree)) for module, tree in TREES.items()}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("module", TREES)
def test_the_engine_is_imported_late(module):
    at_top = siblings(imports_at_top(TREES[module])) & HEAVY
    assert module in HEAVY or not at_top, f"import {sorted(at_top)} inside the functions that need them"


@pytest.mark.parametrize("module", TREES)
def test_other_packages_stay_where_they_belong(module):
    for name in imports(TREES[module]):
        assert not name.startswith("."), f"tsrnn/{module}.py: relative import {name}"
        own = name.split(".")[0] == "tsrnn"
        assert own or not is_private(name), f"tsrnn/{module}.py imports {name}, which is private"
        for package, allowed in THIRD_PARTY.items():
            if f"{name}.".startswith(f"{package}."):
                assert module in allowed, f"tsrnn/{module}.py imports {name}; only {sorted(allowed)} may"


def test_the_import_checks_see_what_they_should():
    tree = ast.parse(
        "import sklearn.utils._tags\n"
        "from tsrnn import windows, Forecaster\n"
        "if TYPE_CHECKING:\n    from tsrnn.training import Program\n"
        "else:\n    import json\n"
        "class A:\n    from tsrnn.networks import build\n"
        "def f():\n    import tsrnn.training\n"
    )
    assert siblings(imports(tree)) == {"windows", "__init__", "training", "networks"}
    assert set(imports_at_top(tree)) == {
        "sklearn.utils._tags", "tsrnn.windows", "tsrnn.Forecaster", "json", "tsrnn.networks.build",
    }  # fmt: skip
    assert is_private("sklearn.utils._tags")
    assert not is_private("tsrnn.__version__")


@pytest.mark.parametrize("folder", ["tsrnn", "tests", "benchmarks"])
def test_no_file_is_long(folder):
    lengths = {path.name: path.read_text(encoding="utf-8").count("\n") for path in (ROOT / folder).rglob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > 450} == {}


# --- the public names ---


def declared_names(tree):
    """The names in a module's `__all__`, or None if it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return ast.literal_eval(node.value)
    return None


DECLARED = {
    module: declared_names(tree) for module, tree in TREES.items() if not module.startswith("_") and module not in HEAVY
}
PUBLIC = [(module, name) for module, names in DECLARED.items() for name in names or ()]


def is_error(value):
    return inspect.isclass(value) and issubclass(value, BaseException) and value.__module__.startswith("tsrnn")


@pytest.mark.parametrize("module", DECLARED)
def test_public_modules_declare_their_names(module):
    assert DECLARED[module], f"tsrnn/{module}.py has no `__all__`"
    assert DECLARED[module] == sorted(set(DECLARED[module]))


def test_the_public_list_is_complete():
    errors = {name for name, value in vars(_validation).items() if is_error(value)}
    assert set(tsrnn.__all__) - {"__version__"} == errors | {name for _, name in PUBLIC}
    assert list(tsrnn.__all__) == sorted(tsrnn.__all__)


def test_everything_public_can_be_had_from_the_package():
    assert [name for name in tsrnn.__all__ if not hasattr(tsrnn, name)] == []
    public = {name for name, value in vars(tsrnn).items() if not isinstance(value, types.ModuleType)}
    assert {name for name in public if not name.startswith("_")} <= set(tsrnn.__all__)


# --- the docstrings ---


def documented_parameters(doc):
    """The (name, default) pairs of a numpydoc "Parameters" section; the default is None where none is given."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", inspect.cleandoc(doc), flags=re.MULTILINE)
    body = dict(zip(parts[1::2], parts[2::2], strict=True)).get("Parameters", "")
    pairs = []
    for names, kind in re.findall(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) ?: ?(\S.*)$", body, flags=re.MULTILINE):
        default = re.search(r"default=(.*)$", kind)
        shown = default[1].strip().replace('"', "'") if default else None
        pairs += [(name, shown) for name in names.split(", ")]
    return pairs


def actual_parameters(signature):
    """The (name, default) pairs of a signature, without `self`."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    pairs = []
    for name, parameter in signature.parameters.items():
        default = getattr(parameter.default, "__name__", repr(parameter.default))
        shown = None if parameter.default is inspect.Parameter.empty else default
        pairs.append((stars.get(parameter.kind, "") + name, shown))
    return pairs[1:] if pairs and pairs[0][0] in {"self", "cls"} else pairs


def docstring_faults(where, value, *, complete=True):
    """What is wrong with a docstring; with `complete`, leaving out all parameters is a fault as well."""
    if not value.__doc__:
        return [f"{where} has no docstring"]
    documented = documented_parameters(value.__doc__)
    if is_error(value) or isinstance(value, property) or not (documented or complete):
        return []
    actual = actual_parameters(inspect.signature(value))
    return [] if documented == actual else [f"{where} documents {documented}; its signature is {actual}"]


def public_methods(cls):
    """The public functions and properties that a class has from this package, by name."""
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("tsrnn"):
            found |= {name: member for name, member in vars(base).items() if not name.startswith("_")}
    # available_if keeps the function in `fn`, a class method and a static method keep it in `__func__`.
    plain = {name: getattr(member, "fn", getattr(member, "__func__", member)) for name, member in found.items()}
    return {name: member for name, member in plain.items() if isinstance(member, types.FunctionType | property)}


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_docstrings_match_signatures(module, name):
    value = getattr(importlib.import_module(f"tsrnn.{module}"), name)
    faults = docstring_faults(name, value)
    for method, member in public_methods(value).items() if inspect.isclass(value) else ():
        faults += docstring_faults(f"{name}.{method}", member, complete=False)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_public_names_take_no_kwargs(module, name):
    value = getattr(importlib.import_module(f"tsrnn.{module}"), name)
    assert is_error(value) or not [text for text, _ in actual_parameters(inspect.signature(value)) if "**" in text]


def test_the_docstring_check_sees_what_it_should():
    def documented(first, second, *rest, third=0.9, fourth=None, fifth=("a", "b"), sixth=len):
        """Do something.

        Parameters
        ----------
        first, second : int
            Two numbers: no parameter : stands here.
        *rest : int
            More numbers.
        third : float, default=0.9
            A number.
        fourth : {"x", "y"} or None, default=None
            A choice.
        fifth : tuple of str, default=("a", "b")
            Names.
        sixth : callable, default=len
            A function.

        Returns
        -------
        nothing : None
            Never a parameter.
        """

    assert docstring_faults("documented", documented) == []
    good = documented.__doc__
    for old, wrong in {"0.9": "0.90", ", default=None": "", "first, second": "second, first", "*rest": "*more"}.items():
        assert old in good
        documented.__doc__ = good.replace(old, wrong)
        assert len(docstring_faults("documented", documented)) == 1, wrong
    documented.__doc__ = "Do something."
    assert docstring_faults("documented", documented, complete=False) == []
    assert len(docstring_faults("documented", documented)) == 1
    documented.__doc__ = ""
    assert docstring_faults("documented", documented) == ["documented has no docstring"]


# --- constructors ---

CLASSES = {node.name: node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def is_estimator(name):
    """Whether a class of the package derives from BaseEstimator, as far as names tell."""
    bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in CLASSES[name].bases]
    return "BaseEstimator" in bases or any(is_estimator(base) for base in bases if base in CLASSES and base != name)


def stored_by(statement):
    """The parameters that one statement of a constructor stores under their own names; None if it does more."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=ast.Name(id=value)):
            return [name] if name == value else None
        case ast.Expr(value=ast.Call(func=function, args=[], keywords=keywords)):
            passed = [keyword.arg for keyword in keywords if keyword.arg == ast.unparse(keyword.value)]
            return passed if ast.unparse(function) == "super().__init__" and len(passed) == len(keywords) else None
        case ast.Expr(value=ast.Constant(value=str())):
            return []
    return None


def constructor_faults(init):
    """What a constructor does beside storing its parameters, and what it does not store."""
    parameters = {node.arg for node in ast.walk(init.args) if isinstance(node, ast.arg)} - {"self"}
    stored = {statement: stored_by(statement) for statement in init.body}
    faults = [f"line {node.lineno}: {ast.unparse(node)}" for node, names in stored.items() if names is None]
    missing = parameters - {name for names in stored.values() for name in names or ()}
    return faults + [f"does not store {name}" for name in sorted(missing)]


@pytest.mark.parametrize("name", [name for name in CLASSES if is_estimator(name)])
def test_constructors_only_store(name):
    for node in CLASSES[name].body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            assert constructor_faults(node) == []


@pytest.mark.parametrize(
    ("body", "n_faults"),
    [
        ("self.a = a; self.b = b", 0),
        ("super().__init__(a=a); self.b = b", 0),
        ("'Words.'; self.a = a; self.b = b", 0),
        ("self.a = a", 1),
        ("self.a = b; self.b = b", 2),
        ("self.a = int(a); self.b = b", 2),
        ("self.a = a; self.b = b; self.c = []", 1),
        ("super().__init__(a=1); self.b = b", 2),
        ("check(a); self.a = a; self.b = b", 1),
    ],
)
def test_the_constructor_check_sees_what_it_should(body, n_faults):
    (init,) = ast.parse(f"def __init__(self, a, *, b=None): {body}").body
    assert len(constructor_faults(init)) == n_faults


# --- what importing does ---

WATCH = """
import importlib, json, logging, os, random, warnings
import numpy as np

def state():
    kind, keys, *rest = np.random.get_state()
    return {
        "random": random.getstate(),
        "numpy.random": (kind, keys.tolist(), rest),
        "numpy's handling of errors": np.geterr(),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "logging": (logging.root.level, list(logging.root.handlers)),
        "working directory": os.getcwd(),
    }

for name in OTHERS:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
before = state()
import tsrnn
after = state()
print(json.dumps([name for name in before if before[name] != after[name]]))
"""


def answer_of_a_fresh_process(code):
    # Not this process' environment, in which the package is imported already.
    env = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def imported_modules():
    """The modules that `import tsrnn` brings into a fresh process, in order."""
    return answer_of_a_fresh_process("import json, sys, tsrnn; print(json.dumps(list(sys.modules)))")


def test_importing_the_package_does_not_import_the_slow_ones(imported_modules):
    assert not {name.split(".")[0] for name in imported_modules} & {"tensorflow", "keras", "matplotlib"}


def test_importing_the_package_changes_nothing_global(imported_modules):
    # What the dependencies change when they are imported is theirs: they come first.
    others = [name for name in imported_modules if name.split(".")[0] not in {"tsrnn", "__main__"}]
    assert answer_of_a_fresh_process(f"OTHERS = {others!r}\n{WATCH}") == []

"""The map of the house as a test: who may import whom, and who may touch what.

A room is a package of `reelbase`, or a module beside them. Imports inside functions and under TYPE_CHECKING count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import reelbase
from reelbase.database.statements import statements
from reelbase.datasets import DATASETS, Reference, Table

SOURCE = Path(reelbase.__file__).parent
ROOT = "reelbase"

# From the lowest room to the highest: a room may import the rooms named, all of which stand above it in this table.
MAP: dict[str, set[str]] = {
    "errors": set(),
    "datasets": set(),
    "telemetry": set(),
    "settings": {"errors"},
    "sample": {"errors"},
    "reading": {"datasets", "errors"},
    "database": {"errors", "settings"},
    "outgoing": {"errors", ROOT},
    "receiving": {"database", "errors", "outgoing"},
    # The sift asks the grammar of `reading` what a record is, so that the two can never differ.
    "loading": {"database", "datasets", "errors", "reading"},
    "publishing": {"database", "datasets", "errors"},
    "catalog": {"database", "datasets", "errors"},
    "imports": {
        *(
            "catalog",
            "database",
            "datasets",
            "errors",
            "loading",
            "outgoing",
            "publishing",
            "reading",
            "receiving",
            "settings",
            "telemetry",
        ),
    },
    "serving": {"catalog", "database", "errors", ROOT},
    "api": {"catalog", "database", "errors", "imports", "serving", ROOT},
    "web": {"catalog", "database", "errors", "imports", "serving"},
    "app": {"api", "imports", "receiving", "serving", "settings", "web"},
    # `loading` for the reasons of rejects, `publishing` for `prune`: both should come through `imports`.
    "cli": {
        *("app", "catalog", "database", "errors", "imports", "loading", "outgoing", "publishing", "reading"),
        *("receiving", "sample", "settings", "telemetry", ROOT),
    },
    "__main__": {"cli"},
}

# What only some modules may touch.
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}
MAY_READ_ENVIRONMENT = {
    "reelbase.settings",
    "reelbase.cli.database",  # psql inherits it, with the password that must not be among its arguments
}
SUBPROCESS = {"subprocess", "multiprocessing", "pty", "os.system", "os.popen", "os.fork", "os.posix_spawn"}
SUBPROCESS_PREFIXES = ("os.exec", "os.spawn")
MAY_START_PROCESSES = {
    "reelbase.cli.database",  # psql takes the place of the command
    "reelbase.cli.crew",  # workers are processes of their own
}
MAY_WRITE_SQL_AS_TEXT = {"reelbase.database.cluster"}  # the standard input of `postgres --single`, from a constant
DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc", "core", "base"}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its dotted name."""
    return {
        _name(path): ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def _name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The room of a module; `reelbase` itself is the room of its version."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ROOT


def imports(module: str) -> Iterator[tuple[str, int]]:
    """What a module imports of ours, with the line."""
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports by dots; write the whole name"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules() else str(node.module) for name in inner]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name.split(".")[0] == ROOT)


def touches(module: str) -> Iterator[tuple[str, int]]:
    """The dotted names a module uses (`os.environ`, `subprocess`, `print`), with the line, imports resolved."""
    tree = modules()[module]
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known.update({alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names})
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            known.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{known.get(node.value.id, node.value.id)}.{node.attr}", node.lineno
        elif isinstance(node, ast.Name):
            yield known.get(node.id, node.id), node.lineno


# Who may import whom


def test_every_room_is_on_the_map() -> None:
    assert {room(module) for module in modules()} - {ROOT} == set(MAP)


def test_the_map_itself_has_no_way_up() -> None:
    above: set[str] = {ROOT}
    for name, allowed in MAP.items():
        assert allowed <= above, f"{name} may import {sorted(allowed - above)}, which stand below it in the map"
        above.add(name)


@pytest.mark.parametrize("name", MAP)
def test_a_room_imports_only_what_the_map_allows(name: str) -> None:
    wrong = [
        f"{module}:{line} imports {target}"
        for module in modules()
        if room(module) == name
        for target, line in imports(module)
        if room(target) not in MAP[name] | {name}
    ]
    assert not wrong


@pytest.mark.parametrize("name", MAP)
def test_the_map_allows_nothing_that_no_one_needs(name: str) -> None:
    used = {room(target) for module in modules() if room(module) == name for target, _ in imports(module)}
    needed = MAP[name] - {"telemetry"}  # logging and timing come and go
    assert needed <= used, f"strike {sorted(needed - used)} from what {name} may import"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: {target for target, _ in imports(module)} - {module} for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_module_is_a_drawer_for_everything() -> None:
    assert not {module for module in modules() if module.rsplit(".", 1)[-1].strip("_") in DRAWERS}


# Who may touch what


@pytest.mark.parametrize("module", modules())
def test_only_settings_reads_the_environment(module: str) -> None:
    if module not in MAY_READ_ENVIRONMENT:
        assert not [f"{module}:{line} {name}" for name, line in touches(module) if name in ENVIRONMENT]


@pytest.mark.parametrize("module", modules())
def test_only_the_database_starts_processes(module: str) -> None:
    if room(module) != "database" and module not in MAY_START_PROCESSES:
        found = [f"{module}:{line} {name}" for name, line in touches(module) if _starts_a_process(name)]
        assert not found


def _starts_a_process(name: str) -> bool:
    package = name.split(".", maxsplit=1)[0]
    return name in SUBPROCESS or package in SUBPROCESS or name.startswith(SUBPROCESS_PREFIXES)


@pytest.mark.parametrize("module", modules())
def test_only_the_terminal_prints(module: str) -> None:
    if room(module) != "cli":
        found = [f"{module}:{line} {name}" for name, line in touches(module) if name in {"print", "sys.stdout"}]
        assert not found


# SQL


def sql_files() -> list[Path]:
    """The files of named statements; migrations are applied as a whole."""
    return [path for path in sorted(SOURCE.rglob("*.sql")) if path.parent.name != "migrations"]


def of_sql(path: Path) -> tuple[str, str]:
    """Package and file, as `statements` is given them."""
    return _name(path.with_name("__init__.py")), path.name


def calls_of_statements() -> dict[str, dict[str, tuple[str, str]]]:
    """In which module which name holds the statements of which (package, file)."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "statements":
                assert all(isinstance(one, ast.Constant) for one in node.args), f"{module}:{node.lineno}"
                found.setdefault(module, {})
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                package, file = _arguments(node.value)
                if package and isinstance(node.targets[0], ast.Name):
                    found.setdefault(module, {})[node.targets[0].id] = (package, file)
    return found


def _arguments(call: ast.Call) -> tuple[str, str]:
    if not isinstance(call.func, ast.Name) or call.func.id != "statements":
        return "", ""
    package, file = (str(one.value) for one in call.args if isinstance(one, ast.Constant))
    return package, file


@pytest.mark.parametrize("path", sql_files(), ids=lambda path: path.name)
def test_every_statement_has_a_name(path: Path) -> None:
    head, *_ = re.split(r"^-- name: ", path.read_text(encoding="utf-8"), maxsplit=1, flags=re.MULTILINE)
    assert not _without_comments(head).strip(), "a statement stands before the first name"
    for name, statement in statements(*of_sql(path)).items():
        bare = _without_comments(statement)
        assert bare.strip(), f"{name} is empty"
        assert ";" not in bare, f"{name} is followed by a statement without a name"


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text)


@pytest.mark.parametrize("path", sql_files(), ids=lambda path: path.name)
def test_every_file_of_statements_is_loaded_by_its_own_room(path: Path) -> None:
    package, _ = of_sql(path)
    users = [module for module, names in calls_of_statements().items() if of_sql(path) in names.values()]
    assert users
    assert {room(module) for module in users} == {room(package)}


@pytest.mark.parametrize("module", calls_of_statements())
def test_every_statement_that_code_asks_for_is_there(module: str) -> None:
    held = calls_of_statements()[module]
    assert held, "keep the statements under a name of the module"
    for package, file in held.values():
        assert statements(package, file)
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in held:
            key = node.slice
            if isinstance(key, ast.Constant):
                assert key.value in statements(*held[node.value.id]), f"{module}:{node.lineno}"


@pytest.mark.parametrize("path", sql_files(), ids=lambda path: path.name)
def test_every_statement_is_used(path: Path) -> None:
    package, _ = of_sql(path)
    words = {
        node.value
        for module in modules()
        if room(module) == room(package)
        for node in ast.walk(modules()[module])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(statements(*of_sql(path))) <= words


_SQL_TEXT = re.compile(
    r"^\s*(select\s.*\sfrom\s|insert into\s|update\s.*\sset\s|delete from\s|(create|drop|alter)\s+\w+\s|truncate\s)",
    re.IGNORECASE | re.DOTALL,
)


@pytest.mark.parametrize("module", modules())
def test_sql_is_never_put_together_as_text(module: str) -> None:
    if module in MAY_WRITE_SQL_AS_TEXT:
        return
    wrong = [
        f"{module}:{node.lineno}"
        for node in ast.walk(modules()[module])
        if isinstance(node, ast.JoinedStr) and _SQL_TEXT.match(_text(node))
    ]
    assert not wrong


def _text(node: ast.JoinedStr) -> str:
    parts = (part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
    return "".join(str(part) for part in parts)


# Declarations


def references() -> list[tuple[Table, Reference]]:
    """Every reference that is declared, with its table."""
    return [(table, reference) for dataset in DATASETS for table in dataset.tables for reference in table.references]


@pytest.mark.parametrize(("table", "reference"), references(), ids=lambda value: value.name)
def test_a_reference_can_be_checked_by_walking_an_index(table: Table, reference: Reference) -> None:
    leading = {columns[0] for columns in (table.key, *table.indexes) if columns}
    assert reference.column in leading


@pytest.mark.parametrize(("table", "reference"), references(), ids=lambda value: value.name)
def test_a_reference_leads_to_a_key_of_its_dataset(table: Table, reference: Reference) -> None:
    dataset = next(dataset for dataset in DATASETS if dataset.name == table.dataset)
    assert dataset.table(reference.table).key == (reference.target,)

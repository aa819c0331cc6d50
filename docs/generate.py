"""Writes the pages of docs/reference from the code: settings, commands, datasets, the API.

    python docs/generate.py

A test compares the pages with what this would write, so a stale page does not get far.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from reelbase.api.openapi import document
from reelbase.cli.main import app
from reelbase.datasets import DATASETS, Column, Dataset, Form, Layout, Table
from reelbase.reading.recognise import header
from reelbase.settings import SETTINGS

REFERENCE = Path(__file__).resolve().parent / "reference"
_WRITTEN = "<!-- Written by docs/generate.py from the code: change it there. -->"
# Typer adds these to the first command; which ones depends on the shell.
_OF_TYPER = {"install_completion", "show_completion"}


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{REFERENCE.name}/{name}\n")


def pages() -> dict[str, str]:
    """The generated pages by file name."""
    found = {
        "settings.md": _settings(),
        "commands.md": _commands(),
        "datasets.md": _datasets(),
        "api.md": _api(document()),
    }
    return {name: "\n".join((_WRITTEN, "", *lines)).rstrip() + "\n" for name, lines in found.items()}


def commands() -> dict[str, TyperCommand | TyperGroup]:
    """Every command by its full name, groups before what is in them."""
    return dict(_walk("reelbase", typer.main.get_command(app)))


def _walk(name: str, command: object) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    if not isinstance(command, TyperCommand | TyperGroup) or command.hidden:
        return
    yield name, command
    if isinstance(command, TyperGroup):
        for inner, found in sorted(command.commands.items()):
            yield from _walk(f"{name} {inner}", found)


# Settings


def _settings() -> Iterator[str]:
    yield from (
        "# Settings",
        "",
        "A setting is a variable of the environment, or a line in `reelbase.toml` in the home folder; the environment",
        "wins. A value that cannot be read ends a command with exit code 2 and a sentence that says what it must be.",
        "",
        "| variable | in reelbase.toml | default | |",
        "|---|---|---|---|",
    )
    for setting in SETTINGS:
        # Where the file lies cannot be written in the file.
        key = "" if setting.variable == "REELBASE_HOME" else f"`{setting.key}`"
        yield f"| `{setting.variable}` | {key} | {setting.default} | {setting.sentence} |"
    yield from ("", "An example of `reelbase.toml`:", "", "    import_connections = 4", '    log_format = "json"')


# Commands


def _commands() -> Iterator[str]:
    yield from (
        "# Commands",
        "",
        "Every command has `--help`. Options of `reelbase` itself stand before the command, for instance",
        "`reelbase --verbose import FILE`.",
        "",
        "| exit code | |",
        "|---|---|",
        "| 0 | done |",
        "| 1 | it failed, and nothing that readers see has changed |",
        "| 2 | wrong usage: nothing was started |",
        "| 130 | interrupted; an import can be retried |",
    )
    for name, command in commands().items():
        yield from ("", f"## {name}", "", *_command(name, command))


def _command(name: str, command: TyperCommand | TyperGroup) -> Iterator[str]:
    arguments = [one for one in command.params if isinstance(one, TyperArgument) and not one.hidden]
    options = [one for one in command.params if isinstance(one, TyperOption) and _is_shown(one)]
    yield f"    {_usage(name, command, arguments, options)}"
    yield from ("", command.help or "")
    if arguments or options:
        yield from ("", "| | default | |", "|---|---|---|")
    for argument in arguments:
        yield f"| `{_spelling(argument)}` | {_default(argument)} | {_sentence(argument.help)} |"
    for option in options:
        yield f"| {_names(option)} | {_default(option)} | {_sentence(option.help)} |"


def _is_shown(option: TyperOption) -> bool:
    return not option.hidden and option.name not in _OF_TYPER


def _usage(
    name: str, command: TyperCommand | TyperGroup, arguments: list[TyperArgument], options: list[TyperOption]
) -> str:
    words = [name, "[OPTIONS]"] if options else [name]
    words += [_spelling(one) if one.required else f"[{_spelling(one)}]" for one in arguments]
    if isinstance(command, TyperGroup):
        words.append("[COMMAND]" if command.invoke_without_command else "COMMAND")
    if command.context_settings.get("allow_extra_args"):
        words.append("[ARGUMENTS...]")
    return " ".join(words)


def _spelling(argument: TyperArgument) -> str:
    return argument.metavar or (argument.name or "").upper()


def _names(option: TyperOption) -> str:
    value = "" if option.is_flag else f" {option.metavar or (option.name or '').upper()}"
    return ", ".join(f"`{name}{value}`" for name in (*option.opts, *option.secondary_opts))


def _default(parameter: TyperArgument | TyperOption) -> str:
    value = parameter.default
    return "" if value is None or value is False or callable(value) else f"`{value}`"


def _sentence(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


# Datasets


def _datasets() -> Iterator[str]:
    yield from (
        "# Datasets",
        "",
        "Each dataset is a schema, and each of its files a table. A file is recognised by its header line: the order",
        "of the columns is free, and case, spaces and underscores do not matter. A file must have the columns marked",
        "*in every file*; others that are absent are null. Columns that are not listed here are kept as text, under",
        "their name in snake_case. Files that have no header line are told by their name and their first line.",
    )
    for dataset in DATASETS:
        yield from ("", f"## {dataset.title}", "", *_dataset(dataset))


def _dataset(dataset: Dataset) -> Iterator[str]:
    yield from (
        f"- schema: `{dataset.name}`",
        f"- publisher: {dataset.publisher}, <{dataset.homepage}>",
        f"- terms: {dataset.licence}",
        f"- credit: {dataset.credit}",
    )
    for table in dataset.tables:
        yield from ("", f"### {table.full_name}", "", *_table(table))


def _table(table: Table) -> Iterator[str]:
    yield from (f"    {header(table)}", "")
    key = f"Unique by ({', '.join(table.key)})" if table.key else "No key: identical records are kept"
    if not {column.name for column in table.required}.issuperset(table.key):
        key += ", where every file has that"
    indexes = "".join(f"; index on ({', '.join(columns)})" for columns in table.indexes)
    yield f"{key}{indexes}."
    for reference in table.references:
        target = f"`{table.dataset}.{reference.table}`"
        yield f"Check `{reference.name}` counts rows whose {reference.column} is not in {target}."
    if table.telltales:
        yield f"A file has at least {table.telltales_needed} of {', '.join(f'`{name}`' for name in table.telltales)}."
    for layout in table.layouts:
        yield f"Also read: {_layout(layout)}."
    yield from ("", "| column | in the file | type | |", "|---|---|---|---|")
    for column in table.columns:
        notes = "; ".join(_notes(table, column))
        yield f"| `{column.name}` | `{column.header}` | {column.type.value} | {notes} |"


def _layout(layout: Layout) -> str:
    delimiter = layout.dialect.delimiter.decode()
    if layout.file_names:
        return f"`{'`, `'.join(layout.file_names)}` without header, `{delimiter.join(layout.order)}`"
    spelled = "".join(f", `{column.name}` as {column.form.value}" for column in layout.columns)
    return f'files in whose header every name is quoted, with `\\"` for a quote{spelled}'


def _notes(table: Table, column: Column) -> Iterator[str]:
    if column.required:
        yield "in every file"
    if column.derived:
        yield "derived"
    elif not column.nullable or (column.required and column.name in table.key):
        yield "never null"
    if column.aliases:
        yield f"also {' or '.join(f'`{alias}`' for alias in column.aliases)}"
    if column.low is not None or column.high is not None:
        low, high = ("" if bound is None else f"{bound:g}" for bound in (column.low, column.high))
        yield f"from {low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
    if column.step is not None:
        yield f"in steps of {column.step:g}"
    if column.empty_is_text:
        yield "an empty field is an empty text"
    if column.form is not Form.PLAIN:
        yield column.form.value


# The API

Json = Mapping[str, Any]


def _api(api: Json) -> Iterator[str]:
    yield from (
        "# The API",
        "",
        "What `reelbase serve` answers. The same is at `/openapi.json` (OpenAPI 3.1), and at `/docs` to be tried out.",
        "Errors are problems of RFC 9457 (`ProblemDetails`), whatever went wrong. Lists have `next` and `previous`,",
        "which are paths to follow; they stand in the header `Link` as well.",
    )
    groups: dict[str, list[tuple[str, str, Json]]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    for tag, operations in groups.items():
        yield from ("", f"## {tag.capitalize()}")
        for method, path, operation in operations:
            yield from ("", f"### {method} {path}", "", *_operation(operation))
    for tag in api["tags"]:
        link = tag["externalDocs"]
        yield from (
            "",
            f"## {tag['name'].capitalize()}",
            "",
            f"{tag['description']} {link['description']}: <{link['url']}>",
        )
    yield from ("", "## What answers hold")
    for name, schema in api["components"]["schemas"].items():
        yield from ("", f"### {name}", "", *_schema(schema))


def _operation(operation: Json) -> Iterator[str]:
    yield f"{operation['summary']}."
    if parameters := operation.get("parameters"):
        yield from ("", "| parameter | | type | example | |", "|---|---|---|---|---|")
        for one in parameters:
            example = f"`{_value(one['example'])}`" if "example" in one else ""
            told = _sentence(one.get("description"))
            where = f"{one['in']}, needed" if one["required"] else one["in"]
            yield f"| `{one['name']}` | {where} | {_kind(one['schema'])} | {example} | {told} |"
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield from ("", f"Takes `{media_type}`: {_kind(body['schema'])}.")
    answers = [(status, answer) for status, answer in operation["responses"].items() if int(status) < 400]
    for status, answer in answers:
        kinds = [
            f"`{media_type}`" + (f", {_kind(body['schema'])}" if "schema" in body else "")
            for media_type, body in answer.get("content", {}).items()
        ]
        yield from ("", f"Answers {status}{': ' if kinds else ''}{'; '.join(kinds)}.")
    problems = [status for status in operation["responses"] if int(status) >= 400]
    if problems:
        yield from ("", f"Problems: {', '.join(problems)}.")


def _schema(schema: Json) -> Iterator[str]:
    if "description" in schema:
        yield from (" ".join(schema["description"].split()), "")
    yield from ("| | type | |", "|---|---|---|")
    for name, one in schema.get("properties", {}).items():
        yield f"| `{name}` | {_kind(one)} | {_sentence(one.get('description'))} |"


def _kind(schema: Json) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if schema.get("items") else "list"
    words = str(schema.get("format") or schema.get("type") or "any value")
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    default = schema.get("default")
    return " ".join([words, *bounds]) + (f", default `{default}`" if default not in (None, "") else "")


def _value(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()

"""The documentation is as the code is: generated pages are fresh, nothing is left out, and links lead somewhere."""

from __future__ import annotations

import re
import runpy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reelbase import __version__
from reelbase.datasets import DATASETS
from reelbase.loading.rejects import Reason
from reelbase.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_CODE = re.compile(r"^(```.*?^```|    [^\n]*)$", re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def generator() -> dict[str, Any]:
    """What docs/generate.py defines."""
    return runpy.run_path(str(ROOT / "docs" / "generate.py"))


@pytest.mark.parametrize("name", ["settings.md", "commands.md", "datasets.md"])
def test_a_generated_page_is_fresh(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == generator()["pages"]()[name], "run: make docs"


def test_every_generated_page_is_compared() -> None:
    assert {path.name for path in REFERENCE.glob("*.md")} == set(generator()["pages"]())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_every_setting_is_in_the_reference(setting: Any) -> None:
    line = f"| `{setting.variable}` |"
    assert line in (REFERENCE / "settings.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_reference_with_what_it_does() -> None:
    page = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    commands = generator()["commands"]()
    assert {"reelbase import", "reelbase imports rejects", "reelbase db psql"} <= set(commands)
    for name, command in commands.items():
        assert f"\n## {name}\n" in page
        assert command.help, f"{name} does not say what it does"
        for parameter in command.params:
            assert parameter.help, f"{name} does not say what {parameter.name} is"


def test_every_table_is_in_the_reference() -> None:
    page = (REFERENCE / "datasets.md").read_text(encoding="utf-8")
    for dataset in DATASETS:
        assert dataset.credit in page
        for table in dataset.tables:
            assert f"\n### {table.full_name}\n" in page


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_of_a_reject_is_explained(reason: Reason) -> None:
    page = (ROOT / "docs" / "howto" / "mend-rejects.md").read_text(encoding="utf-8")
    assert f"| `{reason.value}` |" in page


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for target in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{name_of(page)} links to {target}"
        assert found.is_relative_to(ROOT), f"{name_of(page)} links out of the project: {target}"
        if anchor:
            assert anchor in _anchors(found), f"{name_of(page)} links to {target}"


def _anchors(page: Path) -> set[str]:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_only_settings_that_there_are(page: Path) -> None:
    named = set(re.findall(r"REELBASE_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))
    assert named <= {setting.variable for setting in SETTINGS}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_only_commands_that_there_are(page: Path) -> None:
    known = set(generator()["commands"]())
    for first, second in re.findall(r"(?:^ *\$? ?|`)reelbase ([a-z]+)(?: ([a-z]+))?", _text(page), re.MULTILINE):
        assert f"reelbase {first}" in known, f"{name_of(page)}: reelbase {first}"
        if first in {"db", "imports"} and second:
            assert f"reelbase {first} {second}" in known, f"{name_of(page)}: reelbase {first} {second}"


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_version_is_at_the_top_of_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_decisions_are_numbered_without_gaps_and_say_what_a_decision_must() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], page.name


def test_a_decision_that_code_refers_to_is_there() -> None:
    numbers = {page.name[:4] for page in (ROOT / "docs" / "decisions").glob("*.md")}
    files = [*(ROOT / "src").rglob("*.py"), ROOT / "pyproject.toml"]
    for file in files:
        named = re.findall(r"docs/decisions/(\d{4})", file.read_text(encoding="utf-8"))
        assert set(named) <= numbers, file.name

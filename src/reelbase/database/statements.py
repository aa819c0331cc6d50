"""Named SQL statements, kept in `.sql` files beside the code that uses them.

A file holds statements under `-- name: the_name` lines; what else is written in comments is for the reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


@cache
def statements(package: str, file: str) -> Mapping[str, LiteralString]:
    """The statements of a file inside a package, by name.

    They are as trustworthy as code (they are shipped with it), hence LiteralString: psycopg takes no other text as SQL.
    """
    text = (resources.files(package) / file).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    named = {name: body.strip().removesuffix(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}
    if len(named) * 2 != len(parts):
        raise ValueError(f"{package}/{file} uses a name twice")
    return cast("Mapping[str, LiteralString]", named)

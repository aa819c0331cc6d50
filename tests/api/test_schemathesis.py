"""Everything that OpenAPI says, held against the running server: all checks, sequences of requests too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api import library
from tests.importing import Importer
from tests.serving import importing_from, served

# A cursor is good for one list only, which OpenAPI cannot say: those made up by the tester are refused (400, 410), and
# so is a change that is to start from an ETag which is none (412). A dataset that is to be removed (202) is there until
# its import has run; that a deleted movie is gone, test_own.py says. What is imported must be there and be known, which
# no description can say. An import that waits is watched for ever; test_imports_events.py does that.
_CONFIG = """
[checks.use_after_free]
enabled = false

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "410", "412", "429"]

[[operations]]
include-operation-id = "create_import"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404", "409", "422"]

[[operations]]
include-operation-id = "watch_import"
enabled = false
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_check_fails(database: str, tmp_path: Path) -> None:
    library.load(Importer(database), tmp_path)
    config = tmp_path / "schemathesis.toml"
    config.write_text(_CONFIG)
    command = Path(sys.executable).parent / "schemathesis"
    with served(database, importing=importing_from(database, store=tmp_path / "store")) as server:
        ended = subprocess.run(
            [
                *(str(command), "--config-file", str(config), "run", f"{server.address}/openapi.json"),
                *("--checks", "all", "--max-examples", "40", "--seed", "1", "--request-timeout", "20"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-1000:]

"""Upload a file with tuspy as it is: python_upload.py ENDPOINT FILE MEMORY. Goes on where it was before, if it was."""

from __future__ import annotations

import sys
from pathlib import Path

from tusclient.client import TusClient
from tusclient.fingerprint.fingerprint import Fingerprint
from tusclient.storage.filestorage import FileStorage


def main() -> None:
    endpoint, path, memory = sys.argv[1:]
    uploader = TusClient(endpoint).uploader(
        file_path=path,
        chunk_size=4 << 20,
        metadata={"filename": Path(path).name, "empty": ""},
        store_url=True,
        url_storage=FileStorage(memory),  # type: ignore[no-untyped-call]
        fingerprinter=Fingerprint(),
        upload_checksum=True,
        retries=20,
        retry_delay=1,
    )
    if uploader.offset:
        sys.stderr.write("resumes\n")
    uploader.upload()
    print(uploader.url)


if __name__ == "__main__":
    main()

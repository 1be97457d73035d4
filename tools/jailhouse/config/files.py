# SPDX-License-Identifier: GPL-2.0-only
"""Files that are written whole or not at all."""

import errno
import os
import tempfile


def write_all(directory: str, files: dict[str, bytes]) -> None:
    """Each file is its old self or its new one, and none is new unless all could be written. OSError: nothing was done."""
    os.makedirs(directory, exist_ok=True)
    for name in files:
        if os.path.isdir(os.path.join(directory, name)):
            raise IsADirectoryError(errno.EISDIR, f"{name} is a directory", os.path.join(directory, name))
    with tempfile.TemporaryDirectory(prefix=".build-", dir=directory) as scratch:
        for name, data in files.items():
            with open(os.path.join(scratch, name), "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        for name in files:
            os.replace(os.path.join(scratch, name), os.path.join(directory, name))

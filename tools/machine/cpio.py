# SPDX-License-Identifier: GPL-2.0-only
"""Writes newc archives that depend on nothing but their contents."""

import stat
from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass
class Archive:
    """An initial file system; add() makes the folders a file lies in."""

    entries: dict[str, tuple[int, tuple[int, int], bytes]] = field(default_factory=dict)

    def directory(self, path: str) -> None:
        path = path.strip("/")
        for parent in (*reversed(PurePosixPath(path).parents), PurePosixPath(path)):
            if str(parent) != ".":
                self.entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, (0, 0), b""))

    def add(self, path: str, data: bytes, mode: int = 0o644) -> None:
        self._put(path, (stat.S_IFREG | mode, (0, 0), data))

    def symlink(self, path: str, target: str) -> None:
        self._put(path, (stat.S_IFLNK | 0o777, (0, 0), target.encode()))

    def character_device(self, path: str, major: int, minor: int) -> None:
        self._put(path, (stat.S_IFCHR | 0o600, (major, minor), b""))

    def _put(self, path: str, entry: tuple[int, tuple[int, int], bytes]) -> None:
        path = path.strip("/")
        self.directory(str(PurePosixPath(path).parent))
        self.entries[path] = entry

    def image(self) -> bytes:
        """The archive, a folder before what lies in it."""
        parts = [_record(number, name, *entry)
                 for number, (name, entry) in enumerate(sorted(self.entries.items()), 1)]
        parts.append(_record(0, "TRAILER!!!", 0, (0, 0), b""))
        return b"".join(parts)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _record(inode: int, name: str, mode: int, device: tuple[int, int], data: bytes) -> bytes:
    path = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    # inode mode uid gid links mtime size devmajor devminor rdevmajor rdevminor namesize check
    numbers = (inode, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers)
    return _padded(head + path) + _padded(data)

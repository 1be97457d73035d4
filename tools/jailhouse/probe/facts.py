# SPDX-License-Identifier: GPL-2.0-only
"""
What `config collect` gathered of a machine, a folder or a tar of files by their paths without the first "/"; or the
running system itself, which is the folder "/".
"""

import os
import posixpath
import stat
import subprocess
import tarfile
from abc import ABC, abstractmethod

from jailhouse.probe.description import Refused

# What is longer is no fact of a machine's
FILE_MAX = 4 << 20


class Facts(ABC):
    """Paths have no leading "/". Links are followed where files are read. source: what it is called, without its folder."""
    source: str

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """The file's first FILE_MAX bytes, or None where there is none that can be read."""

    @abstractmethod
    def names(self, path: str) -> list[str]:
        """What is in that folder, sorted; nothing where there is none."""

    @abstractmethod
    def link(self, path: str) -> str | None:
        """The last part of what a link points to, e.g. the driver's name, or None where there is no link."""

    def text(self, path: str) -> str | None:
        data = self.read(path)
        return None if data is None else data.decode(errors="replace")

    def word(self, path: str) -> str:
        """A file of one value, without the spaces around it; "" where there is none."""
        return (self.text(path) or "").strip().strip("\0")


class Folder(Facts):
    def __init__(self, root: str) -> None:
        self.root = root
        self.source = os.path.basename(os.path.abspath(root))

    def _path(self, path: str) -> str:
        return os.path.join(self.root, path)

    def read(self, path: str) -> bytes | None:
        try:
            # a pipe among them would not even open, and a device never end
            with open(os.open(self._path(path), os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    return None
                return stream.read(FILE_MAX)
        except OSError:
            return None

    def names(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(self._path(path)))
        except OSError:
            return []

    def link(self, path: str) -> str | None:
        try:
            return os.path.basename(os.readlink(self._path(path)))
        except OSError:
            return None


class Running(Folder):
    """This machine; its kernel's log is in no file."""

    def __init__(self) -> None:
        super().__init__("/")
        self.source = "the running system"

    def read(self, path: str) -> bytes | None:
        if path != "dmesg.txt":
            return super().read(path)
        try:
            return subprocess.run(["dmesg"], capture_output=True, check=True).stdout[:FILE_MAX]
        except (OSError, subprocess.CalledProcessError):
            return None


class Tar(Facts):
    """All of it is in memory: what is in it was at most 64 MiB."""

    def __init__(self, file: str) -> None:
        self.source = os.path.basename(file)
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.folders: dict[str, set[str]] = {}
        try:
            with tarfile.open(file) as tar:
                for member in tar:
                    self._take(tar, member)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise Refused(f"{file}: cannot be read as a tar: {error}", "the machine's facts are in it",
                          "give the file that `jailhouse config collect` wrote, a folder that it was unpacked in, "
                          "or a device tree (.dtb)") from error

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = posixpath.normpath(member.name).lstrip("/")
        if member.issym():
            self.links[path] = member.linkname
        elif member.isreg():
            stream = tar.extractfile(member)
            self.files[path] = stream.read(FILE_MAX) if stream else b""
        elif not member.isdir():
            return
        while path:
            folder, name = posixpath.split(path)
            if name in self.folders.setdefault(folder, set()):
                break
            self.folders[folder].add(name)
            path = folder

    def read(self, path: str) -> bytes | None:
        return self.files.get(posixpath.normpath(path))

    def names(self, path: str) -> list[str]:
        return sorted(self.folders.get(posixpath.normpath(path), ()))

    def link(self, path: str) -> str | None:
        target = self.links.get(posixpath.normpath(path))
        return None if target is None else posixpath.basename(target)


class Tree(Facts):
    """A device tree alone."""

    def __init__(self, file: str) -> None:
        self.source = os.path.basename(file)
        try:
            with open(file, "rb") as stream:
                self.tree = stream.read(FILE_MAX)
        except OSError as error:
            raise Refused(f"{file}: cannot be read: {error.strerror}", "the machine is described there",
                          "correct the file's name or its permissions") from error

    def read(self, path: str) -> bytes | None:
        return self.tree if path == "sys/firmware/fdt" else None

    def names(self, path: str) -> list[str]:
        return []

    def link(self, path: str) -> str | None:
        return None


def open_facts(path: str) -> Facts:
    """Refused where there is nothing of that kind."""
    if os.path.isdir(path):
        return Running() if os.path.realpath(path) == "/" else Folder(path)
    try:
        with open(path, "rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}", "the machine is described there",
                      "correct the file's name or its permissions") from error
    return Tree(path) if magic == b"\xd0\x0d\xfe\xed" else Tar(path)

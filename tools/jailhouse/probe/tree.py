# SPDX-License-Identifier: GPL-2.0-only
"""
A device tree: its nodes, and who refers to whom. Nothing in a blob is believed: what is no tree is refused, and a
property that cannot be meant is a Flaw, of which whoever asked for it makes a note.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jailhouse.probe.description import Refused

# No machine's tree comes near these. What is behind them would only cost time
NODES_MAX = 1 << 16
DEPTH_MAX = 32
NAME_MAX = 255
CELLS_MAX = 1 << 14		# of one property

_HEADER = 40			# of version 17, which every compiler has written since 2007
_VERSION = 17
_UNPRINTABLE = re.compile(r"[^ -~]")
_CELL_COUNT_MAX = 4		# what #address-cells and the like may say, PCI's 3 included
_ARGS_MAX = 16			# what #clock-cells and the like may say


class Flaw(Exception):
    """A property that cannot be meant. Says which one, and what is wrong with it."""

    def __init__(self, what: str) -> None:
        super().__init__(printable(what))


@dataclass(frozen=True, eq=False)
class Node:
    """properties: the first of each name. enabled: neither it nor what it is below says otherwise."""
    name: str
    parent: "Node | None"
    properties: dict[str, bytes]
    enabled: bool
    children: list["Node"] = field(default_factory=list)

    @property
    def path(self) -> str:
        names = [node.name for node in self.ancestry()][:-1]
        return printable("/" + "/".join(reversed(names)))

    @property
    def base(self) -> str:
        """The name without the unit address."""
        return self.name.partition("@")[0]

    @property
    def compatible(self) -> tuple[str, ...]:
        return self.strings("compatible")

    def ancestry(self) -> Iterator["Node"]:
        """It, its parent, and so on to the root."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def below(self) -> Iterator["Node"]:
        """All that is below it, in the tree's order."""
        left = list(reversed(self.children))
        while left:
            node = left.pop()
            yield node
            left.extend(reversed(node.children))

    def child(self, name: str) -> "Node | None":
        """The first of that name, or, where there is none, the first that has it before its unit address."""
        by_name, by_base = self._index
        return by_name.get(name, by_base.get(name))

    @cached_property
    def _index(self) -> tuple[dict[str, "Node"], dict[str, "Node"]]:
        backwards = self.children[::-1]
        return {c.name: c for c in backwards}, {c.base: c for c in backwards}

    def has(self, key: str) -> bool:
        return key in self.properties

    def cells(self, key: str) -> tuple[int, ...]:
        """Nothing where there is no such property."""
        data = self.properties.get(key, b"")
        if len(data) % 4:
            raise Flaw(f"{key} has {len(data)} bytes, which are no whole cells")
        if len(data) // 4 > CELLS_MAX:
            raise Flaw(f"{key} has more than {CELLS_MAX} cells")
        return struct.unpack(f">{len(data) // 4}I", data)

    def number(self, key: str, default: int = 0) -> int:
        cells = self.cells(key)
        return cells[0] if cells else default

    def strings(self, key: str) -> tuple[str, ...]:
        data = self.properties.get(key, b"").rstrip(b"\0")
        return tuple(printable(text) for text in data.decode("latin-1").split("\0")) if data else ()

    def width(self, key: str, default: int) -> int:
        """How many cells an address or a size has below it."""
        count = self.number(key, default)
        if count > _CELL_COUNT_MAX:
            raise Flaw(f"{key} is {count} in {self.path}")
        return count


@dataclass(frozen=True)
class Reference:
    node: Node
    args: tuple[int, ...]


@dataclass(frozen=True)
class Tree:
    """source: where it was read. reserved: start and size of each entry of the list of reserved memory."""
    source: str
    root: Node
    phandles: dict[int, Node]
    reserved: tuple[tuple[int, int], ...]

    def nodes(self) -> Iterator[Node]:
        yield self.root
        yield from self.root.below()

    def find(self, path: str) -> Node | None:
        """By its path, which may begin with an alias."""
        node: Node | None = self.root
        if not path.startswith("/"):
            alias, _, path = path.partition("/")
            aliases = self.root.child("aliases")
            text = aliases.strings(alias) if aliases else ()
            node = self._walk(self.root, text[0]) if text else None
        return self._walk(node, path)

    @staticmethod
    def _walk(node: Node | None, path: str) -> Node | None:
        for name in filter(None, path.split("/")):
            node = node.child(name) if node is not None else None
        return node

    def aliases(self) -> dict[Node, str]:
        """Each node's alias; the first by the alphabet where it has several."""
        found: dict[Node, str] = {}
        node = self.root.child("aliases")
        for name in sorted(node.properties) if node else ():
            assert node is not None
            text = node.strings(name)
            named = self.find(text[0]) if text and text[0].startswith("/") else None
            if named is not None:
                found.setdefault(named, name)
        return found

    def console(self) -> Node | None:
        """What chosen/stdout-path names."""
        chosen = self.root.child("chosen")
        for key in ("stdout-path", "linux,stdout-path"):
            if chosen is not None and (text := chosen.strings(key)):
                return self.find(text[0].partition(":")[0])
        return None

    def pointer(self, node: Node, key: str) -> Node | None:
        """The node whose phandle is the property's first cell."""
        cells = node.cells(key)
        return self.phandles.get(cells[0]) if cells else None

    def references(self, node: Node, key: str, count_key: str | None,
                   default: int | None = None) -> Iterator[Reference]:
        """
        What a list of phandles, each with arguments, refers to; how many arguments says the node that is referred to,
        by its property count_key. Empty places (phandle 0) are left out. What stands before a Flaw has been yielded.
        """
        cells = node.cells(key)
        at = 0
        while at < len(cells):
            phandle, at = cells[at], at + 1
            if phandle == 0:
                continue
            target = self.phandles.get(phandle)
            if target is None:
                raise Flaw(f"{key}: no node has the phandle {phandle:#x}")
            count = _args(target, key, count_key, default)
            if at + count > len(cells):
                raise Flaw(f"{key} ends within what it says of {target.path}")
            yield Reference(target, cells[at:at + count])
            at += count


def _args(target: Node, key: str, count_key: str | None, default: int | None) -> int:
    if count_key is None:
        return 0
    if not target.has(count_key) and default is None:
        raise Flaw(f"{key} refers to {target.path}, which has no {count_key}")
    count = target.number(count_key, default or 0)
    if count > _ARGS_MAX:
        raise Flaw(f"{count_key} is {count} in {target.path}")
    return count


def number_of(cells: Sequence[int]) -> int:
    """The most significant cell stands first."""
    number = 0
    for cell in cells:
        number = number << 32 | cell
    return number


def printable(text: str) -> str:
    """As ASCII, which can be printed everywhere; what is no such character becomes a ?."""
    return _UNPRINTABLE.sub("?", text)


def read_tree(blob: bytes, source: str) -> Tree:
    """Refused where it is no whole device tree."""
    try:
        import libfdt
    except ImportError as error:
        raise Refused("device trees cannot be read here", f"Python's libfdt is missing: {error}",
                      "apt install python3-libfdt") from error
    if len(blob) < _HEADER:
        raise _no_tree(source, f"it has {len(blob)} bytes, fewer than a tree's header")
    data = bytearray(blob)
    # Before anything else is asked of libfdt: it looks where the header says, within the blob or not
    status = libfdt.fdt_check_full(data, len(data))
    if status < 0:
        raise _no_tree(source, f"libfdt says {libfdt.fdt_strerror(status)}")
    if libfdt.fdt_version(data) < _VERSION:
        raise _no_tree(source, f"its version is {libfdt.fdt_version(data)}, before {_VERSION}")
    strings = libfdt.fdt_off_dt_strings(data)
    # The module itself fails where a property's name is none
    if not data[strings:strings + libfdt.fdt_size_dt_strings(data)].isascii():
        raise _no_tree(source, "names of properties in it are not ASCII")
    root = _read_nodes(libfdt, data, source)
    # fdt_get_mem_rsv() of the module loses an address that is 0
    reserved = (struct.unpack_from(">QQ", data, libfdt.fdt_off_mem_rsvmap(data) + 16 * n)
                for n in range(libfdt.fdt_num_mem_rsv(data)))
    return Tree(source, root, _phandles(root, source), tuple((start, size) for start, size in reserved))


def _no_tree(source: str, why: str) -> Refused:
    return Refused(f"{source}: no device tree that can be read", why,
                   "copy the blob again, from /sys/firmware/fdt of the running machine or as dtc wrote it")


def _read_nodes(libfdt, data: bytearray, source: str) -> Node:  # type: ignore[no-untyped-def]
    """The module has no types of its own."""
    stack: list[Node] = []
    offset, depth, count = 0, 0, 0
    while offset >= 0 and depth >= 0:
        named = libfdt.fdt_get_name(data, offset)
        if not isinstance(named, list):
            raise _no_tree(source, "it does not begin with a root node")
        name = named[0]
        count += 1
        if count > NODES_MAX or depth > DEPTH_MAX or len(name) > NAME_MAX:
            raise _no_tree(source, f"it has more than {NODES_MAX} nodes, more than {DEPTH_MAX} below each other or "
                           f"names longer than {NAME_MAX}")
        del stack[depth:]
        parent = stack[-1] if stack else None
        properties: dict[str, bytes] = {}
        at = libfdt.fdt_first_property_offset(data, offset)
        while at >= 0:
            key, value = libfdt.fdt_get_property_by_offset(data, at)[:2]
            properties.setdefault(key, bytes(value))
            at = libfdt.fdt_next_property_offset(data, at)
        status = properties.get("status", b"okay\0")
        node = Node(name, parent, properties, (parent is None or parent.enabled) and status in (b"okay\0", b"ok\0"))
        if parent is not None:
            parent.children.append(node)
        stack.append(node)
        found = libfdt.fdt_next_node(data, offset, depth)
        offset, depth = found if isinstance(found, list | tuple) else (found, depth)
    return stack[0]


def _phandles(root: Node, source: str) -> dict[int, Node]:
    found: dict[int, Node] = {}
    for node in root.below():
        data = node.properties.get("phandle", node.properties.get("linux,phandle", b""))
        phandle = int.from_bytes(data, "big") if len(data) == 4 else 0
        if phandle in (0, 0xFFFF_FFFF):
            continue
        other = found.setdefault(phandle, node)
        if other is not node:
            raise _no_tree(source, f"{other.path} and {node.path} have the same phandle {phandle:#x}, so it cannot "
                           "be told who is meant by it")
    return found

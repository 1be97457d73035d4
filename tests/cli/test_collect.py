# SPDX-License-Identifier: GPL-2.0-only
"""jailhouse config collect: what is in the tar, what is left out, and what is said about it."""

import io
import os
import pty
import resource
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machines
import pytest
from machines import ARCHES, DENIED, Tree
from test_cli import OTHER, USAGE

MIB = 1 << 20
CONFIG = "sys/bus/pci/devices/0000:00:1f.2/config"


@dataclass(frozen=True)
class Collected:
    status: int
    said: str
    error: str
    content: bytes

    def tar(self) -> tarfile.TarFile:
        return tarfile.open(fileobj=io.BytesIO(self.content))

    def names(self) -> list[str]:
        return self.tar().getnames()

    def read(self, name: str) -> bytes:
        file = self.tar().extractfile(name)
        assert file
        return file.read()

    def manifest(self) -> list[str]:
        return self.read("facts/manifest").decode().splitlines()


Collect = Callable[..., Collected]


@pytest.fixture
def collect(tmp_path_factory) -> Collect:
    def run(tree: Tree, before: tuple[str, ...] = (), arch: str | None = None) -> Collected:
        file = tmp_path_factory.mktemp("collected") / "facts.tar"
        r = subprocess.run([*before, machines.command(tmp_path_factory, arch or tree.arch), "config", "collect",
                            "--root", str(tree.root), str(file)],
                           capture_output=True, text=True, timeout=60)
        assert "Sanitizer" not in r.stderr and os.listdir(file.parent) in ([], [file.name])
        return Collected(r.returncode, r.stdout, r.stderr, file.read_bytes() if file.exists() else b"")

    return run


@pytest.fixture(params=ARCHES)
def tree(request, tmp_path) -> Tree:
    """A machine of each."""
    return machines.machine(tmp_path / "machine", request.param)


@pytest.fixture
def x86_64(tmp_path) -> Tree:
    return machines.machine(tmp_path / "machine", "x86_64")


# --- what is in it ----------------------------------------------------------------------

def test_everything_is_in_it(tree, collect):
    """As it was, sorted, and without anything of whoever made it."""
    got = collect(tree)
    there = {path.relative_to(tree.root).as_posix(): path
             for path in tree.root.rglob("*") if path.is_symlink() or path.is_file()}
    assert got.status == 0 and got.error == "" and len(got.said.splitlines()) == 1
    assert got.names() == sorted([*there, "facts/manifest"])
    for entry in got.tar().getmembers():
        assert (entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) == (0, 0, "", "", 946684800)
        if entry.issym():
            assert entry.linkname == os.readlink(there[entry.name])
        elif entry.name in there:
            assert entry.isreg() and entry.mode == 0o644 and got.read(entry.name) == there[entry.name].read_bytes()


def test_summary_and_manifest(tree, collect):
    got = collect(tree)
    release = machines.RELEASE[tree.arch]
    assert got.said.splitlines()[0].endswith(f": {len(got.names())} files of {tree.arch}, Linux {release}")
    assert got.manifest()[:3] == ["format 1", f"arch {tree.arch}", f"release {release}"]
    missing = [line for line in got.manifest() if line.startswith("missing ")]
    assert "missing sys/class/iommu: is not there" in missing and "missing sys/bus/pnp/devices: is not there" in missing
    assert not any(name in line for line in missing for name in ("proc/", "boot/", "dmesg", "sys/bus/pci",
                                                                 "sys/kernel/iommu_groups"))


def test_what_nobody_asked_for_is_not_in_it(tree, collect):
    for path in ("etc/shadow", "proc/kcore", "sys/bus/pci/devices/0000:00:1f.2/remove",
                 "sys/devices/system/cpu/cpufreq/x", "proc/1/maps"):
        tree.put(path, "secret")
    assert b"secret" not in collect(tree).content


def test_the_rest_of_the_list(tree, collect):
    """Paths that no machine of these tests has anyway."""
    files = ["sys/firmware/acpi/tables/data/BERT", "sys/firmware/acpi/tables/dynamic/SSDT1",
             "sys/firmware/efi/efivars/SecureBoot-8be4",
             "sys/devices/system/cpu/kernel_max", "sys/devices/system/cpu/cpu12/online",
             "sys/devices/system/cpu/cpu0/regs/identification/midr_el1",
             "sys/bus/pci/devices/0000:00:1f.2/numa_node", "sys/bus/pnp/devices/00:01/id",
             "sys/bus/acpi/devices/PNP0A08:00/hid",
             "sys/bus/platform/devices/9000000.pl011/modalias", "sys/kernel/iommu_groups/2/reserved_regions"]
    links = ["sys/bus/pci/devices/0000:00:1f.2/iommu_group", "sys/bus/acpi/devices/PNP0A08:00/physical_node",
             "sys/bus/platform/devices/9000000.pl011/of_node"]
    for path in files:
        tree.put(path, "x\n")
    for path in links:
        tree.link(path, "../../somewhere")
    tree.link("sys/class/iommu/smmu3.0", "../../devices/platform")
    got = collect(tree)
    assert set(files + links + ["sys/class/iommu/smmu3.0"]) <= set(got.names())
    assert all(got.tar().getmember(path).issym() for path in links)
    assert got.tar().getmember("sys/class/iommu/smmu3.0").isreg()


def test_folders_may_be_links_as_in_sysfs(tree, collect):
    tree.put("sys/devices/pci0000:00/0000:00:02.0/config", bytes(256))
    tree.link("sys/bus/pci/devices/0000:00:02.0", "../../../devices/pci0000:00/0000:00:02.0")
    got = collect(tree)
    assert "sys/bus/pci/devices/0000:00:02.0/config" in got.names()


def test_options_from_the_kernel_itself(tree, collect):
    tree.put("proc/config.gz", "packed")
    assert "proc/config.gz" not in collect(tree).names()
    tree.drop("boot")
    got = collect(tree)
    assert got.read("proc/config.gz") == b"packed"
    assert f"missing boot/config-{machines.RELEASE[tree.arch]}: is not there" in got.manifest()


@pytest.mark.parametrize("release", ["../../../etc/shadow", "a b", ".x", "\x1b[31m", ""])
def test_a_release_is_a_name(tree, collect, release):
    tree.put("proc/version", f"Linux version {release}\n")
    tree.put("etc/shadow", "secret")
    got = collect(tree)
    assert b"secret" not in got.content and "\x1b" not in got.said
    assert got.manifest()[2] == ("release a" if release == "a b" else "release unknown")


# --- the tar itself ---------------------------------------------------------------------

def test_same_facts_same_bytes(tree, tmp_path, collect):
    """In another order, at another time, under other modes."""
    first = collect(tree)
    again = Tree(tmp_path / "again", tree.arch)
    for path in sorted(tree.root.rglob("*"), reverse=True):
        name = path.relative_to(tree.root).as_posix()
        if path.is_symlink():
            again.link(name, os.readlink(path))
        elif path.is_file():
            os.utime(again.put(name, path.read_bytes()), (1, 1))
    assert first.content and collect(again).content == first.content == collect(tree).content


def test_tar_reads_it(tree, tmp_path, collect):
    long = put_long_names(tree)
    got = collect(tree)
    listed = subprocess.run(["tar", "tf", "-"], input=got.content, capture_output=True, check=True)
    assert listed.stderr == b"" and listed.stdout.decode().splitlines() == got.names() and set(long) <= set(got.names())
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "xf", "-", "-C", str(tmp_path / "out")], input=got.content, check=True)
    again = collect(Tree(tmp_path / "out", tree.arch))
    assert [name for name in got.names() if name not in again.names()] == []


def put_long_names(tree: Tree) -> list[str]:
    """At and around the lengths that ustar's two fields have: 100 for a name, 155 for what is before its '/'."""
    tables, device = "sys/firmware/acpi/tables/", "sys/bus/platform/devices/"
    paths = [tables + "t" * n for n in (74, 75, 76, 99, 100, 101, 200)]
    paths += [f"{device}{'d' * n}/modalias" for n in (129, 130, 131, 200)]
    for path in paths:
        tree.put(path, path[-3:])
    for n in (99, 100, 101, 1000):
        paths.append(f"{device}link{n}/driver")
        tree.link(paths[-1], "../" + "l" * (n - 3))
    return paths


def test_long_names(tree, collect):
    got = None
    for path in (paths := put_long_names(tree)):
        got = got or collect(tree)
        entry = got.tar().getmember(path)
        if entry.issym():
            assert entry.linkname == os.readlink(tree.root / path)
        else:
            assert got.read(path) == path[-3:].encode()
    assert len(paths) == 15


def test_what_fits_needs_no_extension(x86_64, collect):
    for path in put_long_names(x86_64):
        if len(path) > 255 or len(path.rsplit("/", 1)[1]) > 100 or len(path.rsplit("/", 1)[0]) > 155:
            x86_64.drop(path)
    (x86_64.root / "sys/bus/platform/devices/link101/driver").unlink()
    (x86_64.root / "sys/bus/platform/devices/link1000/driver").unlink()
    assert b"@LongLink" not in collect(x86_64).content


# --- what cannot be read ----------------------------------------------------------------

def test_unreadable(tree, collect):
    needed = "sys/firmware/fdt" if tree.arch == "arm64" else "sys/firmware/acpi/tables"
    for path in (tree.root / needed,) if tree.arch == "arm64" else (tree.root / needed).iterdir():
        path.chmod(0)
    for path in ("proc/meminfo", "dmesg.txt"):
        (tree.root / path).chmod(0)
    got = collect(tree, DENIED)
    assert got.status == OTHER and f"too little for a description: {needed} is missing" in got.error
    assert f"{needed}: must not be read: gather it on the machine itself, as root" in got.said
    assert {f"missing {path}: must not be read" for path in ("proc/meminfo", "dmesg.txt",
                                                             needed)} <= set(got.manifest())
    assert "proc/meminfo" not in got.names() and "proc/cpuinfo" in got.names()


def test_a_folder_is_not_why_files_are_missing(x86_64, collect):
    for path in (x86_64.root / "sys/firmware/acpi/tables").iterdir():
        path.unlink()
    (x86_64.root / "sys/firmware/acpi/tables/data").mkdir()
    x86_64.put("sys/firmware/acpi/tables/ecdt", "x").chmod(0)
    assert "missing sys/firmware/acpi/tables: must not be read" in collect(x86_64, DENIED).manifest()


def test_one_description_of_an_arm_machine_is_enough(tmp_path, collect):
    tree = machines.machine(tmp_path / "machine", "arm64")
    tree.drop("sys/firmware/fdt")
    assert collect(tree).status == OTHER
    tree.put("sys/firmware/acpi/tables/APIC", machines.madt(machines.gicd(3)))
    got = collect(tree)
    assert got.status == 0 and "sys/firmware/fdt: " not in got.said


@pytest.mark.parametrize("path", ["proc/iomem", "sys/devices/system/cpu/present"])
def test_too_little(tree, collect, path):
    tree.drop(path)
    got = collect(tree)
    assert got.status == OTHER and f"{path} is missing" in got.error and f"{path}: is not there: mount -t" in got.said


def test_zeros_are_no_addresses(tree, collect):
    tree.put("proc/iomem", "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n")
    tree.put("proc/ioports", "0000-0000 : PCI Bus 0000:00\n")
    got = collect(tree)
    assert got.status == OTHER
    assert "proc/iomem: shows no addresses: gather it on the machine itself, as root" in got.said
    assert {"missing proc/iomem: shows no addresses", "missing proc/ioports: shows no addresses"} <= set(got.manifest())
    assert "proc/iomem" not in got.names() and "proc/ioports" not in got.names()


def test_configuration_space_that_was_cut(tree, collect):
    assert "64 bytes" not in collect(tree).said
    tree.put(CONFIG, bytes(64))
    got = collect(tree)
    assert got.status == 0 and "of configuration space only the first 64 bytes are there" in got.said


def test_what_is_no_file(tree, collect):
    tree.drop("proc/meminfo")
    (tree.root / "proc/meminfo").mkdir()
    tree.drop("proc/mounts")
    os.mkfifo(tree.root / "proc/mounts")
    tree.link("proc/modules", "nowhere")
    tree.link("proc/cpuinfo", "cpuinfo")
    tree.link("sys/bus/pci/devices/loop", "loop")
    tree.link("sys/firmware/acpi/tables/loop", ".")
    got = collect(tree)
    assert {"missing proc/meminfo: is no regular file", "missing proc/mounts: is no regular file",
            "missing proc/modules: is not there",
            "missing proc/cpuinfo: Too many levels of symbolic links"} <= set(got.manifest())
    assert not any("loop" in name for name in got.names()) and CONFIG in got.names()


def test_no_link_leads_out_of_a_copy(tree, tmp_path, collect):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "folder/0000:00:00.0").mkdir(parents=True)
    (tmp_path / "folder/0000:00:00.0/class").write_text("secret")
    tree.link("proc/meminfo", str(tmp_path / "secret"))
    tree.link("proc/mounts", "../../secret")
    tree.link("sys/bus/pnp/devices", str(tmp_path / "folder"))
    tree.link("etc/os-release", "/usr/lib/os-release")
    tree.put("usr/lib/os-release", "inside")
    got = collect(tree)
    assert b"secret" not in got.content and got.read("etc/os-release") == b"inside"


# --- limits -----------------------------------------------------------------------------

def test_enormous_files(tree, collect):
    with open(tree.put("proc/meminfo", ""), "r+b") as file:
        file.truncate(4 * MIB + 1)
    with open(tree.put("proc/mounts", ""), "r+b") as file:
        file.truncate(4 * MIB)
    with open(tree.put("proc/modules", ""), "r+b") as file:
        file.truncate(1 << 40)
    got = collect(tree)
    assert got.status == 0 and "left out: proc/meminfo: is larger than 4 MiB\n" in got.said
    assert {"missing proc/meminfo: is larger than 4 MiB",
            "missing proc/modules: is larger than 4 MiB"} <= set(got.manifest())
    assert "proc/meminfo" not in got.names() and len(got.read("proc/mounts")) == 4 * MIB


def test_the_whole_is_limited(x86_64, collect):
    for n in range(40):
        with open(x86_64.put(f"sys/firmware/acpi/tables/big{n:02}", ""), "r+b") as file:
            file.truncate(4 * MIB - 512)
    got = collect(x86_64)
    left = [line for line in got.said.splitlines() if line.startswith("left out: ")]
    assert len(got.content) <= 64 * MIB + 16384 and "sys/firmware/acpi/tables/big14" in got.names()
    assert len(left) == 21 and left[-1].endswith(" more")
    assert left[0].endswith("would make the whole larger than 64 MiB")
    assert "facts/manifest" in got.names()


def test_there_is_always_room_for_the_manifest(x86_64, collect):
    """And for what a description cannot do without."""
    for n in range(15):
        with open(x86_64.put(f"sys/firmware/acpi/tables/a{n:02}", ""), "r+b") as file:
            file.truncate(4 * MIB)
    for n in range(600):
        x86_64.put(f"sys/firmware/acpi/tables/b{n:03}", bytes(8000 if n < 570 else 1))
    got = collect(x86_64)
    assert got.status == 0 and len(got.content) <= 64 * MIB + 1024
    assert "missing sys/bus/pci/devices: would make the whole larger than 64 MiB" in got.manifest()


def test_names_are_said_without_escapes(tree, collect):
    with open(tree.put("sys/firmware/acpi/tables/\x1b[31m\n", ""), "r+b") as file:
        file.truncate(5 * MIB)
    assert "left out: sys/firmware/acpi/tables/?[31m?: is larger" in collect(tree).said


# --- the file ---------------------------------------------------------------------------

def run(factory: pytest.TempPathFactory, tree: Tree, *words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([machines.command(factory, tree.arch), "config", "collect", "-r", str(tree.root), *words],
                          capture_output=True, timeout=60, **more)


def test_standard_output(tmp_path_factory, tree, collect):
    r = run(tmp_path_factory, tree, "-")
    assert r.returncode == 0 and r.stdout == collect(tree).content and b"standard output: " in r.stderr


def test_no_bytes_for_a_terminal(tmp_path_factory, tree):
    ours, theirs = pty.openpty()
    r = subprocess.run([machines.command(tmp_path_factory, tree.arch), "config", "collect", "-r", str(tree.root), "-"],
                       stdout=theirs, stderr=subprocess.PIPE)
    os.close(ours)
    os.close(theirs)
    assert r.returncode == USAGE and b"is a terminal: name a file" in r.stderr


def test_the_file_is_its_owners(tmp_path_factory, tree, tmp_path):
    file = tmp_path / "facts.tar"
    file.write_text("before")
    file.chmod(0o644)
    assert run(tmp_path_factory, tree, str(file)).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600 and tarfile.is_tarfile(file)


def test_nothing_is_left_where_it_fails(tmp_path_factory, tree, tmp_path):
    file = tmp_path / "out/facts.tar"
    file.parent.mkdir()
    file.write_text("before")
    r = run(tmp_path_factory, tree, str(file), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                                     (4096, 4096)))
    assert r.returncode == OTHER and b"facts.tar: cannot be written: File too large" in r.stderr
    assert os.listdir(file.parent) == ["facts.tar"] and file.read_text() == "before"


def test_only_files_are_replaced(tmp_path_factory, tree, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("target")
    for name, says in (("fifo", b"is no regular file: name another"), ("", b"is no regular file"),
                       ("link", b"is no regular file"),
                       ("none/x.tar", b"cannot be made: No such file or directory"), ("x" * 4090, b"too long")):
        r = run(tmp_path_factory, tree, f"{tmp_path}/{name}")
        assert r.returncode == OTHER and says in r.stderr, name
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link", "machine"]


@pytest.mark.parametrize("words, says", [
    ([], "which file is to be made?"), ([""], "which file is to be made?"),
    (["a", "b"], "one file is made, this is another: b"),
    (["-x", "a"], "unknown option: -x"), (["a", "-r"], "it needs a folder: -r"),
    (["a", "--root"], "it needs a folder: --root")])
def test_usage(tmp_path_factory, words, says):
    r = subprocess.run([machines.command(tmp_path_factory, "arm64"), "config", "collect", *words], capture_output=True,
                       text=True)
    assert r.returncode == USAGE and says in r.stderr and "usage: jailhouse config collect" in r.stderr


def test_no_folder(tmp_path_factory, tmp_path):
    r = subprocess.run([machines.command(tmp_path_factory, "arm64"), "config", "collect", "-r", str(tmp_path / "none"),
                        str(tmp_path / "x")],
                       capture_output=True, text=True)
    assert r.returncode == OTHER and "none: cannot be opened: No such file or directory" in r.stderr
    assert not os.listdir(tmp_path)


def test_another_architecture(tree, collect):
    other = next(arch for arch in ARCHES if arch != tree.arch)
    got = collect(tree, arch=other)
    assert got.status == OTHER and not got.content
    assert f"is of {tree.arch}, and this command of {other}: use the one that was built for it" in got.error


def test_help(tmp_path_factory):
    r = subprocess.run([machines.command(tmp_path_factory, "arm64"), "config", "collect", "--help"],
                       capture_output=True, text=True)
    assert r.returncode == 0 and r.stdout.startswith("usage: jailhouse config collect [-r|--root DIR] FILE.tar\n")


@pytest.mark.skipif(not machines.HOST, reason="this machine is of no architecture there is")
def test_this_machine(tmp_path_factory, tmp_path):
    """Whatever it shows: a tar that says what it is."""
    file = tmp_path / "facts.tar"
    r = subprocess.run([machines.command(tmp_path_factory, machines.HOST), "config", "collect", str(file)],
                       capture_output=True, text=True)
    with tarfile.open(file) as tar:
        manifest = tar.extractfile("facts/manifest")
        assert manifest and f"arch {machines.HOST}\nrelease {os.uname().release}\n" in manifest.read().decode()
        assert r.returncode in (0, OTHER) and f"{len(tar.getnames())} files" in r.stdout


def test_a_copy_below_is_read_where_it_is(tmp_path_factory, tree, tmp_path):
    """The folder is named from where the command is started, like the file."""
    r = subprocess.run([machines.command(tmp_path_factory, tree.arch), "config", "collect", "-r", tree.root.name,
                        "facts.tar"],
                       cwd=tree.root.parent, capture_output=True)
    assert r.returncode == 0 and Path(tree.root.parent, "facts.tar").exists()

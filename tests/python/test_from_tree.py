# SPDX-License-Identifier: GPL-2.0-only
"""From a device tree to a description: each rule by a small tree, and QEMU's machine as a whole."""

import subprocess

import pytest
from conftest import DEMO
from trees import GIC, MEMORY, Said, check, describe, device, machine, needs, registers

from jailhouse.config.model import Machine, Span
from jailhouse.config.problems import Problems
from jailhouse.config.read import read_system
from jailhouse.probe.description import Cache, Description, Gic, Piece, Refused, Streams
from jailhouse.probe.from_tree import describe_tree
from jailhouse.probe.write import machine_text

CLOCK = 'osc: oscillator { compatible = "fixed-clock"; #clock-cells = <0>; };'
PROVIDER = """ccu: clock-controller@1000000 { compatible = "acme,ccu"; reg = <0 0x1000000 0 0x1000>;
    #clock-cells = <1>; };"""


def refused(text: str, **files: str) -> str:
    with pytest.raises(Refused) as error:
        describe(text, None, **files)
    assert error.value.what and error.value.why and error.value.fix
    return str(error.value)


# --- QEMU's machine ---------------------------------------------------------------


@pytest.fixture(scope="module")
def virt(tmp_path_factory: pytest.TempPathFactory) -> Description:
    blob = tmp_path_factory.mktemp("tree") / "virt.dtb"
    subprocess.run(["qemu-system-aarch64", "-M", f"virt,virtualization=on,gic-version=3,dumpdtb={blob}", "-cpu",
                    "cortex-a72", "-smp", "4", "-m", "2G", "-display", "none", "-nic", "none", "-serial", "null",
                    "-serial", "null"], check=True, capture_output=True)
    description = describe_tree(Said({"sys/firmware/fdt": blob.read_bytes(),
                                      "dmesg.txt": b"GICv3: 256 SPIs implemented\n"}))
    check(description)
    return description


@pytest.fixture(scope="module")
def text() -> Machine:
    system = read_system(str(DEMO), Problems())
    assert system is not None
    return system.machine


def test_virt_as_in_its_text(virt: Description, text: Machine) -> None:
    assert virt.hwids == text.hwids and virt.ram == tuple(p.span for p in text.ram)
    assert isinstance(virt.platform, Gic) and text.platform is not None
    assert [virt.platform.gicd, virt.platform.gicr] == [p.span for p in text.platform.mediated]
    assert (virt.platform.maintenance_irq, virt.platform.spis) == (25, len(text.platform.lines))
    assert virt.cpu_names == ("Cortex-A72",) * 4 and virt.clusters == ((0, 1, 2, 3),)
    assert virt.console == "serial0" and virt.name == "dummy-virt"


@pytest.mark.parametrize(("name", "ours"), [
    ("serial0", "uart0"), ("serial1", "uart1"), ("pl031", "rtc"), ("pl061", "gpio"), ("fw-cfg", "fw_cfg"),
    ("its", "its"), ("pcie", "pcie")])
def test_virt_device(virt: Description, text: Machine, name: str, ours: str) -> None:
    found, wanted = device(virt, name), text.devices[ours]
    assert {p.span for p in found.registers} == {p.span for p in wanted.registers}
    assert list(found.interrupts) == [n for line in wanted.lines for n in line.numbers]
    assert set(found.edges) == wanted.edges
    assert (found.uart == "pl011") == (wanted.uart is not None)


def test_virt_has_no_other_devices(virt: Description, text: Machine) -> None:
    """But those that our text has together."""
    rest = {d.name for d in virt.devices} - {"serial0", "serial1", "pl031", "pl061", "fw-cfg", "its", "pcie"}
    assert rest == {"flash", *(f"virtio_mmio-{0xa000000 + 0x200 * n:x}" for n in range(32))}
    for numbers in ("interrupts", "edges"):
        assert [n for d in virt.devices if d.name.startswith("virtio") for n in getattr(d, numbers)] == list(range(48, 80))
    assert [name for name, _, _ in registers(device(virt, "pcie"))] == ["ecam", "pio", "mmio", "mmio64"]


@pytest.mark.parametrize(("cells", "memory", "found"), [
    ((2, 2), MEMORY, (2, 2)), ((2, 1), "memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0x10000000>; };", (2, 1))])
def test_what_the_root_node_has_for_addresses(cells: tuple[int, int], memory: str, found: tuple[int, int]) -> None:
    """And the text says it, where it is not what most have."""
    gic = GIC.replace("<0 0x8000000 0 0x10000>, <0 0x80a0000 0 0x100000>", "<0 0x8000000 0x10000>, <0 0x80a0000 0x100000>")
    text = machine(memory=memory, gic=gic if cells[1] == 1 else GIC)
    text = text.replace("#address-cells = <2>; #size-cells = <2>;\n", f"#address-cells = <{cells[0]}>; #size-cells = <{cells[1]}>;\n", 1)
    description = describe(text)
    assert description.tree_cells == found
    assert ("tree_cells = [2, 1]" in machine_text(description)) == (found != (2, 2))


def test_a_root_node_that_does_not_say_it() -> None:
    found = describe(machine().replace("#address-cells = <2>; #size-cells = <2>;\n", "#address-cells = <2>; \n", 1)
                     .replace("0 0x8000000 0 0x10000>, <0 0x80a0000 0 0x100000", "0 0x8000000 0x10000>, <0 0x80a0000 0x100000")
                     .replace("reg = <0 0x40000000 0 0x10000000>", "reg = <0 0x40000000 0x10000000>"))
    assert found.tree_cells == (2, 2) and any("reserved-memory.dts would not fit" in note for note in found.notes)


# --- CPUs -------------------------------------------------------------------------


def cpus(nodes: str, cells: int = 1) -> str:
    return f"cpus {{ #address-cells = <{cells}>; #size-cells = <0>; {nodes} }};"


def cpu(reg: str, more: str = "", label: str = "") -> str:
    unit = reg.replace(" ", "").replace("0x", "")
    return f'{label} cpu@{unit} {{ device_type = "cpu"; compatible = "acme,big-x2"; reg = <{reg}>; {more} }};'


def test_affinity_of_two_cells() -> None:
    found = describe(machine(cpus=cpus(cpu("1 0x10200") + cpu("0 0"), 2)))
    assert found.hwids == (0x1_0001_0200, 0)
    assert found.cpu_names == ("Big-X2", "Big-X2")


def test_disabled_cpus_are_none() -> None:
    assert describe(machine(cpus=cpus(cpu("0") + cpu("1", 'status = "disabled";') + cpu("2")))).hwids == (0, 2)


def test_boot_cpu_of_the_log_is_linux_s_first() -> None:
    found = describe(machine(cpus=cpus(cpu("0") + cpu("1") + cpu("0x100"))),
                     dmesg="[    0.000000] Booting Linux on physical CPU 0x0000000100 [0x410fd034]\n")
    assert found.hwids == (0x100, 0, 1)
    assert not [note for note in found.notes if "Linux's 0" in note]


def test_order_of_the_log_counts() -> None:
    log = "Booting Linux on physical CPU 0x0000000001 [0x1]\nCPU1: Booted secondary processor 0x0000000100 [0x1]\n" \
          "CPU2: Booted secondary processor 0x0000000000 [0x1]\n"
    assert describe(machine(cpus=cpus(cpu("0") + cpu("1") + cpu("0x100"))), dmesg=log).hwids == (1, 0x100, 0)


def test_order_of_sys_counts_more() -> None:
    links = {f"sys/devices/system/cpu/cpu{n}/of_node": name for n, name in enumerate(("cpu@1", "cpu@0"))}
    assert describe(machine(), links, dmesg="Booting Linux on physical CPU 0x0 [0x1]").hwids == (1, 0)


def test_without_facts_the_first_is_taken_and_said() -> None:
    found = describe(machine())
    assert found.hwids == (0, 1) and [note for note in found.notes if "Linux's 0" in note]


@pytest.mark.parametrize(("nodes", "what"), [
    ("", "the tree has no CPUs"), (cpu("0") + cpu("0").replace("cpu@0", "cpu@9"), "another CPU has 0x0 too"),
    (cpu("0x1000000"), "no MPIDR affinity"), ('cpu@0 { device_type = "cpu"; };', "it has no `reg`"),
    ('cpu@0 { device_type = "cpu"; reg = [00 01]; };', "no whole cells")])
def test_cpus_refused(nodes: str, what: str) -> None:
    assert what in refused(machine(cpus=cpus(nodes)))


def test_a_tree_of_acpi_s_is_refused_as_such() -> None:
    assert "booted with ACPI" in refused(machine("chosen { linux,uefi-system-table = <0 1>; };", cpus=""))


FOUR = [cpu(str(n), label=f"c{n}:") for n in range(4)]


def test_cpu_map() -> None:
    top = """cpu-map { socket0 {
        cluster0 { core0 { thread0 { cpu = <&c0>; }; thread1 { cpu = <&c2>; }; }; };
        cluster1 { core0 { cpu = <&c1>; }; core1 { cpu = <&c3>; }; }; }; };"""
    found = describe(machine(cpus=cpus("".join(FOUR) + top)))
    assert (found.threads, found.clusters) == (((0, 2),), ((0, 2), (1, 3)))
    assert not [note for note in found.notes if "cluster" in note]


@pytest.mark.parametrize("core", ["core0 { cpu = <&c0>; };", "core0 { cpu = <&c0>; }; core1 { cpu = <&c0>; };"])
def test_cpu_map_that_lacks_some_is_not_believed(core: str) -> None:
    found = describe(machine(cpus=cpus("".join(FOUR) + f"cpu-map {{ cluster0 {{ {core} }}; }};")))
    assert found.clusters == ((0, 1, 2, 3),)
    assert [note for note in found.notes if "does not name each CPU once" in note]


@pytest.mark.parametrize(("regs", "clusters"), [
    (("0", "1", "0x100", "0x101"), ((0, 1), (2, 3))), (("0", "0x100", "0x10000"), ((0, 1), (2,)))])
def test_clusters_by_affinity(regs: tuple[str, ...], clusters: tuple[tuple[int, ...], ...]) -> None:
    found = describe(machine(cpus=cpus("".join(map(cpu, regs)))))
    assert found.clusters == clusters and [note for note in found.notes if "which CPUs are a cluster" in note]


def test_caches() -> None:
    own = "d-cache-size = <0x8000>; i-cache-size = <0x10000>; next-level-cache = <&{}>;"
    nodes = cpu("0", own.format("l2")) + cpu("1", own.format("l2")) + cpu("2", "next-level-cache = <&l3>;")
    nodes += 'l2: l2 { compatible = "cache"; cache-level = <2>; cache-size = <0x80000>; next-level-cache = <&l3>; };'
    nodes += 'l3: l3 { compatible = "cache"; cache-level = <3>; cache-unified; };'
    found = describe(machine(cpus=cpus(nodes)))
    assert found.caches == (
        Cache(1, "data", 0x8000, (0,)), Cache(1, "instruction", 0x10000, (0,)), Cache(1, "data", 0x8000, (1,)),
        Cache(1, "instruction", 0x10000, (1,)), Cache(2, "unified", 0x80000, (0, 1)), Cache(3, "unified", 0, (0, 1, 2)))


def test_caches_in_a_circle() -> None:
    nodes = cpu("0", "next-level-cache = <&l2>;")
    found = describe(machine(cpus=cpus(nodes + "l2: l2 { cache-size = <1>; next-level-cache = <&l2>; };")))
    assert [note for note in found.notes if "go in a circle" in note]


# --- memory -----------------------------------------------------------------------


def test_ram_of_all_enabled_nodes_in_whole_pages() -> None:
    memory = MEMORY + """
        memory@60000000 { device_type = "memory"; reg = <0 0x60000800 0 0x10000>, <0 0x50000000 0 0x1000>; };
        memory@70000000 { device_type = "memory"; reg = <0 0x70000000 0 0x10000>; status = "disabled"; };"""
    found = describe(machine(memory=memory))
    # The second begins where the first ends
    assert found.ram == (Span(0x4000_0000, 0x1000_1000), Span(0x6000_1000, 0xf000))
    assert [note for note in found.notes if "no number of whole pages" in note]


def test_firmware_s_memory() -> None:
    devices = """reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
        tf-a@41000000 { reg = <0 0x41000000 0 0x1800>; no-map; };
        cma { reusable; size = <0 0x100000>; };
        pool@42000000 { reg = <0 0x42000000 0 0x1000>; reusable; };
        off@43000000 { reg = <0 0x43000000 0 0x1000>; status = "disabled"; };
        other@41001000 { reg = <0 0x41001000 0 0x2000>; };
        outside@1000 { reg = <0 0x1000 0 0x1000>; }; };"""
    found = describe(machine(devices, before="/memreserve/ 0x4fff0000 0x20000; /memreserve/ 0 0x1000;"))
    assert found.firmware == (Piece("tf-a", Span(0x4100_0000, 0x3000)),
                              Piece("memreserve", Span(0x4fff_0000, 0x1_0000)))
    assert not [d for d in found.devices if d.name in ("tf-a", "other", "outside")]


IOMEM = """40000000-400fffff : reserved
40100000-4fffffff : System RAM
  40200000-40ffffff : Kernel code
  41000000-4100ffff : reserved
8000000-800ffff : interrupt-controller@8000000
"""


def test_ram_of_efi_s_map() -> None:
    found = describe(machine(memory=""), iomem=IOMEM, cmdline="console=ttyAMA0")
    assert found.ram == (Span(0x4000_0000, 0x1000_0000),)
    assert found.firmware == (Piece("reserved", Span(0x4000_0000, 0x10_0000)),)
    assert not [note for note in found.notes if "was booted with" in note]


def test_a_shortened_map_is_said() -> None:
    found = describe(machine(memory=""), iomem=IOMEM, cmdline="quiet mem=1G")
    assert [note for note in found.notes if "booted with mem=1G" in note]


def test_the_tree_s_ram_counts_more_than_linux_s() -> None:
    assert describe(machine(), iomem="90000000-9fffffff : System RAM\n").ram == (Span(0x4000_0000, 0x1000_0000),)


@pytest.mark.parametrize(("memory", "iomem", "what"), [
    ("", "", "the boot loader puts that in"),
    ('memory@0 { device_type = "memory"; reg = <0 0 0 0>; };', "", "the boot loader puts that in"),
    ("", "00000000-00000000 : System RAM\n", "as root"),
    ('memory@0 { device_type = "memory"; reg = <0 0x8000000 0 0x100000>; };', "", "GIC's registers")])
def test_ram_refused(memory: str, iomem: str, what: str) -> None:
    assert what in refused(machine(memory=memory), iomem=iomem)


# --- the GIC ----------------------------------------------------------------------


def test_a_gicv2_is_named() -> None:
    assert "arm,gic-400: a GICv2" in refused(machine(gic=GIC.replace("arm,gic-v3", "arm,gic-400")))
    assert "acme,pic" in refused(machine(gic=GIC.replace("arm,gic-v3", "acme,pic")))
    off = GIC.replace("interrupts =", 'status = "disabled"; interrupts =')
    assert "no enabled interrupt controller" in refused(machine(gic=off))


def test_two_gics_are_refused() -> None:
    second = GIC.replace("gic: ", "").replace("8000000 {", "9000000 {")
    assert "there are 2 GICv3" in refused(machine(gic=GIC + second))


@pytest.mark.parametrize(("old", "new", "what"), [
    ("<0 0x80a0000 0 0x100000>", "<0 0x80a0000 0 0x20000>", "no room for the redistributors of 2 CPUs"),
    ("<0 0x80a0000 0 0x100000>", "<0 0x80a1000 0 0x100000>", "multiple of 64 KiB"),
    (", <0 0x80a0000 0 0x100000>", "", "`reg` does not have"),
    ("<0 0x80a0000 0 0x100000>", "<0 0x8000000 0 0x100000>", "overlap"),
    ("<0 0x8000000 0 0x10000>", "<0x10000 0 0 0x10000>", "above every address"),
    ("interrupts = <1 9 4>;", "", "maintenance interrupt"), ("<1 9 4>", "<0 9 4>", "maintenance interrupt"),
    ("<1 9 4>", "<1 16 4>", "maintenance interrupt"), ("<1 9 4>", "<1 9>", "no multiple of the 3"),
    ("ranges;", "ranges; #redistributor-regions = <4096>;", "`reg` does not have"),
    ("ranges;", "ranges; redistributor-stride = <0 0x30000>;", "every 0x30000 bytes")])
def test_gic_refused(old: str, new: str, what: str) -> None:
    assert old in GIC
    assert what in refused(machine(gic=GIC.replace(old, new)))


def regions(first: int, second: int) -> str:
    return GIC.replace("<0 0x80a0000 0 0x100000>", f"<0 {second:#x} 0 0x20000>, <0 {first:#x} 0 0x20000>; "
                       "#redistributor-regions = <2>")


def test_redistributors_in_several_places() -> None:
    found = describe(machine(gic=regions(0x80a_0000, 0x80c_0000)))
    assert isinstance(found.platform, Gic) and found.platform.gicr == Span(0x80a_0000, 0x4_0000)
    assert "in 2 places" in refused(machine(gic=regions(0x80a_0000, 0x80e_0000)))


def test_frames_that_are_said_too_small() -> None:
    found = describe(machine(gic=GIC.replace("<0 0x8000000 0 0x10000>", "<0 0x8000000 0 0x1000>")))
    assert isinstance(found.platform, Gic) and found.platform.gicd == Span(0x800_0000, 0x1_0000)
    assert [note for note in found.notes if "frames of a GICv3 have 64 KiB" in note]


@pytest.mark.parametrize(("highest", "spis"), [(0, 32), (31, 32), (32, 64), (987, 988)])
def test_spis_of_the_tree(highest: int, spis: int) -> None:
    found = describe(machine(bare("a@1000", f"interrupts = <0 {highest} 4>;")))
    assert isinstance(found.platform, Gic) and found.platform.spis == spis
    assert found.devices[0].interrupts == (highest + 32,)


def test_spis_of_the_log() -> None:
    node = bare("a@1000", "interrupts = <0 95 4 0 96 4 2 1 4 1 3 4>;")
    found = describe(machine(node), dmesg="GICv3: 96 SPIs implemented\nGICv3: 0 Extended SPIs implemented\n")
    assert isinstance(found.platform, Gic) and found.platform.spis == 96
    assert found.devices[0].interrupts == (127,)
    assert [note for note in found.devices[0].notes if "interrupt 128" in note]
    assert [note for note in found.devices[0].notes if "interrupt 4097" in note]


# --- devices ----------------------------------------------------------------------


def bare(name: str, more: str = "", compatible: str = "acme,x") -> str:
    """A node whose registers are where its unit address says."""
    unit = name.partition("@")[2]
    return f'{name} {{ compatible = "{compatible}"; reg = <0 0x{unit} 0 0x1000>; {more} }};'


def names(devices: str) -> list[str]:
    return [d.name for d in describe(machine(devices)).devices]


def test_names() -> None:
    aliases = 'aliases { serial1 = &u; zweiter = &u; uart = "/none"; };'
    assert names(aliases + "u: " + bare("uart@1000")) == ["serial1"]
    assert names(bare("gpio@1000") + bare("gpio@2000") + bare("rtc@3000")) == ["gpio-1000", "gpio-2000", "rtc"]
    assert names(bare("a,very.long_name-of-a-thing@1000")) == ["a-very-long_name-of-a-th"]
    long = names(bare("interrupt-controller@17a00000") + bare("interrupt-controller@17b00000"))
    assert long == ["interrupt-contr-17a00000", "interrupt-contr-17b00000"]
    assert names("aliases { gpio-1000 = &x; };" + "x: " + bare("y@3000") + bare("gpio@1000") + bare("gpio@2000")) == \
        ["gpio-1000", "gpio-1000-2", "gpio-2000"]


def test_the_unit_address_is_what_people_know() -> None:
    two = 'x@2000 { compatible = "x"; reg = <0 0x8000 0 0x1000>, <0 0x2000 0 0x1000>; };'
    bus = "bus { #address-cells = <2>; #size-cells = <2>; ranges = <0 0 0 0x10000 0 0x10000>; %s };" % bare("x@3000")
    assert names(two + bus) == ["x-2000", "x-13000"]


def test_registers_through_ranges() -> None:
    bus = """soc { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges = <0 1 0 0x10000>;
        a@1000 { compatible = "a"; reg = <0x1000 0x100>, <0x2000 0x100>, <0x3000 0>, <0xff00 0x200>, <0x20000 1>;
            reg-names = "ctrl", "data"; };
        b { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges;
            c@4000 { compatible = "c"; reg = <0x4000 4>; }; };
        i2c@5000 { compatible = "i2c"; reg = <0x5000 0x100>; #address-cells = <1>; #size-cells = <0>;
            eeprom@50 { compatible = "e"; reg = <0x50>; }; }; };"""
    found = describe(machine(bus))
    assert [d.name for d in found.devices] == ["a", "c", "i2c"]
    a = device(found, "a")
    assert registers(a) == [("ctrl", 0x1_0000_1000, 0x100), ("data", 0x1_0000_2000, 0x100), ("2", 0x1_0000_ff00, 0x100)]
    assert [note.split(" at ")[0] for note in a.notes][:3] == ["the registers", "of the registers", "the registers"]
    assert registers(device(found, "c")) == [("", 0x1_0000_4000, 4)]
    assert a.about == "a, /soc/a@1000"


def test_what_is_disabled_is_no_device() -> None:
    off = 'bus { #address-cells = <2>; #size-cells = <2>; ranges; status = "disabled"; %s };' % bare("c@3000")
    assert names(bare("a@1000", 'status = "disabled";') + bare("b@2000", 'status = "ok";') + off) == ["b"]


def test_registers_with_ram_or_the_gic_are_left_out() -> None:
    found = describe(machine(bare("a@40000000") + bare("b@8000000") + """
        c@1000 { compatible = "c"; reg = <0 0x1000 0 0x1000>, <0x10000 0 0 0x1000>, <0 0x40000800 0 4>; };"""))
    assert [(d.name, registers(d)) for d in found.devices] == [("c", [("", 0x1000, 0x1000)])]
    assert len(device(found, "c").notes) == 3
    assert [note for note in found.notes if note.startswith("/a@40000000: 0x40000000+4K is on a page with RAM")]


def test_interrupts() -> None:
    devices = bare("a@1000", "interrupts = <0 5 4>, <0 3 4>, <1 7 4>;") + \
        bare("b@2000", "interrupts-extended = <&gic 0 9 4>, <&gpio 4 1>; interrupts = <0 1 4>;") + \
        "gpio: " + bare("gpio@3000", "interrupt-controller; #interrupt-cells = <2>;") + \
        bare("c@4000", "interrupt-parent = <&gpio>; interrupts = <2 1>;") + bare("d@5000", "interrupts = <0 5>;")
    found = describe(machine(devices))
    assert device(found, "a").interrupts == (35, 37)
    assert device(found, "b").interrupts == (41,) and needs(device(found, "b")) == {("interrupts", "gpio")}
    assert device(found, "c").interrupts == () and needs(device(found, "c")) == {("interrupts", "gpio")}
    assert device(found, "d").notes[0].startswith("interrupts has 2 cells, no multiple of the 3 that /interrupt-contr")


def test_a_controller_that_hands_the_gic_s_lines_on() -> None:
    between = "sys: " + bare("irq@6000", "interrupt-controller; #interrupt-cells = <3>; interrupt-parent = <&gic>; %s")
    a = bare("a@1000", "interrupt-parent = <&sys>; interrupts = <0 5 4>;")
    found = device(describe(machine(between % "" + a)), "a")
    assert found.interrupts == (37,) and needs(found) == {("interrupts", "irq")}
    assert device(describe(machine(between % "interrupts = <0 8 4>;" + a)), "a").interrupts == ()
    other = "gpio: " + bare("gpio@7000", "interrupt-controller; #interrupt-cells = <3>; interrupts = <0 9 4>;")
    assert device(describe(machine(between.replace("<&gic>", "<&gpio>") % "" + a + other)), "a").interrupts == ()


NEXUS = """motherboard: bus {{ compatible = "acme,{0}"; {1} #address-cells = <2>; #size-cells = <2>; ranges;
    #interrupt-cells = <1>; interrupt-map-mask = <0 0 63>;
    interrupt-map = <0 0 1 &gic 0 0 0 5 4>, <0 0 2 {2} 0 0 0 6 4>;
    {3} }};"""


def test_interrupt_map_of_a_bus() -> None:
    below = bare("a@1000", "interrupt-parent = <&motherboard>; interrupts = <2>, <65>, <7>;")
    a = device(describe(machine(NEXUS.format("bus", "", "&gic", below))), "a")
    assert a.interrupts == (37, 38)
    assert "an interrupt that interrupt-map of /bus does not have" in a.notes[0]
    a = device(describe(machine(NEXUS.format("bus", "", "&motherboard", below))), "a")
    assert "interrupt-map of /bus" in a.notes[0] and a.interrupts == ()


def test_maps_that_are_for_their_own_drivers() -> None:
    below = bare("a@1000", "interrupt-parent = <&motherboard>; interrupts = <2>;")
    text = NEXUS.format("bus", "interrupt-controller;", "&gic", below)
    assert device(describe(machine(text)), "a").interrupts == (38,)
    assert device(describe(machine(text.replace("acme,bus", "fsl,ls1088a-extirq"))), "a").interrupts == ()


PCI = """pcie@10000000 { compatible = "pci-host-ecam-generic"; device_type = "pci";
    #address-cells = <3>; #size-cells = <2>; #interrupt-cells = <1>; reg = <0 0x10000000 0 0x1000000>;
    bus-range = <0 15>; iommu-map = <0 &smmu 0x100 0x1000>;
    ranges = <0x01000000 0 0 0 0x2fff0000 0 0x10000>, <0x02000000 0 0x20000000 0 0x20000000 0 0x1000000>,
        <0x42000000 0 0x30000000 0 0x30000000 0 0x1000000>, <0x03000000 0x80 0 0x80 0 0x1 0>;
    interrupt-map-mask = <0x1800 0 0 7>;
    interrupt-map = <0 0 0 1 &gic 0 0 0 3 4>, <0 0 0 2 &gic 0 0 0 4 4>, <0x800 0 0 1 &gic 0 0 0 4 4>;
    bridge@0 { device_type = "pci"; reg = <0 0 0 0 0>; #address-cells = <3>; #size-cells = <2>; ranges; };
    };
    smmu: iommu@2b400000 { compatible = "arm,smmu-v3"; reg = <0 0x2b400000 0 0x20000>; #iommu-cells = <1>; };"""


def test_pci_host() -> None:
    found = describe(machine(PCI))
    assert [d.name for d in found.devices] == ["pcie", "iommu"]
    host, smmu = found.devices
    assert registers(host) == [("ecam", 0x1000_0000, 0x100_0000), ("pio", 0x2fff_0000, 0x1_0000),
                               ("mmio", 0x2000_0000, 0x100_0000), ("mmio-3", 0x3000_0000, 0x100_0000),
                               ("mmio64", 0x80_0000_0000, 0x1_0000_0000)]
    assert host.interrupts == (35, 36) and host.dma and not host.notes
    assert host.streams == (Streams("iommu", (range(0x100, 0x1100),)),) and smmu.iommu == "smmuv3"


@pytest.mark.parametrize(("compatible", "cells", "iommus", "ids"), [
    ("arm,smmu-v3", 1, "<&smmu 0x10>, <&smmu 0x4>", (range(4, 5), range(16, 17))),
    ("arm,mmu-500", 1, "<&smmu 7>", (range(7, 8),)),
    ("qcom,smmu-v2", 2, "<&smmu 0x42 3>", (range(0x40, 0x44),)),
    ("arm,mmu-500", 2, "<&smmu 0x400 0x11>", (range(0x400, 0x402), range(0x410, 0x412))),
    ("acme,mmu", 0, "<&smmu>", ())])
def test_streams(compatible: str, cells: int, iommus: str, ids: tuple[range, ...]) -> None:
    found = describe(machine("smmu: " + bare("iommu@2000", f"#iommu-cells = <{cells}>;", compatible) +
                             bare("timer@1000", f"iommus = {iommus};")))
    timer = device(found, "timer")
    assert timer.streams == (Streams("iommu", ids),) and timer.dma


def test_streams_with_the_mask_that_the_iommu_says() -> None:
    smmu = "smmu: " + bare("iommu@2000", "#iommu-cells = <1>; stream-match-mask = <0x7f80>;", "arm,mmu-500")
    timer = device(describe(machine(smmu + bare("timer@1000", "iommus = <&smmu 0x105>;"))), "timer")
    assert [ids.start for ids in timer.streams[0].ids] == list(range(5, 0x8000, 0x80))
    assert all(len(ids) == 1 for ids in timer.streams[0].ids)


def test_streams_that_cannot_be_meant() -> None:
    found = describe(machine("smmu: " + bare("iommu@2000", "#iommu-cells = <2>;", "arm,mmu-500") +
                             bare("timer@1000", "iommus = <&smmu 5 0>, <&smmu 0 0xfffe>;")))
    timer = device(found, "timer")
    assert timer.streams == (Streams("iommu", (range(5, 6),)),) and "more than 1024 ranges" in timer.notes[0]


@pytest.mark.parametrize(("more", "compatible", "kind"), [
    ("", "arm,pl011", "pl011"), ("", "arm,sbsa-uart", "pl011"), ("", "ns16550a", "8250"),
    ("reg-shift = <2>; reg-io-width = <4>;", "snps,dw-apb-uart", "8250-32"),
    ("reg-shift = <2>;", "ns16550a", "8250-32"),
    ("", 'ti,am64-uart", "ti,am654-uart', "8250-32"), ("", 'mediatek,mt8183-uart", "mediatek,mt6577-uart', "8250-32"),
    ("reg-shift = <1>;", "ns16550a", None), ("reg-io-width = <4>;", "ns16550a", None),
    ("reg-offset = <0x100>;", "ns16550a", None), ("reg-shift = [00];", "ns16550a", None), ("", "fsl,lpuart", None)])
def test_uarts(more: str, compatible: str, kind: str | None) -> None:
    chosen = 'chosen { stdout-path = "serial0:115200n8"; }; aliases { serial0 = "/serial@1000"; };'
    found = describe(machine(chosen + bare("serial@1000", more, compatible)))
    assert found.devices[0].uart == kind
    assert found.console == ("serial0" if kind else None)
    assert bool(kind) != any("Linux's console" in note for note in found.notes)
    assert any("does not print there" in note for note in found.notes) == (kind in ("8250", "8250-32"))


def test_a_uart_is_where_its_first_registers_are() -> None:
    under = 'x@1000 { compatible = "x"; reg = <0 0x1000 0 0x10>; };'
    over = 'serial@1008 { compatible = "arm,pl011"; reg = <0 %#x 0 0x1000>; };'
    assert [d.uart for d in describe(machine(under + over % 0x1008)).devices] == [None]
    assert [d.uart for d in describe(machine(under + over % 0x1010)).devices] == [None, "pl011"]
    gone = 'serial@40000000 { compatible = "arm,pl011"; reg = <0 0x40000000 0 0x1000>, <0 0x2000 0 0x1000>; };'
    assert [d.uart for d in describe(machine(gone)).devices] == [None]


@pytest.mark.parametrize(("name", "more", "dma"), [
    ("ethernet@1000", "", True), ("usb2@1000", "", True), ("gpio@1000", "", False), ("i2c0@1000", "", False),
    ("usb-phy@1000", "", False), ("spi@1000", "dma-coherent;", True), ("x@1000", "#clock-cells = <0>;", False),
    ("serial@1000", "#dma-cells = <1>;", True), ("virtio_mmio@1000", "", True),
    ("x@1000", "memory-region = <0>;", True)])
def test_bus_masters(name: str, more: str, dma: bool) -> None:
    one = describe(machine(bare(name, more))).devices[0]
    assert one.dma == dma and not one.notes


def test_what_may_be_a_bus_master_is_one() -> None:
    one = describe(machine(bare("frobnicator@1000"))).devices[0]
    assert one.dma and "taken as if it did" in one.notes[0]


def test_console_that_is_none() -> None:
    assert describe(machine('chosen { stdout-path = "/none"; };')).console is None
    assert describe(machine("chosen { };")).console is None


# --- devices that are one ---------------------------------------------------------


def test_a_system_controller_has_its_functions() -> None:
    nodes = PROVIDER + """
        syscon@2000 { compatible = "acme,grf", "syscon", "simple-mfd"; reg = <0 0x2000 0 0x1000>;
            #address-cells = <2>; #size-cells = <2>; ranges; interrupts = <0 1 4>;
            watchdog@2010 { compatible = "acme,wdt"; reg = <0 0x2010 0 0x10>; interrupts = <0 2 4>;
                clocks = <&ccu 1>; };
            phy: phy@3000 { compatible = "acme,phy"; reg = <0 0x3000 0 0x10>; #phy-cells = <0>; };
        };""" + bare("usb@4000", "phys = <&phy>;")
    found = describe(machine(nodes))
    assert [d.name for d in found.devices] == ["clock-controller", "syscon", "phy", "usb"]
    syscon = device(found, "syscon")
    assert registers(syscon) == [("", 0x2000, 0x1000)] and syscon.interrupts == (33, 34)
    assert needs(syscon) == {("clocks", "clock-controller")}
    assert syscon.notes == ("has acme,wdt, /syscon@2000/watchdog@2010 with it",)
    assert needs(device(found, "phy")) == {("bus", "syscon")}
    assert needs(device(found, "usb")) == {("phys", "phy")}


def test_views_of_one_block_are_one() -> None:
    nodes = 'small@1000 { compatible = "s"; reg = <0 0x1000 0 0x100>, <0 0x8000 0 0x10>; interrupts = <0 1 4>; };' + \
        bare("large@1000", "interrupts = <0 2 4>;") + bare("beside@2000")
    found = describe(machine(nodes))
    assert [d.name for d in found.devices] == ["large", "beside"]
    assert registers(found.devices[0]) == [("0", 0x1000, 0x1000), ("small", 0x8000, 0x10)]
    assert found.devices[0].interrupts == (33, 34)


def test_registers_that_share_a_page_only_stay_apart() -> None:
    node = '{0}@{1} {{ compatible = "x"; reg = <0 0x{1} 0 0x10>; }};'
    assert names(node.format("a", 1000) + node.format("b", 1010)) == ["a", "b"]


def test_overlaps_within_one_node() -> None:
    node = 'a@1000 { compatible = "a"; reg = <0 0x1800 0 0x1000>, <0 0x9000 0 4>, <0 0x1000 0 0x1000>; };'
    assert registers(describe(machine(node)).devices[0]) == [("0", 0x1000, 0x1800), ("1", 0x9000, 4)]


def test_a_bus_says_its_window() -> None:
    nodes = """bus@10000 { compatible = "acme,aips", "simple-bus"; reg = <0 0x10000 0 0x10000>; #address-cells = <2>;
        #size-cells = <2>; ranges; %s };""" % (bare("a@11000") + bare("b@12000"))
    found = describe(machine(nodes))
    assert [d.name for d in found.devices] == ["a", "b"]
    assert [note for note in found.notes if note.startswith("/bus@10000: its registers are the window")]


def test_what_is_compatible_with_nothing_is_its_parent_s() -> None:
    nodes = """timer@1000 { compatible = "arm,armv7-timer-mem"; reg = <0 0x1000 0 0x1000>; #address-cells = <2>;
        #size-cells = <2>; ranges; frame@2000 { reg = <0 0x2000 0 0x1000>; interrupts = <0 3 4>; }; };"""
    timer = describe(machine(nodes)).devices[0]
    assert registers(timer) == [("0", 0x1000, 0x1000), ("frame", 0x2000, 0x1000)]
    assert timer.interrupts == (35,) and not timer.dma


# --- needs ------------------------------------------------------------------------


@pytest.mark.parametrize(("provider", "consumer", "what"), [
    ("#clock-cells = <1>;", "clocks = <&p 1>, <0>, <&p 2>;", "clocks"),
    ("#reset-cells = <1>;", "resets = <&p 1>;", "resets"),
    ("#power-domain-cells = <0>;", "power-domains = <&p>;", "power-domains"),
    ("", "pinctrl-0 = <&below &p>;", "pinctrl"),
    ("", "vcc-supply = <&below>;", "supply"), ("#phy-cells = <0>;", "phys = <&p>;", "phys"),
    ("#dma-cells = <1>;", "dmas = <&p 1>;", "dmas"), ("#mbox-cells = <0>;", "mboxes = <&p>;", "mboxes"),
    ("#hwlock-cells = <1>;", "hwlocks = <&p 1>;", "hwlocks"), ("#pwm-cells = <2>;", "pwms = <&p 1 2>;", "pwms"),
    ("#interconnect-cells = <1>;", "interconnects = <&p 1 &p 2>;", "interconnects"),
    ("#gpio-cells = <2>;", "reset-gpios = <&p 1 0>;", "gpios"), ("#gpio-cells = <2>;", "gpio = <&p 1 0>;", "gpios"),
    ("#io-channel-cells = <1>;", "io-channels = <&p 1>;", "io-channels"), ("", "nvmem-cells = <&below>;", "nvmem"),
    ("", "acme,syscon = <&p 4>;", "syscon")])
def test_needs(provider: str, consumer: str, what: str) -> None:
    nodes = "p: " + bare("provider@1000", provider + "below: state { };", 'acme,p", "syscon') + bare("x@2000", consumer)
    assert needs(device(describe(machine(nodes)), "x")) == {(what, "provider")}


@pytest.mark.parametrize("consumer", ["snps,nr-gpios = <99>;", "memory-region = <&p>;", "vcc-supply;",
                                      "pinctrl-names = [01];", "acme,number = <99>;"])
def test_what_is_no_need(consumer: str) -> None:
    provider = "p: " + bare("gpio@1000", "phandle = <99>; #gpio-cells = <0>;", 'acme,p", "syscon')
    found = device(describe(machine(provider + bare("timer@2000", consumer))), "timer")
    assert not found.needs and not found.notes


def test_a_provider_without_registers_is_what_it_needs() -> None:
    nodes = CLOCK + PROVIDER + "gpio: " + bare("gpio@3000", "#gpio-cells = <2>; gpio-controller;") + """
        vbat: regulator-0 { compatible = "regulator-fixed"; gpio = <&gpio 1 0>; vin-supply = <&vmain>; };
        vmain: regulator-1 { compatible = "regulator-fixed"; vin-supply = <&vbat>; };
        i2c@4000 { compatible = "acme,i2c"; reg = <0 0x4000 0 0x1000>; #address-cells = <1>; #size-cells = <0>;
            pmic@8 { compatible = "acme,pmic"; reg = <8>; regulators { ldo: ldo1 { }; }; }; };
        firmware { scmi { compatible = "arm,scmi"; clocks = <&ccu 3>; scmi: protocol { #clock-cells = <1>; }; }; };
        """ + \
        bare("mmc@5000", "vmmc-supply = <&vmain>; vqmmc-supply = <&ldo>; clocks = <&osc>, <&scmi 1>;")
    assert needs(device(describe(machine(nodes)), "mmc")) == {("supply", "gpio"), ("supply", "i2c")}


def test_a_device_needs_what_is_above_it() -> None:
    nodes = PROVIDER + """wrapper@2000 { compatible = "acme,glue"; reg = <0 0x2000 0 0x1000>; #address-cells = <2>;
        #size-cells = <2>; ranges; bus { compatible = "simple-pm-bus"; #address-cells = <2>; #size-cells = <2>; ranges;
        clocks = <&ccu 1>; nvmem-cells = <&id>; %s }; };""" % bare("usb@3000") + bare("efuse@5000", "id: id { };")
    assert needs(device(describe(machine(nodes)), "usb")) == {("bus", "wrapper"), ("clocks", "clock-controller")}


def test_disabled_providers_provide_nothing() -> None:
    off = PROVIDER.replace("#clock-cells", 'status = "disabled"; #clock-cells')
    consumer = bare("timer@2000", "clocks = <&ccu 1>;")
    assert not device(describe(machine(off + consumer)), "timer").needs
    above = 'bus { #address-cells = <2>; #size-cells = <2>; ranges; status = "disabled"; %s };' % PROVIDER
    gate = "ccu: gate { #clock-cells = <1>; clocks = <&wall 1>; };"
    wall = PROVIDER.replace("ccu:", "wall:")
    assert needs(device(describe(machine(wall + gate + consumer)), "timer")) == {("clocks", "clock-controller")}
    assert not device(describe(machine(wall + above.replace(PROVIDER, gate) + consumer)), "timer").needs


@pytest.mark.parametrize(("clocks", "what"), [
    ("<0x77 1>", "clocks: no node has the phandle 0x77"), ("<&ccu>", "clocks ends within what it says of"),
    ("<&gic>", "has no #clock-cells"), ("[00 00]", "no whole cells")])
def test_needs_that_cannot_be_meant(clocks: str, what: str) -> None:
    timer = device(describe(machine(PROVIDER + bare("timer@2000", f"clocks = {clocks};"))), "timer")
    assert not timer.needs and what in timer.notes[0]


def test_nodes_that_refer_to_one_another_without_end() -> None:
    """Each of many devices needs one of many regulators, each of which needs the next."""
    count = 300
    chain = "".join(f"r{n}: r{n} {{ in-supply = <&r{(n + 1) % count}>; }};" for n in range(count))
    devices = "".join(bare(f"timer@{0x100000 + n * 0x1000:x}", f"in-supply = <&r{n}>;") for n in range(count))
    assert "without end" in refused(machine(chain + devices))


def test_facts_without_a_tree() -> None:
    with pytest.raises(Refused, match="there is no device tree"):
        describe_tree(Said({}))

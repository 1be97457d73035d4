# SPDX-License-Identifier: GPL-2.0-only
"""
What kind of device a node is: a UART, an IOMMU, a bus master.

A device reads and writes memory by itself (`dma`) if

1. a property says so: it stands behind an IOMMU, its DMA is coherent or is said not to be, it is a DMA controller, a
   PCI host, an Ethernet or a USB controller by what it says of its cable, or
2. its name is one that the Devicetree Specification or the bindings give to what is a bus master, or
3. nothing says that it is none: it has no name of those that are given to what never is one (a UART, GPIO, a clock
   controller), and no property that only those have.

So a mistake is on the safe side. By rule 3 alone it is said in a note.
"""

import re
from collections.abc import Iterator

from jailhouse.probe.tree import Flaw, Node, Tree
from jailhouse.probe.tree_bus import is_pci

_PL011 = {"arm,pl011", "arm,sbsa-uart"}
_8250 = {"ns16550a", "ns16550", "ns16450", "ns8250", "snps,dw-apb-uart"}
# The same four bytes apart, which their nodes need not say
_8250_32 = {"ti,am654-uart", "ti,omap4-uart", "mediatek,mt6577-uart"}
# reg-shift, reg-io-width
_8250_LAYOUTS = {(0, 1): "8250", (2, 1): "8250-32", (2, 4): "8250-32"}

_IOMMUS = {"arm,smmu-v3": "smmuv3", "arm,smmu-v2": "smmuv2", "arm,mmu-500": "smmuv2", "arm,mmu-401": "smmuv1",
           "arm,mmu-400": "smmuv1", "arm,smmu-v1": "smmuv1", "cavium,smmu-v2": "smmuv2", "qcom,smmu-v2": "smmuv2",
           "nvidia,smmu-500": "smmuv2"}
_SMMUS = {"smmuv1", "smmuv2"}
_STREAM_END = 1 << 32
_RANGES_MAX = 1024
_SMR_BITS = 0xFFFF		# IHI0062D 16.3.47: fields ID and MASK of SMMU_SMRn

_MASTER_PROPERTIES = {"iommus", "iommu-map", "dma-coherent", "dma-noncoherent", "#dma-cells", "phy-mode", "phy-handle",
                      "phy-connection-type", "ethernet-ports", "dr_mode", "maximum-speed", "non-removable",
                      "cap-sd-highspeed", "cap-mmc-highspeed", "memory-region"}
_MASTERS = frozenset("""
    adsp ahci bman caam cal camera camss cdsp codec cpsw crypto csi dce display dma dmac dpu dsp dss dwc dwe
    ehci emac eth ethernet etr fcp fdp fman fsl-mc fw-cfg gmac gmu gpu hantro hda hdcp hns host1x iommu ipa ipu
    isi isp its jpeg jpegdec jpegenc lcd lcdif mali mdp mmc modem msi nand npu nvdec nvenc nvme ohci pci pcie
    pru qman r5f rdma remoteproc rga ringacc rotator rproc sata scaler scp sd sdhc sdhci sdmmc sec slpi smmu tmc
    ufs ufshc usb vdec venc vic video virtio vop vpu vsp wcss wifi wlan xhci xor
    """.split())
_SLAVE_PROPERTIES = {"#clock-cells", "#reset-cells", "#power-domain-cells", "#phy-cells", "#pwm-cells", "#gpio-cells",
                     "gpio-controller", "#interrupt-cells", "#mbox-cells", "#hwlock-cells", "#io-channel-cells",
                     "#thermal-sensor-cells", "#nvmem-cell-cells", "#pinctrl-cells", "#interconnect-cells",
                     "#mux-control-cells", "msi-controller", "dmas"}
_SLAVES = frozenset("""
    adc apcs arbiter avs bbnsm board bridge can cci ccn cec chipid clk clock combiner conf counter cpld cpts
    cpufreq cti dac dcfg ddr debug dfi dmic dsi ecc eeprom efuse esm etf etm flash funnel fuse gpc gpio grf hdmi
    hwlock hwspinlock i2c i2s i3c id ierb intc interconnect interrupt keyboard keypad keys kmi kp larb lvds
    mailbox mdio memory-controller mipi mu mutex mux noc nvmem onewire otp pdm performance phy pic pinctrl
    pinmux pll pmic pmu power pwm pwrap qfprom qos regulator replicator reset restart rktimer rng rom rpm rsc
    rtc sai scu semaphore serdes serial smi snvs spdif spi spmi sram ssi stm svs syscfg syscon sysreg
    system-cache-controller system-controller tbu tcsr temperature thermal timer tpda tpdm tpiu trng tscadc
    tsensor uart usbmisc usbphy wakeup watchdog wdt
    """.split())
_SLAVE_COMPATIBLES = {"arm,pl011", "arm,pl022", "arm,pl031", "arm,pl041", "arm,pl050", "arm,pl061", "arm,sbsa-uart",
                      "arm,sp804", "arm,sp805"}


def uart_kind(node: Node) -> str | None:
    """As `uart` of a device's text."""
    if _PL011.intersection(node.compatible):
        return "pl011"
    if _8250_32.intersection(node.compatible):
        return "8250-32"
    if not _8250.intersection(node.compatible):
        return None
    try:
        layout = (node.number("reg-shift"), node.number("reg-io-width", 1))
        return None if node.number("reg-offset") else _8250_LAYOUTS.get(layout)
    except Flaw:
        return None


def iommu_kind(node: Node) -> str | None:
    """An IOMMU that is none of Arm's by what it is compatible with."""
    if not node.has("#iommu-cells"):
        return None
    return next((_IOMMUS[c] for c in node.compatible if c in _IOMMUS), (*node.compatible, "unknown")[0])


def dma_kind(node: Node) -> bool | None:
    """None: nothing says it."""
    if _MASTER_PROPERTIES.intersection(node.properties) or is_pci(node):
        return True
    words = _words(node)
    # A usb-phy is a phy
    if words[-1] not in _SLAVES and _MASTERS.intersection(words):
        return True
    if _SLAVES.intersection(words) or _SLAVE_PROPERTIES.intersection(node.properties) or \
            _SLAVE_COMPATIBLES.intersection(node.compatible):
        return False
    return None


def _words(node: Node) -> list[str]:
    """Its name, and the words of it, without numbers at their ends."""
    return [word.lower().rstrip("0123456789") for word in (node.base, *re.split(r"[-_,.]", node.base))]


def streams_of(tree: Tree, node: Node, notes: list[str]) -> Iterator[tuple[Node, tuple[range, ...]]]:
    """The IOMMUs that it stands behind, each with the ids that it is known by there."""
    count = 0
    try:
        for reference in tree.references(node, "iommus", "#iommu-cells"):
            ids = _stream_ids(reference.node, reference.args)
            count += len(ids)
            if count > _RANGES_MAX:
                raise Flaw(f"its stream ids are in more than {_RANGES_MAX} ranges")
            yield reference.node, ids
        cells = node.cells("iommu-map")
        for at in range(0, len(cells) - 3, 4):
            iommu, first, length = tree.phandles.get(cells[at + 1]), cells[at + 2], cells[at + 3]
            if iommu is None or first + length > _STREAM_END:
                raise Flaw("iommu-map names no IOMMU, or ids of more than 32 bits")
            yield iommu, (range(first, first + length),)
    except Flaw as flaw:
        notes.append(str(flaw))


def _stream_ids(iommu: Node, args: tuple[int, ...]) -> tuple[range, ...]:
    """
    IOMMUs with two arguments that are no SMMU say something else with the second; so do those with more. They are
    known by the first.
    """
    if not args:
        return ()
    if iommu_kind(iommu) not in _SMMUS:
        return (range(args[0], args[0] + 1),)
    mask = args[1] if len(args) > 1 else iommu.number("stream-match-mask")
    return _masked(args[0] & _SMR_BITS, mask & _SMR_BITS)


def _masked(first: int, mask: int) -> tuple[range, ...]:
    """All ids that differ from the first in bits of the mask only."""
    low = 1
    while mask & low:
        low <<= 1
    high = mask & ~(low - 1)
    if 1 << high.bit_count() > _RANGES_MAX:
        raise Flaw(f"the stream ids {first:#x} with the mask {mask:#x} are in more than {_RANGES_MAX} ranges")
    starts, bits = [first & ~mask], high
    while bits:
        bit = bits & -bits
        starts += [start | bit for start in starts]
        bits &= ~bit
    return tuple(range(start, start + low) for start in sorted(starts))

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The rules of the house that a compiler does not check, as tests that count like cmocka's."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
INCLUDE_PATHS = ("include", "hypervisor", "hypervisor/include")
LONGEST_FUNCTION = 60

# Layer (the longest prefix wins): the layers it may include besides itself, and which
# <headers> it may use. None: what its surroundings (Linux, a C library) offer.
FREESTANDING = r"std(arg|bool|def|int)\.h"
LAYERS: dict[str, tuple[set[str], str | None]] = {
    "include/abi": (set(), FREESTANDING + r"|linux/(types|stddef|ioctl)\.h|sys/ioctl\.h"),
    "hypervisor/base": ({"include/abi"}, FREESTANDING),
    "hypervisor/config": ({"include/abi", "hypervisor/base"}, FREESTANDING),
    # core and its contract with the architectures know of each other; cycles are tested apart
    "hypervisor/core": ({"include/abi", "hypervisor/base", "hypervisor/config",
                         "hypervisor/include/arch"}, FREESTANDING),
    "hypervisor/include/arch": ({"include/abi", "hypervisor/base", "hypervisor/config",
                                 "hypervisor/core"}, FREESTANDING),
    "hypervisor/arch/arm64/pure": ({"include/abi", "hypervisor/base", "hypervisor/core",
                                    "hypervisor/include/arch"}, FREESTANDING),
    "hypervisor/arch/arm64": ({"include/abi", "hypervisor/base", "hypervisor/config",
                               "hypervisor/core", "hypervisor/include/arch",
                               "hypervisor/arch/arm64/pure"}, FREESTANDING),
    "hypervisor/arch/x86/pure": ({"include/abi", "hypervisor/base", "hypervisor/core",
                                  "hypervisor/include/arch"}, FREESTANDING),
    "hypervisor/arch/x86": ({"include/abi", "hypervisor/base", "hypervisor/config",
                             "hypervisor/core", "hypervisor/include/arch",
                             "hypervisor/arch/x86/pure"}, FREESTANDING),
    "hypervisor/arch/host": ({"include/abi", "hypervisor/base", "hypervisor/config",
                              "hypervisor/core", "hypervisor/include/arch"}, None),
    "driver": ({"include/abi"}, None),
    "inmates/lib": ({"include/abi"}, FREESTANDING),
    "inmates/loader": ({"include/abi"}, FREESTANDING),
    "inmates/guests": ({"include/abi"}, FREESTANDING),
    "inmates/demos": ({"include/abi", "inmates/lib"}, FREESTANDING),
    "inmates/bench": ({"include/abi", "inmates/lib"}, FREESTANDING),
    "inmates/tests": ({"include/abi", "inmates/lib"}, FREESTANDING),
    "tools": ({"include/abi", "hypervisor/base", "hypervisor/config"}, None),
}

# Generated into build/ and belonging to no layer
GENERATED = {"version.h"}

SOURCE = re.compile(r"\.(c|h|S|lds|py|sh|mk|toml)$|(^|/)(Makefile|Kbuild|Kconfig|run)$")
C_SOURCE = re.compile(r"\.(c|h|S)$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
DUAL = "GPL-2.0-only OR BSD-2-Clause"

Problems = list[str]


def sources(pattern: re.Pattern[str] = SOURCE) -> list[Path]:
    """Every source file of the tree, relative to its top."""
    found = []
    for folder, folders, files in os.walk(TOP):
        folders[:] = sorted(f for f in folders
                            if f not in ("build", ".git", "__pycache__", ".pytest_cache",
                                         ".hypothesis"))
        for name in sorted(files):
            path = Path(folder, name).relative_to(TOP)
            if pattern.search(path.as_posix()):
                found.append(path)
    return found


def text_of(path: Path) -> str:
    return (TOP / path).read_text(encoding="utf-8")


def code_of(path: Path) -> str:
    """Without comments, line by line as before."""
    return COMMENT.sub(lambda m: "\n" * m.group().count("\n"), text_of(path))


def layer_of(path: Path) -> str | None:
    name = path.as_posix()
    fits = [layer for layer in LAYERS if name.startswith(layer + "/")]
    return max(fits, key=len) if fits else None


def resolve(included: str, path: Path) -> Path | None:
    folders = [path.parent.as_posix(), *INCLUDE_PATHS]
    if path.parts[0] == "inmates":
        folders += ["inmates/lib", "inmates/bench"]
        # What each architecture has under the same name
        folders += [f"inmates/{part}/{arch}" for arch in ("arm64", "x86_64") if arch in path.parts or
                    not {"arm64", "x86_64"} & set(path.parts) for part in ("lib", "bench")]
    if path.parts[:2] == ("tools", "jailhouse-cli"):
        folders += [f"tools/jailhouse-cli/{part}" for part in (".", "arm64", "x86_64")]
    if path.parts[0] == "tests":
        folders += ["tests/host"]
    for folder in folders:
        candidate = Path(os.path.normpath(Path(folder, included)))
        if (TOP / candidate).is_file():
            return candidate
    return None


def layers_include_only_what_is_above_them() -> Problems:
    problems = []
    for path in sources(C_SOURCE):
        layer = layer_of(path)
        if layer is None:
            continue
        allowed, system = LAYERS[layer]
        for own, foreign in INCLUDE.findall(code_of(path)):
            if foreign and system is not None and not re.fullmatch(system, foreign):
                problems.append(f"{path}: <{foreign}> is not for {layer}")
            if not own or own in GENERATED:
                continue
            target = resolve(own, path)
            target_layer = layer_of(target) if target else None
            if target is None:
                problems.append(f'{path}: "{own}" is not in the tree')
            elif target_layer != layer and target_layer not in allowed:
                problems.append(f"{path}: {layer} may not include {target}")
    return problems


def headers_include_each_other_in_no_circle() -> Problems:
    graph = {}
    for path in sources(re.compile(r"\.h$")):
        found = [resolve(own, path) for own, _ in INCLUDE.findall(code_of(path)) if own]
        graph[path] = [f for f in found if f]
    problems: Problems = []
    done: set[Path] = set()

    def visit(path: Path, way: list[Path]) -> None:
        if path in way:
            problems.append(" -> ".join(p.as_posix() for p in [*way[way.index(path):], path]))
        elif path not in done:
            for target in graph.get(path, []):
                visit(target, [*way, path])
            done.add(path)

    for path in graph:
        visit(path, [])
    return problems


def every_folder_has_its_layer() -> Problems:
    problems = []
    for path in sources(C_SOURCE):
        if path.parts[0] in ("hypervisor", "include", "inmates", "driver", "tools") \
                and layer_of(path) is None:
            problems.append(f"{path}: belongs to no layer; give {path.parent} one in tests/host/layers.py")
    return problems


def the_documents_name_every_layer() -> Problems:
    text = text_of(Path("docs/architecture.md"))
    problems = []
    for layer in LAYERS:
        if layer.startswith("hypervisor/") and layer.removeprefix("hypervisor/") not in text:
            problems.append(f"docs/architecture.md: does not say what {layer} is")
    return problems


def inmate_paths(arch: str) -> list[str]:
    """Where an inmate's headers are that each architecture has under the same name."""
    folder = {"x86": "x86_64"}.get(arch, arch)
    return ["-Iinmates/bench", f"-Iinmates/lib/{folder}", f"-Iinmates/bench/{folder}"]


def compilers_for(path: Path) -> list[list[str]]:
    """Every way in which a header is compiled; driver headers need a kernel's instead."""
    name = path.as_posix()
    if name.startswith("driver/"):
        return []
    machines = {"arm64": "aarch64", "x86": "x86_64"}
    target = {arch: [[f"{'' if machine == platform.machine() else machine + '-linux-gnu-'}gcc-12"],
                     ["clang", f"--target={machine}-linux-gnu"]] for arch, machine in machines.items()}
    host = [["gcc"], ["clang"]]
    freestanding = ["-ffreestanding"]
    for arch, compilers in target.items():
        if f"/{arch}" in name and "/pure/" not in name:
            return [c + freestanding + inmate_paths(arch) for c in compilers]
    if name.startswith("inmates/"):
        return [c + freestanding + inmate_paths(arch) for arch, compilers in target.items() for c in compilers]
    if name.startswith(("tests/", "tools/", "hypervisor/arch/host/")):
        return host
    if name == "include/abi/driver.h":  # <sys/ioctl.h> or Linux's
        return host
    return [c + freestanding for c in host + target["arm64"]]


def every_header_compiles_alone() -> Problems:
    flags = ["-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wundef", "-Werror",
             "-Wno-unused-function", "-include", "tests/host/autoconf.h", "-x", "c"]
    flags += [f"-I{p}" for p in (*INCLUDE_PATHS, "inmates/lib", "tools/jailhouse-cli", "tests/host")]
    problems = []
    for path in sources(re.compile(r"\.h$")):
        for compiler in compilers_for(path):
            if not shutil.which(compiler[0]):
                problems.append(f"{compiler[0]} is not installed; run `make setup`")
                continue
            # Twice: the guard must work
            lines = f'#include "{TOP / path}"\n' * 2
            done = subprocess.run([*compiler, *flags, "-"], input=lines, cwd=TOP,
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                problems.append(f"{path} alone, {compiler[0]}:\n{done.stderr.strip()}")
    return sorted(set(problems))


def every_file_says_its_licence() -> Problems:
    problems = []
    for path in sources():
        head = "\n".join(text_of(path).splitlines()[:3])
        match = re.search(r"SPDX-License-Identifier: (.*?)\s*(\*/|-->)?$", head, re.MULTILINE)
        dual = path.as_posix().startswith(("include/abi/", "inmates/lib/"))
        wanted = DUAL if dual else "GPL-2.0-only"
        if not match:
            problems.append(f"{path}: no SPDX-License-Identifier in its first three lines")
        elif match.group(1) != wanted:
            problems.append(f"{path}: licence {match.group(1)!r} where {wanted!r} is ours")
    return problems


def nothing_is_left_for_later() -> Problems:
    later = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
    return [f"{path}:{number}: {line.strip()}"
            for path in sources()
            for number, line in enumerate(text_of(path).splitlines(), 1)
            if later.search(line)]


def no_symbol_is_weak() -> Problems:
    weak = re.compile(r"__attribute__\s*\(\(.*\bweak\b|\b__weak\b|^\s*\.weak\b|#pragma\s+weak")
    return [f"{path}:{number}: weak symbols hide which file is linked; choose files instead"
            for path in sources(C_SOURCE)
            for number, line in enumerate(code_of(path).splitlines(), 1)
            if weak.search(line)]


def architectures_are_chosen_by_file() -> Problems:
    """core, config and base name no architecture's macros."""
    macro = re.compile(r"^\s*#\s*(el)?if.*(__aarch64__|__x86_64__|CONFIG_ARCH_|CONFIG_ARM64|CONFIG_X86)")
    return [f"{path}:{number}: choose files, not #if"
            for path in sources(C_SOURCE)
            if path.as_posix().startswith("hypervisor/")
            for number, line in enumerate(code_of(path).splitlines(), 1)
            if macro.search(line)]


def functions_fit_a_screen() -> Problems:
    """From the line of its opening brace to its closing one, both in the first column."""
    problems = []
    for path in sources(re.compile(r"\.[ch]$")):
        start, name, before = 0, "", ""
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if line.rstrip() == "{":
                start, name = number, before
            elif line.startswith("}") and start:
                length = number - start + 1
                if length > LONGEST_FUNCTION:
                    problems.append(f"{path}:{start}: {length} lines, at most "
                                    f"{LONGEST_FUNCTION}: {name.strip()}")
                start = 0
            elif line.strip():
                before = line
    return problems


TESTS = (
    layers_include_only_what_is_above_them,
    headers_include_each_other_in_no_circle,
    every_folder_has_its_layer,
    the_documents_name_every_layer,
    every_header_compiles_alone,
    every_file_says_its_licence,
    nothing_is_left_for_later,
    no_symbol_is_weak,
    architectures_are_chosen_by_file,
    functions_fit_a_screen,
)


def main() -> int:
    failed = []
    print(f"[==========] Running {len(TESTS)} test(s).")
    for test in TESTS:
        print(f"[ RUN      ] {test.__name__}")
        problems = test()
        for problem in problems:
            print(problem)
        if problems:
            failed.append(test.__name__)
        print(f"[  {'FAILED' if problems else '    OK'}  ] {test.__name__}", flush=True)
    print(f"[  PASSED  ] {len(TESTS) - len(failed)} test(s).")
    if failed:
        print(f"[  FAILED  ] {len(failed)} test(s), listed below:")
        for name in failed:
            print(f"[  FAILED  ] {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

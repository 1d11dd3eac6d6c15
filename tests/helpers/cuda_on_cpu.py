"""Runs this package's CUDA kernels on the CPU, to test their arithmetic where there is no GPU."""

import ctypes
import re
import subprocess
from pathlib import Path

from repro.training.kernels import cuda_library

HERE = Path(__file__).resolve().parent


class OnCpu:
    """The functions of a file, compiled as C++; see `cuda_library.Launcher`."""

    def __init__(self, file, defines, folder):
        """Compile it in a folder."""
        text = cuda_library.source(file)
        names = re.findall(r"__launch_bounds__\(.*\)\s+(\w+)\(", text)
        kernels = "\n".join(f"KERNEL({name})" for name in names)
        stem = "_".join([Path(file).stem, *(one.replace("=", "") for one in defines)])
        made, code = folder / f"{stem}.so", folder / f"{stem}.cpp"
        code.write_text(f'#include "cuda_on_cpu.hpp"\n{text}\n{kernels}\n', encoding="utf-8")
        options = ["-O1", "-std=c++17", "-shared", "-fPIC", "-w", f"-I{HERE}"]
        macros = [f"-D{one}" for one in defines]
        subprocess.run(["g++", *options, *macros, str(code), "-o", str(made)], check=True)
        self.library = ctypes.CDLL(str(made))

    def launch(self, name, grid, block, arguments):
        """Block after block."""
        values = [cuda_library._value(argument) for argument in arguments]
        places = (ctypes.c_void_p * len(values))(*(ctypes.addressof(one) for one in values))
        getattr(self.library, f"run_{name}")(*grid, block, places)

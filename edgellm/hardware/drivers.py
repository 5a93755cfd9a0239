"""What the child process of `gpu.py` does: ask NVIDIA's NVML, or llama.cpp's own device list (ggml), for the devices.

Runs only in that child, because either library may hang or crash.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

_GPU_TYPES = (1, 2)  # ggml_backend_dev_type: a card of its own, graphics inside the processor


def nvml() -> dict[str, Any]:
    """Devices with name, driver, compute capability and memory, or `problem` as a phrase."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return {"devices": [], "problem": _nvml_problem(pynvml, error)}
    driver = _text(pynvml.nvmlSystemGetDriverVersion())
    devices = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
        devices.append(
            {
                "index": index,
                "name": _text(pynvml.nvmlDeviceGetName(handle)),
                "driver": driver,
                "major": int(major),
                "minor": int(minor),
                "total": int(memory.total),
                "free": int(memory.free),
            }
        )
    return {"devices": devices, "problem": ""}


def _nvml_problem(pynvml: Any, error: Exception) -> str:
    code = getattr(error, "value", 0)
    known = {
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: "its driver is not installed",
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "its driver is not loaded",
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "its driver was updated; restart the computer",
        pynvml.NVML_ERROR_NO_PERMISSION: "this user may not use it",
    }
    return known.get(code, str(error))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def ggml(folder: Path) -> dict[str, Any]:
    """The Vulkan devices that llama.cpp's libraries in `folder` see, with their memory."""
    prefix, suffix = ("", ".dll") if sys.platform == "win32" else ("lib", ".so")
    library = ctypes.CDLL(str(folder / f"{prefix}ggml{suffix}"))
    # Elsewhere the loader finds the functions of ggml-base through ggml, which has it as a dependency
    base = ctypes.CDLL(str(folder / "ggml-base.dll")) if sys.platform == "win32" else library
    library.ggml_backend_load.argtypes = [ctypes.c_char_p]
    library.ggml_backend_load.restype = ctypes.c_void_p
    library.ggml_backend_dev_count.restype = ctypes.c_size_t
    library.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    library.ggml_backend_dev_get.restype = ctypes.c_void_p
    base.ggml_backend_dev_description.argtypes = [ctypes.c_void_p]
    base.ggml_backend_dev_description.restype = ctypes.c_char_p
    base.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
    base.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    base.ggml_backend_dev_memory.restype = None
    if not library.ggml_backend_load(str(folder / f"{prefix}ggml-vulkan{suffix}").encode()):
        return {"devices": [], "problem": "its library cannot be loaded"}
    devices: list[dict[str, Any]] = []
    for number in range(library.ggml_backend_dev_count()):
        device = library.ggml_backend_dev_get(number)
        if base.ggml_backend_dev_type(device) not in _GPU_TYPES:
            continue
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        name = _text(base.ggml_backend_dev_description(device))
        devices.append({"index": len(devices), "name": name, "free": free.value, "total": total.value})
    return {"devices": devices, "problem": ""}

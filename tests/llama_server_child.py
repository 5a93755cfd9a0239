"""The OpenAI-compatible server of llama-cpp-python as a process: the CPU library loaded as the program does it.

Its own start finds none in some builds, and on some machines one that ends the process. Arguments are the server's.
"""

from __future__ import annotations

import runpy

import llama_cpp  # the whole package: the program would put a bare one in its place

from edgellm.runtimes import llama_library
from edgellm.runtimes.base import Placement

if __name__ == "__main__":
    assert llama_cpp.__version__
    llama_library.load(Placement(cpu_variant="haswell", repack=False))
    runpy.run_module("llama_cpp.server", run_name="__main__", alter_sys=True)

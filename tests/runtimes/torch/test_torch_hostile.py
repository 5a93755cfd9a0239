"""Hostile folders, loaded in a process that is watched: no code runs, no pickle is opened, nothing calls out.

The watch is an audit hook: it sees every file that Python opens, every connection and every process.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
TRICKS: dict[str, dict[str, Any]] = {
    "auto_map": {
        "auto_map": {
            "AutoConfig": "modeling_evil.EvilConfig",
            "AutoModelForCausalLM": "modeling_evil.Evil",
            "AutoTokenizer": ["modeling_evil.Evil", None],
        }
    },
    "another name": {"_name_or_path": "evil/model", "name_or_path": "evil/model", "_commit_hash": "0" * 40},
    "kernel": {"_attn_implementation": "evil/kernel:forward", "attn_implementation": "evil/kernel"},
    "use kernels": {"use_kernels": True, "_use_kernels": True},
    "internal kernel": {"_attn_implementation_internal": "evil/kernel", "_attn_implementation_autoset": False},
    "flash": {"_attn_implementation": "flash_attention_2", "_flash_attn_2_enabled": True},
    "weights elsewhere": {"transformers_weights": "../../evil.safetensors"},
    "dtype": {"torch_dtype": "__import__('os').system", "dtype": {"": "evil"}},
    "text config": {"text_config": {"auto_map": {"AutoConfig": "modeling_evil.Evil"}, "model_type": "evil"}},
    "vision config": {"vision_config": {"model_type": "evil", "auto_map": {"AutoModel": "modeling_evil.Evil"}}},
    "pipelines": {"custom_pipelines": {"text-generation": {"impl": "modeling_evil.Evil", "pt": ["Evil"]}}},
    "generation": {"custom_generate": "evil/generate", "generation_config": {"trust_remote_code": True}},
    "attributes": {"__class__": "Evil", "forward": "evil", "_tp_plan": {"*": "evil"}, "base_model_tp_plan": {"*": "x"}},
    "trust": {"trust_remote_code": True, "local_files_only": False, "_from_auto": True},
    "parts": {"tie_encoder_decoder": True, "is_encoder_decoder": True, "pruned_heads": {"0": [1]}},
}
CHILD = """
import json, sys
seen = {"opened": [], "network": [], "processes": []}
def hook(event, args):
    if event == "open" and isinstance(args[0], str):
        seen["opened"].append(args[0])
    elif event.startswith("socket.") and event not in ("socket.__new__",):
        seen["network"].append(event)
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        seen["processes"].append([event, str(args[0])])
import ctypes, torch, transformers, psutil, numpy  # what importing them does is not the folder's doing
sys.addaudithook(hook)
from pathlib import Path
from edgellm.errors import EdgeError
from edgellm.runtimes.base import Message, Placement, Request, Chunk
from edgellm.runtimes.torch.adapter import load
results = {}
for folder in sorted(Path(sys.argv[1]).iterdir()):
    try:
        model = load(folder, Placement(runtime="torch", threads=1))
        events = list(model.generate(Request((Message("user", "Hello there"),), max_tokens=8)))
        results[folder.name] = "".join(e.text for e in events if isinstance(e, Chunk))
    except EdgeError as error:
        results[folder.name] = type(error).__name__
print(json.dumps({"results": results, **seen}))
"""


class Payload:
    """What unpickling it does: writes the marker."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def hostile(folder: Path, marker: Path, trick: dict[str, Any]) -> None:
    """A working model with a config of tricks, and code and pickles beside it that would write the marker."""
    shutil.copytree(tiny_torch.saved("llama")[0], folder)
    evil = f"open({str(marker)!r}, 'w').write('evil')\nclass Evil: pass\nclass EvilConfig: pass\n"
    for name in ("modeling_evil.py", "configuration_evil.py", "__init__.py", "tokenization_evil.py", "torch.py"):
        (folder / name).write_text(evil)
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(evil)
    for name in ("pytorch_model.bin", "model.pt", "training_args.bin", "optimizer.ckpt", "adapter_model.bin"):
        (folder / name).write_bytes(pickle.dumps(Payload(marker)))
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "evil/model"}))
    (folder / "generation_config.json").write_text(json.dumps({"auto_map": trick, "trust_remote_code": True}))
    for name in ("config.json", "tokenizer_config.json"):
        document = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**document, **trick}))


def test_tricks_change_nothing_and_nobody_is_called(tmp_path: Path) -> None:
    models, marker = tmp_path / "models", tmp_path / "marker"
    models.mkdir()
    hostile(models / "plain", marker, {})
    for name, trick in TRICKS.items():
        hostile(models / name, marker, trick)
    hostile(models / "only pickles", marker, {})
    (models / "only pickles" / "model.safetensors").unlink()
    hostile(models / "quantizer", marker, {"quantization_config": {"quant_method": "evil", "modules": ["evil"]}})
    hostile(models / "architecture", marker, {"model_type": "evil", "architectures": ["Evil"]})
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(models)],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"},
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert not marker.exists()
    assert found["network"] == [] and found["processes"] == []
    results = found["results"]
    refused = {"only pickles": "ModelUnsupported", "quantizer": "ModelUnsupported", "architecture": "ModelUnsupported"}
    assert {name: results.pop(name) for name in refused} == refused
    assert results == dict.fromkeys(["plain", *TRICKS], results["plain"]) and results["plain"]
    inside = {Path(name).name for name in found["opened"] if name.startswith(str(models))}
    allowed = {"config.json", "generation_config.json", "tokenizer_config.json", "model.safetensors"}
    assert inside <= allowed and "config.json" in inside
    assert not any(name.endswith((".bin", ".pt", ".ckpt")) for name in found["opened"])


def test_the_marker_would_be_written_by_what_is_in_the_folder(tmp_path: Path) -> None:
    """The test above could also pass because the payload is harmless."""
    marker = tmp_path / "marker"
    pickle.loads(pickle.dumps(Payload(marker)))
    assert marker.exists()

"""safetensors models on PyTorch and transformers, behind a gate; needs the extra `edgellm[torch]`."""

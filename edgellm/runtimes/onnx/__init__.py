"""Encoder and encoder-decoder models on ONNX Runtime, with the tokenizers library; no torch, no transformers."""

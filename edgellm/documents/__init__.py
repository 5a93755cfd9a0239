"""Documents: files become pages of blocks, blocks become chunks, chunks are found again."""

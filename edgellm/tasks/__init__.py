"""One file, one task: each asks a `Generator` and streams the answer."""

"""Model files: what a header says, and what is installed."""

"""What this computer offers to others over HTTP."""

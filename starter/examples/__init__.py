"""Endless examples of the six jobs, in exactly the prompts that `edgellm.tasks` sends to any model."""

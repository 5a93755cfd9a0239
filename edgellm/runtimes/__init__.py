"""Adapters to model libraries, and the values and protocols they share."""

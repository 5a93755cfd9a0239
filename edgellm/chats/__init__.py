"""Conversations as they are kept: a tree of messages, searchable, written while they stream."""

"""The process that owns the model, and the client, protocol and supervisor in front of it."""

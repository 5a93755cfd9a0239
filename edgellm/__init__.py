"""EdgeLLM: an offline assistant for ordinary laptops.

Importing this package imports nothing heavy: no Qt and no model library.
"""

__version__ = "0.1.0"

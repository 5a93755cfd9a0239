"""`python -m edgellm` is the command line."""

from __future__ import annotations

import sys

from edgellm.cli.main import main

sys.exit(main())

"""Puts the examples, which are no package, where these tests find them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "examples"))

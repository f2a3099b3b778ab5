"""What `make bench` measures. Nothing here is asserted: speed is shown, not tested."""

import sys
from pathlib import Path

# The library is a layer's folder and not installed.
sys.path.append(str(Path(__file__).resolve().parents[1] / "layers" / "orgscan" / "python"))

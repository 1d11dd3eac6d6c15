"""What docs/api.md promises to other programs."""

import re

from places import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text()
PROMISED = re.findall(r"^\| `repro\.([\w.]+)(\(.*\))?` \|", PAGE, re.M)  # name, arguments

"""Which schema each release has, for going back to it."""

from collections.abc import Mapping

RELEASES: Mapping[str, str] = {
    "0.2.0": "c5e8f1a2d934",
    "0.1.0": "1d52a3ef0875",
}

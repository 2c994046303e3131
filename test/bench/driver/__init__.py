# SPDX-License-Identifier: MIT
"""The driver behind bin/bench; Python's standard library only."""

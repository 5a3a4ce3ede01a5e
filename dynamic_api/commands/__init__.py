"""The command `coursewright`. This file stays empty: `__main__` names every command without importing it."""

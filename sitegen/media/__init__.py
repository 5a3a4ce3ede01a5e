"""Videos and captions: what can be done with them on a creator's machine."""

"""What owners do: open, watch, read, download, get on."""

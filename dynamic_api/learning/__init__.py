"""What owners do: open, watch, read, download, carry on."""

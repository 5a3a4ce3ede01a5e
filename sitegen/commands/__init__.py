"""The commands of the site and of its files."""

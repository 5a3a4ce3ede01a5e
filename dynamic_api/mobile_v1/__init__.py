"""The phone app's API, version 1: a frozen contract over the same services as the web."""

"""Imports all programs; see `commands.py`."""

import importlib
import pkgutil

import dynamic_api.app
import dynamic_api.commands
import sitegen.build
import sitegen.commands

for package in (dynamic_api.commands, sitegen.commands):
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)

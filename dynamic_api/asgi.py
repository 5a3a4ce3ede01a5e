"""The application for an ASGI server; the only import with a side effect: it reads the environment."""

import os

from dynamic_api.app import create_app
from dynamic_api.config import Settings
from dynamic_api.gateways import open_gateways

_settings = Settings.from_environ(os.environ)
app = create_app(_settings, open_gateways(_settings))

"""The application for an ASGI server; the only import with a side effect: it reads the settings."""

from dynamic_api.app import create_app
from dynamic_api.core.settings import load_settings
from dynamic_api.gateways import open_gateways

_settings = load_settings()
app = create_app(_settings, open_gateways(_settings))

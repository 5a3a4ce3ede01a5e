"""The service: sells courses, and unlocks lessons, downloads and the phone app for the people who paid."""

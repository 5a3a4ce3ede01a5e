"""Whether an installation is ready: each part is asked, and nothing is written anywhere."""

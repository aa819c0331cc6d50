"""Reelbase: the public movie datasets in one PostgreSQL database."""

__version__ = "0.1.0"

"""Logs (and, with the API, metrics)."""

"""The import console: what is imported and how far it is, what is loaded, and everything that changes it."""

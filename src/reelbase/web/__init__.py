"""Pages for people: the catalog and the import console, made on the server."""

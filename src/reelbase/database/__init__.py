"""How we speak to PostgreSQL: connect, migrate, the embedded server."""

"""The steps that bring the database to the version of the code, in the order of their names."""

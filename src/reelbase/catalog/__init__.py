"""One row for each movie, joined over every dataset: its build, and the questions it answers."""

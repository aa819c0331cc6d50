"""The life of one import, from request to release: the only room that knows all the stages."""
